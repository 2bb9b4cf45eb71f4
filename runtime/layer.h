// The functions that a layer must supply to run. The list of kinds is in layers.cpp. A step costs
// one indirect call a layer, never one a unit.
#ifndef SLUICE_LAYER_H
#define SLUICE_LAYER_H

#include <string.h>

#include "arena.h"
#include "blob.h"

namespace sluice {

/// The memory of the frames and of the layers' outputs during a call, for [steps][streams] frames.
/// Row t * streams + s belongs to frame t of stream s.
struct Buffers {
  const void* frames;  ///< [steps * streams][inputs of the model]
  /// The output of a layer is [rows][padded(out)], from number steps * streams * y on, with y from
  /// its record.
  uint8_t* base;
  int steps, streams;  ///< one of them is 1
};

/// The arguments of a layer's step: one frame of one stream. In fixed point numbers are int16,
/// except those of an int8 frame; in float they are float.
struct StepCall {
  const OpenModel& model;
  const LayerRecord& layer;
  const Buffers& buffers;  ///< with steps and streams 1
  const void* x;           ///< [in]; not used by a layer that joins
  void* y;                 ///< [padded(out)]
  uint8_t* state;          ///< of this layer
  void* scratch;           ///< as many bytes as `run` takes for a single row

  /// Leaves the others unset, as Call's does.
  StepCall(const OpenModel& m, const LayerRecord& l, const Buffers& b)
      : model(m), layer(l), buffers(b) {}

  const float* weights(uint32_t offset) const { return model.floats_at(offset); }
};

/// The arguments of a layer's run: all frames of a call.
struct Call {
  const OpenModel& model;
  const LayerRecord& layer;
  const Buffers& buffers;
  int steps, streams;  ///< of x
  int clock;  ///< the steps in which sources have outputs, except those with one a sequence
  /// [steps * streams][in] at x + row * x_stride numbers; not used by a layer that joins.
  const void* x;
  int x_stride;
  void* y;  ///< [rows of the output][padded(out)]
  /// [streams][state of the layer] at state + s * state_stride; null for a layer without a state.
  uint8_t* state;
  ptrdiff_t state_stride;  ///< bytes

  /// Leaves the others unset. Default values would cost a Cortex-M instructions in every step.
  Call(const OpenModel& m, const LayerRecord& l, const Buffers& b)
      : model(m), layer(l), buffers(b) {}

