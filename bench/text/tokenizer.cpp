// Cutting texts into words and characters.
#include "sequent/text/tokenizer.hpp"

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "workload.hpp"

namespace {

// The first 2,000 texts of the news; made up where they are not there: words of 1 to 10 letters, every eighth with a
// full stop.
std::vector<std::string> const& texts() {
    static std::vector<std::string> const made = [] {
        std::vector<std::string> lines;
        if (auto const folder = bench::news_folder()) {
            for (auto& row : sequent::read_labelled_text(*folder / "train.csv", {.limit = 2000}))
                lines.push_back(std::move(row.text));
            return lines;
        }
        for (int row = 0; row < 2000; ++row) {
            std::string& line = lines.emplace_back();
            for (int const token : bench::news().text.tokens(row)) {
                line.append(static_cast<std::size_t>(1 + token % 10), static_cast<char>('a' + token % 26));
                line += token % 8 == 0 ? ". " : " ";
            }
        }
        return lines;
    }();
    return made;
}

template <class Tokenizer>
void tokenize(benchmark::State& state) {
    Tokenizer tokenizer;
    std::size_t tokens = 0, bytes = 0;
    for (auto _ : state)
        for (std::string const& line : texts()) {
            tokenizer(line, [&](std::string_view token) {
                benchmark::DoNotOptimize(token.data());
                ++tokens;
            });
            bytes += line.size();
        }
    state.counters["tokens/s"] = {static_cast<double>(tokens), benchmark::Counter::kIsRate};
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}
BENCHMARK(tokenize<sequent::basic_english>)->Name("tokenizer/basic_english 2000 texts");
BENCHMARK(tokenize<sequent::characters>)->Name("tokenizer/characters 2000 texts");

}  // namespace
