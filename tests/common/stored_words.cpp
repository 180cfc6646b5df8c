#include "stored_words.hpp"

#include "catch.hpp"
#include "sequent/io/safetensors.hpp"
#include "temporary_folder.hpp"

using namespace sequent_tests;
using Catch::Matchers::Contains;

namespace {

sequent::vocabulary const words(std::vector<std::string>{"<unk>", "<pad>", "höhe", "\xff", "a\nb"});

void save_weights(std::filesystem::path const& file, std::string const& model, std::string const& fingerprint) {
    sequent::safetensors_writer writer;
    if (!model.empty()) writer.metadata(news::model_key, model);
    if (!fingerprint.empty()) writer.metadata(news::words_key, fingerprint);
    writer.write(file);
}

}  // namespace

TEST_CASE("words come back with the weights they belong to", "[stored_words]") {
    temporary_folder folder;
    news::save_words(words, folder / "net");
    save_weights(folder / "net", "gru", news::fingerprint_text(words));
    auto const stored = news::load_words(folder / "net");
    CHECK(stored.name == "gru");
    CHECK(stored.words.words() == words.words());
    CHECK_FALSE(std::filesystem::exists(folder / "net.vocab.part"));
    save_weights(folder / "net", "", "");  // weights from elsewhere say neither
    CHECK(news::load_words(folder / "net").name.empty());
}

TEST_CASE("words of other weights are refused, and so are missing ones", "[stored_words]") {
    temporary_folder folder;
    CHECK_THROWS_WITH(news::load_words(folder / "net"), Contains("net: cannot open"));
    save_weights(folder / "net", "gru", "1234");
    CHECK_THROWS_WITH(news::load_words(folder / "net"), Contains("net.vocab: cannot be opened"));
    news::save_words(words, folder / "net");
    CHECK_THROWS_WITH(news::load_words(folder / "net"),
                      Contains("net.vocab: has fingerprint " + news::fingerprint_text(words)) && Contains("1234"));
}
