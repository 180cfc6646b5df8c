#include "sequent/backend/cuda/step_check.hpp"

#include "golden.hpp"
#include "passes.hpp"
#include "sequent/sequent.hpp"
#include "sequent/train/checkpoint.hpp"

using namespace sequent_tests;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
using device_type = emulated_with<precision::f32, strategy::general>;

// Two blocks of numbers, the second large enough for several shares, with one number replaced.
stop_note note_of(emulated const& device, std::size_t place, float number, double largest_norm = infinity) {
    on_device<emulated, float> here{device};
    std::vector<float> small(5, 1.0f), large(5000, 2.0f);
    (place < 5 ? small[place] : large[place - 5]) = number;
    std::vector<matrix_view<float>> const blocks{{here.put(small), 1, 5}, {}, {here.put(large), 1, 5000}};
    return check_gradients(device, blocks, largest_norm);
}

// All that a training leaves: parameters, moments, and which rows of the table owe which steps.
template <class Training>
std::vector<double> all_of(Training& run) {
    std::vector<double> all{static_cast<double>(run.rule().steps())};
    detail::each_tensor(run, [&]<class Stored>(parameter_info const& one, Stored* from) {
        if (one.name.starts_with("optimizer.past.")) return;  // steps that every row has made may be there or not
        std::vector<std::remove_const_t<Stored>> numbers(one.size());
        copy_to_host(run.network().device(), static_cast<Stored const*>(from), numbers.size(), numbers.data());
        all.insert(all.end(), numbers.begin(), numbers.end());
    });
    return all;
}

std::vector<int> const topics{0, 1, 2, 3, 0, 1};
auto batch_of(int step) { return pack(texts(static_cast<std::uint64_t>(step))); }

enum class spoiled { loss, gradient, gradient_of_table };

// A training in which a weight is spoiled before step 3 (or a gradient in it), and made good when the error has come,
// has the numbers of one without that step.
template <class Rule>
void check_stop(Rule const& rule, spoiled what) {
    INFO(Rule::name << ", " << static_cast<int>(what));
    using network = model<classifier, device_type>;
    auto const make = [] { return std::make_unique<network>(classifier{}, model_options<device_type>{.seed = 3}); };
    auto const net = make(), other = make();
    training run(*net, cross_entropy{}, rule, {.clip_norm = 0.5}),
        healthy(*other, cross_entropy{}, rule, {.clip_norm = 0.5});
    for (int t = 0; t < 2; ++t) run.step(batch_of(t), topics), healthy.step(batch_of(t), topics);
    auto const good = net->values("fc.bias");
    float const infinite = std::numeric_limits<float>::infinity();
    if (what == spoiled::loss) net->assign("fc.bias", std::vector{0.0f, infinite, 0.0f, 0.0f});
    net->zero_gradients();
    run.accumulate(batch_of(2), topics);
    auto const& bias = *std::find_if(net->parameters().begin(), net->parameters().end(),
                                     [](auto const& one) { return one.name == "rnn.bias_hh_l0"; });
    float* const gradient = what == spoiled::gradient ? net->gradient_block() + bias.offset + 3
                                                      : net->table(net->parameters()[0]).gradient_rows().row(2) + 1;
    if (what != spoiled::loss) copy_from_host(net->device(), &infinite, 1, gradient);
    run.update();
    CHECK_THROWS_WITH(run.step(batch_of(3), topics),
                      Catch::Contains(what == spoiled::loss       ? "sequent::training: the loss of step 3 is "
                                      : what == spoiled::gradient ? "the gradient of 'rnn.bias_hh_l0' at step 3 is"
                                                                  : "of 'embedding.weight' at step 3 is"));
    if (what == spoiled::loss) CHECK(net->values("fc.bias")[1] == infinite);  // not NaN: no update has touched it
    net->assign("fc.bias", good);
    auto const words = other->values("embedding.weight");
    net->assign("embedding.weight", words), other->assign("embedding.weight", words);
    run.step(batch_of(3), topics), healthy.step(batch_of(3), topics);
    bool as_before = all_of(run) == all_of(healthy);
    CHECK(as_before);
    for (int t = 4; t < 7; ++t) run.step(batch_of(t), topics), healthy.step(batch_of(t), topics);
    CHECK_NOTHROW(run.settle());
    as_before = all_of(run) == all_of(healthy);
    CHECK(as_before);
}

}  // namespace

TEST_CASE("check_gradients: notes the first block whose squares are not finite, and lets go") {
    emulated const device;
    CHECK(note_of(device, 0, 1).why == stop_note::nothing);
    stop_note const found = note_of(device, 4000, -std::numeric_limits<float>::infinity());
    CHECK(found.why == stop_note::bad_gradient);
    CHECK(found.place == 2);
    CHECK(found.number == infinity);
    CHECK(note_of(device, 0, std::nanf("")).place == 2);            // the first note stays
    CHECK(note_of(emulated(device), 0, std::nanf("")).place == 0);  // a copy has a brake of its own
    release_brake(device);
    CHECK(note_of(device, 0, 1).why == stop_note::nothing);
}

TEST_CASE("cuda: a loss or gradient that is not finite changes nothing, and is told at the next step") {
    for (spoiled const what : {spoiled::loss, spoiled::gradient, spoiled::gradient_of_table}) {
        check_stop(adam{.rate = 0.01}, what);
        check_stop(adamw{.rate = 0.01}, what);
        check_stop(sparse_adam{.rate = 0.01}, what);
        check_stop(sgd{.rate = 0.1}, what);
        check_stop(sgd{.rate = 0.1, .momentum = 0.9}, what);
    }
}
