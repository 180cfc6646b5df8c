// Made-up news for machines without AG News: four topics, and a grammar in which the order of words matters. No text of
// anybody else's is in it.
//
// Half of the lines tell their topic by their words ("Striker wins the cup"). In the other half two parties of
// different topics meet, and the topic is that of the one who acts: "Bank sues striker" is business, "Striker sues
// bank" is sports, and so is "Bank sued by striker". Each such line has a twin in which the parties have changed
// places: the same words, another topic. So a bag of words can be right on three lines out of four and no more.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "sequent/core/random.hpp"
#include "sequent/data/labelled_text.hpp"

namespace news {

// Labels as in AG News: 0 World, 1 Sports, 2 Business, 3 Sci/Tech. Distinct lines, every topic as often as any other;
// no line of `test` is in `train`.
struct made_up_corpus {
    std::vector<sequent::labelled_text> train, test;
};

namespace detail {

class reporter {
  public:
    explicit reporter(std::uint64_t seed) : random_{seed, 0x636F727075730000u} {}  // "corpus"

    static constexpr int block_size = 24;

    // 24 lines not told before, six of each topic: twelve plain ones, and a line and its twin for each pair of topics.
    void tell_block(std::vector<sequent::labelled_text>& into) {
        for (int topic = 0; topic < 4; ++topic)
            for (int i = 0; i < 3; ++i) tell(into, [&] { return std::array{plain(topic)}; });
        for (int one = 0; one < 4; ++one)
            for (int other = one + 1; other < 4; ++other) tell(into, [&] { return contest(one, other); });
    }

  private:
    using words = std::array<std::string_view, 12>;

    static constexpr std::array<words, 4> parties = {{
        {"president", "minister", "ambassador", "general", "governor", "senator", "parliament", "embassy", "army",
         "king", "rebel leader", "border guard"},
        {"striker", "goalkeeper", "coach", "champion", "football club", "league", "sprinter", "referee", "captain",
         "swimmer", "boxer", "tennis star"},
        {"bank", "airline", "retailer", "investor", "broker", "carmaker", "insurer", "shareholder", "brewer",
         "oil company", "hedge fund", "steel maker"},
        {"astronomer", "laboratory", "physicist", "programmer", "software firm", "search engine", "observatory",
         "biologist", "chemist", "chip designer", "space agency", "robot builder"},
    }};
    // What only one topic's parties do: now, and in the past.
    static constexpr std::array<std::array<std::pair<std::string_view, std::string_view>, 6>, 4> deeds = {{
        {{{"signs peace treaty", "signed a peace treaty"},
          {"calls early election", "called an early election"},
          {"closes the border", "closed the border"},
          {"vows to end the siege", "vowed to end the siege"},
          {"opens talks on refugees", "opened talks on refugees"},
          {"survives no-confidence vote", "survived a vote of no confidence"}}},
        {{{"wins the cup", "won the cup after extra time"},
          {"loses the final", "lost the final on penalties"},
          {"sets a record", "set a record in the heats"},
          {"misses the season", "will miss the season with a knee injury"},
          {"reaches the semifinals", "reached the semifinals in straight sets"},
          {"scores twice", "scored twice in the second half"}}},
        {{{"doubles profit", "doubled its quarterly profit"},
          {"cuts 900 jobs", "cut 900 jobs to save costs"},
          {"raises dividend", "raised its dividend"},
          {"buys rival for $2 billion", "bought a rival for $2 billion in shares"},
          {"files for bankruptcy", "filed for bankruptcy protection"},
          {"shares tumble", "saw its shares tumble"}}},
        {{{"finds a new planet", "found a planet around a nearby star"},
          {"fixes security hole", "fixed a security hole in its browser"},
          {"maps a genome", "mapped the genome of a moss"},
          {"tests a faster chip", "tested a chip that runs cooler"},
          {"launches a probe", "launched a probe to a comet"},
          {"releases free code", "released the code under a free licence"}}},
    }};
    // What a party of any topic may do to one of any other: now, and in the past, which is the participle too.
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 10> quarrels = {
        {{"sues", "sued"},
         {"praises", "praised"},
         {"blames", "blamed"},
         {"warns", "warned"},
         {"questions", "questioned"},
         {"backs", "backed"},
         {"accuses", "accused"},
         {"thanks", "thanked"},
         {"criticises", "criticised"},
         {"surprises", "surprised"}}};
    static constexpr words places = {"LONDON", "PARIS",  "TOKYO",  "CAIRO", "DELHI", "SYDNEY",
                                     "OSLO",   "LISBON", "MADRID", "ROME",  "LAGOS", "BERLIN"};
    static constexpr std::array<std::string_view, 5> agencies = {"Newswire", "Daily Wire", "Day Press", "Wire Service",
                                                                 "Press Desk"};
    static constexpr std::array<std::string_view, 6> days = {"on Monday",   "on Tuesday", "on Wednesday",
                                                             "on Thursday", "on Friday",  "over the weekend"};
    static constexpr std::array<std::string_view, 6> endings = {"",
                                                                ", officials said",
                                                                ", a spokesman said",
                                                                ", according to a report",
                                                                ", people close to the matter said",
                                                                " - and few had seen it coming"};

