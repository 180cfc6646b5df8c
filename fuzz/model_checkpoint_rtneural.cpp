// Any bytes: refused with file_error, the model as it was, or loaded, all of its numbers finite.
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "sequent/model/checkpoint_rtneural.hpp"
#include "sequent/sequent.hpp"

namespace {

using namespace sequent;

void require(bool holds) {
    if (!holds) std::abort();
}

// The networks of the corpus.
struct gru_dense : sequential<named<"rnn", gru<1, 2>>, named<"dense", linear<2, 1>>> {};
struct lstm_dense : sequential<named<"rnn", lstm<1, 2>>, named<"dense", linear<2, 1>>> {};
struct only_gru : sequential<named<"gru", gru<2, 1>>> {};

template <class Net, class Scalar>
void load(std::span<std::byte const> file, char const* prefix = "") {
    static model<Net, cpu, Scalar> net;
    auto const values = [&] {
        std::vector<Scalar> all;
        for (auto const& parameter : net.parameters())
            for (Scalar const value : net.values(parameter)) all.push_back(value);
        return all;
    };
    auto const before = values();
    try {
        load_rtneural(net, file, "fuzz", {.prefix = prefix});
        for (Scalar const value : values()) require(std::isfinite(value));
    } catch (file_error const&) {
        require(values() == before);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const file = std::as_bytes(std::span(data, size));
    load<linear<2, 1>, double>(file);
    load<gru_dense, float>(file);
    load<lstm_dense, double>(file);
    load<only_gru, double>(file);
    load<gru<2, 1>, float>(file, "gru.");
    return 0;
}
