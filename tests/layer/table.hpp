// The one table of small recurrent networks: every cell, the tests' own among them, in every direction and depth. Who
// takes which of its rows, in which scalars:
//   tests/cell/golden_cell.hpp        the rows that PyTorch has, in float and double, packed and padded, on any policy
//   tests/layer/recurrent.cpp         halves: one by one, order of a batch, empty sequences, gradients that add up
//   tests/train/gradient_check.cpp    all in double: differences, by weights and initial states
//   tests/model/checkpoint.cpp        halves: there and back
//   tests/model/model.cpp             samples: bad input
#pragma once

#include <array>
#include <tuple>

#include "cell/coupled_lstm.hpp"
#include "sequent/cell/elman.hpp"
#include "sequent/cell/gru.hpp"
#include "sequent/cell/lstm.hpp"
#include "sequent/layer/sequential.hpp"

namespace sequent_tests {

template <int Input, int Hidden>
using rnn_tanh = sequent::elman<Input, Hidden>;
template <int Input, int Hidden>
using rnn_relu = sequent::elman<Input, Hidden, sequent::nonlinearity::relu>;

template <int Input, int Hidden>
using all_cells = std::tuple<rnn_tanh<Input, Hidden>, rnn_relu<Input, Hidden>, sequent::lstm<Input, Hidden>,
                             sequent::gru<Input, Hidden>, coupled_lstm<Input, Hidden>>;
enum cell_row : int { tanh_row, relu_row, lstm_row, gru_row, own_row };
inline constexpr std::array<char const*, 5> cell_names{"rnn_tanh", "rnn_relu", "lstm", "gru", "coupled"};

template <class Cell>
using all_networks = std::tuple<sequent::recurrent<Cell>, sequent::reversed<Cell>, sequent::bidirectional<Cell>,
                                sequent::stacked<2, Cell>, sequent::stacked<2, sequent::reversed<Cell>>,
                                sequent::stacked<2, sequent::bidirectional<Cell>>>;
enum network_row : int { l1_uni, l1_reversed, l1_bi, l2_uni, l2_reversed, l2_bi };
// As in the fixtures; PyTorch has no layer that is only reversed.
inline constexpr std::array<char const*, 6> network_names{"l1.uni", "l1.reversed", "l1.bi",
                                                          "l2.uni", "l2.reversed", "l2.bi"};

}  // namespace sequent_tests
