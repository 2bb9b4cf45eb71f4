// The interfaces inside the trainer: the functions that a layer must supply to be trained, and the
// shard of sequences on which they work.
//
// A batch is computed in shards of 8 sequences. A shard's frames are [steps][sequences] rows, with
// the sequences in the order of falling length. So the sequences still running at step t are the
// first active(t) rows. Rows behind a sequence's end hold zeros, and so do their gradients; thus
// they change no sum.
#ifndef SLUICE_TRAIN_INTERNAL_H
#define SLUICE_TRAIN_INTERNAL_H

#include <string.h>

#include "../../kernels/random.h"
#include "../arena.h"
#include "../blob.h"
#include "../layer.h"
#include "../sluice_train.h"

namespace sluice {

constexpr int shard_sequences = 8;

struct Shard {
  int sequences, steps;
  int length[shard_sequences];      ///< in falling order
  uint32_t index[shard_sequences];  ///< the place of each sequence in the batch

  /// Returns how many sequences have a frame at step t.
  int active(int t) const {
    int n = 0;
    while (n < sequences && length[n] > t) ++n;
    return n;
  }

  /// Returns the shard of the outputs of a layer that thins.
  Shard thinned(const LayerRecord& layer) const {
    Shard result = *this;
    const Clock clock = own_clock(layer);
    for (int& one : result.length) one = int(clock.of(uint64_t(one)));
    result.steps = int(clock.of(uint64_t(steps)));
    return result;
  }
};

/// The weights and their gradient. Offsets of layer records count from `base`; the gradient has the
/// layout of the weight section.
struct Parameters {
  const uint8_t* base;
  float* gradient;         ///< [floats of the weight section]
  uint32_t section_begin;  ///< offset of the weight section

  float* gradient_at(uint32_t offset) const {
    return gradient + (offset - section_begin) / sizeof(float);
  }
};

/// The rounding of values before they enter a product (sluice_rounding). unit 0 turns it off.
struct Rounding {
  float unit, largest;

  /// Rounds n values; NaN stays NaN.
  void apply(const float* from, float* to, size_t n) const {
    constexpr float to_whole = 12582912.0f;  // 1.5 * 2^23: floats of this size are integers
    const float per_unit = 1.0f / unit, smallest = -largest - 1.0f;
    for (size_t i = 0; i < n; ++i) {
      float v = from[i] * per_unit;
      v = v < smallest ? smallest : v;
      v = v > largest ? largest : v;
      to[i] = ((v + to_whole) - to_whole) * unit;
    }
  }
};

/// The seed and step on which a dropout mask depends, besides the layer, the sequence and the
/// element.
struct Draw {
  uint64_t seed, step;
};

/// A shard's gradient of an embedding: the ids that occur in the shard, and a row for each. Both
/// are in bytes from the start of the shard's memory.
struct IdGradients {
  uint64_t ids, rows;  ///< int32 [count], float [count][padded(out)]
  uint32_t count;
};

/// A source of a layer that joins.
struct TrainPart {
  const float* x;  ///< [rows][x_stride]
  int x_stride, width;
  /// x has a row for every step, but the layer has one for every sequence: it reads the sequence's
  /// last step.
  bool ended;
};

/// The arguments of a layer's phase in a shard's pass.
struct TrainCall {
  const Kernels& kernels;
  const LayerRecord& layer;
  Shard shard;                                 ///< in the steps of the layer's input
  uint32_t index = 0;                          ///< the layer's, from 0
  const sluice_sequence* sequences = nullptr;  ///< of the batch
  Parameters parameters = {};
  const float* zeros = nullptr;       ///< as many as the widest layer, or a strip, has rows
  const float* transposed = nullptr;  ///< the result of prepare
  /// [rows_in][x_stride] The layer's input; null for a layer that joins.
  const float* x = nullptr;
  int x_stride = 0, rows_in = 0;
  const TrainPart* parts = nullptr;  ///< of a layer that joins: its sources
  uint32_t part = 0;  ///< of a layer that joins, backward: the source whose gradient is dx
  int rows_out = 0;
  bool keep_logits = false;  ///< the loss applies this layer's activation
  Rounding rounding = {};    ///< of the layer's state
  Draw draw = {};
  float recurrent_dropout = 0.0f, gate_dropout = 0.0f;
  uint32_t state_offset = 0;  ///< floats of a carried state before those of this layer
  /// Backward: a later layer has the same weights and has written its gradients already; this layer
  /// adds to them.
  bool adds = false;
  float* dy = nullptr;  ///< [rows_out][padded(out)] backward only; overwritten
  /// [rows_in][padded(in)], or of a layer that joins [rows of the source][its padded width]; null
  /// if no layer below learns.
  float* dx = nullptr;
  IdGradients* id_gradients = nullptr;  ///< receives the gradient of an embedding
  /// [batch_sums] This shard's part of the sums over the batch after a phase.
  float* partial = nullptr;
  const float* total = nullptr;  ///< [batch_sums] the sums over the batch after the phase before

