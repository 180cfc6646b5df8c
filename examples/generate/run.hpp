// Trains one network and prints what it makes up.
#pragma once

#include <algorithm>
#include <chrono>
#include <iostream>
#include <span>
#include <string>
#include <vector>

#include "../common/interrupt.hpp"
#include "../common/number_text.hpp"
#include "../common/processor.hpp"
#include "../common/program.hpp"
#include "../common/progress.hpp"
#include "../common/stored_words.hpp"
#include "job.hpp"
#include "networks.hpp"
#include "sampling.hpp"
#include "sequent/data/batches.hpp"
#include "sequent/model/checkpoint.hpp"
#include "sequent/model/stream.hpp"

namespace news {

namespace detail {

using id_spans = std::vector<std::span<int const>>;

// What a network reads of some texts, and what should come next after each step: the same shape, one step on.
class next_characters {
  public:
    // Whole texts, marked at both ends.
    void make(sequent::encoded_text const& text, std::span<int const> rows) {
        before_.clear(), after_.clear();
        for (int const row : rows) add(text.tokens(row));
        pack();
    }
    // The lesson's minibatch: every window of 100 characters of a text that has another behind it.
    void make_windows(std::span<int const> text) {
        before_.clear(), after_.clear();
        for (std::size_t i = 0; i + window < text.size(); ++i) add(text.subspan(i, window + 1));
        pack();
    }
    static constexpr std::size_t window = 100, fewest_windows = 10;

    [[nodiscard]] sequent::packed_sequence<int> const& input() const { return input_; }
    [[nodiscard]] std::span<int const> targets() const { return targets_.values; }

  private:
    void add(std::span<int const> ids) {
        before_.push_back(ids.first(ids.size() - 1));
        after_.push_back(ids.subspan(1));
    }
    void pack() {
        sequent::pack_into(input_, before_);
        sequent::pack_into(targets_, after_);  // of the same lengths: in the same order
    }

    id_spans before_, after_;
    sequent::packed_sequence<int> input_, targets_;
};

[[nodiscard]] inline sequent::random_stream samples_of(generate_job const& job, std::uint64_t sample) {
    return {job.options.seed, 0x67656E6572617465u ^ sample};  // "generate"
}

// The mean loss of a character in at most a thousand test texts.
template <class Model>
double test_loss(generate_job const& job, Model& net) {
    sequent::batches order(job.test.size(), {.size = 64, .order = sequent::row_order::as_read, .limit = 1000});
    next_characters batch;
    std::vector<float> room;
    double loss = 0;
    std::int64_t count = 0;
    for (std::span<int const> const rows : order) {
        batch.make(job.test, rows);
        sequent::matrix_view<float const> const logits = net.predict(batch.input()).values.rows;
        room.resize(static_cast<std::size_t>(logits.rows) * alphabet_size);
        sequent::matrix_view<float> const unused(room.data(), logits.rows, logits.columns);
        auto const result = sequent::cross_entropy{}(net.device(), logits, batch.targets(), unused);
        loss += result.loss * result.rows, count += result.rows;
    }
    return loss / static_cast<double>(count);
}

template <class Model>
void train(generate_job const& job, Model& net, int epochs) {
    using clock = std::chrono::steady_clock;
    sequent::training training{
        net, sequent::cross_entropy{}, sequent::adam{.rate = job.options.rate}, {.clip_norm = 5}};
    sequent::batches order(job.train.size(),
                           {.size = job.options.batch, .seed = job.options.seed, .limit = job.options.limit});
    progress bar = progress::on_standard_error();
    next_characters batch;
    for (int epoch = 0; epoch < epochs && !interrupted(); ++epoch) {
        bar.start(sequent::message("epoch ", epoch + 1, "/", epochs), "it", order.per_epoch());
        clock::time_point const begin = clock::now();
        double loss = 0;
        std::int64_t batches = 0, count = 0;
        for (std::span<int const> const rows : order.epoch(static_cast<std::uint64_t>(epoch))) {
            if (interrupted()) break;
            batch.make(job.train, rows);
            auto const result = training.step(batch.input(), batch.targets());
            loss += result.loss * result.rows, count += result.rows;
            bar.update(++batches, [&] { return "loss=" + fixed(result.loss, 3); });
        }
        bar.clear();
        double const seconds = std::chrono::duration<double>(clock::now() - begin).count();
        std::cerr << (interrupted() ? "interrupted in epoch " : "epoch ") << epoch + 1
                  << ": loss=" << fixed(count > 0 ? loss / static_cast<double>(count) : 0, 4)
                  << " test_loss=" << fixed(test_loss(job, net), 4) << " seconds=" << fixed(seconds, 1) << std::endl;
    }
}

// Text after text in the order of the file; the loss, and a text of likeliest characters, every 1000 of them.
template <class Model>
void train_as_lesson(generate_job const& job, Model& net, int epochs) {
    sequent::training training{net, sequent::cross_entropy{}, sequent::adam{.rate = job.options.rate}};
    progress bar = progress::on_standard_error();
    next_characters batch;
    for (int epoch = 0; epoch < epochs; ++epoch) {
        bar.start("updates", "it", std::min(job.options.limit, job.train.size()));
        int updates = 0;
        for (int row = 0; row < job.train.size() && updates < job.options.limit && !interrupted(); ++row) {
            std::span<int const> const text = job.train.tokens(row);
            if (text.size() < next_characters::window + next_characters::fewest_windows) continue;
            batch.make_windows(text);
            double const loss = training.step(batch.input(), batch.targets()).loss;
            bar.update(++updates, [&] { return "loss=" + fixed(loss, 3); });
            if (row % 1000 != 0) continue;
            bar.clear();
            sequent::stream stream(net);
            std::cout << "Current loss = " << fixed(loss, 4) << '\n'
                      << continue_text(stream, job.alphabet, "today ", 100, characters::ends::plain,
                                       [](auto logits, int) { return most_likely(logits); })
                      << std::endl;
        }
        bar.clear();
    }
}

template <class Model>
void print_samples(generate_job const& job, Model& net) {
    generate_settings const& options = job.options;
    sequent::stream stream(net);
    for (std::size_t sample = 0; sample < options.temperatures.size(); ++sample) {
        double const temperature = options.temperatures[sample];
        sequent::random_stream const random = samples_of(job, sample);
        stream.restart();
        std::cout << "--- Temperature = " << temperature << '\n'
                  << continue_text(stream, job.alphabet, options.start, options.length,
                                   options.lesson ? characters::ends::plain : characters::ends::marked,
                                   [&](auto logits, int n) {
                                       return drawn(logits, temperature,
                                                    static_cast<double>(random.uniform(static_cast<std::uint64_t>(n))));
                                   })
                  << std::endl;
    }
}

}  // namespace detail

template <class Network>
void run(generate_job const& job) {
    generate_settings const& options = job.options;
    sequent::model<Network, sequent::cpu> net(Network(), {.seed = options.seed, .device = processor(options.threads)});
    set_one_hot(net);
    if (options.load) sequent::load(net, *options.load);
    int const epochs = options.epochs.value_or(options.load ? 0 : 1);
    if (options.lesson)
        detail::train_as_lesson(job, net, epochs);
    else
        detail::train(job, net, epochs);
    if (options.save) {
        sequent::save(net, *options.save,
                      {{std::string(model_key), std::string(job.model)},
                       {std::string(words_key), fingerprint_text(job.alphabet)}});
        save_words(job.alphabet, *options.save);
    }
    if (!interrupted()) detail::print_samples(job, net);
}

}  // namespace news
