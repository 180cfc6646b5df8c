#include "sequent/backend/cuda/launch_list.hpp"

#include "catch.hpp"
#include "passes.hpp"
#include "sequent/train/adam.hpp"
#include "sequent/train/sgd.hpp"

using namespace sequent_tests;

namespace {

struct add_number {  // as one more digit, of which the last six stay
    int number;
    double* to;
    void operator()(std::ptrdiff_t j) const { to[j] = std::fmod(10 * to[j] + number, 1e6); }
};
struct add_numbers {  // those found in other memory
    int const* number;
    double* to;
    void operator()(std::ptrdiff_t j) const { to[j] = std::fmod(10 * to[j] + number[j], 1e6); }
};
struct write_digits {
    double const* from;
    double* to;
    void operator()(std::ptrdiff_t) const { *to = from[0]; }
};

bool throws_now = false;
struct throw_if_wanted {
    int nothing;
    void operator()(std::ptrdiff_t) const {
        if (throws_now) throw error("as wanted");
    }
};

struct fixed_call {
    static constexpr bool fixed = true;
    std::ptrdiff_t number;
    void operator()(emulated_machine&) const {}
};

struct three_numbers {
    emulated_machine machine{};
    device_buffer<emulated_machine, double> memory{};
    double* const numbers = memory.resize(3, 0);

    // What these calls make of zeros, in the first and the last place.
    std::pair<double, double> together(int digit, std::ptrdiff_t n) {
        memory.resize(0, 0), memory.resize(3, 0);
        machine.together([&] {
            machine.each(3, add_number{1, numbers});
            machine.each(3, add_number{digit, numbers});
            machine.each(n, add_number{3, numbers});
        });
        return first_and_last();
    }
    std::pair<double, double> first_and_last() {
        double all[3];
        machine.to_host(numbers, sizeof all, all);
        return {all[0], all[2]};
    }
    [[nodiscard]] emulated_machine::launch_counts counts() const { return *machine.launches; }
};
using both = std::pair<double, double>;

}  // namespace

TEST_CASE("launch_list: what is fixed belongs to the structure, of the rest the kind of call") {
    using list = launch_list<emulated_machine>;
    auto const of = [](int digit, std::ptrdiff_t number) {
        list made;
        made.add(detail::each_call<add_number>{3, {digit, nullptr}});
        made.add(fixed_call{number});
        return made;
    };
    list const one = of(1, 7), other = of(2, 7);
    CHECK(one.is_like(other));
    CHECK(one.hash() == other.hash());
    CHECK_FALSE(one.has_call(0, other));
    CHECK(one.has_call(1, other));
    CHECK_FALSE(one.is_like(of(1, 8)));
    CHECK(one.hash() != of(1, 8).hash());
    CHECK_FALSE(one.is_like(list{}));
    list taken = one;
    taken.take_call(0, other);
    CHECK(taken.has_call(0, other));
}

TEST_CASE("launch_memory: from the second time on, what was noted is made as one, with its own arguments") {
    three_numbers here;
    CHECK(here.together(2, 1) == both{123, 12});
    CHECK(here.counts().single == 3);
    CHECK(here.together(2, 1) == both{123, 12});
    CHECK(here.counts().captures == 1);
    CHECK(here.together(2, 1) == both{123, 12});
    CHECK(here.counts().renewals == 0);
    CHECK(here.together(4, 3) == both{143, 143});
    CHECK(here.counts().renewals == 2);
    CHECK(here.together(4, 0) == both{14, 14});
    CHECK(here.together(4, 1) == both{143, 14});
    CHECK(here.counts().graphs == 5);
    CHECK(here.counts().captures == 1);
    CHECK(here.counts().single == 3);
}

TEST_CASE("launch_memory: what cannot be noted comes in its place, and so does what uses old memory") {
    three_numbers here;
    for (int time = 1; time <= 4; ++time) {
        here.memory.resize(0, 0), here.memory.resize(3, 0);
        double between[3] = {};
        std::vector<int> digits{7, 8, 9};
        here.machine.together([&] {
            here.machine.each(3, add_numbers{here.machine.upload(std::span<int const>(digits)), here.numbers});
            digits = {4, 4, 4};
            device_buffer<emulated_machine, int> room;  // lives shorter than the calls that read it
            here.machine.from_host(digits.data(), 3 * sizeof(int), room.reserve(3));
            here.machine.each(3, add_numbers{room.data(), here.numbers});
            here.machine.from_host(digits.data(), 3 * sizeof(int), room.reserve(1000));
            here.machine.together([&] { here.machine.each(3, add_numbers{room.data(), here.numbers}); });
            if (time == 3) here.machine.to_host(here.numbers, sizeof between, between);
            if (time == 4) emulated_machine::copy(here.numbers, sizeof(double), here.numbers + 2);
            here.machine.each(3, add_number{5, here.numbers});
        });
        CHECK(here.first_and_last() == (time == 4 ? both{7445, 7445} : both{7445, 9445}));
        CHECK(between[2] == (time == 3 ? 944 : 0));
    }
    CHECK(here.counts().uploads == 4);
}

