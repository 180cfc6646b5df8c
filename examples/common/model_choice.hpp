// Which network runs: the one that is asked for, or that of the file that is loaded.
#pragma once

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "sequent/core/error.hpp"

namespace news {

inline constexpr std::string_view model_key = "sequent.model";  // in the metadata of a file of weights

// Of the models' table, whose first is the usual one: the one asked for, else the one that `file` holds, by the name
// `stored` (both "" where no file is loaded). Throws file_error where the file holds another one, or none of the table.
template <class Choice, std::size_t Count>
[[nodiscard]] Choice const& choose_model(Choice const (&models)[Count], std::optional<std::string> const& asked,
                                         std::filesystem::path const& file, std::string_view stored) {
    std::string const usual(stored.empty() ? models[0].name : stored), name = asked.value_or(usual);
    if (!stored.empty() && name != stored)
        throw sequent::file_error(file.string(), "", sequent::message("holds the model ", stored, ", not ", name));
    auto const found = std::ranges::find(models, name, &Choice::name);
    if (found == std::end(models))
        throw sequent::file_error(file.string(), "", "holds the model " + name + ", which is not known");
    return *found;
}

}  // namespace news
