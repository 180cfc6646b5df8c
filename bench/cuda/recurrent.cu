// One kind of cell in one number format over sizes and batches: ours, and each algorithm of cuDNN that takes the case.
// Compiled with -DCELL=lstm -DFORMAT=bf16. Prints CSV, a line a measurement; the first line names the columns.
// Options: seconds for a measurement, the largest hidden size, the phase (0 to 3, below), and how many of its cases to
// leave out. The log, on stderr, has "case N" before each case, and why cuDNN refuses what it does.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <string>

#include "sequent/cuda.hpp"
#include "timing.hpp"
#ifdef WITH_CUDNN
#include "cudnn.hpp"
#endif

#define TEXT_OF(name) #name
#define TEXT(name) TEXT_OF(name)

using namespace sequent;

namespace {

constexpr precision format = precision::FORMAT;
using device = cuda_with<format>;
template <int Input, int Hidden>
using cell_type = CELL<Input, Hidden>;

constexpr int steps = 512;
double seconds = 0.05;

enum class phase { packed_training, full_training, forward, largest_and_deeper };

// The lengths fall from 512 steps to a quarter of them, or stay.
std::vector<int> lengths_of(int batch, bool packed) {
    std::vector<int> lengths(static_cast<std::size_t>(batch), steps);
    if (packed)
        for (int i = 0; i < batch; ++i) lengths[static_cast<std::size_t>(i)] = steps - 3 * steps / 4 * i / (batch - 1);
    return lengths;
}

struct bench_case {
    phase when;
    int hidden, batch, layers, directions;
    bool packed, training;
    std::function<void(bench_case const&)> time_ours;

    [[nodiscard]] std::string shape() const {
        return layers > 1 ? "2 layers" : directions > 1 ? "2 directions" : "1 layer";
    }
    [[nodiscard]] std::string text() const {
        return message(TEXT(CELL), ",", TEXT(FORMAT), ",", hidden, ",", batch, ",", shape(), ",",
                       packed ? "packed" : "full", ",", training ? "training" : "forward");
    }
    void print(std::string const& who, bench::sample const& time) const {
        std::printf("%s,%s%s,%.3f,%.3f,%.3f,%.4f\n", text().c_str(), who.c_str(), time.captured ? "" : " (no graph)",
                    1000 * time.median / steps, 1000 * time.spread / steps, 1000 * time.again / steps, time.median);
        std::fflush(stdout);
    }
};

// A layer with memory of its own, as a model would hold it.
template <class Layer>
class our_layer {
  public:
    our_layer(std::vector<int> const& lengths, int inputs) {
        make_plan(device_, packing(lengths), plan_);
        std::size_t const rows = static_cast<std::size_t>(plan_.rows());
        random_into(parameters_, static_cast<std::size_t>(Layer::parameter_size), 0.1f);
        gradients_.resize(static_cast<std::size_t>(Layer::parameter_size), 0.0f);
        for (auto& set : sets_) {
            random_into(set.input, rows * static_cast<std::size_t>(inputs), 1);
            random_into(set.output_gradient, rows * Layer::features, 1);
            set.flow = {&plan_, {{set.input.data(), plan_.rows(), inputs}, {}}, {}};
        }
    }
    [[nodiscard]] gpu& machine() const { return *device_.machine; }
    void forward(int set, mode how) {
        now_.how = how;
        (void)layer_.forward(now_, static_cast<float const*>(parameters_.data()), memory_, sets_[set].flow);
    }
    void backward(int set) {
        sequence_gradient<float> const gradient{{sets_[set].output_gradient.data(), plan_.rows(), Layer::features}, {}};
        (void)layer_.backward(now_, static_cast<float const*>(parameters_.data()), gradients_.data(), memory_,
                              sets_[set].flow, gradient, input_gradient::wanted);
    }

  private:
    void random_into(device::buffer<float>& to, std::size_t n, float range) {
        std::vector<float> block(bench::numbers());
        for (float& number : block) number *= range;
        float* const first = to.reserve(n);
        for (std::size_t at = 0; at < n; at += block.size())
            copy_from_host(device_, static_cast<float const*>(block.data()), std::min(block.size(), n - at),
                           first + at);
    }

