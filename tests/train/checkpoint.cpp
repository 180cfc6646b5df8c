#include "sequent/train/checkpoint.hpp"

#include <cmath>
#include <cstring>

#include "../io/helpers.hpp"
#include "catch.hpp"
#include "sequent/data/batches.hpp"
#include "sequent/sequent.hpp"

using namespace sequent;
using sequent_tests::contains;
using sequent_tests::temporary_folder;
using sequent_tests::thrown;

namespace {

// Dropout within and behind the recurrent layers, a padding row, and 40 rows of which a batch touches few.
struct topic_net
    : sequential<named<"embedding", embedding<dynamic, 5>>, named<"rnn", stacked<2, bidirectional<gru<5, 3>>>>,
                 last_state, dropout, named<"fc", linear<6, 3>>> {
    topic_net() : sequential{{.rows = 40, .padding = 1}, {.dropout = 0.3}, {}, {.probability = 0.2}, {}} {}
};

encoded_text make_texts(int rows) {
    encoded_text texts;
    random_stream const random{7, 1};
    std::uint64_t drawn = 0;
    for (int row = 0; row < rows; ++row) {
        std::vector<int> tokens(random.below(drawn++, 5));  // some are empty
        for (int& token : tokens) {
            std::uint32_t const below = 1 + random.below(drawn++, 40);  // so that high ones are rare
            token = static_cast<int>(random.below(drawn++, below));
        }
        texts.add(static_cast<int>(random.below(drawn++, 3)), tokens);
    }
    return texts;
}

struct setting {
    std::uint64_t seed = 3;
    std::string frozen = {};  // a prefix, or none
    training_options options = {};
    int rows = 30;
    batches_options order = {.size = 4, .seed = 5, .limit = 26};
};

// A training at a place in its data, with everything in it: what a program would hold.
template <class Rule, class Scalar>
struct running {
    using model_type = model<topic_net, cpu, Scalar>;
    setting made;
    encoded_text texts = make_texts(made.rows);
    batches order{made.rows, made.order};
    model_type net = [this] {
        model_type fresh({}, {.seed = made.seed});
        if (!made.frozen.empty()) fresh.freeze(made.frozen);
        return fresh;
    }();
    Rule rule;
    training<model_type, cross_entropy, Rule> run{net, cross_entropy{}, rule, made.options};

    running(Rule const& from, setting const& how) : made(how), rule(from) {}

    // Goes on by so many batches, over the ends of epochs. The losses.
    std::vector<double> train(int steps) {
        std::vector<double> losses;
        std::vector<std::span<int const>> tokens;
        std::vector<int> labels;
        for (int step = 0; step < steps; ++step) {
            auto rows = order.next();
            if (rows.empty()) rows = order.epoch(order.position().epoch + 1).next();
            gather(texts, rows, tokens, labels);
            losses.push_back(run.step(pack(tokens), labels).loss);
            if (run.schedule().watching) run.observe(losses.back());
        }
        return losses;
    }
    // All that a later step depends on, as bytes.
    std::vector<std::byte> state() {
        temporary_folder const folder;
        save_training(run, order, folder / "state");
        return read_file(folder / "state", 1 << 20);
    }
};

template <class Scalar, class Rule>
void check_resuming(Rule const& rule, setting const& how = {}) {
    INFO(Rule::name << ", frozen: '" << how.frozen << "', " << 8 * sizeof(Scalar) << " bits");
    constexpr int steps = 40;
    temporary_folder const folder;
    running<Rule, Scalar> whole(rule, how);
    auto const losses = whole.train(steps);
    for (int const stop : {0, 1, 7, 22, 39}) {
        CAPTURE(stop);
        {
            running<Rule, Scalar> first(rule, how);
            first.train(stop);
            save_training(first.run, first.order, folder / "file");
            first.train(3);  // lost
        }
        running<Rule, Scalar> second(rule, how);
        second.train(2);  // what it has done before it loads does not matter
        load_training(second.run, second.order, folder / "file");
        CHECK(second.run.rule().steps() == stop);
        std::vector<double> const rest(losses.begin() + stop, losses.end());
        CHECK(second.train(steps - stop) == rest);
        CHECK((second.state() == whole.state()));
    }
}

// A file of a training, taken apart.
struct training_file {
    struct tensor {
        std::string dtype;
        std::vector<std::size_t> shape;
        std::vector<std::byte> bytes;
    };
    std::map<std::string, tensor> tensors;
    file_metadata metadata;