    template <class Lines>
    void tell(std::vector<sequent::labelled_text>& into, Lines const& invent) {
        auto lines = invent();
        while (told_.contains(lines.front().text)) lines = invent();  // a line and its twin are told together
        for (sequent::labelled_text& line : lines) {
            told_.insert(line.text);
            into.push_back(std::move(line));
        }
    }

    sequent::labelled_text plain(int topic) {
        std::string_view const party = one_of(parties[static_cast<std::size_t>(topic)]);
        auto const& [now, past] = one_of(deeds[static_cast<std::size_t>(topic)]);
        std::string const start = place(), end = day_and_ending();
        return {topic, sequent::message(capital(party), " ", now, " ", start, "The ", party, " ", past, end)};
    }

    // The first party acts in the first line, the second in the second.
    std::array<sequent::labelled_text, 2> contest(int first, int second) {
        std::string_view const a = one_of(parties[static_cast<std::size_t>(first)]);
        std::string_view const b = one_of(parties[static_cast<std::size_t>(second)]);
        auto const& quarrel = one_of(quarrels);
        std::string_view const now = quarrel.first, past = quarrel.second;
        bool const passive_title = coin(), passive = coin();
        std::string const start = place(), end = day_and_ending();
        auto const line = [&](int topic, std::string_view actor, std::string_view other) {
            std::string const title = passive_title ? sequent::message(capital(other), " ", past, " by ", actor)
                                                    : sequent::message(capital(actor), " ", now, " ", other);
            std::string const body = passive ? sequent::message("The ", other, " was ", past, " by the ", actor)
                                             : sequent::message("The ", actor, " ", past, " the ", other);
            return sequent::labelled_text{topic, sequent::message(title, " ", start, body, end)};
        };
        return {line(first, a, b), line(second, b, a)};
    }

    // "PARIS (Newswire) - "
    std::string place() {
        std::string_view const where = one_of(places);
        return sequent::message(where, " (", one_of(agencies), ") - ");
    }
    std::string day_and_ending() {
        std::string_view const when = one_of(days);
        return sequent::message(" ", when, one_of(endings), ".");
    }
    static std::string capital(std::string_view word) {
        std::string text(word);
        text[0] = static_cast<char>(text[0] - 'a' + 'A');
        return text;
    }

    template <class Choice, std::size_t Count>
    Choice const& one_of(std::array<Choice, Count> const& choices) {
        return choices[random_.below(drawn_++, Count)];
    }
    bool coin() { return random_.below(drawn_++, 2) == 1; }

    sequent::random_stream random_;
    std::uint64_t drawn_ = 0;
    std::unordered_set<std::string> told_;
};

}  // namespace detail

// At least as many lines as asked for, in whole blocks of 24; the same lines for the same numbers on every machine.
[[nodiscard]] inline made_up_corpus make_up_corpus(int train_lines = 36000, int test_lines = 3600,
                                                   std::uint64_t seed = 1) {
    made_up_corpus corpus;
    detail::reporter reporter(seed);
    while (static_cast<int>(corpus.train.size()) < train_lines) reporter.tell_block(corpus.train);
    while (static_cast<int>(corpus.test.size()) < test_lines) reporter.tell_block(corpus.test);
    return corpus;
}

}  // namespace news
