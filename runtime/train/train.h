// Inside the trainer: what a layer must supply to be trained, and what a shard of sequences is.
//
// A batch goes by shards of 8 sequences. A shard's frames lie as [steps][sequences] rows, sequences in order of falling length, so
// that those still running at step t are the first active(t) rows; rows behind a sequence's end hold zeros, and so do the gradients
// there, which makes them no-ops in every sum.
#ifndef SLUICE_TRAIN_INTERNAL_H
#define SLUICE_TRAIN_INTERNAL_H

#include "../arena.h"
#include "../blob.h"
#include "../sluice_train.h"

namespace sluice {

constexpr int shard_sequences = 8;

struct Shard {
  int sequences, steps;
  int length[shard_sequences];     ///< falling
  uint32_t index[shard_sequences]; ///< of each in the batch

  int active(int t) const {
    int n = 0;
    while (n < sequences && length[n] > t) ++n;
    return n;
  }
};

/// Weights where the optimizer keeps them: offsets of layer records hold from `base`; gradients mirror the weight section.
struct Parameters {
  const uint8_t* base;
  float* gradient;         ///< [floats of the weight section]
  uint32_t section_begin;  ///< offset of the weight section

  float* gradient_at(uint32_t offset) const { return gradient + (offset - section_begin) / sizeof(float); }
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

/// One layer's share of a shard's pass.
struct TrainCall {
  const Kernels& kernels;
  const LayerRecord& layer;
  const Shard& shard;
  Parameters parameters;
  const float* zeros;       ///< [the widest layer, or a strip] zeros
  const float* transposed;  ///< what prepare made
  const float* x;           ///< [rows_in][x_stride] the layer's input
  int x_stride, rows_in;
  int rows_out;
  bool keep_logits;         ///< the loss applies the softmax
  Rounding rounding;        ///< of the layer's state
  float* dy;                ///< [rows_out][padded(out)] backward only; overwritten
  float* dx;                ///< [rows_in][padded(in)]; null where nothing below learns
};

struct TrainKind {
  uint8_t kind, phases;  ///< phases: how often all shards meet in the middle of the layer; 1: never
  /// Once a batch: takes and fills what backward reads of the weights; with wants_dx, for the gradient of the input too.
  const float* (*prepare)(const LayerRecord&, const uint8_t* base, bool wants_dx, Arena&);
  /// Takes what the pass keeps, the output [rows_out][padded(out)] among it, and returns that. Measuring: only takes.
  float* (*forward)(const TrainCall&, int phase, Arena& kept);
  /// Called with the arena as forward found it: takes the same arrays again.
  void (*backward)(const TrainCall&, int phase, Arena& kept);
};

extern const TrainKind train_gru, train_dense, train_standardize;

/// out = W transposed, packed: [padded(cols)] rows, [rows] columns. W has `rows` padded rows.
void transpose(const float* w, int rows, int cols, float* out);

/// Adds nothing up, only along one chain a number: dW[row][col] = sum over i < count of dy[i][row] * x[i][col], in strips as W lies.
void weight_gradient(const TrainCall&, const float* dy, int rows, const float* x, int x_stride, int cols, int count, float* out);
/// db[row] = sum over i < count of dy[i][row].
void bias_gradient(const TrainCall&, const float* dy, int rows, int count, float* out);

/// What a shard's loss adds to the batch's.
struct ShardLoss {
  double sum;
  uint64_t targets, correct;
};

/// Valid targets of a sequence (mse: numbers), given how many answers it has and how wide each is.
uint64_t valid_targets(const sluice_sequence&, uint32_t loss, int answers, int outputs);

/// The loss of a shard and dy, its gradient by y (cross entropy: by the logits); y becomes probabilities there.
/// @param y        [rows][padded(outputs)]; rows = steps * sequences with every_step, else sequences
/// @param scale    1 / valid targets of the batch
ShardLoss shard_loss(const Kernels&, uint32_t loss, const Shard&, const sluice_sequence* batch, bool every_step, int outputs,
                     float scale, float* y, float* dy);

/// The optimizer's state between steps.
struct Update {
  uint64_t step;  ///< taken so far
  double beta1_power, beta2_power;
};

double learning_rate(const sluice_train_options&, uint64_t step);

/// Penalizes the gradient; returns its norm.
double penalize(const OpenModel&, const sluice_train_options&, const Parameters&);

/// Moves the weights. first and second are Adam's moments, laid out as the gradient.
void update_weights(const OpenModel&, const sluice_train_options&, const Parameters&, const sluice_host*, double norm, Update&,
                    uint8_t* weights, float* first, float* second);

/// Runs tasks 0 to n - 1 where the host wants them.
void spread(const sluice_host* host, uint32_t n, void (*task)(void*, uint32_t), void* argument);

}  // namespace sluice

#endif
