// The library's side of the comparison with other libraries (see run in this folder).
//     bench_peers export FILE   writes the batches and the networks' first parameters as safetensors
//     bench_peers serve         answers each line of JSON on standard input by one on standard output, as the
//                               workers in Python do: {"case", "threads", "first", "count"} -> {"seconds", "values"};
//                               {"batch"} changes the rows of the lesson's batches
#include <chrono>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <stdexcept>
#include <string>

#include "networks/trainee.hpp"
#include "sequent/config.hpp"
#include "sequent/io/safetensors.hpp"
#include "workload.hpp"

namespace {

// Batches in the user's order: sequence after sequence.
template <class Input>
struct raw_batches {
    int features = 1, batch = 0;
    std::vector<std::vector<std::vector<Input>>> sequences;  // [batches][batch][length * features]
    std::vector<std::vector<int>> topics;                    // [batches][batch]

    [[nodiscard]] int count() const { return static_cast<int>(sequences.size()); }
};

// 8,192 rows, so many that rare words come back after long gaps.
raw_batches<int> const& lesson_rows(int batch) {
    static std::map<int, raw_batches<int>> made;
    auto const [place, fresh] = made.try_emplace(batch);
    raw_batches<int>& rows = place->second;
    if (!fresh) return rows;
    rows.batch = batch;
    sequent::batches order(bench::news().text.size(), {.size = batch, .seed = 1});
    for (int b = 0; b < 8192 / batch; ++b) {
        auto& sequences = rows.sequences.emplace_back();
        auto& topics = rows.topics.emplace_back();
        for (int const row : order.next()) {
            auto const tokens = bench::news().text.tokens(row);
            sequences.emplace_back(tokens.begin(), tokens.end());
            topics.push_back(bench::news().text.label(row));
        }
    }
    return rows;
}

raw_batches<float> const& wide_rows() {
    static raw_batches<float> const made = [] {
        constexpr int count = 3;
        raw_batches<float> rows{256, 64, {}, {}};
        for (int b = 0; b < count; ++b) {
            std::uint64_t const stream = 100 + 2 * static_cast<std::uint64_t>(b);
            auto const lengths = bench::long_lengths(stream);
            std::size_t const total = static_cast<std::size_t>(std::accumulate(lengths.begin(), lengths.end(), 0));
            auto const numbers = bench::normal_numbers(total * 256, stream + 1);
            auto& sequences = rows.sequences.emplace_back();
            auto& topics = rows.topics.emplace_back();
            auto at = numbers.begin();
            for (int const length : lengths) {
                auto const end = at + std::ptrdiff_t{length} * rows.features;
                sequences.emplace_back(at, end);
                topics.push_back(length % 4);
                at = end;
            }
        }
        return rows;
    }();
    return made;
}

enum class work { training, inference };

struct measurement {
    double seconds, value;  // of a batch: wall-clock time, and the loss or the sum of the logits
};

// A network on its way through its batches, round and round.
struct competitor {
    virtual ~competitor() = default;
    virtual measurement next() = 0;
    [[nodiscard]] virtual int position() const = 0;
    virtual void save(sequent::safetensors_writer& file, std::string const& name) = 0;
};

template <class Input>
class network_at_work : public competitor {
  public:
    network_at_work(std::unique_ptr<bench::trainee<Input>> network, raw_batches<Input> const& rows, work what)
        : network_(std::move(network)), rows_(rows), what_(what) {}

    measurement next() override {
        std::size_t const b = static_cast<std::size_t>(position_);
        auto const start = std::chrono::steady_clock::now();
        sequent::pack_into(packed_, rows_.sequences[b], rows_.features);
        double value = 0;
        if (what_ == work::training) {
            value = network_->step(packed_, rows_.topics[b]);
        } else {
            auto const logits = network_->predict(packed_);
            value = std::accumulate(logits.begin(), logits.end(), 0.0);
        }
        std::chrono::duration<double> const passed = std::chrono::steady_clock::now() - start;
        position_ = (position_ + 1) % rows_.count();
        return {passed.count(), value};
    }
    int position() const override { return position_; }
    void save(sequent::safetensors_writer& file, std::string const& name) override {
        saved_ = network_->parameters();
        for (auto const& one : saved_) file.add(name + "/" + one.name, one.shape, std::span<float const>(one.values));
    }

