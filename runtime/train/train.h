// Inside the trainer: what a layer must supply to be trained, and what a shard of sequences is.
//
// A batch goes by shards of 8 sequences. A shard's frames lie as [steps][sequences] rows, sequences
// in order of falling length, so that those still running at step t are the first active(t) rows;
// rows behind a sequence's end hold zeros, and so do the gradients there, which makes them no-ops
// in every sum.
#ifndef SLUICE_TRAIN_INTERNAL_H
#define SLUICE_TRAIN_INTERNAL_H

#include "../../kernels/random.h"
#include "../arena.h"
#include "../blob.h"
#include "../layer.h"
#include "../sluice_train.h"

namespace sluice {

constexpr int shard_sequences = 8;

struct Shard {
  int sequences, steps;
  int length[shard_sequences];      ///< falling
  uint32_t index[shard_sequences];  ///< of each in the batch

  int active(int t) const {
    int n = 0;
    while (n < sequences && length[n] > t) ++n;
    return n;
  }
};

/// Weights where the optimizer keeps them: offsets of layer records hold from `base`; gradients
/// mirror the weight section.
struct Parameters {
  const uint8_t* base;
  float* gradient;         ///< [floats of the weight section]
  uint32_t section_begin;  ///< offset of the weight section

  float* gradient_at(uint32_t offset) const {
    return gradient + (offset - section_begin) / sizeof(float);
  }
};

/// How values that enter a product are rounded there (sluice_rounding); unit 0: they are not.
struct Rounding {
  float unit, largest;

  /// NaN stays NaN.
  void apply(const float* from, float* to, size_t n) const {
    constexpr float to_whole = 12582912.0f;  // 1.5 * 2^23: above it floats are whole numbers
    const float per_unit = 1.0f / unit, smallest = -largest - 1.0f;
    for (size_t i = 0; i < n; ++i) {
      float v = from[i] * per_unit;
      v = v < smallest ? smallest : v;
      v = v > largest ? largest : v;
      to[i] = ((v + to_whole) - to_whole) * unit;
    }
  }
};

/// What a mask of dropout depends on, beside the layer, the sequence and the element.
struct Draw {
  uint64_t seed, step;
};

/// What a shard's gradient of an embedding is: the ids that it has seen, and a row for each.
struct SeenRows {
  uint64_t ids, rows;  ///< bytes from the start of the shard's memory: int32 [count], float
                       ///< [count][padded(out)]
  uint32_t count;
};

/// A source of a layer that joins.
struct TrainPart {
  const float* x;  ///< [rows][x_stride]
  int x_stride, width;
  bool ended;  ///< x has a row for every frame, the layer one for each sequence: of a sequence its
               ///< last frame counts
};

/// One layer's share of a shard's pass.
struct TrainCall {
  const Kernels& kernels;
  const LayerRecord& layer;
  uint32_t index;  ///< of the layer
  const Shard& shard;
  const sluice_sequence* sequences;  ///< of the batch
  Parameters parameters;
  const float* zeros;       ///< [the widest layer, or a strip] zeros
  const float* transposed;  ///< what prepare made
  const float* x;           ///< [rows_in][x_stride] the layer's input; of a layer that joins null
  int x_stride, rows_in;
  const TrainPart* parts;  ///< of a layer that joins: its sources
  uint32_t part;  ///< backward of a layer that joins: the source whose gradient is asked for
  int rows_out;
  bool keep_logits;   ///< the loss applies the last activation
  Rounding rounding;  ///< of the layer's state
  Draw draw;
  float recurrent_dropout, gate_dropout;
  uint32_t state_offset;  ///< floats of a carried state before this layer's
  bool adds;  ///< backward: a later layer has the same weights, and its gradients stand there
              ///< already
  float* dy;  ///< [rows_out][padded(out)] backward only; overwritten
  float* dx;  ///< [rows_in][padded(in)], of a layer that joins as its source; null if nothing below
              ///< learns
  SeenRows* seen_rows;  ///< what an embedding leaves there
  float* partial;       ///< [meeting] this shard's share of what shards add up between two phases
  const float* total;   ///< [meeting] the sum of all shards' shares of the phase before