TEST_CASE("launch_memory: an answer that is read before its list is made has it made") {
    three_numbers here;
    here.machine.together([&] {
        here.machine.each(3, add_number{1, here.numbers});
        device_number<emulated_machine, double> const answer(here.machine, [&](double* to) {
            here.machine.each(1, write_digits{here.numbers, to});
        });
        here.machine.each(3, add_number{2, here.numbers});
        CHECK(answer == 1);
        CHECK(here.first_and_last() == both{12, 12});
    });
    CHECK(here.machine.waits->of_answers == 1);
}

TEST_CASE("launch_memory: uploads that are too many come in several copies, one that is too large alone") {
    three_numbers here;
    std::vector<int> const digits(1 << 17, 3), many(1 << 18, 4), more((1 << 18) + 1, 5);
    here.machine.together([&] {
        for (auto const* const one : {&digits, &many, &more, &digits})
            here.machine.each(3, add_numbers{here.machine.upload(std::span<int const>(*one)), here.numbers});
    });
    CHECK(here.first_and_last() == both{3453, 3453});
    CHECK(here.counts().uploads == 4);
}

TEST_CASE("launch_memory: uploads stay where they are until together ends") {
    three_numbers here;
    std::vector<int> const first(3, 1), second(3, 2), many((1 << 18) + 1, 3);
    here.machine.together([&] {
        auto const* const there = here.machine.upload(std::span<int const>(first));
        CHECK(here.first_and_last() == both{0, 0});
        auto const* const behind = here.machine.upload(std::span<int const>(second));
        auto const* const alone = here.machine.upload(std::span<int const>(many));
        for (auto const* const one : {there, behind, alone, there})
            here.machine.each(3, add_numbers{one, here.numbers});
    });
    CHECK(here.first_and_last() == both{1231, 1231});
    CHECK(here.counts().uploads == 3);
}

TEST_CASE("launch_memory: what came before an error is done, and nothing is noted any more") {
    three_numbers here;
    CHECK_THROWS_AS(here.machine.together([&] {
        here.machine.each(3, add_number{1, here.numbers});
        throw argument_error("wrong");
    }),
                    argument_error);
    CHECK(here.first_and_last().first == 1);
    CHECK_FALSE(here.machine.is_noting());
    here.machine.each(3, add_number{2, here.numbers});
    CHECK(here.first_and_last().first == 12);
}

TEST_CASE("launch_memory: a list that failed is made call by call once more before it is a graph") {
    three_numbers here;
    throws_now = true;
    auto const run = [&] {
        here.machine.together([&] {
            here.machine.each(1, throw_if_wanted{0});
            here.machine.each(3, add_number{1, here.numbers});
        });
    };
    CHECK_THROWS_WITH(run(), "as wanted");
    throws_now = false;
    run();
    CHECK(here.counts().captures == 0);
    run();
    CHECK(here.counts().captures == 1);
    CHECK(here.first_and_last() == both{11, 11});
}

TEST_CASE("launch_memory: forgets what was longest not made of many graphs") {
    three_numbers here;
    auto const run = [&](int calls) {  // the structure: so many
        long const before = here.counts().graphs;
        here.machine.together([&] {
            for (int k = 0; k < calls; ++k) here.machine.each(3, add_number{calls % 10, here.numbers});
        });
        return here.counts().graphs - before;
    };
    for (int round = 0; round < 2; ++round)
        for (int n = 1; n <= 130; ++n) {
            run(n);
            if (round > 0) CHECK(run(1) == 1);
        }
    CHECK(here.counts().captures == 130);
    CHECK(run(130) == 1);
    CHECK(run(2) == 0);
}