    explicit training_file(std::filesystem::path const& path) {
        auto const file = safetensors::read(path);
        metadata = file.metadata();
        for (auto const& [name, one] : file.tensors()) {
            auto const bytes = file.bytes(name);
            tensors[name] = {std::string(one.dtype), one.shape, {bytes.begin(), bytes.end()}};
        }
    }
    template <class Number>
    void set(std::string const& name, std::size_t place, Number number) {
        std::memcpy(tensors.at(name).bytes.data() + place * sizeof number, &number, sizeof number);
    }
    void write(std::filesystem::path const& path) const {
        safetensors_writer writer;
        for (auto const& [key, value] : metadata) writer.metadata(key, value);
        for (auto const& [name, one] : tensors) writer.add(name, one.dtype, one.shape, std::span(one.bytes));
        writer.write(path);
    }
};

// A training that a file is loaded into, and what it says to that, without the file's name.
template <class Rule = adam, class Scalar = float>
struct judge {
    temporary_folder folder;
    running<Rule, Scalar> own;
    std::vector<std::byte> before;

    explicit judge(Rule const& rule = {}, setting const& how = {}) : own(rule, how) {
        own.train(9);
        before = own.state();
        save_training(own.run, own.order, folder / "own", {{"note", "kept"}});
    }
    std::string refusal(std::filesystem::path const& path) {
        std::string const what = thrown<file_error>([&] { load_training(own.run, own.order, path); });
        CHECK((own.state() == before));  // refused, or its own state
        return what.starts_with(path.string() + ": ") ? what.substr(path.string().size() + 2) : what;
    }
    std::string refusal(training_file const& file) {
        file.write(folder / "changed");
        return refusal(folder / "changed");
    }
    template <class OtherRule, class OtherScalar>
    std::string refusal(judge<OtherRule, OtherScalar> const& other) {
        return refusal(other.folder / "own");
    }
};

template <class Rule, class... Given>
judge(Rule, Given...) -> judge<Rule, float>;

}  // namespace

TEMPLATE_TEST_CASE("training checkpoint: going on has the bits of never having stopped", "", float, double) {
    check_resuming<TestType>(adam{.rate = 1e-2});
    check_resuming<TestType>(adam{.rate = 1e-2, .weight_decay = 0.1});
    check_resuming<TestType>(adamw{.rate = 1e-2});
    check_resuming<TestType>(sparse_adam{.rate = 1e-2});
    check_resuming<TestType>(sgd{.rate = 0.1});
    check_resuming<TestType>(sgd{.rate = 0.1, .momentum = 0.9, .dampening = 0.5, .weight_decay = 1e-3});
    check_resuming<TestType>(sgd{.rate = 0.1, .momentum = 0.9, .nesterov = true});
}

TEMPLATE_TEST_CASE("training checkpoint: with frozen parameters, a schedule and clipping", "", float, double) {
    training_options const options{.clip_norm = 0.1, .schedule = schedule::cosine{.steps = 40}};
    for (std::string const frozen : {"embedding", "rnn.weight_hh", "fc.bias"}) {
        setting const how{.frozen = frozen, .options = options};
        check_resuming<TestType>(adam{.rate = 1e-2}, how);
        check_resuming<TestType>(sparse_adam{.rate = 1e-2}, how);
        check_resuming<TestType>(sgd{.rate = 0.1, .momentum = 0.9}, how);
    }
}

TEMPLATE_TEST_CASE("training checkpoint: every schedule goes on, a plateau too", "", float, double) {
    auto const check = [](sequent::schedule::any const& given) {
        INFO(given.name);
        check_resuming<TestType>(adam{.rate = 1e-2}, {.options = {.schedule = given}});
    };
    check(schedule::step{.every = 6, .factor = 0.5});
    check(schedule::multi_step{.milestones = {2, 8, 8, 30}, .factor = 0.5});
    check(schedule::exponential{.factor = 0.95});
    check(schedule::cosine{.steps = 9, .least = 1e-3});
    check(schedule::linear{.first = 0.2, .last = 0.9, .steps = 20});
    check(schedule::one_cycle{.steps = 50, .phases = 3});
    check([](long long step, double base) { return base / static_cast<double>(1 + step); });
    // Single batches are noisy metrics: waiting, lowering and cooling down all occur, and have at the places of the
    // stops.
    for (int const patience : {0, 1, 3})
        for (int const cooldown : {0, 3})
            check(schedule::plateau{.factor = 0.7, .patience = patience, .cooldown = cooldown});
    running<adam, TestType> lowered(adam{.rate = 1e-2}, {.options = {.schedule = schedule::plateau{.patience = 1}}});
    lowered.train(39);
    CHECK(lowered.run.rule().rate() < 1e-3);
}

