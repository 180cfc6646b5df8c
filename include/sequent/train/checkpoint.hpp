// A whole training as a safetensors file: the weights as save() writes them, the optimizer's moments, and all else that
// the next step depends on. What goes on from the file has the bits of a training that never stopped. Not in the
// umbrella: it brings JSON.
#pragma once

#include "../core/text.hpp"
#include "../model/checkpoint.hpp"
#include "training.hpp"

namespace sequent {

namespace detail {

// The place in the data of a training that is not fed by `batches`.
struct no_order {
    struct place {
        std::uint64_t epoch = 0;
        int batch = 0;
    };
    void each_option(auto const&) const {}
    [[nodiscard]] place position() const { return {}; }
    [[nodiscard]] int per_epoch() const { return std::numeric_limits<int>::max(); }
    void seek(place) {}
};

inline void append(std::string& list, std::string_view next) { list.append(list.empty() ? "" : " ").append(next); }

// What the file and the training that goes on from it must have in common.
file_metadata common_ground(auto& run, auto const& order) {
    file_metadata facts;
    std::string frozen;
    for (parameter_info const& parameter : run.network().parameters())
        if (parameter.frozen) append(frozen, parameter.name);
    facts["training.rule"] = run.rule().rule().name;
    facts["training.seed"] = number_text(run.network().seed());
    facts["training.frozen"] = frozen;
    facts["training.schedule"] = run.schedule().name;
    auto const add = [&](char const* of) {
        return [&facts, of](auto name, auto value) {
            append(facts[message("training.", of, ".", name)], number_text(value));
        };
    };
    run.each_option(add("rule"));
    for (auto const& [name, value] : run.schedule().options) add("schedule")(name, value);
    order.each_option(add("order"));
    return facts;
}

// f(name and shape, where it stands on the device) for the weights and for the optimizer's tensors: the moments, such
// as "optimizer.m.fc.weight", and, of a table under Adam, what its rows are read from (backend/adam.hpp):
// "optimizer.past.embedding.weight", the last steps; "optimizer.base...", the rows before they make up for what they
// missed of them; "optimizer.made..." and "optimizer.last...", the steps each row has made, and those there were when
// its last gradient had come. The weights of such a table follow from these, and are const.
void each_tensor(auto& run, auto const& f) {
    auto& model = run.network();
    auto const part = [](std::string_view kind, parameter_info of) {
        of.name = message(moment_key, kind, ".", of.name);
        return of;
    };
    for (parameter_info const& one : model.parameters()) {
        if (one.table >= 0 && model.table(one).adam) model.table(one).trim_history(model.device());
        if (one.table >= 0 && model.table(one).adam)
            f(one, model.table(one).values(model.device()).data);
        else
            f(one, one.table < 0 ? model.block() + one.offset : model.table(one).writable_values(model.device()).data);
    }
    run.rule().state().each_moment([&](std::string_view kind, auto* block, auto const& of_table) {
        for (parameter_info const& one : model.parameters())
            f(part(kind, one), one.table < 0 ? block + one.offset : of_table(model.table(one), one.table));
    });
    for (parameter_info const& one : model.parameters()) {
        if (one.table < 0 || !model.table(one).adam) continue;
        auto& state = *model.table(one).adam;
        f(part("base", one), model.table(one).stored_values().data);
        parameter_info of_rows = one, past = part("past", one);
        of_rows.shape = {one.shape.front()};
        f(part("last", of_rows), state.last.data());
        f(part("made", of_rows), state.made.data());
        past.shape = {state.window(), static_cast<int>(sizeof(adam_step) / sizeof(double))};
        f(past, reinterpret_cast<double*>(state.past.data()));
    }
}

}  // namespace detail

// Writes the training as it is between two steps, or leaves the file at `path` as it was; no later step changes by it.
// order: a `batches`, whose position is kept. notes: whatever else the program needs to go on (numbers by number_text),
// under keys that do not begin with "training.". The loss and gradients not yet used are not kept; of a schedule that
// is a function of your own, only that it is one. Errors as of save.
template <class Training, class Order>
requires requires(Order const& order) { order.position(); }
void save_training(Training& run, Order const& order, std::filesystem::path const& path,
                   file_metadata const& notes = {}) {
    run.settle();
    auto& model = run.network();
    file_metadata metadata = detail::common_ground(run, order);
    metadata["training.steps"] = number_text(run.rule().steps());
    for (long long const count : run.rule().counts()) detail::append(metadata["training.counts"], number_text(count));
    metadata["training.rate"] = number_text(run.rule().rate());
    metadata["training.passes"] = number_text(model.passes());
    if (auto const& plateau = run.schedule().watching) {
        metadata["training.best"] = plateau->best ? number_text(*plateau->best) : "none";
        metadata["training.bad_calls"] = number_text(plateau->bad_calls);
        metadata["training.cooling"] = number_text(plateau->cooling);
    }
    metadata["training.epoch"] = number_text(order.position().epoch);
    metadata["training.batch"] = number_text(order.position().batch);
    for (auto const& [key, value] : notes)
        if (key.starts_with(detail::training_key) || !metadata.emplace(key, value).second)
            throw argument_error(message("sequent::save_training: a note's key must not begin with '",
                                         detail::training_key, "', as '", key, "' does"));

    safetensors_writer file;
    file.metadata("format", "pt");
    for (auto const& [key, value] : metadata) file.metadata(key, value);
    std::vector<std::vector<std::byte>> tensors;  // the writer keeps views of them
    detail::each_tensor(run, [&]<class Stored>(parameter_info const& as, Stored* from) {
        using number = std::remove_const_t<Stored>;
        auto& bytes = tensors.emplace_back(as.size() * sizeof(number));
        auto* const numbers = reinterpret_cast<number*>(bytes.data());
        copy_to_host(model.device(), static_cast<number const*>(from), as.size(), numbers);
        detail::add_tensor(file, path, as, std::span<number const>(numbers, as.size()));
    });
    file.write(path);
}

// Goes on where save_training left off, and returns the notes. Strict: the file's tensors must be those of the
// training, in its scalar; rule, schedule, their options, seed, frozen parameters and the order of the data must be
// those that were saved. Throws file_error, naming the tensor or the entry of the metadata; everything is then as
// before.
template <class Training, class Order>
file_metadata load_training(Training& run, Order& order, std::filesystem::path const& path) {
    run.settle();
    auto& model = run.network();
    safetensors const file = safetensors::read(path);
    file_metadata notes = file.metadata();
    auto const fail = [&](std::string_view place, std::string_view what) {
        throw file_error(path.string(), place, what);
    };
    auto const take = [&](std::string const& key) {
        auto const entry = notes.extract(key);
        if (entry.empty()) fail(key, "missing; a file of weights alone is for sequent::load");
        return entry.mapped();
    };
    auto const take_number = [&]<class Number>(std::string const& key, Number largest) {
        std::string const text = take(key);
        auto const value = parse_number<Number>(text);
        if (!value || !(*value >= 0 && *value <= largest))
            fail(key, message(in_quotes(text), " is no number from 0 to ", largest));
        return *value;
    };
    for (auto const& [key, ours] : detail::common_ground(run, order))
        if (std::string const theirs = take(key); theirs != ours)
            fail(key, message("is ", in_quotes(theirs), ", but of this training ", in_quotes(ours)));
    constexpr long long many = 1LL << 53;
    auto const steps = take_number("training.steps", many);
    step_counts counts;
    std::istringstream counts_text(take("training.counts"));
    for (long long count; counts_text >> count;) counts.push_back(count);
    auto const possible = [&](long long count) { return count >= 0 && count <= steps; };
    if (!counts_text.eof() || counts.size() != model.parameters().size() || !std::ranges::all_of(counts, possible))
        fail("training.counts", message("must be ", model.parameters().size(), " numbers from 0 to ", steps));
    auto const rate = take_number("training.rate", std::numeric_limits<double>::max());
    auto const passes = static_cast<std::uint64_t>(take_number("training.passes", many));
    auto plateau = run.schedule().watching;
    if (plateau) {
        std::string const best = take("training.best");
        plateau->best = parse_number<double>(best);
        if (best != "none" && !(plateau->best == plateau->best && plateau->best))
            fail("training.best", message(in_quotes(best), " is no number, nor 'none'"));
        plateau->bad_calls = take_number("training.bad_calls", plateau->patience);
        plateau->cooling = take_number("training.cooling", plateau->cooldown);
    }
    auto position = order.position();
    position.epoch = static_cast<std::uint64_t>(take_number("training.epoch", many));
    position.batch = take_number("training.batch", order.per_epoch());
    for (auto const& [key, value] : notes)
        if (key.starts_with(detail::training_key)) fail(in_quotes(key), "this training has no such entry");

    constexpr int never =
        table_adam<typename Training::model_type::backend_type, typename Training::model_type::scalar>::never;
    std::set<std::string, std::less<>> known;
    std::vector<int> last;  // of the table at hand
    detail::each_tensor(run, [&]<class Stored>(parameter_info const& needed, Stored*) {
        using Number = std::remove_const_t<Stored>;
        detail::loaded_tensors<Number> found;
        known.insert(needed.name);
        if (file.contains(needed.name)) {
            auto const& tensor = found[needed.name] = detail::read_tensor<Number>(file, needed.name);
            if (std::string_view const type = file.at(needed.name).dtype; type != safetensors_dtype_of<Number>)
                fail(tensor.place, message("holds type ", type, "; this training's is ", safetensors_dtype_of<Number>));
            auto const is = [&](char const* kind) {
                return needed.name.starts_with(message(detail::moment_key, kind));
            };
            for (std::size_t k = 0; k < tensor.values.size(); ++k) {
                Number const value = tensor.values[k];
                bool bad = is("v.") && value < 0;
                if constexpr (std::integral<Number>) {
                    int const window = model.table(needed).adam->window();
                    bool const made = is("made.");
                    bad = value > window || value < (made ? 0 : never) || (made && k < last.size() && value < last[k]);
                }
                if (bad) fail(tensor.place, message("holds ", value, " at place ", k));
            }
            if constexpr (std::integral<Number>) last = tensor.values;
        }
        detail::check_tensors({needed}, path.string(), found);
    });
    for (auto const& [name, tensor] : file.tensors())
        if (!known.contains(name)) fail("tensor " + in_quotes(name), "this training has no such tensor");

    detail::each_tensor(run, [&]<class Number>(parameter_info const& one, Number* to) {
        if constexpr (!std::is_const_v<Number>)
            copy_from_host(model.device(), file.values<Number>(one.name).data(), one.size(), to);
    });
    for (parameter_info const& one : model.parameters())
        if (one.table >= 0 && model.table(one).adam) model.table(one).adopt_history(model.device());
    model.passes(passes);
    run.rule().steps(steps, std::move(counts));
    run.rule().rate(rate);
    run.schedule().watching = plateau;
    order.seek(position);
    return notes;
}

// The same for data that the program orders itself: it keeps its place in the notes.
void save_training(auto& run, std::filesystem::path const& path, file_metadata const& notes = {}) {
    save_training(run, detail::no_order{}, path, notes);
}
file_metadata load_training(auto& run, std::filesystem::path const& path) {
    detail::no_order order;
    return load_training(run, order, path);
}

}  // namespace sequent
