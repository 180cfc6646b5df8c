// Who won? "the reds beat the blues" and "the blues beat the reds" hold the same words, so the mean of the words'
// vectors cannot tell them apart, and an LSTM can.
#include <sequent/sequent.hpp>

#include <cstdio>

using namespace sequent;

namespace {

// 0 reds, 1 blues, 2 beat, 3 lost to, 4 yesterday, 5 again, 6 at home
constexpr int beat = 2, yesterday = 4, words = 7;

struct matches {
    packed_sequence<int> text;
    std::vector<int> winner;  // 0: reds, 1: blues
};

// Sentences first, first + 1, ... of a stream: one team, "beat" or "lost to", the other team; other words in between.
matches draw(random_stream const& random, int first, int count) {
    std::vector<std::vector<int>> sentences;
    std::vector<int> winners;
    for (int i = 0; i < count; ++i) {
        std::uint64_t at = static_cast<std::uint64_t>(first + i) * 16;
        auto const below = [&](unsigned bound) { return static_cast<int>(random.below(at++, bound)); };
        std::vector<int> sentence;
        int const subject = below(2), verb = beat + below(2);
        for (int const told : {subject, verb, 1 - subject}) {
            for (int others = below(4); others > 0; --others) sentence.push_back(yesterday + below(3));
            sentence.push_back(told);
        }
        sentences.push_back(sentence);
        winners.push_back(verb == beat ? subject : 1 - subject);
    }
    return {pack(sentences), winners};
}

template <class Network>
double accuracy_after_training(int steps) {
    model<Network, cpu> net({}, {.seed = 1});
    training run{net, cross_entropy{}, adam{.rate = 1e-2}};
    for (int step = 0; step < steps; ++step) {
        matches const batch = draw({.seed = 1}, step * 32, 32);
        run.step(batch.text, batch.winner);
    }
    matches const unseen = draw({.seed = 2}, 0, 1000);
    matrix_view<float const> const logits = net.predict(unseen.text);
    int right = 0;
    for (int i = 0; i < logits.rows; ++i)
        right += (logits(i, 1) > logits(i, 0)) == (unseen.winner[static_cast<std::size_t>(i)] == 1);
    return right / 1000.0;
}

}  // namespace

int main() {
    using bag_of_words = sequential<embedding<words, 8>, mean_state, linear<8, 2>>;
    using in_order = sequential<embedding<words, 8>, lstm<8, 16>, last_state, linear<16, 2>>;
    double const bag = accuracy_after_training<bag_of_words>(400);
    double const ordered = accuracy_after_training<in_order>(400);
    std::printf("of 1000 unseen matches, right:  bag of words %.1f %%, lstm %.1f %%\n", 100 * bag, 100 * ordered);
    return bag < 0.6 && ordered > 0.99 ? 0 : 1;
}