TEST_CASE("training checkpoint: what was frozen before the file goes on with its own number of steps") {
    auto const check = [](auto const& rule, std::string const& prefix) {
        INFO(rule.name << ", " << prefix);
        using run_type = running<std::decay_t<decltype(rule)>, float>;
        temporary_folder const folder;
        run_type whole(rule, setting{.frozen = prefix});
        whole.train(6);
        whole.net.unfreeze(prefix);
        whole.train(3);
        save_training(whole.run, whole.order, folder / "file");
        run_type second(rule, {});
        load_training(second.run, second.order, folder / "file");
        CHECK(second.run.rule().counts() == whole.run.rule().counts());
        CHECK(second.train(10) == whole.train(10));
        CHECK((second.state() == whole.state()));
    };
    for (std::string const prefix : {"embedding", "rnn.bias", "fc."}) {
        check(adam{.rate = 1e-2}, prefix);
        check(sparse_adam{.rate = 1e-2}, prefix);
    }
    check(sgd{.rate = 0.1, .momentum = 0.9, .dampening = 0.5}, "rnn.bias");
}

TEST_CASE("training checkpoint: a copy of a model that Adam trains is trained by another rule") {
    auto const check = [](auto const& rule) {
        INFO(rule.name);
        temporary_folder const folder;
        running<adam, float> original(adam{.rate = 1e-2}, {});
        original.train(9);
        auto copy = original.net, other = model<topic_net, cpu>({}, {.seed = original.made.seed});
        training whole{copy, cross_entropy{}, rule}, second{other, cross_entropy{}, rule};
        auto const step = [](auto& run) {
            return run.step(pack(std::vector<std::vector<int>>{{3, 0, 5}, {7}}), std::vector{1, 2}).loss;
        };
        save_training(whole, folder / "first");
        CHECK_NOTHROW(load_training(second, folder / "first"));
        step(whole);
        save_training(whole, folder / "file");
        CHECK_NOTHROW(load_training(second, folder / "file"));
        for (int k = 0; k < 3; ++k) CHECK(step(second) == step(whole));
        for (auto const& one : copy.parameters()) CHECK(other.values(one.name) == copy.values(one.name));
    };
    check(sgd{.rate = 0.1});
    check(sparse_adam{.rate = 1e-2});
    check(adam{.rate = 1e-2});
}

TEST_CASE("training checkpoint: another schedule, or another option of it, is refused") {
    using namespace sequent::schedule;
    using sequent::schedule::linear;
    auto const with = [](any const& given) { return judge(adam{}, setting{.options = {.schedule = given}}); };
    auto const refusal = [&](any const& saved, any const& ours) { return with(ours).refusal(with(saved)); };
    cosine const saved{.steps = 40};
    CHECK(refusal(saved, {}) == "training.schedule: is 'cosine', but of this training 'none'");
    CHECK(refusal({}, saved) == "training.schedule: is 'none', but of this training 'cosine'");
    CHECK(refusal(saved, exponential{}) == "training.schedule: is 'cosine', but of this training 'exponential'");
    CHECK(refusal(saved, [](long long, double base) { return base; }) ==
          "training.schedule: is 'cosine', but of this training 'own'");
    CHECK(refusal(saved, cosine{.steps = 41}) == "training.schedule.steps: is '40', but of this training '41'");
    CHECK(refusal(saved, cosine{.steps = 40, .least = 0.1}) ==
          "training.schedule.least: is '0', but of this training '0.1'");
    CHECK(refusal(multi_step{.milestones = {2, 5, 5}}, multi_step{.milestones = {2, 5}}) ==
          "training.schedule.milestones: is '2 5 5', but of this training '2 5'");

    // Every option of every schedule.
    auto const check = [&](any const& one, std::initializer_list<any> others) {
        CHECK(one.options.size() == others.size());
        judge strict = with(one);
        for (any const& other : others) {
            auto const changed = std::ranges::mismatch(one.options, other.options).in1;
            REQUIRE(changed != one.options.end());
            CHECK(strict.refusal(with(other)).starts_with(message("training.schedule.", changed->first, ": is '")));
        }
    };
    check(step{}, {step{.every = 2}, step{.factor = 0.2}});
    check(multi_step{.milestones = {1}}, {multi_step{.milestones = {2}}, multi_step{.milestones = {1}, .factor = 0.2}});
    check(exponential{}, {exponential{.factor = 0.8}});
    check(cosine{}, {cosine{.steps = 2}, cosine{.least = 0.1}});
    check(linear{}, {linear{.first = 0.5}, linear{.last = 0.5}, linear{.steps = 6}});
    check(one_cycle{.steps = 20},
          {one_cycle{.steps = 21}, one_cycle{.steps = 20, .rise = 0.4},
           one_cycle{.steps = 20, .shape = annealing::linear}, one_cycle{.steps = 20, .start_divisor = 2},
           one_cycle{.steps = 20, .end_divisor = 2}, one_cycle{.steps = 20, .phases = 3}});
    check(plateau{}, {plateau{.direction = plateau::better::higher}, plateau{.factor = 0.2}, plateau{.patience = 9},
                      plateau{.threshold = 0.1}, plateau{.threshold_is = plateau::measure::absolute},
                      plateau{.cooldown = 1}, plateau{.least = 0.1}, plateau{.least_change = 0.1}});
}

