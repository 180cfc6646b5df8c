// Any bytes: refused with file_error, or an array that writing and reading again does not change.
#include <cstdint>
#include <cstdlib>

#include "sequent/io/npy.hpp"

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

template <class T>
void round_trip(std::span<std::byte const> file) try {
    auto const array = sequent::parse_npy<T>(file, "fuzz");
    auto const values = std::as_bytes(std::span(array.values));
    require(sequent::dense_bytes(array.shape, sizeof(T)) == values.size());

    std::string const header = sequent::make_npy_header<T>(array.shape);
    auto const header_bytes = std::as_bytes(std::span(header));
    std::vector<std::byte> written(header_bytes.begin(), header_bytes.end());
    written.insert(written.end(), values.begin(), values.end());
    auto const again = sequent::parse_npy<T>(written, "rewritten");
    require(again.shape == array.shape);
    require(std::ranges::equal(std::as_bytes(std::span(again.values)), values));  // NaN too
} catch (sequent::file_error const& error) {
    require(!std::string_view(error.what()).starts_with("rewritten"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const file = std::as_bytes(std::span(data, size));
    round_trip<float>(file);
    round_trip<double>(file);
    round_trip<std::int32_t>(file);
    round_trip<std::int64_t>(file);
    round_trip<std::uint8_t>(file);
    return 0;
}
