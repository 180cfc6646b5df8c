// Weights trained in PyTorch: a state_dict that safetensors.torch.save_file wrote loads by its names, and the network
// gives PyTorch's logits. Run in the project's root: from_pytorch [FOLDER with news_tiny{,_expected}.safetensors]
#include <sequent/model/checkpoint.hpp>
#include <sequent/sequent.hpp>

#include <cmath>
#include <cstdio>
#include <exception>

using namespace sequent;

namespace {

// In Python: embedding = nn.Embedding(20, 8), rnn = nn.LSTM(8, 6, batch_first=True), fc = nn.Linear(6, 4)
using news_net =
    sequential<named<"embedding", embedding<20, 8>>, named<"rnn", lstm<8, 6>>, last_state, named<"fc", linear<6, 4>>>;

int run(std::filesystem::path const& folder) {
    model<news_net, cpu> net;
    load(net, folder / "news_tiny.safetensors");  // an error names a missing, unknown or differently shaped tensor
    for (parameter_info const& parameter : net.parameters()) {
        std::printf("%-18s [", parameter.name.c_str());
        for (int const extent : parameter.shape) std::printf(" %d", extent);
        std::printf(" ]\n");
    }

    // What PyTorch made of three padded rows of ids with pack_padded_sequence(..., enforce_sorted=False), in double.
    safetensors const file = safetensors::read(folder / "news_tiny_expected.safetensors");
    auto const ids64 = file.values<std::int64_t>("ids"), lengths64 = file.values<std::int64_t>("lengths");
    std::vector<int> const ids(ids64.begin(), ids64.end()), lengths(lengths64.begin(), lengths64.end());
    std::vector<double> const expected = file.values<double>("logits");

    auto const batch = pack_padded(ids.data(), 3, static_cast<int>(ids.size()) / 3, 1, lengths);
    matrix_view<float const> const logits = net.predict(batch);
    double worst = 0;
    for (int i = 0; i < 3; ++i) {
        std::printf("\nlogits of row %d:", i);
        for (int j = 0; j < 4; ++j) {
            std::printf(" %9.6f", static_cast<double>(logits(i, j)));
            worst = std::fmax(worst, std::abs(logits(i, j) - expected[static_cast<std::size_t>(i * 4 + j)]));
        }
    }
    std::printf("\n\nlargest difference from PyTorch's: %.0e\n", worst);
    return worst < 1e-6 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc > 1 ? argv[1] : "tests/fixtures");
    } catch (std::exception const& failure) {
        std::fprintf(stderr, "from_pytorch: %s\n", failure.what());
        return 1;
    }
}
