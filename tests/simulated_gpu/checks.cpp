// What the simulated GPU makes of kernels: numbers, and what is an error.
#include <bit>
#include <cstring>

#include "catch.hpp"
#include "machine.hpp"

using namespace simulated_gpu;

namespace {

// A kernel of one pointer.
std::string kernel_of(std::string const& body) {
    return ".version 9.0\n.target sm_90\n.address_size 64\n.extern .shared .align 16 .b8 room[];\n"
           ".visible .entry kernel(\n\t.param .u64 kernel_param_0\n)\n{\n"
           ".reg .pred %p<8>;\n.reg .f32 %f<32>;\n.reg .b32 %r<32>;\n.reg .b64 %rd<8>;\n"
           "ld.param.u64 \t%rd1, [kernel_param_0]; // the place of the results\ncvta.to.global.u64 %rd1, %rd1;\n"
           "mov.u32 %r1, %tid.x;\nmul.wide.u32 %rd2, %r1, 4;\nadd.s64 %rd3, %rd1, %rd2;\n" +
           body + "\nret;\n}\n";
}

struct given {
    unsigned threads = 32, cluster = 1;
    std::size_t shared_bytes = 1024, words = 64;
};
// The words that the kernel wrote; what it did not is all ones.
std::vector<std::uint32_t> ran(std::string const& text, given const& with = {}) {
    std::vector<std::uint32_t> results(with.words, 0xFFFFFFFF);
    allocations memory;
    memory.add(results.data(), 4 * results.size());
    auto const* const address = results.data();
    std::vector<std::byte> parameters(8);
    std::memcpy(parameters.data(), &address, 8);
    module_text module(text);
    run(module, "kernel", {{with.cluster, 1, 1}, {with.threads, 1, 1}, with.cluster, with.shared_bytes, parameters},
        memory);
    return results;
}
auto says(std::string const& what) { return Catch::Contains(what); }

}  // namespace

TEST_CASE("simulated GPU: numbers, branches and predicates") {
    auto const results = ran(kernel_of("setp.lt.s32 %p1, %r1, 4;\n@%p1 bra $small;\nmov.u32 %r2, 7;\nbra.uni $end;\n"
                                       "$small:\nneg.s32 %r2, %r1;\n$end:\n{ .reg .b32 %r2a; mov.u32 %r2a, 1; }\n"
                                       "st.global.u32 [%rd3], %r2;"));
    CHECK(results[0] == 0);
    CHECK(results[3] == static_cast<std::uint32_t>(-3));
    CHECK(results[4] == 7);
    CHECK(results[32] == 0xFFFFFFFF);
}

TEST_CASE("simulated GPU: names of an inner scope hide those outside") {
    auto const results =
        ran(kernel_of("mov.u32 %r3, 5;\n{ .reg .b32 %r3; mov.u32 %r3, 6; }\nst.global.u32 [%rd3], %r3;"));
    CHECK(results[0] == 5);
}

TEST_CASE("simulated GPU: bits of one register in another") {
    auto const results = ran(kernel_of("mov.u32 %r3, 0x12345678;\nmov.u32 %r4, 0xF5;\nbfi.b32 %r5, %r4, %r3, 8, 4;\n"
                                       "st.global.u32 [%rd1], %r5;\nbfi.b32 %r5, %r4, %r3, 28, 40;\n"
                                       "st.global.u32 [%rd1+4], %r5;\nbfi.b32 %r5, %r4, %r3, 32, 4;\n"
                                       "st.global.u32 [%rd1+8], %r5;"));
    CHECK(results[0] == 0x12345578);
    CHECK(results[1] == 0x52345678);
    CHECK(results[2] == 0x12345678);
}

TEST_CASE("simulated GPU: what floats round to") {
    auto const results =
        ran(kernel_of("mov.f32 %f1, 0f3F8147AE;\ncvt.rn.bf16x2.f32 %r2, %f1, 0f40000000;\n"
                      "st.global.u32 [%rd1], %r2;\ncvt.rna.tf32.f32 %r2, %f1;\nst.global.u32 [%rd1+4], %r2;\n"
                      "cvt.rn.f16x2.f32 %r2, %f1, %f1;\nst.global.u32 [%rd1+8], %r2;\n"
                      "cvt.rzi.s32.f32 %r2, 0fC0600000;\nst.global.u32 [%rd1+12], %r2;"));
    CHECK(results[0] == 0x3F814000);
    CHECK(results[1] == 0x3F814000);
    CHECK(results[2] == 0x3C0A3C0A);
    CHECK(results[3] == static_cast<std::uint32_t>(-3));
}

