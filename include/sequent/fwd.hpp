// Declarations of what users name, with the default template arguments: for headers that only mention them.
#pragma once

namespace sequent {

template <class T>
struct matrix_view;
class packing;
template <class T>
struct packed_sequence;

enum class nonlinearity { tanh, relu };
template <int Input, int Hidden, nonlinearity Function = nonlinearity::tanh>
struct elman;
template <int Input, int Hidden>
struct lstm;
template <int Input, int Hidden>
struct gru;

struct cpu;

template <int Rows, int Width>
struct embedding;
template <int In, int Out>
struct linear;
template <int Depth, class LayerOrCell>
class stacked;
template <class... LayersOrCells>
class sequential;
struct dropout;
struct last_state;
struct mean_state;
struct max_state;

template <class T>
struct states;
template <class Network, class Backend, class Scalar = float>
class model;

struct cross_entropy;
enum class decay { coupled, decoupled };
template <decay Kind>
struct adam_rule;
using adam = adam_rule<decay::coupled>;
using adamw = adam_rule<decay::decoupled>;
template <class Model, class Rule>
class optimizer;
template <class Model, class Loss, class Rule>
class training;

}  // namespace sequent
