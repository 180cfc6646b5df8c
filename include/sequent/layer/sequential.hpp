// Layers one behind the other (PyTorch's nn.Sequential), layers with a name, and stacks of one kind of layer.
#pragma once

#include <tuple>

#include "dropout.hpp"
#include "recurrent.hpp"

namespace sequent {

namespace detail {

// What sequential and stacked share: a tuple of layers, each fed by the one before.
template <class... Layers>
class chain {
  public:
    static constexpr std::size_t count = sizeof...(Layers);
    template <std::size_t I>
    using layer_at = std::tuple_element_t<I, std::tuple<Layers...>>;
    // Of the first layer that has one: before it, whatever comes goes through.
    static constexpr int input_size = [](int first) {
        ((first = first < 0 && Layers::input_size > 0 ? Layers::input_size : first), ...);
        return first;
    }(layer_at<0>::input_size);
    // Where layer I's part of the parameter block begins: as aligned as in recurrent_layout, whatever stands before it.
    template <std::size_t I>
    static constexpr std::ptrdiff_t offset_of = []<std::size_t... J>(std::index_sequence<J...>) {
        return (std::ptrdiff_t{0} + ... + ((layer_at<J>::parameter_size + 15) / 16 * 16));
    }
    (std::make_index_sequence<I>{});
    static constexpr std::ptrdiff_t parameter_size = offset_of<count>;

    template <class Backend, class T>
    struct memory {
        std::tuple<typename Layers::template memory<Backend, T>...> of;
    };

    template <std::size_t I, class Shape>
    struct output_from {
        using type = typename output_from<I + 1, typename layer_at<I>::template output<Shape>>::type;
    };
    template <class Shape>
    struct output_from<count, Shape> {
        using type = Shape;
    };
    template <class Shape>
    using output = typename output_from<0, Shape>::type;

    explicit chain(Layers... layers) : layers_(std::move(layers)...) {}

    // From layer I on.
    template <std::size_t I = 0>
    auto forward(auto const& now, auto const* parameters, auto& memories, auto const& input) const {
        if constexpr (I == count)
            return input;
        else
            return forward<I + 1>(
                now, parameters, memories,
                std::get<I>(layers_).forward(now, parameters + offset_of<I>, std::get<I>(memories.of), input));
    }
    template <std::size_t I = 0>
    auto output_view(auto& memories, auto const& input) const {
        if constexpr (I == count)
            return input;
        else
            return output_view<I + 1>(memories, std::get<I>(layers_).output_view(std::get<I>(memories.of), input));
    }
    // Up to the last layer and back: the inputs of all layers are found again on the way up.
    template <std::size_t I = 0>
    auto backward(auto const& now, auto const* parameters, auto* gradients, auto& memories, auto const& input,
                  auto const& gradient, input_gradient wanted) const {
        if constexpr (I == count) {
            return gradient;
        } else {
            auto& mine = std::get<I>(memories.of);
            auto const& layer = std::get<I>(layers_);
            auto const next = layer.output_view(mine, input);
            auto const asked = layer.wants(mine, wanted);
            auto const above = backward<I + 1>(now, parameters, gradients, memories, next, gradient, asked);
            using result = decltype(layer.backward(now, parameters + offset_of<I>, gradients + offset_of<I>, mine,
                                                   input, above, wanted));
            if (asked == input_gradient::not_wanted) return result{};
            return layer.backward(now, parameters + offset_of<I>, gradients + offset_of<I>, mine, input, above, wanted);
        }
    }
    [[nodiscard]] input_gradient wants(auto const& memories, input_gradient below) const {
        each(memories, [&](auto, auto const& layer, auto const& mine) { below = layer.wants(mine, below); });
        return below;
    }

    template <std::size_t I>
    [[nodiscard]] auto const& get() const {
        return std::get<I>(layers_);
    }

  protected:
    // Calls f(index constant, layer, memory) for each layer in turn.
    void each(auto& memories, auto&& f) const {
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            (f(std::integral_constant<std::size_t, I>{}, std::get<I>(layers_), std::get<I>(memories.of)), ...);
        }
        (std::make_index_sequence<count>{});
    }
    // name(layer, its number, scope): what the scope says besides.
    void describe_each(scope const& where, auto& memories, auto& visitor, auto const& name) const {
        each(memories, [&](auto index, auto const& layer, auto& mine) {
            scope inner{&where};
            inner.offset = where.offset + offset_of<index()>;
            inner.dropout_key = where.dropout_key * 31 + index() + 1;
            name(layer, static_cast<int>(index()), inner);
            layer.describe(inner, mine, visitor);
        });
    }