TEST_CASE("simulated GPU: a product of fragments") {
    // a(row, k) = row where k = 0; b(k, column) = column + 1 where k = 0: c(row, column) = row (column + 1)
    std::string const text =
        "shr.u32 %r2, %r1, 2;\nand.b32 %r3, %r1, 3;\nsetp.eq.s32 %p1, %r3, 0;\n"
        "cvt.rn.f32.s32 %f1, %r2;\nadd.s32 %r4, %r2, 8;\ncvt.rn.f32.s32 %f2, %r4;\nadd.s32 %r4, %r2, "
        "1;\ncvt.rn.f32.s32 %f3, %r4;\n"
        "selp.f32 %f1, %f1, 0f00000000, %p1;\nselp.f32 %f2, %f2, 0f00000000, %p1;\nselp.f32 %f3, %f3, 0f00000000, "
        "%p1;\n"
        "cvt.rn.bf16x2.f32 %r5, 0f00000000, %f1;\ncvt.rn.bf16x2.f32 %r6, 0f00000000, %f2;\n"
        "cvt.rn.bf16x2.f32 %r7, 0f00000000, %f3;\nmov.u32 %r8, 0;\nmov.f32 %f4, 0f00000000;\n"
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f5, %f6, %f7, %f8}, {%r5, %r6, %r8, %r8}, {%r7, %r8}, "
        "{%f4, %f4, %f4, %f4};\nshl.b32 %r9, %r1, 2;\nmul.wide.u32 %rd4, %r9, 4;\nadd.s64 %rd5, %rd1, %rd4;\n"
        "st.global.v4.f32 [%rd5], {%f5, %f6, %f7, %f8};";
    auto const results = ran(kernel_of(text), {.words = 128});
    for (std::size_t lane = 0; lane < 32; ++lane)
        for (std::size_t n = 0; n < 4; ++n) {
            std::size_t const row = lane / 4 + n / 2 * 8, column = lane % 4 * 2 + n % 2;
            CHECK(std::bit_cast<float>(results[4 * lane + n]) == static_cast<float>(row * (column + 1)));
        }
}

TEST_CASE("simulated GPU: threads meet at barriers, and lanes exchange") {
    auto const results =
        ran(kernel_of("mov.u32 %r2, room;\nshl.b32 %r3, %r1, 2;\nadd.s32 %r4, %r2, %r3;\n"
                      "st.shared.u32 [%r4], %r1;\nbar.sync 0;\nsub.s32 %r5, 63, %r1;\nshl.b32 %r5, %r5, 2;\n"
                      "add.s32 %r5, %r2, %r5;\nld.shared.u32 %r6, [%r5];\n"
                      "shfl.sync.bfly.b32 %r7|%p1, %r6, 1, 31, -1;\nst.global.u32 [%rd3], %r7;"),
            {.threads = 64});
    for (std::uint32_t n = 0; n < 64; ++n) CHECK(results[n] == 63 - (n ^ 1));
}

TEST_CASE("simulated GPU: blocks of a cluster send each other bytes that an mbarrier counts") {
    // Each block's first thread sends its rank to the other block and waits for the other's.
    auto const text = [](std::string const& bytes) {
        return kernel_of(
            "mov.u32 %r2, room;\nmov.u32 %r3, %ctaid.x;\nxor.b32 %r4, %r3, 1;\n"
            "setp.ne.s32 %p1, %r1, 0;\n@%p1 bra $ready;\nmbarrier.init.shared::cta.b64 [%r2], 1;\n"
            "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r2], " +
            bytes +
            ";\n$ready:\n"
            "barrier.cluster.arrive.aligned;\nbarrier.cluster.wait.aligned;\n@%p1 bra $end;\n"
            "add.s32 %r5, %r2, 16;\nmapa.shared::cluster.u32 %r6, %r5, %r4;\nmapa.shared::cluster.u32 %r7, %r2, %r4;\n"
            "add.s32 %r8, %r3, 40;\n"
            "st.async.shared::cluster.mbarrier::complete_tx::bytes.v2.b32 [%r6], {%r8, %r8}, [%r7];\n"
            "$wait:\nmbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 %p2, [%r2], 0;\n@!%p2 bra $wait;\n"
            "ld.shared.u32 %r9, [%r2+20];\nmul.wide.u32 %rd4, %r3, 4;\nadd.s64 %rd5, %rd1, %rd4;\n"
            "st.global.u32 [%rd5], %r9;\n$end:");
    };
    auto const results = ran(text("8"), {.cluster = 2});
    CHECK(results[0] == 41);
    CHECK(results[1] == 40);
    CHECK_THROWS_WITH(ran(text("16"), {.cluster = 2}), says("waits for ever") && says("@!%p2 bra $wait"));
    CHECK_THROWS_WITH(ran(text("4"), {.cluster = 2}), says("waits for ever") || says("received bytes"));
}

