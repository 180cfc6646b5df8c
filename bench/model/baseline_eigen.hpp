// The LSTM step a good engineer writes with Eigen in ten minutes: compile-time sizes, two matrix-vector products, array
// expressions. What the streaming step is held against. Weights and gate order are PyTorch's.
#pragma once

#include <Eigen/Core>

#include <span>

namespace bench {

template <int Input, int Hidden>
struct eigen_lstm {
    template <int Rows, int Columns = 1>
    using matrix = Eigen::Matrix<float, Rows, Columns>;

    matrix<4 * Hidden, Input> w;
    matrix<4 * Hidden, Hidden> u;
    matrix<4 * Hidden> bias, gates;
    matrix<Hidden> h = matrix<Hidden>::Zero(), c = matrix<Hidden>::Zero();

    // weight_ih [4 H, input], weight_hh [4 H, H], both row-major; bias_ih [4 H], bias_hh [4 H].
    eigen_lstm(std::span<float const> weight_ih, std::span<float const> weight_hh, std::span<float const> bias_ih,
               std::span<float const> bias_hh) {
        using rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
        w = Eigen::Map<rows const>(weight_ih.data(), 4 * Hidden, Input);
        u = Eigen::Map<rows const>(weight_hh.data(), 4 * Hidden, Hidden);
        bias =
            Eigen::Map<matrix<4 * Hidden> const>(bias_ih.data()) + Eigen::Map<matrix<4 * Hidden> const>(bias_hh.data());
    }

    // x: [input]
    void step(float const* x) {
        gates = bias;
        gates.noalias() += w * Eigen::Map<matrix<Input> const>(x);
        gates.noalias() += u * h;
        auto const i = gates.template head<Hidden>().array().logistic();
        auto const f = gates.template segment<Hidden>(Hidden).array().logistic();
        auto const g = gates.template segment<Hidden>(2 * Hidden).array().tanh();
        auto const o = gates.template tail<Hidden>().array().logistic();
        c = (f * c.array() + i * g).matrix();
        h = (o * c.array().tanh()).matrix();
    }
};

}  // namespace bench