TEST_CASE("training checkpoint: a plateau's state is read strictly") {
    schedule::plateau const plateau{.patience = 3, .cooldown = 2};
    judge strict(adam{}, setting{.options = {.schedule = plateau}});
    training_file const whole(strict.folder / "own");
    CHECK(strict.refusal(whole).empty());
    auto const changed = [&](std::string const& key, std::string const& value) {
        training_file file = whole;
        REQUIRE(file.metadata.contains(key));
        file.metadata[key] = value;
        return strict.refusal(file);
    };
    CHECK(changed("training.best", "nan") == "training.best: 'nan' is no number, nor 'none'");
    CHECK(changed("training.best", "") == "training.best: '' is no number, nor 'none'");
    CHECK(changed("training.bad_calls", "4") == "training.bad_calls: '4' is no number from 0 to 3");
    CHECK(changed("training.cooling", "3") == "training.cooling: '3' is no number from 0 to 2");
    for (std::string const key : {"training.best", "training.bad_calls", "training.cooling"}) {
        training_file missing = whole;
        missing.metadata.erase(key);
        CHECK(strict.refusal(missing).starts_with(key + ": missing"));
    }
}

TEST_CASE("training checkpoint: saving changes no later bit") {
    running<adam, float> silent(adam{}, {}), saved(adam{}, {});
    for (int step = 0; step < 20; ++step) {
        silent.train(1);
        saved.train(1);
        (void)saved.state();
    }
    CHECK((saved.state() == silent.state()));
}

TEST_CASE("training checkpoint: a rate that the program has changed is kept") {
    judge<> changed;
    changed.own.run.rule().rate(0.25);
    save_training(changed.own.run, changed.own.order, changed.folder / "changed");
    running<adam, float> other(adam{}, {});
    load_training(other.run, other.order, changed.folder / "changed");
    CHECK(other.run.rule().rate() == 0.25);
}

TEST_CASE("training checkpoint: the weights load as weights") {
    judge<> trained;
    running<adam, float> other(adam{}, {});
    file_metadata const metadata = load(other.net, trained.folder / "own");
    CHECK(metadata.at("training.steps") == "9");
    for (auto const& parameter : trained.own.net.parameters())
        CHECK(other.net.values(parameter) == trained.own.net.values(parameter));

    // A layer may be called as the optimizer's tensors are; in a file of weights, such a tensor is one too many.
    using small = sequential<named<"optimizer", linear<2, 2>>>;
    model<small, cpu> net, again({}, {.seed = 2});
    training run{net, cross_entropy{}, sgd{.momentum = 0.5}};
    save_training(run, trained.folder / "named");
    load(again, trained.folder / "named");
    CHECK(again.values("optimizer.weight") == net.values("optimizer.weight"));
    training_file file(trained.folder / "named");
    file.metadata.erase("training.rule");
    file.write(trained.folder / "named");
    CHECK_THROWS_WITH(load(again, trained.folder / "named"), Catch::Contains("'optimizer.velocity.optimizer.bias'"));
}

