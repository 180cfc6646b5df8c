#include "sequent/train/adam.hpp"

#include <cstring>

#include "backend/dense_adam.hpp"
#include "layer/random_data.hpp"
#include "optimizer_golden.hpp"

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

using namespace sequent_tests;

namespace {

// While it lives, what is smaller than a normal number is zero, where the processor can.
class flush_to_zero {
  public:
#if defined(__SSE2__)
    flush_to_zero() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040u); }
    ~flush_to_zero() { _mm_setcsr(before_); }
    flush_to_zero(flush_to_zero const&) = delete;
    flush_to_zero& operator=(flush_to_zero const&) = delete;

  private:
    unsigned before_;
#endif
};

template <class T>
bool same_bits(T const* a, T const* b, std::size_t n) {
    return std::memcmp(a, b, n * sizeof(T)) == 0;
}

struct stream_options {
    int rows = 13, width = 7, steps = 4000;
    adam_constants constants{};
    double largest_rate = 1e-2;
    double decades = 8;  // of the gradients, from about 1 down
};

// A lazily updated table and the dense reference get the same gradients. Row r has one about every 2^r-th step: gaps
// reach from none to most of the steps. Gradients and parameters have many orders of magnitude, some are zero; the rate
// changes from step to step and is zero at times. Whatever is read of the table, at once or seldom, has the dense bits;
// so have, at the end, the moments.
template <class T>
void check_bits(stream_options const& options) {
    INFO("width " << options.width << ", " << 8 * sizeof(T) << " bits, beta1 " << options.constants.beta1);
    cpu const device;
    random_stream const random{11, 5};
    std::uint64_t drawn = 0;
    auto const magnitude = [&](double decades) { return std::pow(10.0, -decades * random.uniform(drawn++)); };

    row_table<cpu, T> table;
    table.resize(options.rows, options.width);
    matrix_view<T> const values = table.writable_values(device);
    std::size_t const width = static_cast<std::size_t>(options.width);
    std::size_t const size = static_cast<std::size_t>(options.rows) * width;
    std::vector<T> start(size), rows_gradient, read(size);
    for (std::size_t j = 0; j < size; ++j) {
        double const sign = random.below(drawn++, 2) == 0 ? 1 : -1;
        start[j] = values.data[j] = random.below(drawn++, 5) == 0 ? T(0) : T(sign * magnitude(8));
    }
    dense_adam<T> dense(options.constants, width, start);
    std::vector<T> const& p = dense.p;
    int owner = 0;
    table.begin_adam(device, &owner, options.constants);
    for (int t = 1; t <= options.steps; ++t) {
        double const rate = random.below(drawn++, 6) == 0 ? 0 : options.largest_rate * magnitude(4);
        adam_step const step = adam_step::at(options.constants, t, rate);
        std::vector<int> touched;
        rows_gradient.clear();
        for (int row = 0; row < options.rows; ++row) {
            if (random.below(drawn++, 1u << row) != 0) continue;
            touched.push_back(row);
            double const scale = magnitude(options.decades);
            for (std::size_t j = 0; j < width; ++j)
                rows_gradient.push_back(random.below(drawn++, 8) == 0 ? T(0) : T(scale * random.normal(drawn++)));
        }
        table.read(device, touched, {read.data(), static_cast<int>(touched.size()), options.width});
        for (std::size_t u = 0; u < touched.size(); ++u)
            if (!same_bits(read.data() + u * width, p.data() + static_cast<std::size_t>(touched[u]) * width, width))
                FAIL("step " << t << ", row " << touched[u]);
        table.forget_gradients();
        table.add_gradient(device, touched, {rows_gradient.data(), static_cast<int>(touched.size()), options.width});
        table.adam_step_rows(device, &owner, step);
        dense.step(step, touched, rows_gradient);
        if (random.below(drawn++, 700) == 0) {
            INFO("step " << t);
            REQUIRE(same_bits(table.values(device).data, p.data(), size));
        }
    }
    REQUIRE(same_bits(table.values(device).data, p.data(), size));
    CHECK(same_bits(table.adam->m.data(), dense.m.data(), size));
    CHECK(same_bits(table.adam->v.data(), dense.v.data(), size));
    for (std::size_t row = 0; row < dense.missed.size(); ++row)
        CHECK(table.adam->steps - table.adam->last[row] == dense.missed[row]);
    REQUIRE(same_bits(table.values(device).data, p.data(), size));  // catching up twice is catching up once
    table.end_adam(device, &owner);
    CHECK(same_bits(table.values(device).data, p.data(), size));
}