  int rows() const { return steps * streams; }
  const float* weights(uint32_t offset) const { return model.floats_at(offset); }
};

/// Computes a step as a run of one row, for a layer without a state.
template <class Layer>
void single_row(const StepCall& step) {
  Arena scratch(step.scratch);
  Call call(step.model, step.layer, step.buffers);
  call.steps = call.streams = call.clock = 1;
  call.x = step.x, call.x_stride = 0;
  call.y = step.y;
  call.state = nullptr, call.state_stride = 0;
  Layer::run(call, scratch);
}

// The layers and formats that this build holds (SLUICE_LAYERS, SLUICE_FORMATS in CMakeLists.txt),
// for code that several layers share.
#ifdef SLUICE_WITHOUT_BOTH_DIRECTIONS
constexpr bool holds_both_directions = false;
#else
constexpr bool holds_both_directions = true;
#endif
#ifdef SLUICE_WITHOUT_MEAN
constexpr bool holds_mean = false;
#else
constexpr bool holds_mean = true;
#endif
/// Cells whose matrices have low rank.
#ifdef SLUICE_WITHOUT_LOW_RANK
constexpr bool holds_low_rank = false;
#else
constexpr bool holds_low_rank = true;
#endif
/// Candidates of cells that are not tanh, activations of Dense beyond the first six, and in fixed
/// point gates of a hard sigmoid (SLUICE_LAYERS in CMakeLists.txt).
#ifdef SLUICE_WITHOUT_CURVES
constexpr bool holds_curves = false;
#else
constexpr bool holds_curves = true;
#endif
/// Peepholes of LSTMs, their projections, and clipped cell states: in float alone.
#if defined(SLUICE_WITHOUT_LSTM_OPTIONS) || defined(SLUICE_WITHOUT_LSTM) || \
    defined(SLUICE_WITHOUT_F32)
constexpr bool holds_lstm_options = false;
#else
constexpr bool holds_lstm_options = true;
#endif
/// Cells that begin from a stored state.
#ifdef SLUICE_WITHOUT_INITIAL_STATE
constexpr bool holds_initial_state = false;
#else
constexpr bool holds_initial_state = true;
#endif
/// Other cells than the GRU that resets after.
#ifdef SLUICE_WITHOUT_OTHER_CELLS
constexpr bool holds_other_cells = false;
#else
constexpr bool holds_other_cells = true;
#endif
#ifdef SLUICE_WITHOUT_EMBEDDING
constexpr bool holds_embedding = false;
#else
constexpr bool holds_embedding = true;
#endif
#ifdef SLUICE_WITHOUT_NORM
constexpr bool holds_norm = false;
#else
constexpr bool holds_norm = true;
#endif
/// Layers that read another layer than the one before, and layers that join.
#ifdef SLUICE_WITHOUT_GRAPH
constexpr bool holds_graph = false;
#else
constexpr bool holds_graph = true;
#endif
/// Windows over steps, pooling, and Dense over equal parts of its input: what convolutions are made
/// of.
#ifdef SLUICE_WITHOUT_CONVOLUTION
constexpr bool holds_convolution = false;
#else
constexpr bool holds_convolution = true;
#endif
#ifdef SLUICE_WITHOUT_DIFFERENCE
constexpr bool holds_difference = false;
#else
constexpr bool holds_difference = true;
#endif
#ifdef SLUICE_WITHOUT_STANDARDIZE
constexpr bool holds_standardize = false;
#else
constexpr bool holds_standardize = true;
#endif
#ifdef SLUICE_WITHOUT_F32
constexpr bool holds_f32 = false;
#else
constexpr bool holds_f32 = true;
#endif

/// An array of a layer's anatomy, without its name.
struct ArrayShape {
  Role role;
  uint8_t gates;
  Extent rows, cols;
  Field field;
  bool trained;
  uint8_t index;  ///< among the arrays of the anatomy
};

/// Returns whether layers of this build may have an array in float, or in fixed point.
constexpr bool holds_array(const ArrayAnatomy& array, bool fixed) {
  if (!holds_initial_state && of_initial_state(array.role)) return false;
  if (!holds_lstm_options && (array.role == Role::peephole || array.role == Role::projection))
    return false;
  return array.formats == Formats::all || (array.formats == Formats::fixed) == fixed;
}

/// The list of a kind's arrays in float or in fixed point.
template <uint8_t kind, bool fixed>
struct ArrayShapes {
  static constexpr uint8_t count() {
    uint8_t n = 0;
    for (int i = 0; i < anatomy_of(kind).arrays; ++i)
      n += holds_array(anatomy_of(kind).array[i], fixed);
    return n;
  }
  struct List {
    ArrayShape shape[count() ? count() : 1];
  };
  static constexpr List list() {
    List result{};
    int n = 0;
    for (uint8_t i = 0; i < anatomy_of(kind).arrays; ++i) {
      const ArrayAnatomy& a = anatomy_of(kind).array[i];
      if (!holds_array(a, fixed)) continue;
      ArrayShape& shape = result.shape[n++];
      shape.role = a.role;
      shape.gates = a.gates;
      shape.rows = a.rows, shape.cols = a.cols;
      shape.field = a.field;
      shape.trained = a.trained;
      shape.index = i;
    }
    return result;
  }
  static constexpr List all = list();
};

/// A kind of layer in one number format: its functions, and a part of its anatomy.
struct LayerKind {
  uint8_t kind, format;
  uint8_t flags;     ///< the flags that it may have
  bool keeps_width;  ///< out must equal in
  uint8_t arrays;
  uint32_t activations;  ///< bits of the activations that it may have (1 << sluice_activation)
  const ArrayShape* array;
  int (*state)(const LayerRecord&);  ///< bytes a stream, a multiple of 16
  void (*step)(const StepCall&);
  /// With an arena that measures, it only takes its scratch. Null: the layer runs step by step, as
  /// a window that does not look ahead does too.
  void (*run)(const Call&, Arena& scratch);
  size_t (*scratch)(const LayerRecord&);  ///< bytes of a step, if run is null
};

/// Returns a LayerKind of these functions; the rest comes from the anatomy.
template <uint8_t kind, uint8_t format>
constexpr LayerKind make_kind(int (*state)(const LayerRecord&), void (*step)(const StepCall&),
                              void (*run)(const Call&, Arena&),
                              size_t (*scratch)(const LayerRecord&), uint8_t flags = 0) {
  constexpr const Anatomy& a = anatomy_of(kind);
  constexpr bool fixed = format != SLUICE_F32;
  using Shapes = ArrayShapes<kind, fixed>;
  LayerKind result{};
  result.kind = kind;
  result.format = format;
  result.activations = !fixed                         ? a.activations
                       : holds_curves || !a.recurrent ? a.fixed_activations
                                                      : 1u << SLUICE_LINEAR;
  result.flags = flags;
  result.keeps_width = a.keeps_width;
  result.arrays = Shapes::count();
  result.array = Shapes::all.shape;
  result.state = state;
  result.step = step;
  result.run = run;
  result.scratch = scratch;
  return result;
}

inline int no_state(const LayerRecord&) { return 0; }

/// Returns the LayerKind of a kind and number format, or null if this build lacks it.
const LayerKind* find_layer(uint8_t kind, uint8_t format);
/// Returns the kinds of a number format, one behind another, or null if this build holds none.
const LayerKind* kinds_of(uint8_t format);
inline bool knows_format(uint8_t format) { return kinds_of(format) != nullptr; }

/// Returns the kind of a layer of an opened model. `kinds` are those of the model's number format.
inline const LayerKind& kind_in(const LayerKind* kinds, const LayerRecord& layer) {
  while (kinds->kind != layer.kind) ++kinds;
  return *kinds;
}

/// Returns whether a kind that this build holds is a cell.
inline bool is_recurrent(uint8_t kind) {
  if (!holds_other_cells) return kind == SLUICE_GRU;
  constexpr uint32_t cells = kinds_with([](const Anatomy& a) { return a.recurrent; });
  return has_kind(cells, kind);
}

/// Whether this build holds no cells but those of is_plain, and no other curves.
constexpr bool only_plain_cells = !holds_low_rank && !holds_curves && !holds_lstm_options;

/// Returns whether the word of rank, candidate and options is that of a cell with whole matrices,
/// the candidate tanh, in fixed point sigmoid gates, and in float no option of an LSTM.
inline bool has_plain_word(const LayerRecord& layer) {
  static_assert(offsetof(LayerRecord, rank) % sizeof(uint32_t) == 0, "a Cortex-M0 needs it");
  const uint8_t* const at = reinterpret_cast<const uint8_t*>(&layer) + offsetof(LayerRecord, rank);
  uint32_t word;
  memcpy(&word, __builtin_assume_aligned(at, sizeof word), sizeof word);
  return word == 0;
}

/// Returns whether a cell that this build holds has whole matrices, the candidate tanh, in fixed
/// point sigmoid gates, and in float no option of an LSTM.
inline bool is_plain(const LayerRecord& layer) { return only_plain_cells || has_plain_word(layer); }

/// Returns whether a layer has one of the curves that an image may leave out.
inline bool is_curved(const LayerRecord& layer) {
  return layer.candidate || (layer.options & hard_gates_option) ||
         layer.activation > SLUICE_HARD_SIGMOID;
}

/// Returns whether this build holds a layer with all of its options.
inline bool holds_layer(const LayerRecord& layer) {
  const uint8_t missing = (holds_mean ? 0 : mean_flag) |
                          (holds_both_directions ? 0 : both_directions_flag) |
                          (holds_initial_state ? 0 : initial_state_flag);
  const bool held = only_plain_cells
                        ? has_plain_word(layer) && layer.activation <= SLUICE_HARD_SIGMOID
                        : (holds_low_rank || !layer.rank) && (holds_curves || !is_curved(layer)) &&
                              (holds_lstm_options || !(layer.options & lstm_options));
  return find_layer(layer.kind, layer.format) && held &&
         !(is_recurrent(layer.kind) && (layer.flags & missing));
}

/// Returns whether a layer goes in both directions.
inline bool goes_both_ways(const LayerRecord& layer) {
  return holds_both_directions && (layer.flags & both_directions_flag);
}

/// Returns the cells of a direction of an LSTM: the numbers of its c, and the rows of each gate.
inline uint32_t cells_of(const LayerRecord& one_direction) {
  return holds_lstm_options && one_direction.cells ? one_direction.cells : one_direction.out;
}

/// Returns whether a cell begins from a stored state.
inline bool has_initial_state(const LayerRecord& layer) {
  return holds_initial_state && (layer.flags & initial_state_flag);
}

/// Copies the initial state of a direction, which must have one, to a state of a stream, or in
/// float to one of a direction in the scratch: h, then an LSTM's c. In fixed point the blob has 32
/// bits for each number, of which a state has the lower half.
/// @param base  the blob
void copy_initial_state(const LayerRecord& one_direction, const uint8_t* base, void* state);

/// Returns whether a layer has one output a sequence: of the last step, or over all steps.
inline bool last_step_only(const LayerRecord& layer) {
  constexpr uint32_t kinds = kinds_with([](const Anatomy& a) { return a.once; });
  return (is_recurrent(layer.kind) && !(layer.flags & every_step_flag)) ||
         (holds_convolution && has_kind(kinds, layer.kind));
}

/// Returns whether a layer joins several sources.
inline bool joins(uint8_t kind) {
  constexpr uint32_t kinds = kinds_with([](const Anatomy& a) { return a.joins; });
  return holds_graph && has_kind(kinds, kind);
}

/// Returns whether a layer applies to each of several equal parts of its input.
inline bool has_parts(const LayerRecord& layer) {
  constexpr uint32_t kinds = kinds_with([](const Anatomy& a) { return a.parted; });
  return holds_convolution && layer.parts && has_kind(kinds, layer.kind);
}

/// Returns the layer of one part as a record of its own.
inline LayerRecord part_record(const LayerRecord& layer) {
  LayerRecord one = layer;
  one.in /= layer.parts, one.out /= layer.parts, one.parts = 0;
  return one;
}

/// Returns whether a layer is a window.
inline bool is_window(const LayerRecord& layer) {
  return holds_convolution && layer.kind == SLUICE_WINDOW;
}
/// Returns how many steps the oldest frame of a window lies behind its newest.
inline uint32_t reach_of(const LayerRecord& window) {
  return uint32_t(window.parts - 1) * window.window.dilation;
}
/// Returns whether a layer reads steps behind the one of its output.
inline bool looks_ahead(const LayerRecord& layer) {
  return is_window(layer) && layer.window.ahead > 0;
}
/// Returns whether a layer has no output for some of the steps of its source. Then the layers that
/// follow have no step there either.
inline bool thins(const LayerRecord& layer) {
  return is_window(layer) && (layer.window.stride > 1 || layer.window.first > 0);
}

/// Returns whether a layer that thins had an output in the step before.
/// @param behind  the end of its state
inline bool answered_here(const uint8_t* behind) {
  uint32_t answered;
  memcpy(&answered, behind - sizeof answered, sizeof answered);
  return answered != 0;
}

/// Returns the clock of a layer that thins, in steps of its source.
inline Clock own_clock(const LayerRecord& layer) {
  return {layer.window.first, layer.window.stride};
}
/// Returns the clock of a source. 0: the frame, else a layer counted from 1. A layer that thins
/// sets it for all layers that follow.
inline Clock clock_of(const LayerRecord* layers, uint32_t source) {
  Clock clock;
  for (uint32_t i = 0; i < source; ++i) {
    if (!thins(layers[i])) continue;
    clock = clock.then(own_clock(layers[i]));
  }
  return clock;
}

/// Returns whether a model in int8 has frames of int16. They need layers that select and join, or a
/// difference.
inline bool has_wide_frame(const BlobHeader& header) {
  return (holds_graph || holds_difference) && header.wide_frame;
}

/// Return the number of sources of a layer, and each source: 0 for the frame, else a layer counted
/// from 1.
inline uint32_t sources_of(const LayerRecord& layer) { return joins(layer.kind) ? layer.parts : 1; }
inline uint32_t source_of(const LayerRecord& layer, uint32_t i) {
  return joins(layer.kind) ? layer.sources[i] : layer.source;
}

/// Returns for how many steps a source has rows, in a call of `steps` steps of its clock. source 0:
/// the frame.
inline int steps_of(const OpenModel& model, uint32_t source, int steps) {
  return source && model.layers[source - 1].flags & once_flag ? 1 : steps;
}

/// Returns the number of parts of an answer: 1, or the number of sources if the network ends in a
/// concat.
inline uint32_t parts_of_answer(const LayerRecord& last) {
  return joins(last.kind) && answers_in_parts(last.kind) ? last.parts : 1;
}
inline uint32_t answers_of(const OpenModel& model) {
  return parts_of_answer(model.layers[model.layer_count - 1]);
}
inline sluice_answer_info answer_of(const OpenModel& model, uint32_t answer) {
  const LayerRecord& last = model.layers[model.layer_count - 1];
  if (answers_of(model) == 1) return {model.layer_count, 0, last.out};
  sluice_answer_info info{0, 0, 0};
  for (uint32_t i = 0; i <= answer; ++i) {
    info.first += info.outputs;
    info.layer = last.sources[i];
    info.outputs = info.layer ? model.layers[info.layer - 1].out : model.header().inputs;
  }
  return info;
}

static_assert(
    int(Activation::linear) == SLUICE_LINEAR && int(Activation::tanh) == SLUICE_TANH &&
        int(Activation::sigmoid) == SLUICE_SIGMOID && int(Activation::relu) == SLUICE_RELU &&
        int(Activation::softmax) == SLUICE_SOFTMAX &&
        int(Activation::hard_sigmoid) == SLUICE_HARD_SIGMOID &&
        int(Activation::elu) == SLUICE_ELU && int(Activation::leaky_relu) == SLUICE_LEAKY_RELU &&
        int(Activation::prelu) == SLUICE_PRELU && int(Activation::silu) == SLUICE_SILU &&
        int(Activation::gelu) == SLUICE_GELU && int(Activation::gelu_tanh) == SLUICE_GELU_TANH &&
        int(Activation::softplus) == SLUICE_SOFTPLUS && int(Activation::clip) == SLUICE_CLIP &&
        int(Activation::softsign) == SLUICE_SOFTSIGN &&
        int(Activation::exponential) == SLUICE_EXPONENTIAL &&
        int(Activation::selu) == SLUICE_SELU && int(Activation::hard_silu) == SLUICE_HARD_SILU &&
        int(Activation::sqrt) == SLUICE_SQRT && int(Activation::log) == SLUICE_LOG,
    "the kernels' activations are those of the interface");

/// Return the curve of a recurrent layer's gates, and of a Dense.
inline Curve gate_curve(const LayerRecord& layer) {
  return {layer.activation == SLUICE_LINEAR ? Activation::sigmoid : Activation(layer.activation),
          layer.parameter};
}
inline Curve dense_curve(const LayerRecord& layer) {
  return {Activation(layer.activation), layer.parameter};
}

/// Return the curve of a cell's candidate, and of a Dense, with all parameters.
/// @param base  the blob
inline OtherCurve candidate_curve(const LayerRecord& layer) {
  return {Activation(candidate_of(layer.candidate)), layer.parameter, layer.second, nullptr};
}
inline OtherCurve other_curve(const LayerRecord& layer, const uint8_t* base) {
  return {Activation(layer.activation), layer.parameter, layer.second,
          reinterpret_cast<const float*>(base + layer.w_hh)};
}

/// Applies a Dense's activation to rows [rows][out].
inline void activate(const Kernels& kernels, const LayerRecord& layer, const uint8_t* base,
                     float* y, int rows, int stride) {
  const int out = int(layer.out);
  // One comparison tells linear and the other curves, which begin behind the hard sigmoid.
  if (uint8_t(layer.activation - 1) >= SLUICE_HARD_SIGMOID) {
    if (holds_curves && layer.activation != SLUICE_LINEAR)
      curves_of(kernels).curve_f32(other_curve(layer, base), y, rows, out, stride);
    return;
  }
  kernels.activate_f32(dense_curve(layer), y, rows, out, stride);
}

}  // namespace sluice

#endif