  /// Returns the row of a part that belongs to a row of the output.
  ptrdiff_t part_row(const TrainPart& p, int row) const {
    return p.ended ? ptrdiff_t(shard.length[row] - 1) * shard.sequences + row : row;
  }
};

/// The functions that train a kind of layer.
struct TrainKind {
  uint8_t kind;
  /// The phases of the forward and of the backward pass. Between two phases the parts of all shards
  /// are added up over the batch.
  uint8_t phases[2];
  /// Returns the floats of these sums; null: none.
  int (*batch_sums)(const LayerRecord&);
  /// Called once a batch: takes an array and fills it with the weights in the form that backward
  /// reads; with wants_dx, also those for the gradient of the input. With an arena that measures,
  /// it only takes, and reads nothing at base. base is not null even then, because offsets are
  /// added to it.
  const float* (*prepare)(const LayerRecord&, const uint8_t* base, bool wants_dx, Arena&);
  /// Takes the arrays that the layer keeps for its backward pass, and returns one of them: the
  /// output [rows_out][padded(out)]. With an arena that measures, it only takes. Every phase begins
  /// with the arena as the first one did.
  float* (*forward)(const TrainCall&, int phase, Arena& kept);
  /// Takes the same arrays again: the arena begins as for forward.
  void (*backward)(const TrainCall&, int phase, Arena& kept);
};

/// Returns the functions that train a kind of layer, or null if it cannot be trained.
const TrainKind* train_kind(uint8_t kind);

/// Returns those of a cell, or null.
const TrainKind* train_cell(uint8_t kind);
extern const TrainKind train_dense, train_standardize, train_embedding, train_batch_norm,
    train_layer_norm, train_difference, train_select, train_concat, train_add, train_multiply,
    train_window, train_max_pool, train_mean_pool, train_norm_pool, train_unit_norm, train_curve,
    train_max_over_steps, train_mean_over_steps, train_attention;

inline const float* no_preparation(const LayerRecord&, const uint8_t*, bool, Arena&) {
  return nullptr;
}

/// Takes the output [rows_out][padded(out)], and clears it unless the arena measures.
inline float* take_cleared(const TrainCall& call, Arena& arena) {
  const uint64_t numbers = uint64_t(call.rows_out) * uint64_t(padded(int(call.layer.out)));
  float* const y = arena.take<float>(numbers);
  if (!arena.measures()) memset(y, 0, size_t(numbers) * sizeof(float));
  return y;
}

/// Takes the output again in the backward pass.
inline float* take_output(const TrainCall& call, Arena& arena) {
  return arena.take<float>(uint64_t(call.rows_out) * uint64_t(padded(int(call.layer.out))));
}

/// Returns whether an earlier layer has the same weights (one layer applied several times).
bool tied_to_earlier(const OpenModel&, uint32_t layer);

/// Writes W transposed in strips: [padded(cols)] rows, [rows] columns. W has `rows` padded rows.
void transpose(const float* w, int rows, int cols, float* out);

/// Gradients of a layer's rows: [count][rows] at dy + i * stride.
struct Columns {
  const float* dy;
  int stride, rows, count;
};

/// Computes dW[row][col] = sum over i < count of dy[i][row] * x[i][col], in strips like W. Each
/// element is one fma chain over i; no partial sums are combined.
void weight_gradient(const TrainCall&, const Columns&, const float* x, int x_stride, int cols,
                     float* out);
/// Computes db[row] = sum over i < count of dy[i][row].
void bias_gradient(const TrainCall&, const Columns&, float* out);

/// Sets the rows of ended sequences at step t to zero. rows: [steps][sequences][width]
void clear_ended(const Shard&, int t, int width, float* rows);

/// The arguments of drop: [rows][n] numbers at x + row * stride. A kept number is divided by 1 -
/// rate. If mask is not null, it receives the factors, and 0 in its padding. If x is null, only a
/// mask of one row a sequence is drawn. Element (t, i) of a sequence depends on seed, step,
/// purpose, layer, the sequence's number and t * n + i.
struct Dropped {
  Purpose purpose;
  uint32_t layer;
  float rate;
  float *x, *mask;
  int rows, n, stride;
};
void drop(const Draw&, const sluice_sequence* batch, const Shard&, const Dropped&);

/// The dropout of a source (0: the frame, else a layer counted from 1) before other layers read it.
/// Every reader drops the same numbers.
struct SourceDrop {
  Purpose purpose;
  uint32_t layer;  ///< 0 if the purpose identifies it
  float rate;
};
SourceDrop drop_of(const OpenModel&, const sluice_train_options&, uint32_t source);

/// Returns the first layer that is not a preparation of the frames; layer_count if there is none.
uint32_t first_trained(const OpenModel&);
/// Returns the lowest layer that learns. The gradients of its input and of the layers below it are
/// not needed.
uint32_t lowest_learning(const OpenModel&, const sluice_train_options&);
bool is_frozen(const sluice_train_options&, uint32_t layer);
bool answers_every_step(const OpenModel&);

/// The contribution of a shard to the loss of a batch.
struct ShardLoss {
  double sum;
  uint64_t targets, correct;
};

/// Returns whether the loss takes logits: it applies the last layer's softmax or sigmoid itself.
inline bool takes_logits(uint32_t loss) {
  return loss == SLUICE_CROSS_ENTROPY || loss == SLUICE_BINARY;
}

/// A part of the answer with a loss of its own, and its targets among the values of a sequence.
struct Goal {
  uint32_t loss;
  float weight;
  uint32_t layer;       ///< counted from 1
  int first, outputs;   ///< its numbers in a row of the answer
  int target, targets;  ///< its numbers in a row of values
};
/// Return the number of losses, and each of them.
uint32_t goals_of(const OpenModel&, const sluice_train_options&);
Goal goal_of(const OpenModel&, const sluice_train_options&, uint32_t i);

/// Returns how many values a row of targets has.
int targets_of(const OpenModel&, const sluice_train_options&);

/// Returns whether the loss applies the activation of that layer, counted from 0.
bool keeps_logits(const OpenModel&, const sluice_train_options&, uint32_t layer);

/// Returns how many answers a sequence of so many steps has, and the step of each of them; of a
/// model that answers once 0, the place of its only target.
int answer_count(const OpenModel&, uint32_t steps);
int step_of_answer(const OpenModel&, int answer);

/// Returns whether a sequence's targets are its classes instead of its values.
inline bool by_class(const sluice_train_options& options, const sluice_sequence& sequence) {
  return !options.answers && (options.loss == SLUICE_CROSS_ENTROPY ||
                              (options.loss == SLUICE_BINARY && sequence.classes));
}

/// The sum of the weights of a sequence's valid targets, and the number of them (of values: the
/// number of numbers).
struct TargetSum {
  double weight;
  uint64_t count;
};
TargetSum valid_targets(const OpenModel&, const sluice_train_options&, const Goal&,
                        const sluice_sequence&);

/// Returns the loss of a shard, and writes its gradient by y into dy. If a loss takes logits, y
/// holds these; it is then replaced by probabilities.
/// @param shard   in the steps of the answers
/// @param y       [rows][padded(outputs)], with steps * sequences rows if the model answers every
///                step, else one row a sequence
/// @param scales  [goals] the goal's weight / the sum of the weights of its valid targets in the
///                batch
ShardLoss shard_loss(const OpenModel&, const sluice_train_options&, const Shard&,
                     const sluice_sequence* batch, const float* scales, float* y, float* dy);

/// Moves a batch normalization's running moments towards those of a batch.
/// @param totals  the sums over the batch
void run_moments(const LayerRecord&, const sluice_train_options&, const float* totals,
                 uint8_t* weights);

/// The optimizer's state between steps.
struct Update {
  uint64_t step;  ///< the number of steps taken
  double beta1_power, beta2_power;
  double rate_factor;  ///< multiplies the schedule's rate
};

static_assert(int(WeightGroup::input) == SLUICE_INPUT_WEIGHTS &&
                  int(WeightGroup::recurrent) == SLUICE_RECURRENT_WEIGHTS &&
                  int(WeightGroup::biases) == SLUICE_BIASES &&
                  int(WeightGroup::output) == SLUICE_OUTPUT_WEIGHTS &&
                  int(WeightGroup::embedding) == SLUICE_EMBEDDING_WEIGHTS,
              "the groups of weights");

/// Returns the penalties of a group of weights.
sluice_penalty penalty_of(const sluice_train_options&, uint32_t group);

/// Returns the learning rate of the next step.
double learning_rate(const sluice_train_options&, const Update&);

/// The norm of a penalized gradient, before and after clipping by value.
struct GradientNorm {
  double whole, by_value;
};

/// Adds the penalties to the gradient and clips it by value.
GradientNorm penalize(const OpenModel&, const sluice_train_options&, const Parameters&,
                      const uint8_t* batch_ids);

/// Updates the weights. first and second are Adam's moments, in the layout of the gradient.
void update_weights(const OpenModel&, const sluice_train_options&, const Parameters&,
                    const sluice_host*, double norm, Update&, const uint8_t* batch_ids,
                    uint8_t* weights, float* first, float* second);

/// Runs tasks 0 to n - 1 by the host's parallel_for, or one after the other if it has none.
void run_tasks(const sluice_host* host, uint32_t n, void (*task)(void*, uint32_t), void* argument);

/// Return how many ranks train together, and the number of this one.
inline uint32_t ranks_of(const sluice_host* host) {
  return host && host->gather && host->ranks > 1 ? host->ranks : 1;
}
inline uint32_t rank_of(const sluice_host* host) { return ranks_of(host) > 1 ? host->rank : 0; }

}  // namespace sluice

#endif
