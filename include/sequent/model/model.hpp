// A network and its memory on a backend: parameters, gradients, states, and what the layers remember of a pass.
#pragma once

#include "../backend/row_table.hpp"
#include "../layer/sequential.hpp"
#include "../sequence/packed_sequence.hpp"
#include "parameters.hpp"

namespace sequent {

template <class Backend>
struct model_options {
    std::uint64_t seed = 0;  // of the initial parameters and of dropout
    Backend device{};
};

// Network: a layer, or a cell for the recurrent layer of it. Scalar: float or double.
template <class Network, class Backend, class Scalar = float>
class model {
    static_assert(backend<Backend>,
                  "sequent::model: the second argument must be a backend's policy, such as sequent::cpu");
    static_assert(std::is_same_v<Scalar, float> || std::is_same_v<Scalar, double>,
                  "sequent::model: the scalar must be float or double");

  public:
    using network_type = layer_of<Network>;
    using backend_type = Backend;
    using scalar = Scalar;
    static constexpr bool takes_tokens = network_type::input_size == 0;
    using input_shape = std::conditional_t<takes_tokens, token_ids, sequence_of<network_type::input_size>>;
    using output_shape = typename network_type::template output<input_shape>;
    static_assert(network_type::input_size >= 0, "sequent::model: no layer of the network has a width of its own; add "
                                                 "one that has, such as a cell or linear");
    static constexpr bool gives_sequence = std::is_same_v<output_shape, sequence_of<output_shape::features>>;
    using input_value = std::conditional_t<takes_tokens, int, Scalar>;
    using table_type = row_table<Backend, Scalar>;

    // Parameters start at PyTorch's distributions, drawn from the seed.
    explicit model(Network const& network = Network{}, model_options<Backend> const& options = {})
        : network_(as_network(network)), device_(options.device), seed_(options.seed) {
        block_.resize(static_cast<std::size_t>(network_type::parameter_size), Scalar(0));
        gradient_.resize(static_cast<std::size_t>(network_type::parameter_size), Scalar(0));
        parameters_ = visit(parameter_lister{}).parameters;
        for (parameter_info const& one : parameters_)
            require(&find(one.name) == &one, "sequent::model: two parameters are called '", one.name,
                    "'; give their layers other names");
        reset_parameters();
    }

    // Draws all parameters anew from the seed.
    void reset_parameters() {
        std::uint64_t stream = 0;
        for (parameter_info const& parameter : parameters()) {
            std::vector<Scalar> values(parameter.size());
            random_stream const random{seed_, stream++};
            double const bound = parameter.initial.bound;
            if (parameter.initial.distribution == initial_values::kind::uniform)
                for (std::size_t j = 0; j < values.size(); ++j)
                    values[j] = static_cast<Scalar>((2 * static_cast<double>(random.uniform(j)) - 1) * bound);
            if (parameter.initial.distribution == initial_values::kind::normal)
                for (std::size_t j = 0; j < values.size(); ++j) values[j] = static_cast<Scalar>(random.normal(j));
            auto const padding = parameter.table < 0 ? std::nullopt : table(parameter).padding;
            if (padding)
                std::fill_n(values.begin() + std::ptrdiff_t{*padding} * parameter.shape[1], parameter.shape[1], 0);
            assign(parameter, values);
        }
    }

    [[nodiscard]] Backend const& device() const { return device_; }
    [[nodiscard]] network_type const& network() const { return network_; }
    [[nodiscard]] std::uint64_t seed() const { return seed_; }

    // Dropout acts after train(), as it does at first, and not after eval().
    void train() { mode_ = mode::training; }
    void eval() { mode_ = mode::evaluation; }
    [[nodiscard]] bool is_training() const { return mode_ == mode::training; }

    // Runs the network on a packed batch: token ids, or rows of network_type::input_size features. Returns a view,
    // valid until the next pass: of rows_of<F>, the matrix [batch, F] in the user's order; of a sequence, a
    // sequence_flow. Throws argument_error when the features, a token id or the states do not fit. {}: states of zeros.
    auto forward(packed_sequence<input_value> const& input, states<Scalar> const& initial = {}) {
        return run(input, mode_, initial);
    }
    // Evaluation mode, keeping nothing for a backward pass.
    auto predict(packed_sequence<input_value> const& input, states<Scalar> const& initial = {}) {
        return run(input, mode::inference, initial);
    }