template <class T>
void check_all_bits() {
    for (int const width : {1, 3, 7, 16, 21}) check_bits<T>({.width = width});
    check_bits<T>({.width = 5, .largest_rate = 1});
    check_bits<T>({.width = 5, .largest_rate = 1e-30});
    check_bits<T>({.width = 5, .constants = {.beta1 = 0}});
    // Movements that grow before they fade: the first moment fades last, or the second is dropped beside a tiny
    // epsilon.
    for (double const rate : {1e-2, 1e-6, 1e-8, 1e-10}) {
        check_bits<T>({.width = 5, .constants = {.beta1 = 0.99, .beta2 = 0.9}, .largest_rate = rate});
        check_bits<T>(
            {.width = 1, .constants = {.beta2 = 0.85, .epsilon = 1e-20}, .largest_rate = rate, .decades = 20});
    }
}

}  // namespace

TEST_CASE("Adam and AdamW are PyTorch's over twelve steps", "[adam]") {
    check_case("adam", adam{.rate = 1e-2});
    check_case("adam.betas_eps", adam{.rate = 1e-2, .beta1 = 0.8, .beta2 = 0.99, .epsilon = 1e-3});
    check_case("adam.weight_decay", adam{.rate = 1e-2, .weight_decay = 0.05});
    check_case("adamw", adamw{.rate = 1e-2});
    check_case("adamw.weight_decay", adamw{.rate = 1e-2, .weight_decay = 0.1});
}

TEST_CASE("Adam moves the rows of a table as PyTorch's dense Adam", "[adam]") {
    check_table("adam", adam{.rate = 1e-2});
}

TEST_CASE("Adam makes up for pauses of hundreds of steps as PyTorch's dense Adam", "[adam]") {
    golden const file("optimizers");
    auto const steps = file.values<int>("long_table/step"), rows = file.values<int>("long_table/row"),
               at = file.values<int>("long_table/at");
    auto const gradients = file.values("long_table/gradient"), expected = file.values("long_table/parameters");
    six_rows net = make_six_rows(file.values("long_table/initial"));
    optimizer run{net, adam{.rate = 1e-2}};
    std::size_t next = 0, checked = 0;
    for (int step = 0; step < 400; ++step) {
        std::size_t const first = next;
        while (next < steps.size() && steps[next] == step) ++next;
        std::vector<int> const now(rows.data() + first, rows.data() + next);
        give_gradient(net, now, {gradients.data() + first * 3, gradients.data() + next * 3});
        run.step();
        if (step != at[checked]) continue;
        INFO("step " << step);
        REQUIRE(largest_error(net.values("weight"), std::span(expected).subspan(checked++ * 18, 18)) < 1e-14);
    }
    CHECK(checked == 6);
}

// Of every pause, what the series leaves out of a movement; step by step, a float loses more.
TEST_CASE("rows that pause stay as near to the Adam of unbounded precision as rows that do not", "[adam]") {
    constexpr int steps = 3000, rows = 4, width = 8;
    cpu const device;
    adam_constants const constants;
    row_table<cpu, float> table;
    table.resize(rows, width);
    auto const start = random_values<float>(rows * width, 3);
    std::copy(start.begin(), start.end(), table.writable_values(device).data);
    std::vector<double> p(start.begin(), start.end()), m(p.size()), v(p.size());
    std::vector<float> single = start, m1(p.size()), v1(p.size());
    adam_element<double, double> const exact(constants);
    adam_element<float, float> const rounded(constants);
    int owner = 0, by_series = 0;
    table.begin_adam(device, &owner, constants);
    double largest_movement = 0, error = 0, error_of_single = 0;
    for (int t = 1; t <= steps; ++t) {
        adam_step const step = adam_step::at(constants, t, 1e-3 * (1 + t % 7));
        std::vector<int> touched;
        for (int row = 0; row < rows; ++row)
            if (t % (7 << (2 * row)) == row) touched.push_back(row);  // gaps of 7, 28, 112, 448
        auto const given = random_values<float>(touched.size() * width, static_cast<std::uint64_t>(t));
        std::vector<double> dense(p.size());
        for (std::size_t u = 0; u < touched.size(); ++u)
            for (std::size_t c = 0; c < width; ++c)
                dense[static_cast<std::size_t>(touched[u]) * width + c] = static_cast<double>(given[u * width + c]);
        for (std::size_t j = 0; j < p.size(); ++j) {
            double const before = p[j];
            exact(p[j], m[j], v[j], dense[j], step);
            rounded(single[j], m1[j], v1[j], static_cast<float>(dense[j]), step);
            largest_movement = std::max(largest_movement, std::abs(p[j] - before));
        }
        table.forget_gradients();
        table.add_gradient(device, touched, {given.data(), static_cast<int>(touched.size()), width});
        for (int const row : touched) {
            adam_history const past = table.adam->history();
            by_series += adam_pause<float>(past.steps.data(), past.sums, past.powers, table.adam->steps,
                                           table.adam->made[static_cast<std::size_t>(row)],
                                           table.adam->last[static_cast<std::size_t>(row)])
                             .by_series;
        }
        table.adam_step_rows(device, &owner, step);
    }
    auto const ours = table.values(device);
    for (std::size_t j = 0; j < p.size(); ++j) {
        error = std::max(error, std::abs(static_cast<double>(ours.data[j]) - p[j]));
        error_of_single = std::max(error_of_single, std::abs(static_cast<double>(single[j]) - p[j]));
    }
    CAPTURE(error, error_of_single, largest_movement, by_series);
    CHECK(by_series > 500);  // the series is what is tried here
    CHECK(error < 1e-5);
    CHECK(error < error_of_single);
}