TEST_CASE("simulated GPU: what a kernel may not do is an error that says where") {
    auto const fails = [](std::string const& body, std::string const& what, given const& with = {}) {
        CHECK_THROWS_WITH(ran(kernel_of(body), with), says(what) && says("block 0,0,0, thread"));
    };
    fails("st.global.u32 [%rd3+4096], %r1;", "memory that is not the device's");
    fails("st.global.u32 [%rd3+2], %r1;", "a misaligned address");
    fails("ld.global.v4.u32 {%r2, %r3, %r4, %r5}, [%rd1+8];", "a misaligned address");
    fails("st.shared.u32 [room+1024], %r1;", "shared memory of 1024 bytes has no byte 1027");
    fails("mov.u32 %r2, room;\nld.shared.v2.u32 {%r3, %r4}, [%r2+4];", "a misaligned address of shared memory");
    fails("shfl.sync.bfly.b32 %r2, %r3, 1, 7199, -1;", "not all lanes are meant");
    fails("trap;", "trap");
    fails("div.u32 %r2, 1, %r1;", "division by zero");
    fails("setp.eq.s32 %p1, %r1, 3;\n@%p1 bra $end;\nbar.warp.sync -1;\n$end:",
          "lanes of a warp meet at different places");
    fails("setp.eq.s32 %p1, %r1, 3;\n@%p1 bar.warp.sync -1;\nbar.sync 0;", "lanes of a warp meet at different places");
    fails("setp.eq.s32 %p1, %r1, 3;\n@%p1 bra $end;\nbar.sync 0;\nbra.uni $out;\n$end:\n"
          "barrier.cluster.arrive.aligned;\nbarrier.cluster.wait.aligned;\n$out:",
          "waits for ever");
    fails("setp.eq.s32 %p1, %r1, 3;\n@%p1 bra $end;\nbar.sync 0;\n$end:", "a thread has left before a barrier");
    fails("barrier.cluster.wait.aligned;", "waits at the cluster's barrier without having arrived");
    fails("barrier.cluster.arrive.aligned;\nbarrier.cluster.arrive.aligned;", "arrives twice at the cluster's barrier");
    fails("mov.u32 %r2, room;\nmapa.shared::cluster.u32 %r3, %r2, 0;\nst.shared.u32 [%r3], %r1;",
          "shared memory of 1024 bytes");
    fails("mov.u32 %r2, room;\nmbarrier.arrive.shared::cta.b64 _, [%r2];", "no mbarrier was made");
    fails("mov.u32 %r2, room;\nmapa.shared::cluster.u32 %r3, %r2, 5;", "no block 5 in the cluster");
}

TEST_CASE("simulated GPU: what is not understood is quoted") {
    CHECK_THROWS_WITH(ran(kernel_of("popc.b32 %r2, %r1;")), says("not understood: popc.b32 %r2, %r1"));
    CHECK_THROWS_WITH(ran(kernel_of("add.rz.f32 %f1, %f2, %f3;")), says("not understood: add.rz.f32"));
    for (char const* const text :
         {"max.NaN.f32 %f1, %f2, %f3", "mul.sat.f32 %f1, %f2, %f3", "add.cc.u32 %r2, %r3, %r4", "bar.sync 1, 64",
          "cvt.rn.relu.bf16x2.f32 %r2, %f1, %f2", "ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%r2, %r3}, [%r4]",
          "barrier.cluster.arrive.relaxed.aligned",
          "mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {%r2, %r3}, {%r2, %r3, %r4, %r5}, {%r2, %r3}, {%r2, %r3}"})
        CHECK_THROWS_WITH(ran(kernel_of(std::string(text) + ";")), says(std::string("not understood: ") + text));
    CHECK_THROWS_WITH(ran(kernel_of("mov.u32 %r2, %smid;")), says("an unknown register: %smid"));
    CHECK_THROWS_WITH(ran(kernel_of("mbarrier.try_wait.parity.shared::cta.b64 %p1, [%r2], 0;")),
                      says("a wait that does not acquire what the cluster sent"));
    CHECK_THROWS_WITH(ran(kernel_of("bra $nowhere;")), says("an unknown label: $nowhere"));
    CHECK_THROWS_WITH(ran(".version 9.0\n"), says("no function kernel in the module"));
}
