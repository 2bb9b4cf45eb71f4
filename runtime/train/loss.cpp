// Losses, with masked targets. sluice_train.h has the formulas.
#include <string.h>

#include "train.h"

namespace sluice {
namespace {

bool is_nan(float v) { return v != v; }

/// One row of answers, y, its gradient, dy, and the loss to which it adds.
struct Row {
  const Kernels& kernels;
  const sluice_train_options& options;
  ShardLoss& loss;
  uint32_t kind = 0;  ///< sluice_loss
  int outputs = 0, units = 0;
  float scale = 0.0f;
  float *y = nullptr, *dy = nullptr;

  float weight(int32_t index) const {
    return options.class_weights ? options.class_weights[index] : 1.0f;
  }
};

/// Adds -log p of the class; dy = (p - [i == class]) * scale.
void cross_entropy(const Row& r, int32_t target) {
  r.kernels.activate_f32(Activation::softmax, r.y, 1, r.outputs, r.units);
  r.loss.targets += 1;
  r.loss.correct += sluice_argmax(r.y, size_t(r.outputs)) == size_t(target);
  if (r.options.label_smoothing == 0.0f) {
    float log_p;
    r.kernels.log_f32(r.y + target, &log_p, 1);
    const float weight = r.weight(target);
    r.loss.sum -= double(weight) * double(log_p);
    const float scale = r.scale * weight;
    for (int i = 0; i < r.outputs; ++i) r.dy[i] = (i == target ? r.y[i] - 1.0f : r.y[i]) * scale;
    return;
  }
  // With label smoothing e: -sum of q_i w_i log p_i, with q = 1 - e + e/n for the class and e/n for
  // the others; dy_i = (p_i * sum of q_k w_k - q_i w_i) * scale.
  const float share = r.options.label_smoothing / float(r.outputs),
              most = 1.0f - r.options.label_smoothing + share;
  float all = 0.0f;
  r.kernels.log_f32(r.y, r.dy, size_t(r.outputs));
  for (int i = 0; i < r.outputs; ++i) {
    const float q = (i == target ? most : share) * r.weight(i);
    r.loss.sum -= double(q) * double(r.dy[i]);
    all += q;
    r.dy[i] = q;
  }
  for (int i = 0; i < r.outputs; ++i) r.dy[i] = (r.y[i] * all - r.dy[i]) * r.scale;
}

/// Adds max(z, 0) - z t + log(1 + e^-|z|); dy = (sigmoid(z) - t) * scale.
void binary(const Row& r, int i, float target) {
  const bool positive = target >= 0.5f;
  const float weight = r.weight(positive), z = r.y[i], size = z < 0.0f ? -z : z;
  const float t = target * (1.0f - r.options.label_smoothing) + 0.5f * r.options.label_smoothing;
  float e = -size, log_part;
  r.kernels.exp_f32(&e, &e, 1);
  e += 1.0f;
  r.kernels.log_f32(&e, &log_part, 1);
  r.kernels.activate_f32(Activation::sigmoid, r.y + i, 1, 1, 0);
  r.loss.sum +=
      double(weight) * (double(z > 0.0f ? z : 0.0f) - double(z) * double(t) + double(log_part));
  r.loss.targets += 1;
  r.loss.correct += (z > 0.0f) == positive;
  r.dy[i] = (r.y[i] - t) * (r.scale * weight);
}

void squared_error(const Row& r, int i, float target) {
  const float error = r.y[i] - target;
  r.loss.sum += double(error) * double(error);
  r.loss.targets += 1;
  r.dy[i] = 2.0f * error * r.scale;
}

/// Adds e^2 / 2 if |e| <= delta, else delta * (|e| - delta / 2).
void huber(const Row& r, int i, float target) {
  const float error = r.y[i] - target, size = error < 0.0f ? -error : error,
              delta = r.options.huber_delta;
  const double far = double(delta) * (double(size) - 0.5 * double(delta));
  r.loss.sum += size <= delta ? 0.5 * double(error) * double(error) : far;
  r.loss.targets += 1;
  r.dy[i] = (size <= delta ? error : error < 0.0f ? -delta : delta) * r.scale;
}

void values_row(const Row& r, const float* values) {
  for (int i = 0; i < r.outputs; ++i) {
    if (is_nan(values[i])) continue;
    switch (r.kind) {
      case SLUICE_BINARY:
        binary(r, i, values[i]);
        break;
      case SLUICE_HUBER:
        huber(r, i, values[i]);
        break;
      default:
        squared_error(r, i, values[i]);
    }
  }
}

void class_row(const Row& r, int32_t target) {
  if (target < 0) return;
  if (r.kind == SLUICE_BINARY)
    binary(r, 0, float(target));
  else
    cross_entropy(r, target);
}

/// Returns the class that a value stands for; -1 for NaN.
int32_t class_of(float value) { return is_nan(value) ? -1 : int32_t(value); }

}  // namespace

int answer_count(const OpenModel& model, uint32_t steps) {
  const uint64_t answers = clock_of(model.layers, model.layer_count).of(steps);
  return answers_every_step(model) || answers == 0 ? int(answers) : 1;
}

int step_of_answer(const OpenModel& model, int answer) {
  if (!answers_every_step(model)) return 0;
  return int(clock_of(model.layers, model.layer_count).frame(uint64_t(answer)));
}

uint32_t goals_of(const OpenModel& model, const sluice_train_options& options) {
  return options.answers ? answers_of(model) : 1;
}

Goal goal_of(const OpenModel& model, const sluice_train_options& options, uint32_t wanted) {
  const int outputs = int(model.header().outputs);
  Goal goal{};
  if (!options.answers) {
    goal.loss = options.loss;
    goal.weight = 1.0f;
    goal.layer = model.layer_count;
    goal.outputs = goal.targets = outputs;
    return goal;
  }
  for (uint32_t i = 0;; ++i) {
    const sluice_answer_info answer = answer_of(model, i);
    const sluice_answer_options& own = options.answers[i];
    goal.loss = own.loss;
    goal.weight = own.weight;
    goal.layer = answer.layer;
    goal.first = int(answer.first), goal.outputs = int(answer.outputs);
    goal.targets = own.loss == SLUICE_CROSS_ENTROPY ? 1 : goal.outputs;
    if (i == wanted) return goal;
    goal.target += goal.targets;
  }
}

bool keeps_logits(const OpenModel& model, const sluice_train_options& options, uint32_t layer) {
  bool keeps = false;
  for (uint32_t i = 0; model.layers[layer].flags & answer_flag && i < goals_of(model, options);
       ++i) {
    const Goal goal = goal_of(model, options, i);
    keeps = keeps || (goal.layer == layer + 1 && takes_logits(goal.loss));
  }
  return keeps;
}

TargetSum valid_targets(const OpenModel& model, const sluice_train_options& options,
                        const Goal& goal, const sluice_sequence& sequence) {
  TargetSum sum{0.0, 0};
  const bool weighted = options.class_weights && takes_logits(goal.loss);
  const auto add = [&](int32_t target) {
    sum.weight += weighted ? double(options.class_weights[target]) : 1.0;
    sum.count += 1;
  };
  const int answers = answer_count(model, sequence.steps), width = targets_of(model, options);
  for (int answer = 0; answer < answers; ++answer) {
    const int i = step_of_answer(model, answer);
    if (by_class(options, sequence)) {
      if (sequence.classes[i] >= 0) add(sequence.classes[i]);
      continue;
    }
    const float* const values = sequence.values + ptrdiff_t(i) * width + goal.target;
    for (int k = 0; k < goal.targets; ++k)
      if (!is_nan(values[k]))
        add(goal.loss == SLUICE_CROSS_ENTROPY ? class_of(values[k]) : values[k] >= 0.5f);
  }
  if (options.sum_over_steps && sum.count) sum.weight = 1.0;
  return sum;
}

int targets_of(const OpenModel& model, const sluice_train_options& options) {
  const Goal last = goal_of(model, options, goals_of(model, options) - 1);
  return last.target + last.targets;
}

ShardLoss shard_loss(const OpenModel& model, const sluice_train_options& options,
                     const Shard& shard, const sluice_sequence* batch, const float* scales,
                     float* y, float* dy) {
  const int units = padded(int(model.header().outputs)), n = shard.sequences,
            width = targets_of(model, options);
  const int rows = answers_every_step(model) ? shard.steps * n : n;
  memset(dy, 0, size_t(rows) * size_t(units) * sizeof(float));
  ShardLoss sum{0.0, 0, 0};
  for (uint32_t g = 0; g < goals_of(model, options); ++g) {
    const Goal goal = goal_of(model, options, g);
    ShardLoss own{0.0, 0, 0};
    for (int row = 0; row < rows; ++row) {
      const int s = row % n, t = row / n;
      if (t >= shard.length[s]) continue;
      const int step = step_of_answer(model, t);
      const sluice_sequence& sequence = batch[shard.index[s]];
      const ptrdiff_t at = ptrdiff_t(row) * units + goal.first;
      Row r{*model.kernels, options, own};
      r.kind = goal.loss;
      r.outputs = goal.outputs, r.units = units;
      r.scale = scales[g];
      r.y = y + at, r.dy = dy + at;
      if (by_class(options, sequence)) {
        class_row(r, sequence.classes[step]);
        continue;
      }
      const float* const values = sequence.values + ptrdiff_t(step) * width + goal.target;
      if (goal.loss == SLUICE_CROSS_ENTROPY)
        class_row(r, class_of(*values));
      else
        values_row(r, values);
    }
    sum.sum += options.answers ? own.sum * double(scales[g]) : own.sum;
    sum.targets += own.targets, sum.correct += own.correct;
  }
  return sum;
}

}  // namespace sluice
