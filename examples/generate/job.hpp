// What a run is given, whatever the network.
#pragma once

#include <string_view>

#include "options.hpp"
#include "sequent/data/labelled_text.hpp"
#include "sequent/text/vocabulary.hpp"

namespace news {

struct generate_job {
    generate_settings const& options;
    std::string_view model;
    sequent::vocabulary const& alphabet;
    sequent::encoded_text const& train;  // both empty where nothing is trained
    sequent::encoded_text const& test;
};

// Makes the network; loads, trains, saves and prints samples as the options say. Instantiated for each network in a
// file of its own, to keep compile times down.
template <class Network>
void run(generate_job const& job);

}  // namespace news
