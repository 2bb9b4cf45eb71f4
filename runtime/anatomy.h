// The anatomy of layers: for each kind its gates, states and arrays, its place in a network, and
// the operations that it permits. Only this file says so; the checks of a blob, the runtime, the
// trainer and the tools read it.
#ifndef SLUICE_ANATOMY_H
#define SLUICE_ANATOMY_H

#include <stdint.h>

#include "sluice.h"

namespace sluice {

constexpr uint32_t widest = 1u << 16;  ///< the most inputs or units of a layer
constexpr uint32_t most_sources = 8;   ///< of a layer that joins

/// The role of an array in its layer. The matrices come first.
enum class Role : uint8_t {
  input_weight,      ///< multiplies the input of the layer
  state_weight,      ///< multiplies the state
  candidate_weight,  ///< multiplies r * h, of a GRU that resets before
  input_factor,  ///< for low rank: multiplies the input; the input weight multiplies its product
  state_factor,  ///< the same for the state, and for r * h
  projection,    ///< of an LSTM: multiplies o * tanh(c'), which gives h
  vectors,       ///< of an embedding: a column for each id
  input_bias,    ///< the start of the chains over the input
  state_bias,    ///< the start of the chains over the state
  scale,
  shift,
  mean,
  variance,
  columns,  ///< numbers of columns
  /// Of a layer that joins, and of a difference, in fixed point: the multipliers that rescale its
  /// sources to its own unit.
  part_multiplier,
  part_bias,       ///< the start of those sums
  gate_bias,       ///< of a cell whose gate and candidate share a chain: added to it for the gate
  candidate_bias,  ///< added to it for the candidate
  /// Of a FastGRNN, one number, before its sigmoid: the share of the candidate that a closed gate
  /// adds.
  zeta,
  nu,                 ///< the same: the share of the candidate that is added in any case
  input_factor_bias,  ///< the start of an input factor's sums, in fixed point
  state_factor_bias,  ///< the same of a state factor
  slope,              ///< of a PReLU: the factors of negative numbers
  start,      ///< of a window in fixed point: the numbers that stand for 0, before a stream's first
              ///< step
  peephole,   ///< of an LSTM: weights of the gates i, f and o over the cell state
  initial_h,  ///< of a cell: the state from which a sequence begins
  initial_c,  ///< the same of an LSTM's cell state
};
constexpr bool is_matrix(Role role) { return role <= Role::vectors; }
/// Returns whether in fixed point the numbers are followed by as many multipliers of R.
constexpr bool has_multipliers(Role role) {
  return role == Role::input_bias || role == Role::state_bias || role == Role::input_factor_bias ||
         role == Role::state_factor_bias;
}
/// Return whether an array exists only if the matrix over the input, or over the state, has low
/// rank.
constexpr bool of_input_factor(Role role) {
  return role == Role::input_factor || role == Role::input_factor_bias;
}
constexpr bool of_state_factor(Role role) {
  return role == Role::state_factor || role == Role::state_factor_bias;
}

/// Returns whether an array exists only if the cell begins from a stored state.
constexpr bool of_initial_state(Role role) {
  return role == Role::initial_h || role == Role::initial_c;
}

/// The number of an array's rows or columns: one, the inputs of the layer, the units of a
/// direction, its cells (of an LSTM with a projection; else the units), or the layer's rank. A
/// matrix of low rank that multiplies a factor's product has as many columns as that factor has
/// rows, whatever its extent.
enum class Extent : uint8_t { one, in, units, cells, rank };

/// The field of a layer record with an array's offset. behind: there is no field; the array is at
/// the next multiple of 64 behind the array before it.
enum class Field : uint8_t { w_ih, w_hh, b_ih, b_hh, behind };

/// The number formats in which a layer has an array.
enum class Formats : uint8_t { all, floats, fixed };

struct ArrayAnatomy {
  Role role;
  const char* name;  ///< PyTorch's name; for a backward direction "_reverse" is appended
  uint8_t gates;     ///< groups of rows, each padded on its own; 0: one for each source
  Extent rows, cols;
  Field field;
  bool trained;
  Formats formats;
};

/// The most arrays of one direction of a layer, in all number formats together; and of a layer in
/// one format. Only floats go in both directions.
constexpr int most_direction_arrays = 13;
constexpr int most_arrays = 20;

/// The anatomy of one kind of layer.
struct Anatomy {
  uint8_t kind = 0;  ///< sluice_layer_kind
  const char* name = "";
  bool recurrent = false;  ///< keeps a state that its products read, and may go in both directions
  bool by_step = false;    ///< needs every step: its source must not have one row a sequence
  bool once = false;       ///< has one output a sequence, over the steps so far
  bool keeps_width = false;   ///< has as many outputs as inputs
  bool reads_ids = false;     ///< reads a frame that is one id
  bool joins = false;         ///< reads several sources
  bool parted = false;        ///< may apply to each of several equal parts of its input
  bool prepares = false;      ///< has nothing to learn and comes before the layers that learn
  bool integer_form = false;  ///< exists in fixed point
  bool sparse = false;        ///< in fixed point its matrices may be sparse
  uint8_t gates = 0;          ///< of a recurrent layer: the chains of each unit
  /// The gate that is a candidate, to which gate dropout does not apply; -1: no gate dropout.
  int8_t candidate = -1;
  /// The gate that keeps the old state when it is open (GRU z, LSTM f); -1: none.
  int8_t remembers = -1;
  /// In fixed point the record has the unit of a state: an LSTM's c, a FastGRNN's h.
  bool shifted_state = false;
  uint8_t states = 0;  ///< arrays of units that a stream keeps: h, and an LSTM's c
  const char* gate_names[4] = {"", "", "", ""};
  /// Bits of sluice_activation; of a recurrent layer those of its gates, with linear for sigmoid.
  uint32_t activations = 1 << SLUICE_LINEAR;
  uint32_t fixed_activations = 1 << SLUICE_LINEAR;  ///< the same in fixed point
  bool curved = false;  ///< a cell whose candidate may have one of the `candidates`
  uint8_t arrays = 0;
  ArrayAnatomy array[most_direction_arrays] = {};