    // Makes room by predicting a made-up batch: later ones of at most so many rows and sequences take no memory.
    void reserve(int rows, int batch) {
        require(batch >= 1 && rows >= batch, "sequent::model: cannot reserve ", rows, " rows of ", batch, " sequences");
        std::vector<int> lengths(static_cast<std::size_t>(batch), 1);
        lengths[0] += rows - batch;  // as many steps as can be
        packed_sequence<input_value> largest{packing(lengths), {}, takes_tokens ? 1 : network_type::input_size};
        largest.values.resize(largest.rows().size());
        if constexpr (takes_tokens)
            each_table([&](table_type& table) {
                for (int r = 0; r < rows; ++r) largest.values[static_cast<std::size_t>(r)] = r % table.rows();
            });
        (void)predict(largest);
    }

    // Adds the gradients of all parameters, given that of the last forward pass's output: [batch, F], or packed rows
    // [shape.rows(), F]; and, if states are given, of its final states. Throws argument_error without a forward pass.
    // The gradient of a float input is made too, unless it is not wanted.
    void backward(matrix_view<Scalar const> output_gradient, states<Scalar> const& final_gradient = {},
                  sequent::input_gradient wanted = sequent::input_gradient::wanted) {
        require(how_ != mode::inference,
                "sequent::model: backward needs a forward pass before it (predict keeps nothing)");
        int const rows = gives_sequence ? input_.shape.rows() : input_.shape.batch();
        require((gives_sequence && output_gradient.empty()) ||
                    (output_gradient.rows == rows && output_gradient.columns == output_shape::features),
                "sequent::model: the gradient must have the shape of the output, [", rows, ", ",
                int{output_shape::features}, "], got [", output_gradient.rows, ", ", output_gradient.columns, "]");
        set_states(final_gradient, &state::final_gradient);
        std::conditional_t<gives_sequence, sequence_gradient<Scalar>, rows_gradient<Scalar>> gradient{};
        if (!output_gradient.empty())
            gradient.values = dematerialise<Backend, Scalar>(device_, network_.output_view(memory_, input_flow()),
                                                             output_gradient, distinct_gradient_);
        if constexpr (takes_tokens) wanted = sequent::input_gradient::not_wanted;
        auto const below = network_.backward(this_pass(how_), static_cast<Scalar const*>(block_.data()),
                                             gradient_.data(), memory_, input_flow(), gradient, wanted);
        if constexpr (!takes_tokens) {
            input_gradient_.reserve(0);
            if (wanted == sequent::input_gradient::not_wanted) return;
            Scalar* const to = input_gradient_.reserve(input_.values.size());
            if (below.values.empty())
                fill(device_, to, input_gradient_.size(), Scalar(0));
            else
                copy_rows(device_, below.values, {to, below.values.rows, network_type::input_size});
        }
    }
    void backward(matrix_view<Scalar const> output_gradient, sequent::input_gradient wanted) {
        backward(output_gradient, {}, wanted);
    }

    // Of the last forward pass, in the user's order; of the last backward pass the gradients of the initial states.
    [[nodiscard]] states<Scalar> final_states() { return read_states(&state::final); }
    [[nodiscard]] states<Scalar> initial_state_gradients() { return read_states(&state::initial_gradient); }
    // States of zeros for a batch, to be filled in.
    [[nodiscard]] states<Scalar> zero_states(int batch) {
        states<Scalar> zero{batch, {}};
        each_state([&](tensor_name const& name, int width, auto&) {
            std::size_t const size = static_cast<std::size_t>(batch) * static_cast<std::size_t>(width);
            zero.entries.push_back({name.text(), width, std::vector<Scalar>(size)});
        });
        return zero;
    }
    // Of the last backward pass, if it was wanted: the gradient of the packed input rows, [shape.rows(), input_size].
    [[nodiscard]] matrix_view<Scalar const> input_gradient() const requires(!takes_tokens) {
        constexpr int columns = network_type::input_size;
        return {input_gradient_.data(), static_cast<int>(input_gradient_.size() / columns), columns};
    }

    void zero_gradients() {
        fill(device_, gradient_.data(), gradient_.size(), Scalar(0));
        each_table([](table_type& table) { table.forget_gradients(); });
    }