TEST_CASE("training checkpoint: notes come back, data need not be ordered by batches") {
    temporary_folder const folder;
    running<adam, float> first(adam{}, {}), second(adam{}, {});
    first.train(3);
    file_metadata const notes = {{"best", number_text(0.1)}, {"bad calls", number_text(2)}};
    save_training(first.run, folder / "file", notes);
    file_metadata const back = load_training(second.run, folder / "file");
    CHECK(back == file_metadata{{"bad calls", "2"}, {"best", "0.1"}, {"format", "pt"}});
    CHECK(parse_number<double>(back.at("best")) == 0.1);
    CHECK(parse_number<int>(back.at("bad calls")) == 2);
    CHECK(second.order.position() == batch_position{});

    CHECK_THROWS_WITH(save_training(first.run, folder / "other", {{"training.x", "1"}}),
                      Catch::Contains("'training.x'"));
    CHECK_THROWS_AS(save_training(first.run, folder / "other", {{"format", "np"}}), argument_error);
    CHECK_FALSE(std::filesystem::exists(folder / "other"));
    CHECK_THROWS_WITH(load_training(second.run, second.order, folder / "file"),
                      Catch::Contains("training.order.batch_size: missing"));
}

TEST_CASE("training checkpoint: another rule, other options, other data are refused") {
    judge const plain;
    CHECK(judge(adamw{}).refusal(plain) == "training.rule: is 'adam', but of this training 'adamw'");
    CHECK(judge(sgd{}).refusal(plain) == "training.rule: is 'adam', but of this training 'sgd'");
    CHECK(judge(adam{.beta2 = 0.99}).refusal(plain) == "training.rule.beta2: is '0.999', but of this training '0.99'");
    CHECK(judge(adam{.rate = 0.5}).refusal(plain) == "training.rule.rate: is '0.001', but of this training '0.5'");
    CHECK(judge(adam{}, setting{.options = {.clip_norm = 1.0}}).refusal(plain) ==
          "training.rule.clip_norm: is 'inf', but of this training '1'");
    CHECK(judge(adam{}, setting{.seed = 4}).refusal(plain) == "training.seed: is '3', but of this training '4'");
    CHECK(judge(adam{}, setting{.frozen = "fc."}).refusal(plain) ==
          "training.frozen: is '', but of this training 'fc.weight fc.bias'");
    CHECK(judge(adam{}, setting{.rows = 31}).refusal(plain) ==
          "training.order.rows: is '30', but of this training '31'");
    CHECK(contains(judge(adam{}, setting{.order = {.size = 5}}).refusal(plain), "training.order.batch_size: is '4'"));
    CHECK(contains(judge(adam{}, setting{.order = {.size = 4, .seed = 6, .limit = 26}}).refusal(plain),
                   "training.order.seed: is '5'"));
    CHECK(judge<adam, double>().refusal(plain) == "tensor 'embedding.weight': holds type F32; this training's is F64");

    judge weights;
    save(weights.own.net, weights.folder / "weights");
    CHECK(contains(weights.refusal(weights.folder / "weights"), "missing; a file of weights alone"));
    running<adam, float> without_order(adam{}, {});
    CHECK_THROWS_WITH(load_training(without_order.run, plain.folder / "own"),
                      Catch::Contains("'training.order.batch_size': this training has no such entry"));
}

TEST_CASE("training checkpoint: each tensor that is missing, renamed or changed is named") {
    judge strict;
    training_file const whole(strict.folder / "own");
    REQUIRE(whole.tensors.size() == 3 * strict.own.net.parameters().size() + 4);
    REQUIRE(strict.refusal(whole).empty());
    for (auto const& [name, tensor] : whole.tensors) {
        training_file missing = whole, renamed = whole, extra = whole, reshaped = whole, retyped = whole, nan = whole;
        missing.tensors.erase(name);
        CHECK(strict.refusal(missing) == "tensor '" + name + "': missing; the model needs it");
        renamed.tensors["x" + name] = renamed.tensors.extract(name).mapped();
        CHECK(strict.refusal(renamed) == "tensor '" + name + "': missing; the model needs it");
        extra.tensors["x" + name] = tensor;
        CHECK(strict.refusal(extra) == "tensor 'x" + name + "': this training has no such tensor");
        reshaped.tensors.at(name).shape.push_back(1);
        CHECK(contains(strict.refusal(reshaped), "tensor '" + name + "': has shape ["));
        std::string const wrong_type = tensor.dtype == "F64" ? "U64" : "U32";
        retyped.tensors.at(name).dtype = wrong_type;
        CHECK(contains(strict.refusal(retyped), "tensor '" + name + "': holds type " + wrong_type));
        if (tensor.dtype != "F32") continue;
        nan.set(name, 2, std::nanf(""));
        CHECK(strict.refusal(nan) == "tensor '" + name + "': holds nan at place 2");
    }
    training_file changed = whole;
    changed.set("optimizer.v.fc.bias", 1, -1e-9f);
    CHECK(strict.refusal(changed) == "tensor 'optimizer.v.fc.bias': holds -1e-09 at place 1");
    int const window = adam_powers().reach();
    for (int const wrong : {window + 1, -(1 << 30) - 1, std::numeric_limits<int>::min()}) {
        changed = whole;
        changed.set("optimizer.last.embedding.weight", 39, wrong);
        CHECK(strict.refusal(changed) ==
              message("tensor 'optimizer.last.embedding.weight': holds ", wrong, " at place 39"));
    }
    for (int const wrong : {window + 1, window - 1, -1, std::numeric_limits<int>::min()}) {
        changed = whole;
        changed.set("optimizer.last.embedding.weight", 39, window);  // a row has made its last gradient's step
        changed.set("optimizer.made.embedding.weight", 39, wrong);
        CHECK(strict.refusal(changed) ==
              message("tensor 'optimizer.made.embedding.weight': holds ", wrong, " at place 39"));
    }
}

