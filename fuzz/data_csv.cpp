// csv_reader: no input may break it, and its rows survive being written and read.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <sstream>

#include "sequent/data/csv.hpp"

namespace {

using table = std::vector<std::vector<std::string>>;

std::optional<table> parse(std::string const& text) {
    try {
        std::istringstream in(text);
        sequent::csv_reader reader(in, "input", {.max_field = 64, .max_columns = 8, .max_line = 4096});
        table rows;
        while (reader.next()) rows.emplace_back(reader.fields().begin(), reader.fields().end());
        return rows;
    } catch (sequent::file_error const&) {
        return std::nullopt;
    }
}

std::string quoted(table const& rows) {
    std::string text;
    for (auto const& row : rows) {
        for (std::size_t column = 0; column < row.size(); ++column) {
            text += column == 0 ? "\"" : ",\"";
            for (char const byte : row[column]) text.append(byte == '"' ? 2 : 1, byte);
            text += '"';
        }
        text += '\n';
    }
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string const text(reinterpret_cast<char const*>(data), size);
    auto const rows = parse(text);
    if (rows && parse(quoted(*rows)) != rows) std::abort();
    return 0;
}
