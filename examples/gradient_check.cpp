// Every gradient of a network against central differences: close to zero for the library's, and not for a loss whose
// derivative is wrong.
#include <sequent/sequent.hpp>

#include <cstdio>

using namespace sequent;

namespace {

struct tagger : sequential<named<"embedding", embedding<7, 3>>, named<"rnn", bidirectional<gru<3, 4>>>, dropout,
                           named<"tag", linear<8, 2>>> {
    tagger() : sequential{{.padding = 0}, {}, {.probability = 0.5}, {}} {}
};

// Right in its value, wrong in its gradient.
struct wrong_loss : cross_entropy {
    cross_entropy_result operator()(cpu const& device, matrix_view<double const> logits, std::span<int const> targets,
                                    matrix_view<double> gradient) const {
        auto const result = cross_entropy::operator()(device, logits, targets, gradient);
        gradient(0, 0) *= 1.01;
        return result;
    }
};

void print(char const* loss, gradient_check_result const& result) {
    std::printf("%-13s  %zu gradients, worst error %.0e: %s[%zu] is %.6f, by differences %.6f\n", loss, result.checked,
                result.worst, result.parameter.c_str(), result.place, result.analytic, result.numeric);
}

}  // namespace

int main() {
    model<tagger, cpu, double> net({}, {.seed = 1});  // differences need double
    std::vector<std::vector<int>> const sentences = {{3, 1, 4}, {1, 5, 2, 6, 5}, {}, {3}};
    auto const batch = pack(sentences);
    std::vector<int> const tags = {0, 1, 1, 0, 1, 0, 0, 1, 1};  // one for each packed row

    auto const right = gradient_check(net, batch, tags, cross_entropy{});
    auto const wrong = gradient_check(net, batch, tags, wrong_loss{});
    print("cross_entropy", right);
    print("wrong_loss", wrong);
    return right.worst < 1e-6 && wrong.worst > 1e-3 ? 0 : 1;
}