  private:
    std::tuple<Layers...> layers_;
};

// Layers and the dropouts between them: L<in>, dropout, L<width>, dropout, L<width>, ...
template <int Left, class Layer, class... Made>
struct stack_of : stack_of<Left - 1, typename Layer::template with_input<Layer::features>, Made..., Layer, dropout> {};
template <class Layer, class... Made>
struct stack_of<1, Layer, Made...> {
    using type = chain<Made..., Layer>;
};

template <class Layer>
concept is_named = requires {
    Layer::layer_name;
};
template <class Layer>
inline constexpr std::string_view name_of = "";
template <is_named Layer>
inline constexpr std::string_view name_of<Layer> = Layer::layer_name;

// No two of the layers that have a name have the same.
template <class... Layers>
constexpr bool names_differ() {
    std::array<std::string_view, sizeof...(Layers)> names{name_of<Layers>...};
    std::ranges::sort(names);
    return std::ranges::adjacent_find(names, [](auto a, auto b) { return !a.empty() && a == b; }) == names.end();
}

}  // namespace detail

// A string as a template argument: named<"fc", ...>.
template <std::size_t N>
struct fixed_string {
    char text[N]{};
    constexpr fixed_string(char const (&from)[N]) { std::copy_n(from, N, text); }
    [[nodiscard]] constexpr std::string_view view() const { return {text, N - 1}; }
};

// The layer, with parameters called "<name>.weight" and so on.
template <fixed_string Name, class LayerOrCell>
struct named : layer_of<LayerOrCell> {
    static_assert(Name.view().size() > 0,
                  "sequent::named: the name is empty; give the attribute name of PyTorch's module");
    using base = layer_of<LayerOrCell>;
    static constexpr std::string_view layer_name = Name.view();
    using base::base;
};

// One layer or cell behind the other. Parameters are called by the layer's name or, unnamed, by its place: "0.weight".
// What only run time knows comes as one options aggregate per layer: sequential{{.rows = words}, {}, {}}.
template <class... LayersOrCells>
class sequential : public detail::chain<layer_of<LayersOrCells>...> {
    static_assert(sizeof...(LayersOrCells) > 0, "sequent::sequential: no layers; give at least one");
    static_assert(detail::names_differ<layer_of<LayersOrCells>...>(),
                  "sequent::sequential: two layers have the same name; give each its own");
    using chain = detail::chain<layer_of<LayersOrCells>...>;

  public:
    struct options {
        std::tuple<typename layer_of<LayersOrCells>::options...> of;
    };

    sequential() requires(std::is_default_constructible_v<layer_of<LayersOrCells>>&&...)
        : chain(layer_of<LayersOrCells>{}...) {}
    sequential(typename layer_of<LayersOrCells>::options const&... given) : chain(layer_of<LayersOrCells>(given)...) {}
    explicit sequential(options const& given)
        : chain(std::apply([](auto const&... each) { return chain(layer_of<LayersOrCells>(each)...); }, given.of)) {}

    void describe(scope const& where, auto& memories, auto& visitor) const {
        this->describe_each(where, memories, visitor, [](auto const& layer, int place, scope& inner) {
            inner.name = detail::name_of<std::remove_cvref_t<decltype(layer)>>;
            if (inner.name.empty()) inner.place = place;
        });
    }
};

// Depth recurrent layers, each after the first as wide at its input as the one before at its output. In training mode,
// dropout acts between them: PyTorch's num_layers and dropout.
template <int Depth, class LayerOrCell>
class stacked : public detail::stack_of<(Depth > 0 ? Depth : 1), layer_of<LayerOrCell>>::type {
    static_assert(Depth > 0, "sequent::stacked: the depth must be at least 1");
    static_assert(
        requires { typename layer_of<LayerOrCell>::template with_input<1>; },
        "sequent::stacked: takes a cell or a recurrent layer; put others behind each other in a sequential");
    static_assert(
        !requires { layer_of<LayerOrCell>::count; },
        "sequent::stacked: a stack of stacks; multiply the depths: stacked<4, ...> for two of two");
    using first = layer_of<LayerOrCell>;
    using chain = typename detail::stack_of<(Depth > 0 ? Depth : 1), first>::type;

  public:
    static constexpr int features = first::features;
    template <int Input>
    using with_input = stacked<Depth, typename first::template with_input<Input>>;

    struct options {
        double dropout = 0;
    };
    stacked() : stacked(options{}) {}
    explicit stacked(options const& given)
        : chain([&]<std::size_t... I>(std::index_sequence<I...>) {
              return chain(make<typename chain::template layer_at<I>>(given)...);
          }(std::make_index_sequence<chain::count>{})) {}

    void describe(scope const& where, auto& memories, auto& visitor) const {
        this->describe_each(where, memories, visitor, [&](auto const&, int place, scope& inner) {
            inner.depth = where.depth + place / 2;  // every other one is a dropout
        });
    }

  private:
    template <class Layer>
    static Layer make(options const& given) {
        if constexpr (std::is_same_v<Layer, dropout>)
            return dropout({.probability = given.dropout});
        else
            return Layer{};
    }
};

}  // namespace sequent
