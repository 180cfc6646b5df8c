// The golden trainings of tests/fixtures/trajectory_*: their batches, and how near a training of ours came.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "golden.hpp"
#include "sequent/sequent.hpp"

namespace sequent_tests {

using namespace sequent;

// The network of all of them, with PyTorch's names.
template <class Cell>
struct topic_net : sequential<named<"embedding", embedding<dynamic, Cell::input_size>>, named<"rnn", Cell>, last_state,
                              named<"fc", linear<Cell::hidden_size, 4>>> {
    explicit topic_net(std::optional<int> padding)
        : topic_net::sequential{{.rows = 50, .padding = padding}, {}, {}, {}} {}
};

// Which tokens of a row the network reads: those within its length, or all up to the longest of the batch.
enum class reads { true_tokens, padding_too };

struct trajectory {
    golden file;
    std::vector<packed_sequence<int>> texts;
    std::vector<std::vector<int>> topics;

    trajectory(std::string const& name, reads what) : file("trajectory_" + name) {
        auto const ids = file.values<int>("ids"), lengths = file.values<int>("lengths"),
                   targets = file.values<int>("targets");
        auto const shape = file.shape("ids");  // [steps, batch, columns]
        int const batch = shape[1], columns = shape[2];
        for (int s = 0; s < shape[0]; ++s) {
            int const* const length = lengths.data() + s * batch;
            int const longest = *std::max_element(length, length + batch);
            std::vector<std::vector<int>> rows;
            for (int b = 0; b < batch; ++b) {
                int const* const row = ids.data() + (s * batch + b) * columns;
                rows.emplace_back(row, row + (what == reads::padding_too ? longest : length[b]));
            }
            texts.push_back(pack(rows));
            topics.emplace_back(targets.data() + s * batch, targets.data() + (s + 1) * batch);
        }
    }

    template <class Model>
    void start(Model& net) const {
        for (auto const& parameter : net.parameters())
            net.assign(parameter.name, file.values<typename Model::scalar>("initial/" + parameter.name));
    }

    template <class Model>
    void check_first_gradient(Model& net) const {
        for (auto const& parameter : net.parameters()) {
            INFO(parameter.name);
            CHECK(largest_error(net.gradient(parameter.name), file.values("first_gradient/" + parameter.name)) < 1e-12);
        }
    }

    // In double: every loss to 1e-6 of itself, every final weight to 1e-6 of the largest of its tensor.
    void check_losses(std::vector<double> const& losses, double within = 1e-6) const {
        auto const expected = file.values("losses");
        REQUIRE(losses.size() == expected.size());
        for (std::size_t s = 0; s < losses.size(); ++s) {
            INFO("step " << s);
            REQUIRE(std::abs(losses[s] - expected[s]) <= within * expected[s]);
        }
    }
    template <class Model>
    void check_weights(Model& net, double within = 1e-6) const {
        for (auto const& parameter : net.parameters()) {
            INFO(parameter.name);
            CHECK(largest_error(net.values(parameter.name), file.values("final/" + parameter.name)) < within);
        }
    }

    // In float: no tensor more than four times as far from double as PyTorch's in float.
    template <class Model>
    void check_in_float(std::vector<double> const& losses, Model& net) const {
        CHECK(relative_error(losses, file.values("losses")) <= 4 * file.number("float_error/losses"));
        for (auto const& parameter : net.parameters()) {
            std::string const name = "final/" + parameter.name;
            INFO(name);
            CHECK(relative_error(net.values(parameter.name), file.values(name)) <=
                  4 * file.number("float_error/" + name));
        }
    }
};

// The row of token 1, which is padding, yet stands inside some sentences.
template <class Model>
void check_padding_row(Model& net) {
    auto const rows = net.values("embedding.weight");
    auto const width = static_cast<std::ptrdiff_t>(rows.size() / 50);
    CHECK(std::all_of(rows.begin() + width, rows.begin() + 2 * width, [](auto value) { return value == 0; }));
}

}  // namespace sequent_tests
