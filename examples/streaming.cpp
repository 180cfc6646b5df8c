// A trained network stepped one letter at a time: `stream` carries its states along and takes no memory on the way. It
// recites the sentence it has learnt, and gives the same bits as when it reads the whole at once.
#include <sequent/model/stream.hpp>
#include <sequent/sequent.hpp>

#include <algorithm>
#include <cstdio>

using namespace sequent;

namespace {

constexpr int letters = 27;  // a to z, and 0 for a space
constexpr std::string_view sentence = "a network that reads one letter at a time may speak while it listens ";

using network = sequential<embedding<letters, 8>, lstm<8, 32>, linear<32, letters>>;  // the next letter, at every step

int id(char letter) { return letter == ' ' ? 0 : letter - 'a' + 1; }
char letter(int id) { return static_cast<char>(id == 0 ? ' ' : 'a' + id - 1); }

}  // namespace

int main() {
    std::vector<std::vector<int>> read(1), next(1);
    for (std::size_t t = 0; t + 1 < sentence.size(); ++t) {
        read[0].push_back(id(sentence[t]));
        next[0].push_back(id(sentence[t + 1]));
    }
    model<network, cpu> net({}, {.seed = 1});
    {
        training run{net, cross_entropy{}, adam{.rate = 1e-2}};
        for (int step = 0; step < 150; ++step) run.step(pack(read), next[0]);
    }

    matrix_view<float const> const at_once = net.predict(pack(read)).values.rows;  // [steps, letters]
    std::vector<float> const whole(at_once.data, at_once.data + at_once.rows * at_once.columns);

    // From here on the network hears only itself.
    stream speaker(net);
    int said = read[0][0];
    bool same_bits = true;
    std::string speech(1, letter(said));
    for (std::size_t t = 0; t + 1 < sentence.size(); ++t) {
        std::span<float const> const scores = speaker.step(said);
        same_bits = same_bits && std::ranges::equal(scores, std::span(whole).subspan(t * letters, letters));
        said = static_cast<int>(std::ranges::max_element(scores) - scores.begin());
        speech += letter(said);
    }
    std::printf("%s\n%s\n", speech.c_str(), same_bits ? "the bits of the whole sequence" : "OTHER BITS than at once");
    return speech == sentence && same_bits ? 0 : 1;
}