    device device_;
    device::plan plan_;
    device::buffer<float> parameters_, gradients_;
    struct {
        device::buffer<float> input, output_gradient;
        sequence_flow<device, float> flow{};
    } sets_[bench::input_sets];
    Layer layer_;
    typename Layer::template memory<device, float> memory_;
    pass<device> now_{device_, mode::training, 0, 0, 1};
};

template <int Hidden, class Layer>
void time_ours(bench_case const& of) {
    using cell = cell_type<Hidden, Hidden>;
    our_layer<Layer> ours(lengths_of(of.batch, of.packed), Hidden);
    of.print("sequent " + bench::kernels_of<cell, format>(ours.machine()),
             bench::time_work(ours.machine().stream(), seconds, [&](int set) {
                 ours.forward(set, of.training ? mode::training : mode::inference);
                 if (of.training) ours.backward(set);
             }));
}

// Whether the GPU still works after an error; without, everything that follows would fail too.
void clear_error(char const* who, bench_case const& of, std::exception const& failure) {
    std::fprintf(stderr, "%s: %s: %s\n", who, of.text().c_str(), failure.what());
    (void)cudaGetLastError();
    bench::check_cuda(cudaDeviceSynchronize(), "the GPU does not go on");
}

#ifdef WITH_CUDNN
constexpr cudnnRNNMode_t mode_of(std::string_view cell) {
    return cell == "lstm" ? CUDNN_LSTM : cell == "gru" ? CUDNN_GRU : CUDNN_RNN_TANH;
}

void time_candidate(bench_case const& of, std::string const& who, bench::cudnn_case const& theirs) {
    cudaStream_t stream = nullptr;
    bench::check_cuda(cudaStreamCreate(&stream), "cudaStreamCreate");
    try {
        bench::cudnn_layer layer(theirs, stream);
        of.print(who, bench::time_work(stream, seconds, [&](int set) {
                     layer.forward(set, of.training);
                     if (of.training) layer.backward(set);
                 }));
    } catch (std::exception const& failure) {
        clear_error(who.c_str(), of, failure);
    }
    cudaStreamDestroy(stream);
}

// Each algorithm with each of the type's kinds of arithmetic, with the rows packed as ours are, and padded. Most cases
// suit a few.
void time_cudnn(bench_case const& of) {
    constexpr bool halves = format == precision::bf16 || format == precision::f16;
    constexpr cudnnDataType_t type = format == precision::bf16  ? CUDNN_DATA_BFLOAT16
                                     : format == precision::f16 ? CUDNN_DATA_HALF
                                                                : CUDNN_DATA_FLOAT;
    struct arithmetic {
        cudnnMathType_t math;
        char const* name;
    };
    // cuDNN's default for float, and PyTorch's: tensor cores may round (TF32). Strict float is CUDNN_FMA_MATH.
    std::vector<arithmetic> const maths =
        halves ? std::vector<arithmetic>{{CUDNN_TENSOR_OP_MATH, " tensor"}, {CUDNN_DEFAULT_MATH, " default"}}
        : format == precision::f32 ? std::vector<arithmetic>{{CUDNN_FMA_MATH, " fma"}}
                                   : std::vector<arithmetic>{{CUDNN_DEFAULT_MATH, ""}};
    struct candidate {
        cudnnRNNAlgo_t algorithm;
        char const* name;
    };
    constexpr candidate candidates[] = {{CUDNN_RNN_ALGO_STANDARD, "standard"},
                                        {CUDNN_RNN_ALGO_PERSIST_STATIC, "persist_static"},
                                        {CUDNN_RNN_ALGO_PERSIST_DYNAMIC, "persist_dynamic"},
                                        {CUDNN_RNN_ALGO_PERSIST_STATIC_SMALL_H, "persist_static_small_h"}};
    for (bool const packed : {true, false})
        for (candidate const& one : candidates)
            for (arithmetic const& kind : maths)
                time_candidate(of, message("cudnn ", one.name, packed ? " packed" : " padded", kind.name),
                               {mode_of(TEXT(CELL)), of.hidden, of.hidden, of.layers, of.directions, of.batch,
                                lengths_of(of.batch, of.packed), packed, type, kind.math, one.algorithm});
}
#else
void time_cudnn(bench_case const&) {}
#endif

template <int Hidden>
void add_cases(int largest, std::vector<bench_case>& to) {
    if (Hidden > largest) return;
    using cell = cell_type<Hidden, Hidden>;
    for (int const batch : {64, 16, 128})
        for (bool const packed : {true, false})
            for (bool const training : {true, false})
                to.push_back(bench_case{Hidden > 512 ? phase::largest_and_deeper
                                        : !training  ? phase::forward
                                        : packed     ? phase::packed_training
                                                     : phase::full_training,
                                        Hidden, batch, 1, 1, packed, training, time_ours<Hidden, recurrent<cell>>});
    if constexpr (Hidden == 128 || Hidden == 256)
        for (bool const training : {true, false}) {
            to.push_back(bench_case{phase::largest_and_deeper, Hidden, 64, 1, 2, true, training,
                                    time_ours<Hidden, bidirectional<cell>>});
            to.push_back(bench_case{phase::largest_and_deeper, Hidden, 64, 2, 1, true, training,
                                    time_ours<Hidden, stacked<2, cell>>});
        }
}

}  // namespace

int main(int argc, char** argv) {
    try {
        if (argc > 1) seconds = std::atof(argv[1]);
        int const largest = argc > 2 ? std::atoi(argv[2]) : 1024, wanted = argc > 3 ? std::atoi(argv[3]) : 0,
                  left_out = argc > 4 ? std::atoi(argv[4]) : 0;
        std::vector<bench_case> cases;
        add_cases<32>(largest, cases), add_cases<64>(largest, cases), add_cases<128>(largest, cases);
        add_cases<256>(largest, cases), add_cases<512>(largest, cases), add_cases<1024>(largest, cases);
        // Where the time is short, batches of 64 are known for all sizes.
        std::stable_sort(cases.begin(), cases.end(),
                         [](bench_case const& a, bench_case const& b) { return (a.batch == 64) > (b.batch == 64); });
        std::printf("cell,format,hidden,batch,shape,lengths,what,who,us_per_step,iqr_us,again_us,ms\n");
        gpu const is_there;  // else throws
        int place = 0, status = 0;
        for (bench_case const& one : cases) {
            if (static_cast<int>(one.when) != wanted || place++ < left_out) continue;
            std::fprintf(stderr, "case %d: %s\n", place, one.text().c_str());
            try {
                one.time_ours(one);
            } catch (std::exception const& failure) {
                status = 1;
                clear_error("sequent", one, failure);
            }
            time_cudnn(one);
        }
        return status;
    } catch (std::exception const& failure) {
        std::fprintf(stderr, "%s\n", failure.what());
        return 2;
    }
}
