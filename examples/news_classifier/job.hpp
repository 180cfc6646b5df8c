// What a run is given, whatever the network.
#pragma once

#include <optional>
#include <string_view>

#include "batch_maker.hpp"
#include "report.hpp"
#include "run_progress.hpp"
#include "sequent/data/labelled_text.hpp"
#include "sequent/text/vocabulary.hpp"
#include "settings.hpp"

namespace news {

// Where the lesson starts the embedding.
enum class lesson_embedding { standard_normal, shifted_normal };

struct job {
    settings const& options;
    std::string_view model;
    lesson_rows rows;  // how the lesson feeds the model
    lesson_embedding embedding;
    sequent::vocabulary const& words;
    sequent::encoded_text const& train;  // both empty where nothing is trained
    sequent::encoded_text const& test;
    news::report& report;
    std::optional<run_progress> progress = {};  // of the checkpoint to go on from
};

// run_on (run.hpp) on the CPU; instantiated for each network in a file of its own, to keep compile times down.
template <class Network>
summary run(job const& job);
// The same on a GPU (cuda.cu). Throws where there is none, or the program was built without CUDA (no_cuda.cpp).
template <class Network>
summary run_on_gpu(job const& job);

}  // namespace news
