// Trains, evaluates and uses one network.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "batch_maker.hpp"
#include "interrupt.hpp"
#include "job.hpp"
#include "networks.hpp"
#include "sequent/data/batches.hpp"
#include "sequent/model/checkpoint.hpp"
#include "sequent/text/tokenizer.hpp"
#include "stored_words.hpp"

namespace news {

namespace detail {

[[nodiscard]] inline lesson_rows rows_of(job const& job) { return job.options.lesson ? job.rows : lesson_rows::packed; }

// One pass over the training rows, or what of it comes before an interrupt.
template <class Training>
epoch_sums train_epoch(job const& job, Training& training, sequent::batches& order) {
    using clock = std::chrono::steady_clock;
    epoch_sums sums;
    batch_maker maker(rows_of(job));
    clock::time_point const begin = clock::now();
    for (std::span<int const> const rows : order) {
        maker.make(job.train, rows);
        auto const result = training.step(maker.batch(), maker.labels());
        sums.lesson.add(result.loss, result.correct, result.rows);
        sums.loss += result.loss * result.rows;
        sums.tokens += maker.tokens();
        ++sums.batches;
        sums.seconds = std::chrono::duration<double>(clock::now() - begin).count();
        job.report.batch(sums);
        // The lesson's epoch_size: the test comes after the batch, and is "more than".
        if (interrupted() || (job.options.lesson && sums.lesson.count > job.options.limit)) break;
    }
    return sums;
}

// In batches of 64, in the order of the file: with the lesson's padding, a result depends on its batch.
template <class Model>
test_sums evaluate(job const& job, Model& net) {
    test_sums sums;
    batch_maker maker(rows_of(job));
    sequent::batches order(job.test.size(), {.size = 64, .order = sequent::row_order::as_read});
    std::vector<float> room;
    for (std::span<int const> const rows : order) {
        maker.make(job.test, rows);
        sequent::matrix_view<float const> const logits = net.predict(maker.batch());
        room.resize(static_cast<std::size_t>(logits.rows) * static_cast<std::size_t>(logits.columns));
        sequent::matrix_view<float> const unused(room.data(), logits.rows, logits.columns);
        auto const result = sequent::cross_entropy{}(net.device(), logits, maker.labels(), unused);
        sums.loss += result.loss * result.rows;
        sums.correct += result.correct;
        sums.rows += result.rows;
    }
    return sums;
}

template <class Model>
void classify(job const& job, Model& net, std::string_view text) {
    sequent::basic_english tokenizer;
    std::vector<int> tokens;
    tokenizer(text, [&](std::string_view token) { tokens.push_back(job.words[token]); });
    sequent::matrix_view<float const> const logits = net.predict(sequent::pack(std::span(&tokens, 1)));
    float const* const row = logits.row(0);
    auto const best = std::max_element(row, row + logits.columns) - row;
    double sum = 0;
    for (int topic = 0; topic < logits.columns; ++topic) sum += std::exp(static_cast<double>(row[topic] - row[best]));
    job.report.line(sequent::message(topics[static_cast<std::size_t>(best)], "\t", fixed(1 / sum, 4), "\t", text));
}

template <class Model>
void train(job const& job, Model& net, int epochs, summary& all) {
    settings const& options = job.options;
    sequent::training training{net, sequent::cross_entropy{}, sequent::adam{.rate = options.rate}};
    constexpr int all_rows = std::numeric_limits<int>::max();
    sequent::batches order(
        job.train.size(),
        {.size = options.batch, .seed = options.seed, .limit = options.lesson ? all_rows : options.limit});
    int const batches = options.lesson ? std::min(order.per_epoch(), options.limit / options.batch + 1)  //
                                       : order.per_epoch();
    for (int epoch = 1; epoch <= epochs && !interrupted(); ++epoch) {
        job.report.begin_epoch(epoch, epochs, batches);
        epoch_sums const done = train_epoch(job, training, order.epoch(static_cast<std::uint64_t>(epoch - 1)));
        all.rows += done.lesson.count;
        all.tokens += done.tokens;
        all.seconds += done.seconds;
        all.loss = done.mean_loss(options.lesson);
        all.train_accuracy = done.lesson.accuracy();
        if (interrupted()) return job.report.interrupt();
        all.epochs = epoch;
        std::optional<test_sums> test;
        if (!options.lesson || epoch == epochs) test = evaluate(job, net);  // the lesson itself never does
        if (test) all.test_accuracy = test->accuracy();
        job.report.end_epoch(done, test);
    }
}

}  // namespace detail

template <class Network>
summary run(job const& job) {
    settings const& options = job.options;
    std::optional<int> const padding = options.lesson ? std::nullopt : std::optional(padding_word);
    sequent::model<Network, sequent::cpu> net(Network(job.words.size(), padding), {.seed = options.seed});
    if (options.lesson && job.embedding == lesson_embedding::shifted_normal) {
        std::vector<float> rows = net.values("embedding.weight");
        for (float& value : rows) value -= 0.5f;
        net.assign("embedding.weight", rows);
    }
    if (options.load) sequent::load(net, *options.load);

    summary all;
    int const epochs = options.epochs.value_or(options.only_classifies() ? 0 : 1);
    if (epochs > 0)
        detail::train(job, net, epochs, all);
    else if (!options.only_classifies())
        all.test_accuracy = detail::evaluate(job, net).accuracy();

    if (options.save && (all.rows > 0 || !interrupted())) {
        sequent::save(
            net, *options.save,
            {{std::string(model_key), std::string(job.model)}, {std::string(words_key), fingerprint_text(job.words)}});
        save_words(job.words, *options.save);
    }
    if (!options.classify || interrupted()) return all;
    let_interrupts_end();  // all is saved
    if (*options.classify != "-")
        detail::classify(job, net, *options.classify);
    else
        for (std::string line; std::getline(std::cin, line);) detail::classify(job, net, line);
    return all;
}

}  // namespace news
