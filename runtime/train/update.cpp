// From a batch's gradient to new weights: penalties, clipping, schedule, Adam and AdamW, in this order.
#include "train.h"

namespace sluice {
namespace {

constexpr uint64_t chunk = 1u << 14;  ///< floats of a task

/// Calls f for every trained array of the model.
template <class F>
void for_each_trained(const OpenModel& model, F f) {
  for (uint32_t i = 0; i < model.layer_count; ++i) {
    Weights arrays[4];
    const int n = layer_weights(model.layers[i], arrays);
    for (int a = 0; a < n; ++a)
      if (arrays[a].trained) f(arrays[a]);
  }
}

double square_root(double x) { return __builtin_sqrt(x); }

struct AdamTask {
  const Kernels& kernels;
  AdamStep step;
  float *w, *m, *v;
  const float* g;
  uint64_t n;

  static void run(void* argument, uint32_t i) {
    const AdamTask& t = *static_cast<AdamTask*>(argument);
    const uint64_t at = i * chunk, n = t.n - at < chunk ? t.n - at : chunk;
    t.kernels.adam_f32(t.step, t.w + at, t.g + at, t.m + at, t.v + at, size_t(n));
  }
};

}  // namespace

double learning_rate(const sluice_train_options& options, uint64_t step) {
  const double rate = double(options.learning_rate);
  if (options.schedule == SLUICE_CONSTANT) return rate;
  const double done = step >= options.total_steps ? 1.0 : double(step) / double(options.total_steps);
  return rate * (0.5 * (1.0 + cos_pi(done)));
}

double penalize(const OpenModel& model, const sluice_train_options& options, const Parameters& p) {
  const Kernels& kernels = *model.kernels;
  double sum = 0.0;
  for_each_trained(model, [&](const Weights& array) {
    float* const g = p.gradient_at(array.offset);
    if (array.matrix && options.l2 > 0.0f)
      kernels.scaled_add_f32(2.0f * options.l2, reinterpret_cast<const float*>(p.base + array.offset), g,
                             size_t(elements(array)));
    sum += kernels.square_sum_f32(g, size_t(elements(array)));
  });
  return square_root(sum);
}

void update_weights(const OpenModel& model, const sluice_train_options& options, const Parameters& p, const sluice_host* host,
                    double norm, Update& update, uint8_t* weights, float* first, float* second) {
  const double rate = learning_rate(options, update.step);
  update.step += 1;
  update.beta1_power *= double(options.beta1);
  update.beta2_power *= double(options.beta2);

  AdamStep step;
  step.gradient_scale =
      options.clip_norm > 0.0f && norm > double(options.clip_norm) ? float(double(options.clip_norm) / norm) : 1.0f;
  step.beta1 = options.beta1, step.beta2 = options.beta2;
  step.one_minus_beta1 = float(1.0 - double(options.beta1));
  step.one_minus_beta2 = float(1.0 - double(options.beta2));
  step.step_size = float(rate / (1.0 - update.beta1_power));
  step.root_scale = float(1.0 / square_root(1.0 - update.beta2_power));
  step.epsilon = options.epsilon;
  const float decay = options.optimizer == SLUICE_ADAMW ? float(1.0 - rate * double(options.weight_decay)) : 1.0f;

  for_each_trained(model, [&](const Weights& array) {
    step.keep = array.matrix ? decay : 1.0f;
    const uint32_t at = (array.offset - p.section_begin) / uint32_t(sizeof(float));
    AdamTask task{*model.kernels, step,        reinterpret_cast<float*>(weights + array.offset),
                  first + at,     second + at, p.gradient_at(array.offset),
                  elements(array)};
    spread(host, uint32_t((task.n + chunk - 1) / chunk), AdamTask::run, &task);
  });
}

void spread(const sluice_host* host, uint32_t n, void (*task)(void*, uint32_t), void* argument) {
  if (host && host->parallel_for && n > 1) {
    host->parallel_for(host->context, n, task, argument);
  } else {
    for (uint32_t i = 0; i < n; ++i) task(argument, i);
  }
}

}  // namespace sluice
