// Golden data of tests/fixtures (its README names the files and tensors), and how far a result is from it.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"
#include "sequent/io/safetensors.hpp"

namespace sequent_tests {

// One file of tests/fixtures.
class golden {
  public:
    explicit golden(std::string_view name)
        : file_(sequent::safetensors::read(fixture(std::string(name) + ".safetensors"))) {}

    [[nodiscard]] bool contains(std::string_view tensor) const { return file_.contains(tensor); }

    [[nodiscard]] std::vector<int> shape(std::string_view tensor) const {
        auto const& extents = file_.at(tensor).shape;
        return std::vector<int>(extents.begin(), extents.end());
    }

    // Row-major. Integers, I64 in the file, are read as int.
    template <class T = double>
    [[nodiscard]] std::vector<T> values(std::string_view tensor) const {
        if constexpr (std::floating_point<T>) {
            return file_.values<T>(tensor);
        } else {
            auto const wide = file_.values<std::int64_t>(tensor);
            std::vector<T> narrow(wide.size());
            std::ranges::transform(wide, narrow.begin(), [](std::int64_t value) { return static_cast<T>(value); });
            return narrow;
        }
    }
    [[nodiscard]] double number(std::string_view tensor) const { return file_.values<double>(tensor).at(0); }

    // An entry of the metadata, such as "cases", split at its spaces.
    [[nodiscard]] std::vector<std::string> words(std::string_view key) const {
        std::istringstream text(file_.metadata().find(key)->second);
        std::vector<std::string> found;
        for (std::string word; text >> word;) found.push_back(word);
        return found;
    }

  private:
    sequent::safetensors file_;
};

// |actual - expected| / |expected| in L2 norms over the tensor. NaN or another size: infinity.
template <class Actual, class Expected>
[[nodiscard]] double relative_error(Actual const& actual, Expected const& expected) {
    double difference = 0, norm = 0;
    if (std::size(actual) != std::size(expected)) return std::numeric_limits<double>::infinity();
    for (std::size_t j = 0; j < std::size(expected); ++j) {
        double const e = static_cast<double>(expected[j]), d = static_cast<double>(actual[j]) - e;
        difference += d * d, norm += e * e;
    }
    double const error = std::sqrt(difference / (norm > 0 ? norm : 1));
    return error >= 0 ? error : std::numeric_limits<double>::infinity();
}

// The largest difference, relative to the largest magnitude in `expected`, or to `floor` if that is larger. NaN or
// another size: infinity.
template <class Actual, class Expected>
[[nodiscard]] double largest_error(Actual const& actual, Expected const& expected, double floor = 0) {
    double difference = 0, magnitude = floor;
    if (std::size(actual) != std::size(expected)) return std::numeric_limits<double>::infinity();
    for (std::size_t j = 0; j < std::size(expected); ++j) {
        double const e = static_cast<double>(expected[j]), d = std::abs(static_cast<double>(actual[j]) - e);
        if (std::isnan(d)) return std::numeric_limits<double>::infinity();
        difference = std::max(difference, d), magnitude = std::max(magnitude, std::abs(e));
    }
    return difference / (magnitude > 0 ? magnitude : 1);
}

}  // namespace sequent_tests