    // The dense block and its gradient; the tables beside it. For optimizers and checkpoints.
    // Whoever takes the block may change it: weights that the kernels keep in their own order are made anew.
    [[nodiscard]] Scalar* block() {
        ++version_;
        return block_.data();
    }
    [[nodiscard]] Scalar const* block() const { return block_.data(); }
    [[nodiscard]] Scalar* gradient_block() { return gradient_.data(); }
    [[nodiscard]] std::size_t block_size() const { return block_.size(); }
    void each_table(auto const& f) {
        visit(memory_visitor{f, [](auto const&...) {}});
    }
    // The table that holds a parameter whose `table` is not -1.
    [[nodiscard]] table_type& table(parameter_info const& parameter) {
        table_type* found = nullptr;
        int place = 0;
        each_table([&](table_type& one) {
            if (place++ == parameter.table) found = &one;
        });
        if (found != nullptr) return *found;
        throw argument_error("sequent::model: '", parameter.name, "' is no table of this model");
    }

    // All parameters in the order of PyTorch's state_dict.
    [[nodiscard]] std::vector<parameter_info> const& parameters() const { return parameters_; }

    // The parameters whose names start with `prefix` ("rnn.", "fc.bias", "" for all) keep their values, or train again:
    // what PyTorch's requires_grad says. Throws argument_error where no name starts so.
    void freeze(std::string_view prefix) { set_frozen(prefix, true); }
    void unfreeze(std::string_view prefix) { set_frozen(prefix, false); }
    // One parameter's values, row-major, and its gradient (of a table: zeros but in touched rows). Copies.
    // Throws argument_error for a name the model has not.
    [[nodiscard]] std::vector<Scalar> values(std::string_view name) { return values(find(name)); }
    [[nodiscard]] std::vector<Scalar> values(parameter_info const& one) {
        return on_host(one, one.table < 0 ? block_.data() + one.offset : table(one).values(device_).data);
    }
    [[nodiscard]] std::vector<Scalar> gradient(std::string_view name) {
        parameter_info const& one = find(name);
        return on_host(one, one.table < 0 ? gradient_.data() + one.offset : table(one).dense_gradient(device_).data);
    }
    // Sets one parameter, row-major. Throws argument_error when the name or the number of values does not fit.
    void assign(std::string_view name, std::span<Scalar const> values) { assign(find(name), values); }
    void assign(parameter_info const& parameter, std::span<Scalar const> values) {
        require(values.size() == parameter.size(), "sequent::model: '", parameter.name, "' has ", parameter.size(),
                " numbers, but ", values.size(), " were given");
        Scalar* to = block() + parameter.offset;
        if (parameter.table >= 0) to = table(parameter).writable_values(device_).data;
        copy_from_host(device_, values.data(), values.size(), to);
    }

    // For those who work beside the layers, such as stream: f(network, parameters, memory).
    auto with_memory(auto const& f) { return f(network_, static_cast<Scalar const*>(block_.data()), memory_); }

    [[nodiscard]] packing const& shape() const { return input_.shape; }
    // Forward passes in training mode so far: they key the dropout.
    [[nodiscard]] std::uint64_t passes() const { return passes_; }
    void passes(std::uint64_t count) { passes_ = count; }

  private:
    using state = state_memory<Backend, Scalar>;

    static network_type as_network(Network const& network) {
        if constexpr (cell<Network>)
            return network_type{};
        else
            return network;
    }

    auto visit(auto visitor) {
        network_.describe(scope{}, memory_, visitor);
        return visitor;
    }
    void each_state(auto const& f) {
        visit(memory_visitor{[](auto&) {}, f});
    }
    parameter_info const& find(std::string_view name) const {
        for (parameter_info const& parameter : parameters_)
            if (parameter.name == name) return parameter;
        throw argument_error("sequent::model: no parameter is called '", name, "'");
    }
    std::vector<Scalar> on_host(parameter_info const& parameter, Scalar const* from) const {
        std::vector<Scalar> values(parameter.size());
        copy_to_host(device_, from, values.size(), values.data());
        return values;
    }
    void set_frozen(std::string_view prefix, bool frozen) {
        bool found = false;
        for (parameter_info& parameter : parameters_) {
            if (!parameter.name.starts_with(prefix)) continue;
            found = true;
            parameter.frozen = frozen;
            if (parameter.table >= 0) table(parameter).frozen = frozen;
        }
        require(found, "sequent::model: no parameter's name starts with '", prefix, "'");
    }

    [[nodiscard]] pass<Backend> this_pass(mode how) const { return {device_, how, seed_, passes_, version_}; }

    auto input_flow() const {
        if constexpr (takes_tokens) {
            return token_flow<Backend>{&plan_, input_.values};
        } else {
            Scalar const* const values = Backend::reads_host_memory ? input_.values.data() : staged_.data();
            return sequence_flow<Backend, Scalar>{&plan_, {{values, plan_.rows(), network_type::input_size}, {}}, {}};
        }
    }