TEST_CASE("a lazily updated table has the bits of dense Adam", "[adam]") {
    check_all_bits<float>();
    check_all_bits<double>();
}

TEST_CASE("a lazily updated table has the bits of dense Adam without denormal numbers", "[adam]") {
    [[maybe_unused]] flush_to_zero const scope;
    check_bits<float>({});
    check_bits<double>({});
}

TEST_CASE("a table has the bits of dense Adam after more steps than its history holds", "[adam]") {
    check_bits<float>({.rows = 6, .width = 1, .steps = 70000});
}

TEST_CASE("with weight decay every row of a table moves at every step", "[adam]") {
    check_table_is_dense(adam{.rate = 1e-3}, 1e-15);
    check_table_is_dense(adam{.rate = 1e-3, .weight_decay = 0.05});
    check_table_is_dense(adamw{.rate = 1e-3}, 1e-15);  // at a rate of zero, nothing decays
    check_table_is_dense(adamw{.rate = 1e-3, .weight_decay = 0}, 1e-15);
}

TEST_CASE("two optimizers cannot both owe steps to one table", "[adam]") {
    six_rows net = make_six_rows(std::vector<double>(18, 1.0));
    {
        optimizer first{net, adam{}};
        give_gradient(net, {2}, {1, 1, 1});
        first.step();
        six_rows copy = net;  // owes nothing to `first`
        {
            optimizer second{copy, adam{}};
            second.step();
        }
        optimizer second{net, adam{}};
        second.step();
        CHECK_THROWS_WITH(first.step(), Catch::Contains("another optimizer"));
    }
    CHECK(net.values("weight")[6] < 1);
}

TEST_CASE("a frozen table owes no step", "[adam]") {
    six_rows net = make_six_rows(std::vector<double>(18, 1.0)), paused = net;
    optimizer run{net, adam{}}, same{paused, adam{}};
    for (auto* const one : {&net, &paused}) give_gradient(*one, {2}, {1, 1, 1});
    run.step(), same.step();
    paused.freeze("weight");
    auto const before = paused.values("weight");
    for (int step = 0; step < 5; ++step) same.step();
    CHECK(paused.values("weight") == before);
    paused.unfreeze("weight");
    net.zero_gradients(), paused.zero_gradients();
    same.step(), run.step();
    CHECK(paused.values("weight") != before);
}

TEST_CASE("Adam checks its options as PyTorch does", "[adam]") {
    CHECK_NOTHROW((adam{.rate = 0, .beta1 = 0, .beta2 = 0, .epsilon = 0}.check()));
    CHECK_THROWS_WITH(adam{.rate = -1}.check(), Catch::Contains("sequent::adam: invalid learning rate: -1"));
    CHECK_THROWS_WITH(adam{.beta1 = 1}.check(), Catch::Contains("invalid beta parameter at index 0: 1"));
    CHECK_THROWS_WITH(adam{.beta2 = -0.1}.check(), Catch::Contains("invalid beta parameter at index 1: -0.1"));
    CHECK_THROWS_WITH(adam{.epsilon = -1}.check(), Catch::Contains("invalid epsilon value: -1"));
    CHECK_THROWS_WITH(adam{.weight_decay = -1}.check(), Catch::Contains("invalid weight_decay value: -1"));
    CHECK_THROWS_WITH(adamw{.weight_decay = -1}.check(), Catch::Contains("sequent::adamw: invalid weight_decay"));
    six_rows net = make_six_rows(std::vector<double>(18, 1.0));
    CHECK_THROWS_AS((optimizer{net, adam{.rate = -1}}), argument_error);
    CHECK_THROWS_AS((optimizer{net, adam{.rate = std::nan("")}}), argument_error);
}