  private:
    std::unique_ptr<bench::trainee<Input>> network_;
    raw_batches<Input> const& rows_;
    work what_;
    int position_ = 0;
    sequent::packed_sequence<Input> packed_;
    std::vector<typename bench::trainee<Input>::parameter> saved_;
};

struct setting {
    int threads = 1;
    int batch = bench::lesson_batches::size;  // rows of the lesson's batches
};

using factory = std::function<std::unique_ptr<competitor>(setting)>;

factory lesson(std::unique_ptr<bench::trainee<int>> (*make)(int, int), work what) {
    return [=](setting chosen) {
        return std::make_unique<network_at_work<int>>(make(bench::news().words, chosen.threads),
                                                      lesson_rows(chosen.batch), what);
    };
}

std::map<std::string, factory> const& cases() {
    static std::map<std::string, factory> const all{
        {"lesson_elman", lesson(bench::lesson_elman, work::training)},
        {"lesson_gru", lesson(bench::lesson_gru, work::training)},
        {"lesson_lstm", lesson(bench::lesson_lstm, work::training)},
        {"lesson_lstm_inference", lesson(bench::lesson_lstm, work::inference)},
        {"wide_bilstm", [](setting chosen) {
             return std::make_unique<network_at_work<float>>(bench::wide_bilstm(chosen.threads), wide_rows(),
                                                             work::training);
         }}};
    return all;
}

// name.rows [sum of lengths, features], name.lengths [batches, batch], name.topics [batches, batch].
template <class Input>
struct flat_batches {
    std::vector<Input> rows;
    std::vector<int> lengths, topics;

    explicit flat_batches(raw_batches<Input> const& from, std::string const& name, sequent::safetensors_writer& file) {
        std::size_t const features = static_cast<std::size_t>(from.features);
        for (std::size_t b = 0; b < from.sequences.size(); ++b) {
            for (auto const& sequence : from.sequences[b]) {
                rows.insert(rows.end(), sequence.begin(), sequence.end());
                lengths.push_back(static_cast<int>(sequence.size() / features));
            }
            topics.insert(topics.end(), from.topics[b].begin(), from.topics[b].end());
        }
        std::vector const shape{from.sequences.size(), static_cast<std::size_t>(from.batch)};
        file.add(name + ".rows", {rows.size() / features, features}, std::span<Input const>(rows));
        file.add(name + ".lengths", shape, std::span<int const>(lengths));
        file.add(name + ".topics", shape, std::span<int const>(topics));
    }
};

void export_to(std::string const& path) {
    sequent::safetensors_writer file;
    flat_batches<int> const lesson(lesson_rows(bench::lesson_batches::size), "lesson", file);
    flat_batches<float> const wide(wide_rows(), "wide", file);
    file.metadata("data", bench::news_folder() ? "AG News" : "made up");
    std::vector<std::unique_ptr<competitor>> networks;
    for (auto const& [name, make] : cases()) networks.emplace_back(make({}))->save(file, name);
    file.write(path);
}

nlohmann::json answer(nlohmann::json const& question, std::map<std::string, std::unique_ptr<competitor>>& networks) {
    std::string const name = question.at("case");
    setting const chosen{question.at("threads"), question.value("batch", bench::lesson_batches::size)};
    auto& network = networks[sequent::message(name, " ", chosen.batch)];
    if (!network) network = cases().at(name)(chosen);
    while (network->position() != question.at("first")) network->next();
    std::vector<double> seconds, values;
    for (int b = 0; b < question.at("count"); ++b) {
        measurement const one = network->next();
        seconds.push_back(one.seconds);
        values.push_back(one.value);
    }
    return {{"seconds", seconds}, {"values", values}};
}

void serve() {
    std::string const version = sequent::message(SEQUENT_VERSION_MAJOR, ".", SEQUENT_VERSION_MINOR);
    nlohmann::json hello{{"name", "sequent " + version}, {"cases", nlohmann::json::object()}};
    for (auto const& [name, make] : cases()) hello["cases"][name] = {"packed"};
    std::cout << hello << std::endl;
    std::map<std::string, std::unique_ptr<competitor>> networks;
    for (std::string line; std::getline(std::cin, line);)
        std::cout << answer(nlohmann::json::parse(line), networks) << std::endl;
}

}  // namespace

int main(int argc, char** argv) try {
    std::string const command = argc > 1 ? argv[1] : "";
    if (command == "export" && argc == 3)
        export_to(argv[2]);
    else if (command == "serve" && argc == 2)
        serve();
    else
        throw std::invalid_argument("usage: bench_peers export FILE | bench_peers serve");
    return 0;
} catch (std::exception const& failure) {
    std::cerr << "bench_peers: " << failure.what() << '\n';
    return 1;
}