    auto run(packed_sequence<input_value> const& input, mode how, states<Scalar> const& initial) {
        constexpr int features = takes_tokens ? 1 : network_type::input_size;
        require(input.features == features, "sequent::model: the input must have ", features, " features, got ",
                input.features);
        std::size_t const size = input.rows().size(), given = input.values.size();
        require(given == size, "sequent::model: the input's shape asks for ", size, " values, got ", given);
        how_ = mode::inference;  // until this pass has succeeded, there is none to go back through
        input_ = input;
        make_plan(device_, input_.shape, plan_);
        if constexpr (!takes_tokens && !Backend::reads_host_memory)
            copy_from_host(device_, input_.values.data(), size, staged_.reserve(size));
        if (how == mode::training) ++passes_;
        set_states(initial, &state::initial);
        each_state([](tensor_name const&, int, auto& memory) { memory.initial_gradient.reserve(0); });
        auto const output =
            network_.forward(this_pass(how), static_cast<Scalar const*>(block_.data()), memory_, input_flow());
        how_ = how;
        if constexpr (gives_sequence)
            return sequence_flow<Backend, Scalar>{
                output.shape, {materialise<Backend, Scalar>(device_, output, rows_), {}}, output.last};
        else
            return output.values;
    }

    // Copies states in, from the user's order to the sorted one.
    void set_states(states<Scalar> const& from, buffer_of<Backend, Scalar> state::*to) {
        int const batch = input_.shape.batch();
        each_state([&](tensor_name const& name, int columns, state& memory) {
            (memory.*to).reserve(0);
            if (from.batch == 0 && from.entries.empty()) return;
            require(batch == from.batch, "sequent::model: the input's batch size ", batch,
                    " does not match the states' batch size ", from.batch);
            std::string const text = name.text();
            matrix_view<Scalar const> const given = from[text];
            require(given.columns == columns, "sequent::model: expected the size of state '", text, "' to be [", batch,
                    ", ", columns, "], got [", given.rows, ", ", given.columns, "]");
            Scalar* to_row = reserve_rows(memory.*to, batch, columns).data;
            for (int const user : input_.shape.sorted_indices()) {
                copy_from_host(device_, given.row(user), static_cast<std::size_t>(columns), to_row);
                to_row += columns;
            }
        });
    }
    states<Scalar> read_states(buffer_of<Backend, Scalar> state::*from) {
        states<Scalar> read = zero_states(input_.shape.batch());
        each_state([&](tensor_name const& name, int columns, state& memory) {
            matrix_view<Scalar> const to = read[name.text()];
            if ((memory.*from).size() < to.size()) return;  // no such pass yet: zeros
            Scalar const* from_row = (memory.*from).data();
            for (int const user : input_.shape.sorted_indices()) {
                copy_to_host(device_, from_row, static_cast<std::size_t>(columns), to.row(user));
                from_row += columns;
            }
        });
        return read;
    }

    network_type network_;
    Backend device_;
    std::uint64_t seed_ = 0, passes_ = 0, version_ = 1;
    mode mode_ = mode::training, how_ = mode::inference;
    buffer_of<Backend, Scalar> block_, gradient_, input_gradient_;
    buffer_of<Backend, Scalar> rows_, distinct_gradient_;  // of an output that came by index
    typename network_type::template memory<Backend, Scalar> memory_;
    std::vector<parameter_info> parameters_;
    packed_sequence<input_value> input_;
    typename Backend::plan plan_;        // of input_'s shape
    buffer_of<Backend, Scalar> staged_;  // input_'s rows, if the device cannot read them there
};

// The parameters of one model into another of the same network, on whatever backends and of whatever scalars.
// Optimizers and states are not copied. Throws argument_error, changing nothing, unless names and shapes are the same.
template <class From, class To>
void copy_parameters(From& from, To& to) {
    std::vector<parameter_info> const &source = from.parameters(), &target = to.parameters();
    auto const kind = [](parameter_info const& one) { return std::tie(one.name, one.shape); };
    require(std::ranges::equal(source, target, {}, kind, kind),
            "sequent::copy_parameters: the models' parameters have other names or shapes");
    for (std::size_t k = 0; k < source.size(); ++k) {
        auto const values = from.values(source[k]);
        to.assign(target[k], std::vector<typename To::scalar>(values.begin(), values.end()));
    }
}

}  // namespace sequent
