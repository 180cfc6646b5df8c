// Trains, evaluates and uses one network on one device.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../common/interrupt.hpp"
#include "../common/model_choice.hpp"
#include "../common/stored_words.hpp"
#include "batch_maker.hpp"
#include "job.hpp"
#include "networks.hpp"
#include "sequent/data/batches.hpp"
#include "sequent/model/checkpoint.hpp"
#include "sequent/text/tokenizer.hpp"
#include "sequent/train/adam.hpp"
#include "sequent/train/checkpoint.hpp"
#include "sequent/train/cross_entropy.hpp"
#include "sequent/train/training.hpp"

namespace news {

namespace detail {

[[nodiscard]] inline lesson_rows rows_of(job const& job) { return job.options.lesson ? job.rows : lesson_rows::packed; }

// Goes on with an epoch until its end or an interrupt, and calls keep() every so many batches.
template <class Training, class Keep>
void train_epoch(job const& job, Training& training, sequent::batches& order, epoch_sums& sums, Keep const& keep) {
    using clock = std::chrono::steady_clock;
    batch_maker maker(rows_of(job));
    clock::time_point const begin = clock::now();
    double const before = sums.seconds;
    // The lesson's epoch_size: the test comes after the batch, and is "more than".
    while (!interrupted() && !(job.options.lesson && sums.lesson.count > job.options.limit)) {
        std::span<int const> const rows = order.next();
        if (rows.empty()) return;
        maker.make(job.train, rows);
        auto const result = training.step(maker.batch(), maker.labels());
        sums.lesson.add(result.loss, result.correct, result.rows);
        sums.loss += result.loss * result.rows;
        sums.tokens += maker.tokens();
        ++sums.batches;
        sums.seconds = before + std::chrono::duration<double>(clock::now() - begin).count();
        job.report.batch(sums);
        if (sums.batches % job.options.checkpoint_every == 0) keep();
    }
}

// The topic with the largest number, of equal ones the first.
[[nodiscard]] inline std::ptrdiff_t best_of(sequent::matrix_view<float const> logits, int row) {
    float const* const first = logits.row(row);
    return std::max_element(first, first + logits.columns) - first;
}

// Rows of the device where the host can read them; `room` holds those that it cannot read where they are.
template <class Device>
[[nodiscard]] sequent::matrix_view<float const> on_host(Device const& device, sequent::matrix_view<float const> rows,
                                                        std::vector<float>& room) {
    if constexpr (Device::reads_host_memory) return rows;
    room.resize(static_cast<std::size_t>(rows.rows) * static_cast<std::size_t>(rows.columns));
    copy_to_host(device, rows.data, room.size(), room.data());
    return {room.data(), rows.rows, rows.columns};
}

// In batches of 64, in the order of the file: with the lesson's padding, a result depends on its batch.
template <class Model>
test_sums evaluate(job const& job, Model& net) {
    test_sums sums;
    batch_maker maker(rows_of(job));
    sequent::batches order(job.test.size(), {.size = 64, .order = sequent::row_order::as_read});
    typename Model::backend_type::template buffer<float> gradient;
    std::vector<float> room;
    for (std::span<int const> const rows : order) {
        maker.make(job.test, rows);
        sequent::matrix_view<float const> logits = net.predict(maker.batch());
        std::size_t const size = static_cast<std::size_t>(logits.rows) * static_cast<std::size_t>(logits.columns);
        sequent::matrix_view<float> const unused(gradient.reserve(size), logits.rows, logits.columns);
        auto const result = sequent::cross_entropy{}(net.device(), logits, maker.labels(), unused);
        sums.loss += result.loss * result.rows;
        logits = on_host(net.device(), logits, room);
        for (int row = 0; row < logits.rows; ++row)
            ++sums.confusion[static_cast<std::size_t>(maker.labels()[static_cast<std::size_t>(row)])]
                            [static_cast<std::size_t>(best_of(logits, row))];
    }
    return sums;
}

template <class Model>
void classify(job const& job, Model& net, std::string_view text) {
    sequent::basic_english tokenizer;
    std::vector<int> tokens;
    tokenizer(text, [&](std::string_view token) { tokens.push_back(job.words[token]); });
    std::vector<float> room;
    sequent::matrix_view<float const> const logits =
        on_host(net.device(), net.predict(sequent::pack(std::span(&tokens, 1))), room);
    float const* const row = logits.row(0);
    auto const best = best_of(logits, 0);
    double sum = 0;
    for (int topic = 0; topic < logits.columns; ++topic) sum += std::exp(static_cast<double>(row[topic] - row[best]));
    job.report.line(sequent::message(topics[static_cast<std::size_t>(best)], "\t", fixed(1 / sum, 4), "\t", text));
}

// Whose words the weights in a file were trained with, and what network they are of.
[[nodiscard]] inline sequent::file_metadata names_of(job const& job) {
    return {{std::string(model_key), std::string(job.model)}, {std::string(words_key), fingerprint_text(job.words)}};
}

template <class Model>
summary train(job const& job, Model& net, int epochs) {
    settings const& options = job.options;
    sequent::training training{net, sequent::cross_entropy{}, sequent::adam{.rate = options.rate}};
    constexpr int all_rows = std::numeric_limits<int>::max();
    sequent::batches order(
        job.train.size(),
        {.size = options.batch, .seed = options.seed, .limit = options.lesson ? all_rows : options.limit});
    int const all = order.per_epoch();
    int const batches = options.lesson ? std::min(all - 1, options.limit / options.batch) + 1 : all;
    run_progress now;
    if (job.progress) {
        now = *job.progress;
        sequent::load_training(training, order, *options.resume);
        if (!std::cmp_equal(order.position().epoch, now.done.epochs) || order.position().batch != now.epoch.batches)
            throw sequent::file_error(options.resume->string(), progress_key, "does not fit the position in the data");
    }
    sequent::file_metadata notes = names_of(job);
    bool words_saved = false;
    auto const keep = [&] {
        if (!options.checkpoint) return;
        if (!std::exchange(words_saved, true)) save_words(job.words, *options.checkpoint);  // for --load
        notes[options_key] = shaping_options(options, job.model, epochs);
        notes[progress_key] = text_of(now);
        notes[report_key] = text_of(job.report);
        sequent::save_training(training, order, *options.checkpoint, notes);
    };

    while (now.done.epochs < epochs && !interrupted()) {
        job.report.begin_epoch(now.done.epochs + 1, epochs, batches, now.epoch);
        train_epoch(job, training, order, now.epoch, keep);
        if (interrupted()) {
            keep();
            job.report.interrupt();
            return now.sum(options.lesson);
        }
        now.done = now.sum(options.lesson);
        ++now.done.epochs;
        std::optional<test_sums> test;
        if (!options.lesson || now.done.epochs == epochs) test = evaluate(job, net);  // the lesson itself never does
        if (test) now.done.test_accuracy = test->accuracy();
        job.report.end_epoch(std::exchange(now.epoch, {}), test);
        order.epoch(static_cast<std::uint64_t>(now.done.epochs));
        keep();
    }
    return now.done;
}

}  // namespace detail

// Makes the network; loads, trains, evaluates, saves and classifies as the options say.
template <class Network, class Device>
summary run_on(Device const& device, job const& job) {
    settings const& options = job.options;
    std::optional<int> const padding = options.lesson ? std::nullopt : std::optional(padding_word);
    sequent::model<Network, Device> net(Network(job.words.size(), padding), {.seed = options.seed, .device = device});
    if (options.lesson && job.embedding == lesson_embedding::shifted_normal) {
        std::vector<float> rows = net.values("embedding.weight");
        for (float& value : rows) value -= 0.5f;
        net.assign("embedding.weight", rows);
    }
    if (options.load) sequent::load(net, *options.load);

    summary all;
    int const epochs = options.epochs.value_or(options.only_classifies() ? 0 : 1);
    if (epochs > 0 || job.progress)
        all = detail::train(job, net, epochs);
    else if (!options.only_classifies()) {
        test_sums const test = detail::evaluate(job, net);
        all.test_accuracy = test.accuracy();
        job.report.test(test);
    }

    if (options.save && (all.rows > 0 || !interrupted())) {
        sequent::save(net, *options.save, detail::names_of(job));
        save_words(job.words, *options.save);
    }
    job.report.end(job.model, all);
    if (!options.classify || interrupted()) return all;
    let_interrupts_end();  // all is saved
    if (*options.classify != "-")
        detail::classify(job, net, *options.classify);
    else
        for (std::string line; std::getline(std::cin, line);) detail::classify(job, net, line);
    return all;
}

}  // namespace news