TEST_CASE("training checkpoint: each entry of the metadata that is missing or wrong is named") {
    judge strict;
    training_file const whole(strict.folder / "own");
    int entries = 0;
    for (auto const& [key, value] : whole.metadata) {
        if (!key.starts_with("training.")) continue;
        ++entries;
        training_file missing = whole, renamed = whole;
        missing.metadata.erase(key);
        CHECK(strict.refusal(missing) == key + ": missing; a file of weights alone is for sequent::load");
        renamed.metadata[key + "x"] = value;
        CHECK(strict.refusal(renamed) == "'" + key + "x': this training has no such entry");
        for (std::string const wrong : {"", "-1", "1x", "nan", "inf", "1e400", "9007199254740993", "\x01"}) {
            if (value == wrong) continue;
            training_file changed = whole;
            changed.metadata[key] = wrong;
            if (key == "training.rate" && parse_number<double>(wrong) > 1.0) continue;
            CAPTURE(wrong);
            CHECK(strict.refusal(changed).starts_with(key + ": "));
        }
    }
    CHECK(entries == 6 + 4 + 6 + 6);
    std::string const counts = whole.metadata.at("training.counts");
    for (std::string const& wrong : {counts + " 9", counts.substr(2), counts + "x", "10" + counts.substr(1)}) {
        training_file changed = whole;
        changed.metadata["training.counts"] = wrong;
        CHECK(strict.refusal(changed) == "training.counts: must be 19 numbers from 0 to 9");
    }
    training_file beyond = whole;
    beyond.metadata["training.batch"] = "8";  // of 7
    CHECK(strict.refusal(beyond) == "training.batch: '8' is no number from 0 to 7");
}

TEST_CASE("training checkpoint: a file cut at any byte is refused") {
    struct tiny_net : sequential<named<"embedding", embedding<3, 1>>, gru<1, 1>, last_state, linear<1, 2>> {};
    temporary_folder const folder;
    model<tiny_net, cpu> net;
    training run{net, cross_entropy{}, adam{}};
    save_training(run, folder / "whole");
    auto const bytes = read_file(folder / "whole", 1 << 16);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        CAPTURE(size);
        std::ofstream(folder / "cut", std::ios::binary)
            .write(reinterpret_cast<char const*>(bytes.data()), static_cast<std::streamsize>(size));
        REQUIRE_FALSE(thrown<file_error>([&] { load_training(run, folder / "cut"); }).empty());
    }
    load_training(run, folder / "whole");
}

TEST_CASE("training checkpoint: what cannot be saved leaves the old file") {
    judge healthy;
    auto const before = read_file(healthy.folder / "own", 1 << 20);
    auto& net = healthy.own.net;
    auto const save_again = [&] { save_training(healthy.own.run, healthy.own.order, healthy.folder / "own"); };
    healthy.own.run.rule().state().m[0] = std::nanf("");
    CHECK(contains(thrown<numeric_error>(save_again), "'optimizer.m.rnn.weight_ih_l0' holds nan at place 0"));
    auto bias = net.values("fc.bias");
    bias[2] = std::nanf("");
    net.assign("fc.bias", bias);
    CHECK(contains(thrown<numeric_error>(save_again), "'fc.bias' holds nan at place 2"));
    CHECK((read_file(healthy.folder / "own", 1 << 20) == before));

    judge<> first;
    optimizer second{first.own.net, adam{}};
    CHECK_THROWS_WITH(save_training(first.own.run, first.folder / "own"), Catch::Contains("another optimizer"));
}