namespace {

// Batches of one bucket, the largest first: 21 to 23 words, 17 to 19 of them unlike, one of six texts of 8 words.
std::vector<std::vector<int>> texts_of_a_bucket(int t) {
    std::vector<std::vector<int>> made(6);
    int const rows = 23 - t % 3, unlike = 19 - t / 2 % 3;
    for (int r = 0; r < rows; ++r)
        made[static_cast<std::size_t>((r < 8 ? t : t + 1 + r % 5) % 6)].push_back(2 + (r % unlike * 5 + t) % 28);
    return made;
}

// Losses and parameters of 30 steps. each_step(what the host has asked for in it)
template <class Network, class Device, class Rule>
std::vector<double> steps_of(Rule const& rule, Device const& device, bool graphs, auto const& each_step) {
    device.machine->makes_graphs = graphs;
    model<Network, Device> net({}, {.seed = 3, .device = device});
    std::vector<double> results;
    training run(net, cross_entropy{}, rule, {.clip_norm = 0.5, .schedule = schedule::step{.every = 5}});
    net.reserve(100, 6);
    for (int t = 0; t < 30; ++t) {
        auto const batch = pack(texts_of_a_bucket(t));
        std::vector<int> targets(static_cast<std::size_t>(net.gives_sequence ? batch.shape.rows() : 6));
        for (std::size_t i = 0; i < targets.size(); ++i) targets[i] = static_cast<int>(7 * i) % 4;
        auto const before = *device.machine->launches;
        auto const loss = run.step(batch, targets).loss;
        auto const& now = *device.machine->launches;
        each_step(t, emulated_machine::launch_counts{now.single - before.single, now.uploads - before.uploads,
                                                     now.graphs - before.graphs, now.captures - before.captures,
                                                     now.renewals - before.renewals});
        results.push_back(loss);
    }
    run.settle();
    for (auto const& parameter : net.parameters())
        for (float const value : net.values(parameter)) results.push_back(static_cast<double>(value));
    return results;
}

template <class Network, class Device, class Rule>
std::vector<double> check_steps(Rule const& rule, auto const& new_device) {
    INFO(Rule::name);
    auto const with =
        steps_of<Network, Device>(rule, new_device(), true, [](int t, emulated_machine::launch_counts const& of) {
            INFO("step " << t << ": " << of.single << " single calls");
            CHECK(of.uploads == 1);
            CHECK(of.graphs == (t < 1 ? 0 : 1));
            CHECK(of.captures == (t == 1 ? 1 : 0));
            CHECK((of.single == 0) == (t >= 1));
            CHECK((of.renewals > 0) == (t > 1));
        });
    CHECK(with ==
          steps_of<Network, Device>(rule, new_device(), false, [](int, auto const& of) { CHECK(of.graphs == 0); }));
    return with;
}
template <class Network, class Device, class Rule>
std::vector<double> check_steps(Rule const& rule) {
    return check_steps<Network, Device>(rule, [] { return Device{}; });
}

}  // namespace

TEST_CASE("cuda: a training step is one upload and one graph, with the bits of single calls") {
    using general = emulated_with<precision::f32, strategy::general>;
    auto const plain = check_steps<classifier, emulated>(adam{.rate = 0.01});
    CHECK(check_steps<classifier, emulated>(adam{.rate = 0.01}, that_splits<>) != plain);
    check_steps<classifier, general>(sgd{.rate = 0.1, .momentum = 0.9});
    check_steps<deep, general>(adamw{.rate = 0.01});
    check_steps<tagger, general>(adam{.rate = 0.01});
}

// What a training leaves whose batches come two at a time, some of them with a word that is not in the table.
template <class Device>
std::vector<float> halves(bool graphs) {
    Device device;
    device.machine->makes_graphs = graphs;
    model<classifier, Device> net({}, {.seed = 3, .device = device});
    training run(net, cross_entropy{}, adam{.rate = 0.01});
    std::vector<int> const targets{0, 1, 2, 3, 0, 1};
    for (int t = 0; t < 12; ++t) {
        net.zero_gradients();
        auto texts = texts_of_a_bucket(t);
        run.accumulate(pack(texts), targets);
        texts = texts_of_a_bucket(t + 1);
        if (t % 3 == 1) texts[0][0] = words;
        if (t % 3 == 1) CHECK_THROWS_AS(run.accumulate(pack(texts), targets), argument_error);
        if (t % 3 != 1) run.accumulate(pack(texts), targets);
        run.update();
        if (t == 7) CHECK_THROWS_AS(run.step(pack(texts), targets), argument_error);
    }
    CHECK((device.machine->launches->graphs > 20) == graphs);
    run.settle();
    auto left = net.values("embedding.weight"), weights = net.values("rnn.weight_hh_l0");
    left.insert(left.end(), weights.begin(), weights.end());
    return left;
}

TEST_CASE("cuda: halves of a step are graphs too; a batch that is refused leaves what it leaves without graphs") {
    using device_type = emulated_with<precision::f32, strategy::general>;
    CHECK(halves<device_type>(true) == halves<device_type>(false));
}

TEST_CASE("cuda: a step waits for nothing but the check of the step before it") {
    using device_type = emulated_with<precision::f32, strategy::general>;
    device_type const device;
    std::vector<int> const topics{0, 1, 2, 3, 0, 1};
    auto const batch_of = [](int t) { return pack(texts(static_cast<std::uint64_t>(t))); };
    model<deep, device_type> net({}, {.seed = 3, .device = device});
    training run(net, cross_entropy{}, adam{.rate = 0.01}, {.clip_norm = 0.5});
    for (int t = 0; t < 3; ++t) run.step(batch_of(t), topics);
    auto const& waits = *device.machine->waits;
    auto const before = waits;
    std::vector<double> losses;
    auto last = run.step(batch_of(3), topics);
    for (int t = 4; t < 12; ++t) {
        auto const now = run.step(batch_of(t), topics);
        losses.push_back(last.loss);  // one step late
        last = now;
    }
    CHECK(waits.whole == before.whole);
    CHECK(waits.of_answers - before.of_answers == 17);  // 9 checks, 8 losses
    CHECK(waits.fewest > 20);                           // all of a forward and backward pass was under way
    CHECK(std::isfinite(losses[7]));
}