  constexpr void add(Role role, const char* array_name, uint8_t array_gates, Extent rows,
                     Extent cols, Field field, bool trained = true,
                     Formats formats = Formats::all) {
    ArrayAnatomy& added = array[arrays++];
    added.role = role;
    added.name = array_name;
    added.gates = array_gates;
    added.rows = rows, added.cols = cols;
    added.field = field;
    added.trained = trained;
    added.formats = formats;
  }
};

namespace anatomies {

constexpr uint32_t bit(sluice_activation activation) { return uint32_t(1) << activation; }
constexpr uint32_t gate_activations =
    bit(SLUICE_LINEAR) | bit(SLUICE_TANH) | bit(SLUICE_HARD_SIGMOID);

/// Returns the properties that all cells share, and the array of the product with the input.
constexpr Anatomy cell(sluice_layer_kind kind, const char* name, uint8_t gates) {
  Anatomy a;
  a.kind = kind, a.name = name, a.gates = gates;
  a.recurrent = a.by_step = a.integer_form = true;
  a.states = 1;
  if (gates > 1) {
    a.activations = gate_activations;
    a.fixed_activations = bit(SLUICE_LINEAR) | bit(SLUICE_HARD_SIGMOID);
  }
  a.curved = kind != SLUICE_FASTGRNN;
  a.add(Role::input_weight, "weight_ih", gates, Extent::units, Extent::in, Field::w_ih);
  return a;
}

/// Adds the arrays of a product with the state.
constexpr Anatomy with_state_product(Anatomy a) {
  a.sparse = true;
  a.add(Role::state_weight, "weight_hh", a.gates, Extent::units, Extent::units, Field::w_hh);
  a.add(Role::input_bias, "bias_ih", a.gates, Extent::units, Extent::one, Field::b_ih);
  a.add(Role::state_bias, "bias_hh", a.gates, Extent::units, Extent::one, Field::b_hh);
  return a;
}

constexpr Anatomy with_reset_gate(Anatomy a) {
  a.candidate = 2, a.remembers = 1;
  a.gate_names[0] = "r", a.gate_names[1] = "z", a.gate_names[2] = "n";
  return a;
}

/// Adds the arrays of low rank, W = W1 W2, for the matrices over input and state. The array of W
/// holds W1; the arrays of W2 come last, at offsets that follow from the arrays before them.
constexpr Anatomy with_factors(Anatomy a) {
  a.add(Role::input_factor, "factor_ih", 1, Extent::rank, Extent::in, Field::behind);
  a.add(Role::input_factor_bias, "bias_factor_ih", 1, Extent::rank, Extent::one, Field::behind,
        true, Formats::fixed);
  a.add(Role::state_factor, "factor_hh", 1, Extent::rank, Extent::units, Field::behind);
  a.add(Role::state_factor_bias, "bias_factor_hh", 1, Extent::rank, Extent::one, Field::behind,
        true, Formats::fixed);
  return a;
}

/// Adds the arrays that a cell may have, which come last: those of low rank, an LSTM's peepholes
/// and projection, and the initial state.
constexpr Anatomy with_options(Anatomy a) {
  a = with_factors(a);
  if (a.kind == SLUICE_LSTM)
    a.add(Role::peephole, "peephole", 3, Extent::cells, Extent::one, Field::behind, true,
          Formats::floats);
  if (a.kind == SLUICE_LSTM)
    a.add(Role::projection, "weight_hr", 1, Extent::units, Extent::cells, Field::behind, true,
          Formats::floats);
  a.add(Role::initial_h, "initial_h", 1, Extent::units, Extent::one, Field::behind);
  if (a.states == 2)
    a.add(Role::initial_c, "initial_c", 1, Extent::cells, Extent::one, Field::behind);
  return a;
}

constexpr Anatomy gru() {
  return with_options(with_reset_gate(with_state_product(cell(SLUICE_GRU, "gru", 3))));
}

constexpr Anatomy gru_before() {
  Anatomy a = with_reset_gate(cell(SLUICE_GRU_BEFORE, "gru_before", 3));
  a.add(Role::state_weight, "weight_hh", 2, Extent::units, Extent::units, Field::w_hh);
  a.add(Role::candidate_weight, "weight_hn", 1, Extent::units, Extent::units, Field::behind);
  a.add(Role::input_bias, "bias_ih", 3, Extent::units, Extent::one, Field::b_ih);
  a.add(Role::state_bias, "bias_hh", 3, Extent::units, Extent::one, Field::b_hh, true,
        Formats::fixed);
  return with_options(a);
}

constexpr Anatomy lstm() {
  Anatomy a = with_state_product(cell(SLUICE_LSTM, "lstm", 4));
  for (int i = 0; i < a.arrays; ++i) a.array[i].rows = Extent::cells;
  a.candidate = 2, a.remembers = 1, a.states = 2, a.shifted_state = true;
  a.gate_names[0] = "i", a.gate_names[1] = "f", a.gate_names[2] = "g", a.gate_names[3] = "o";
  return with_options(a);
}

constexpr Anatomy rnn() { return with_options(with_state_product(cell(SLUICE_RNN, "rnn", 1))); }

/// The biases of the chains and their multipliers exist only in fixed point. In float the chains
/// start from zero.
constexpr Anatomy fastgrnn() {
  Anatomy a = cell(SLUICE_FASTGRNN, "fastgrnn", 1);
  a.sparse = a.shifted_state = true;
  a.activations = gate_activations;
  a.fixed_activations = bit(SLUICE_LINEAR);  // gate and candidate share a sum, in tanh's unit
  a.gate_names[0] = "z", a.gate_names[1] = "n";
  a.add(Role::state_weight, "weight_hh", 1, Extent::units, Extent::units, Field::w_hh);
  a.add(Role::input_bias, "bias_ih", 1, Extent::units, Extent::one, Field::b_ih, true,
        Formats::fixed);
  a.add(Role::state_bias, "bias_hh", 1, Extent::units, Extent::one, Field::b_hh, true,
        Formats::fixed);
  a.add(Role::gate_bias, "bias_gate", 1, Extent::units, Extent::one, Field::behind);
  a.add(Role::candidate_bias, "bias_update", 1, Extent::units, Extent::one, Field::behind);
  a.add(Role::zeta, "zeta", 1, Extent::one, Extent::one, Field::behind);
  a.add(Role::nu, "nu", 1, Extent::one, Extent::one, Field::behind);
  return with_options(a);
}

constexpr uint32_t every_activation = (bit(SLUICE_LOG) << 1) - 1;

constexpr Anatomy dense() {
  Anatomy a;
  a.kind = SLUICE_DENSE, a.name = "dense";
  a.integer_form = a.sparse = a.parted = true;
  a.fixed_activations = bit(SLUICE_LINEAR) | bit(SLUICE_TANH) | bit(SLUICE_SIGMOID) |
                        bit(SLUICE_RELU) | bit(SLUICE_SOFTMAX);
  a.activations = every_activation;
  a.add(Role::input_weight, "weight", 1, Extent::units, Extent::in, Field::w_ih);
  a.add(Role::input_bias, "bias", 1, Extent::units, Extent::one, Field::b_ih);
  a.add(Role::slope, "slope", 1, Extent::units, Extent::one, Field::w_hh, true, Formats::floats);
  return a;
}

/// Numbers of several steps, side by side.
constexpr Anatomy window() {
  Anatomy a;
  a.kind = SLUICE_WINDOW, a.name = "window";
  a.by_step = a.integer_form = true;
  a.add(Role::start, "start", 1, Extent::in, Extent::one, Field::b_ih, false, Formats::fixed);
  return a;
}

constexpr Anatomy pool(sluice_layer_kind kind, const char* name) {
  Anatomy a;
  a.kind = kind, a.name = name;
  a.parted = a.integer_form = true;
  return a;
}

constexpr Anatomy unit_norm() {
  Anatomy a;
  a.kind = SLUICE_UNIT_NORM, a.name = "unit_norm", a.keeps_width = true;
  return a;
}

constexpr Anatomy curve() {
  Anatomy a;
  a.kind = SLUICE_CURVE, a.name = "curve", a.keeps_width = true;
  a.activations = every_activation;
  a.add(Role::slope, "slope", 1, Extent::units, Extent::one, Field::w_hh, true, Formats::floats);
  return a;
}

/// Layers that reduce the steps of a sequence.
constexpr Anatomy over_steps(sluice_layer_kind kind, const char* name) {
  Anatomy a;
  a.kind = kind, a.name = name;
  a.keeps_width = a.by_step = a.once = true;
  a.integer_form = true;
  return a;
}

constexpr Anatomy attention() {
  Anatomy a = over_steps(SLUICE_ATTENTION, "attention");
  a.joins = true, a.integer_form = false;
  return a;
}

constexpr Anatomy embedding() {
  Anatomy a;
  a.kind = SLUICE_EMBEDDING, a.name = "embedding";
  a.integer_form = a.reads_ids = true;
  a.add(Role::vectors, "weight", 1, Extent::units, Extent::in, Field::w_ih);
  return a;
}

constexpr Anatomy norm(sluice_layer_kind kind, const char* name) {
  Anatomy a;
  a.kind = kind, a.name = name, a.keeps_width = true;
  a.add(Role::scale, "weight", 1, Extent::units, Extent::one, Field::w_ih);
  a.add(Role::shift, "bias", 1, Extent::units, Extent::one, Field::b_ih);
  return a;
}

constexpr Anatomy batch_norm() {
  Anatomy a = norm(SLUICE_BATCH_NORM, "batch_norm");
  a.add(Role::mean, "running_mean", 1, Extent::units, Extent::one, Field::w_hh, false);
  a.add(Role::variance, "running_var", 1, Extent::units, Extent::one, Field::b_hh, false);
  return a;
}

constexpr Anatomy layer_norm() { return norm(SLUICE_LAYER_NORM, "layer_norm"); }

constexpr Anatomy standardize() {
  Anatomy a;
  a.kind = SLUICE_STANDARDIZE, a.name = "standardize";
  a.keeps_width = a.prepares = true;
  a.add(Role::scale, "scale", 1, Extent::units, Extent::one, Field::w_ih, false);
  a.add(Role::mean, "mean", 1, Extent::units, Extent::one, Field::b_ih, false);
  return a;
}

constexpr Anatomy difference() {
  Anatomy a;
  a.kind = SLUICE_DIFFERENCE, a.name = "difference";
  a.keeps_width = a.prepares = a.by_step = a.integer_form = true;
  a.add(Role::part_multiplier, "multiplier", 1, Extent::units, Extent::one, Field::w_ih, false,
        Formats::fixed);
  return a;
}

constexpr Anatomy select() {
  Anatomy a;
  a.kind = SLUICE_SELECT, a.name = "select";
  a.integer_form = true;
  a.add(Role::columns, "columns", 1, Extent::units, Extent::one, Field::w_ih, false);
  return a;
}

constexpr Anatomy join(sluice_layer_kind kind, const char* name) {
  Anatomy a;
  a.kind = kind, a.name = name;
  a.joins = a.integer_form = true;
  return a;
}

constexpr Anatomy concat() { return join(SLUICE_CONCAT, "concat"); }

constexpr Anatomy add() {
  Anatomy a = join(SLUICE_ADD, "add");
  a.keeps_width = true;
  a.add(Role::part_multiplier, "multiplier", 0, Extent::units, Extent::one, Field::w_ih, false,
        Formats::fixed);
  a.add(Role::part_bias, "bias", 1, Extent::units, Extent::one, Field::b_ih, false, Formats::fixed);
  return a;
}

/// It has multipliers for the product, for the first source and for the second one.
constexpr Anatomy multiply() {
  Anatomy a = join(SLUICE_MULTIPLY, "multiply");
  a.keeps_width = true;
  a.add(Role::part_multiplier, "multiplier", 3, Extent::units, Extent::one, Field::w_ih, false,
        Formats::fixed);
  a.add(Role::part_bias, "bias", 1, Extent::units, Extent::one, Field::b_ih, false, Formats::fixed);
  return a;
}

constexpr Anatomy all[] = {standardize(),
                           gru(),
                           dense(),
                           embedding(),
                           rnn(),
                           lstm(),
                           gru_before(),
                           batch_norm(),
                           layer_norm(),
                           difference(),
                           select(),
                           concat(),
                           add(),
                           multiply(),
                           fastgrnn(),
                           window(),
                           pool(SLUICE_MAX_POOL, "max_pool"),
                           pool(SLUICE_MEAN_POOL, "mean_pool"),
                           pool(SLUICE_NORM_POOL, "norm_pool"),
                           unit_norm(),
                           curve(),
                           over_steps(SLUICE_MAX_OVER_STEPS, "max_over_steps"),
                           over_steps(SLUICE_MEAN_OVER_STEPS, "mean_over_steps"),
                           attention()};

/// Returns whether the kinds are in the order of their numbers, which begin at 1.
constexpr bool in_order() {
  for (unsigned i = 0; i < sizeof all / sizeof *all; ++i)
    if (all[i].kind != i + 1) return false;
  return true;
}
static_assert(in_order(), "an anatomy for each kind of layer, in the order of sluice_layer_kind");

/// Returns whether most_arrays are enough: a cell has its float arrays for each direction, and its
/// arrays in fixed point once.
constexpr bool in_room() {
  for (const Anatomy& a : all) {
    int floats = 0, fixed = 0;
    for (int i = 0; i < a.arrays; ++i) {
      floats += a.array[i].formats != Formats::fixed;
      fixed += a.array[i].formats != Formats::floats;
    }
    if ((a.recurrent ? 2 : 1) * floats > most_arrays || fixed > most_arrays) return false;
  }
  return true;
}
static_assert(in_room(), "most_arrays are enough for every kind of layer");

}  // namespace anatomies

/// The curves that a cell's candidate may have, as bits of sluice_activation. Each is 0 at 0, so
/// that the padding of a state stays 0, and has a derivative that follows from its value.
constexpr uint32_t candidates = anatomies::bit(SLUICE_TANH) | anatomies::bit(SLUICE_LINEAR) |
                                anatomies::bit(SLUICE_RELU) | anatomies::bit(SLUICE_ELU) |
                                anatomies::bit(SLUICE_LEAKY_RELU) |
                                anatomies::bit(SLUICE_SOFTSIGN) | anatomies::bit(SLUICE_SELU);
/// The same in fixed point.
constexpr uint32_t fixed_candidates =
    anatomies::bit(SLUICE_TANH) | anatomies::bit(SLUICE_LINEAR) | anatomies::bit(SLUICE_RELU);

constexpr uint8_t last_kind = sizeof anatomies::all / sizeof *anatomies::all;
constexpr bool is_known(uint32_t kind) { return kind >= 1 && kind <= last_kind; }
constexpr const Anatomy& anatomy_of(uint32_t known_kind) { return anatomies::all[known_kind - 1]; }

/// Returns whether layers of a kind have an array of that role.
constexpr bool has_role(const Anatomy& anatomy, Role role) {
  for (int i = 0; i < anatomy.arrays; ++i)
    if (anatomy.array[i].role == role) return true;
  return false;
}

/// Returns whether the sources of a network's last layer are the parts of its answer, if that layer
/// is of this kind.
constexpr bool answers_in_parts(uint32_t last_kind) { return last_kind == SLUICE_CONCAT; }

/// Returns the set of kinds for which `test` holds, as bits 1 << kind.
template <class Test>
constexpr uint32_t kinds_with(Test test) {
  uint32_t kinds = 0;
  for (const Anatomy& a : anatomies::all)
    if (test(a)) kinds |= 1u << a.kind;
  return kinds;
}
constexpr bool has_kind(uint32_t kinds, uint32_t kind) { return kind < 32 && (kinds >> kind & 1); }

/// The groups of weights that are penalized, decayed and named separately: sluice_weight_group.
enum class WeightGroup : uint8_t { input, recurrent, biases, output, embedding };
constexpr WeightGroup group_of(uint32_t kind, Role role) {
  if (!is_matrix(role)) return WeightGroup::biases;
  if (role == Role::vectors) return WeightGroup::embedding;
  if (!anatomy_of(kind).recurrent) return WeightGroup::output;
  return role == Role::input_weight || role == Role::input_factor ? WeightGroup::input
                                                                  : WeightGroup::recurrent;
}

}  // namespace sluice

#endif
