#include "sequent/layer/embedding.hpp"

#include "golden.hpp"
#include "io/helpers.hpp"
#include "random_data.hpp"
#include "sequent/sequent.hpp"
#include "sequent/text/vectors.hpp"

using namespace sequent;
using namespace sequent_tests;

namespace {
using words = std::vector<std::vector<int>>;
template <int Rows>
using net = model<embedding<Rows, 3>, cpu>;
std::vector<float> row(std::vector<float> const& values, int r) {
    return {values.begin() + r * 3, values.begin() + r * 3 + 3};
}
}  // namespace

TEST_CASE("embedding: a token's row, and gradients of repeated tokens add up") {
    net<dynamic> table{embedding<dynamic, 3>{{.rows = 7}}, {.seed = 1}};
    auto const weight = table.values("weight");
    auto const text = pack(words{{4, 2}, {2, 6, 4}, {}, {2}});  // rows: 2 4 2 | 6 2 | 4
    auto const output = numbers_of(table.forward(text).values.rows);
    REQUIRE(output.size() == 18);
    for (int r = 0; r < 6; ++r) CHECK(row(output, r) == row(weight, text.values[static_cast<std::size_t>(r)]));

    std::vector<float> gradient(18);
    for (std::size_t j = 0; j < 18; ++j) gradient[j] = static_cast<float>(j / 3 + 1);  // 1 ... 6 by row
    table.backward({gradient.data(), 6, 3});
    table.forward(text);
    table.backward({gradient.data(), 6, 3});
    auto const d_weight = table.gradient("weight");
    CHECK(row(d_weight, 2) == std::vector<float>(3, 2 * (1 + 3 + 5)));
    CHECK(row(d_weight, 4) == std::vector<float>(3, 2 * (2 + 6)));
    CHECK(row(d_weight, 6) == std::vector<float>(3, 2 * 4));
    for (int const untouched : {0, 1, 3, 5}) CHECK(row(d_weight, untouched) == std::vector<float>(3));
    table.zero_gradients();
    CHECK(table.gradient("weight") == std::vector<float>(21));
}

TEST_CASE("embedding: the padding row starts at zero and never gets a gradient") {
    for (int const padding : {1, -6}) {  // negative: from the end
        net<7> table{embedding<7, 3>{{.padding = padding}}, {.seed = 1}};
        CHECK(row(table.values("weight"), 1) == std::vector<float>(3));
        CHECK(row(table.values("weight"), 2) != std::vector<float>(3));
        table.forward(pack(words{{1, 2}, {1}}));
        std::vector<float> const gradient(9, 1);
        table.backward({gradient.data(), 3, 3});
        CHECK(row(table.gradient("weight"), 1) == std::vector<float>(3));
        CHECK(row(table.gradient("weight"), 2) == std::vector<float>(3, 1));
    }
    net<7> set{embedding<7, 3>{{.padding = 1}}, {.seed = 1}};  // its value may be set
    set.assign("weight", std::vector<float>(21, 5));
    CHECK(set.predict(pack(words{{1}})).values.rows(0, 0) == 5);
}

TEST_CASE("embedding: a frozen table gets no gradient, and thaws") {
    using network = sequential<embedding<7, 3>, mean_state, linear<3, 2>>;
    model<network, cpu> frozen{network{{.frozen = true}, {}, {}}, {.seed = 1}};
    model<network, cpu> free{network{}, {.seed = 1}};
    CHECK(frozen.parameters()[0].frozen);
    std::vector<float> const gradient{1, 2, 3, 4};
    auto const text = pack(words{{1, 2}, {1}});
    for (auto* one : {&frozen, &free}) {
        one->forward(text);
        one->backward({gradient.data(), 2, 2});
    }
    CHECK(frozen.gradient("0.weight") == std::vector<float>(21));
    CHECK(free.gradient("0.weight") != std::vector<float>(21));
    CHECK(frozen.gradient("2.weight") == free.gradient("2.weight"));
    frozen.unfreeze("0.");
    frozen.forward(text);
    frozen.backward({gradient.data(), 2, 2});
    CHECK(frozen.gradient("0.weight") == free.gradient("0.weight"));
}

TEST_CASE("embedding: rows start as standard normal numbers") {
    model<embedding<1000, 50>, cpu, double> table{{}, {.seed = 2}};
    auto const values = table.values("weight");
    double sum = 0, squares = 0;
    for (double const x : values) sum += x, squares += x * x;
    double const n = static_cast<double>(values.size());
    CHECK(std::abs(sum / n) < 5 / std::sqrt(n));
    CHECK(std::abs(squares / n - 1) < 5 * std::sqrt(2 / n));
}