  /// The row of a part that belongs to a row of the output.
  ptrdiff_t part_row(const TrainPart& p, int row) const {
    return p.ended ? ptrdiff_t(shard.length[row] - 1) * shard.sequences + row : row;
  }
};

struct TrainKind {
  uint8_t kind;
  uint8_t phases[2];  ///< forward, backward: 1 more than how often all shards meet in the middle of
                      ///< the layer
  /// Floats of a meeting's sums; null: none.
  int (*meeting)(const LayerRecord&);
  /// Once a batch: takes and fills what backward reads of the weights; with wants_dx, for the
  /// gradient of the input too. Measuring: only takes, and reads nothing at base, which is not null
  /// all the same: offsets are added to it.
  const float* (*prepare)(const LayerRecord&, const uint8_t* base, bool wants_dx, Arena&);
  /// Takes what the pass keeps, the output [rows_out][padded(out)] among it, and returns that.
  /// Measuring: only takes. A later phase finds the arena as the first one did.
  float* (*forward)(const TrainCall&, int phase, Arena& kept);
  /// Called with the arena as forward found it: takes the same arrays again.
  void (*backward)(const TrainCall&, int phase, Arena& kept);
};

/// The kind of a layer, or null where it cannot be trained.
const TrainKind* train_kind(uint8_t kind);

/// The same of a cell, or null.
const TrainKind* train_cell(uint8_t kind);
extern const TrainKind train_dense, train_standardize, train_embedding, train_batch_norm,
    train_layer_norm, train_difference, train_select, train_concat, train_add, train_multiply;

inline const float* no_preparation(const LayerRecord&, const uint8_t*, bool, Arena&) {
  return nullptr;
}

/// Whether an earlier layer has the same weights (one layer applied several times).
bool tied_to_earlier(const OpenModel&, uint32_t layer);

/// out = W transposed, packed: [padded(cols)] rows, [rows] columns. W has `rows` padded rows.
void transpose(const float* w, int rows, int cols, float* out);

/// Columns of a batch's gradient: [count][rows] at dy + i * stride.
struct Columns {
  const float* dy;
  int stride, rows, count;
};

/// Adds nothing up, only along one chain a number: dW[row][col] = sum over i < count of dy[i][row]
/// * x[i][col], in strips as W lies.
void weight_gradient(const TrainCall&, const Columns&, const float* x, int x_stride, int cols,
                     float* out);
/// db[row] = sum over i < count of dy[i][row].
void bias_gradient(const TrainCall&, const Columns&, float* out);

/// Rows of step t from the first one that has ended: set to zero.  [steps][sequences][width]
void clear_ended(const Shard&, int t, int width, float* rows);

/// Inverted dropout of [rows][n] numbers at x + row * stride: keeps x / (1 - rate), and the factors
/// in `mask` where it is wanted (0 in its padding). Element (t, i) of a sequence depends on seed,
/// step, purpose, layer, the sequence's number and t * n + i. Where `mask` alone is given, x null,
/// a mask of one row a sequence is drawn.
struct Dropped {
  Purpose purpose;
  uint32_t layer;
  float rate;
  float *x, *mask;
  int rows, n, stride;
};
void drop(const Draw&, const sluice_sequence* batch, const Shard&, const Dropped&);

/// The dropout of a source (0: the frame, else a layer counted from 1) where other layers read it.
/// Every reader drops the same numbers.
struct SourceDrop {
  Purpose purpose;
  uint32_t layer;  ///< 0 if the purpose tells it
  float rate;
};
SourceDrop drop_of(const OpenModel&, const sluice_train_options&, uint32_t source);

/// The first layer with weights to learn; layer_count where there is none.
uint32_t first_trained(const OpenModel&);
/// The lowest layer that learns: the gradient of what enters it is not wanted, nor anything below.
uint32_t lowest_learning(const OpenModel&, const sluice_train_options&);
bool is_frozen(const sluice_train_options&, uint32_t layer);
bool answers_every_step(const OpenModel&);

/// What a shard's loss adds to the batch's.
struct ShardLoss {
  double sum;
  uint64_t targets, correct;
};

/// Whether the loss applies the last layer's softmax or sigmoid itself, and wants its logits.
inline bool takes_logits(uint32_t loss) {
  return loss == SLUICE_CROSS_ENTROPY || loss == SLUICE_BINARY;
}

/// A part of the answer with a loss of its own, and its targets among the values of a sequence.
struct Goal {
  uint32_t loss;
  float weight;
  uint32_t layer;       ///< counted from 1
  int first, outputs;   ///< of the answer
  int target, targets;  ///< of a row of values
};
/// How many losses there are, and each.
uint32_t goals_of(const OpenModel&, const sluice_train_options&);
Goal goal_of(const OpenModel&, const sluice_train_options&, uint32_t i);

/// How many values a row of targets has.
int targets_of(const OpenModel&, const sluice_train_options&);

/// Whether the loss applies the activation of that layer, counted from 0.
bool keeps_logits(const OpenModel&, const sluice_train_options&, uint32_t layer);

/// Whether a sequence's targets are its classes, not its values.
inline bool by_class(const sluice_train_options& options, const sluice_sequence& sequence) {
  return !options.answers && (options.loss == SLUICE_CROSS_ENTROPY ||
                              (options.loss == SLUICE_BINARY && sequence.classes));
}

/// The sum of the weights of a sequence's valid targets, and how many there are (of values:
/// numbers).
struct TargetSum {
  double weight;
  uint64_t count;
};
TargetSum valid_targets(const OpenModel&, const sluice_train_options&, const Goal&,
                        const sluice_sequence&);

/// The loss of a shard and dy, its gradient by y (of losses that take logits by those); y becomes
/// probabilities there.
/// @param y       [rows][padded(outputs)]; rows = steps * sequences if the model answers every
/// step, else sequences
/// @param scales  [goals] the weight of the goal / the sum of the weights of the batch's valid
/// targets
ShardLoss shard_loss(const OpenModel&, const sluice_train_options&, const Shard&,
                     const sluice_sequence* batch, const float* scales, float* y, float* dy);

/// Moves a batch normalization's running moments towards those of a batch, as its meetings left
/// them.
void run_moments(const LayerRecord&, const sluice_train_options&, const float* totals,
                 uint8_t* weights);

/// The optimizer's state between steps.
struct Update {
  uint64_t step;  ///< taken so far
  double beta1_power, beta2_power;
  double rate_factor;  ///< of the schedule's rate
};

static_assert(int(WeightGroup::input) == SLUICE_INPUT_WEIGHTS &&
                  int(WeightGroup::recurrent) == SLUICE_RECURRENT_WEIGHTS &&
                  int(WeightGroup::biases) == SLUICE_BIASES &&
                  int(WeightGroup::output) == SLUICE_OUTPUT_WEIGHTS &&
                  int(WeightGroup::embedding) == SLUICE_EMBEDDING_WEIGHTS,
              "the groups of weights");

/// What is done to a group of weights.
sluice_penalty penalty_of(const sluice_train_options&, uint32_t group);

double learning_rate(const sluice_train_options&, const Update&);

/// A penalized gradient's norm, and what clipping by value makes of it.
struct GradientNorm {
  double whole, by_value;
};

/// Penalizes the gradient and clips it by value.
GradientNorm penalize(const OpenModel&, const sluice_train_options&, const Parameters&,
                      const uint8_t* seen_ids);

/// Moves the weights. first and second are Adam's moments, laid out as the gradient.
void update_weights(const OpenModel&, const sluice_train_options&, const Parameters&,
                    const sluice_host*, double norm, Update&, const uint8_t* seen_ids,
                    uint8_t* weights, float* first, float* second);

/// Runs tasks 0 to n - 1 where the host wants them.
void spread(const sluice_host* host, uint32_t n, void (*task)(void*, uint32_t), void* argument);

/// How many ranks train together, and which one this is.
inline uint32_t ranks_of(const sluice_host* host) {
  return host && host->gather && host->ranks > 1 ? host->ranks : 1;
}
inline uint32_t rank_of(const sluice_host* host) { return ranks_of(host) > 1 ? host->rank : 0; }

}  // namespace sluice

#endif