TEST_CASE("embedding: a token outside the table is an error that leaves the model usable") {
    net<7> table{{}, {.seed = 1}};
    auto const error = [&](words const& text) { return thrown<argument_error>([&] { table.forward(pack(text)); }); };
    CHECK(error({{3, 7}}) == "sequent::embedding: token id 7 at packed row 1 is out of range; the table has 7 rows");
    CHECK(error({{3, 3, -1}}) ==
          "sequent::embedding: token id -1 at packed row 2 is out of range; the table has 7 rows");
    std::vector<float> const gradient(6, 1);
    table.forward(pack(words{{3, 6}}));
    CHECK(error({{3, 7}}) != "");
    CHECK_THROWS_AS(table.backward({gradient.data(), 2, 3}), argument_error);
    auto const output = numbers_of(table.forward(pack(words{{3, 6}})).values.rows);
    CHECK(row(output, 1) == row(table.values("weight"), 6));
}

TEST_CASE("embedding: options that do not fit") {
    using any = embedding<dynamic, 3>;
    CHECK(thrown<argument_error>([] { any{{}}; }) == "sequent::embedding: rows is -1; give the size of the vocabulary");
    CHECK(thrown<argument_error>([] { any{{.rows = 0}}; }) ==
          "sequent::embedding: rows is 0; give the size of the vocabulary");
    CHECK(thrown<argument_error>([] { (embedding<7, 3>{{.rows = 8}}); }) ==
          "sequent::embedding: rows is 8, but the type says 7");
    CHECK(thrown<argument_error>([] { any{{.rows = 7, .padding = 7}}; }) ==
          "sequent::embedding: padding is 7; it must be within the 7 rows");
    CHECK(thrown<argument_error>([] { any{{.rows = 7, .padding = -8}}; }) ==
          "sequent::embedding: padding is -8; it must be within the 7 rows");
    CHECK(thrown<argument_error>([] { any{{.rows = 7, .padding = -7}}; }) == "");
}

TEMPLATE_TEST_CASE("embedding: pretrained rows from a file stay where frozen, and train where not", "", float, double) {
    temporary_folder const folder;
    std::ofstream(folder / "glove.txt") << "the 0.5 -1 2\nsea 0.1 0.25 -0.125\nof 3 4 5\n";
    std::vector<std::string> const list{"<unk>", "<pad>", "sea", "the", "wind"};
    vocabulary const vocabulary(list);
    word_vectors const vectors = read_glove(folder / "glove.txt");
    using network = sequential<named<"embedding", embedding<dynamic, 3>>, mean_state, named<"fc", linear<3, 2>>>;
    auto const train = [&](bool frozen) {
        model<network, cpu, TestType> net{network{{.rows = vocabulary.size(), .padding = 1}, {}, {}}, {.seed = 2}};
        std::vector<TestType> rows = net.values("embedding.weight");
        CHECK(fill_rows(vocabulary, vectors, rows) == 2);
        net.assign("embedding.weight", rows);
        if (frozen) net.freeze("embedding.");
        training run{net, cross_entropy{}, sgd{.rate = 0.5}};
        run.step(pack(words{{vocabulary["wind"], vocabulary["sea"]}, {vocabulary["sea"]}}), std::vector<int>{0, 1});
        std::vector<TestType> const after = net.values("embedding.weight"), gradient = net.gradient("embedding.weight");
        std::vector<TestType> const the{TestType(0.5), -1, 2}, sea{TestType(0.1f), TestType(0.25), TestType(-0.125)};
        CHECK(std::vector(after.begin() + 9, after.begin() + 12) == the);  // which the batch does not hold
        CHECK((std::vector(after.begin() + 6, after.begin() + 9) == sea) == frozen);
        CHECK((std::vector(after.begin() + 12, after.end()) == std::vector(rows.begin() + 12, rows.end())) == frozen);
        CHECK(std::vector(after.begin() + 3, after.begin() + 6) == std::vector<TestType>(3));
        for (std::size_t j = 0; j < rows.size(); ++j)
            CHECK(after[j] == Approx(rows[j] - TestType(0.5) * gradient[j]).epsilon(1e-6));
        return after;
    };
    CHECK(train(true) != train(false));
}
