// From a batch's gradient to new weights: penalties, clipping, schedule, optimizer, proximal step, in this order.
#include "train.h"

namespace sluice {
namespace {

constexpr uint64_t chunk = 1u << 14;  ///< floats of a task

/// Calls f once for every array that learns.
template <class F>
void for_each_trained(const OpenModel& model, const sluice_train_options& options, F f) {
  for (uint32_t i = 0; i < model.layer_count; ++i)
    if (!is_frozen(options, i) && !tied_to_earlier(model, i))
      for_each_array(model.layers[i], [&](const Weights& a) {
        if (a.trained) f(a);
      });
}

double square_root(double x) { return __builtin_sqrt(x); }

/// One array's update. A task takes a chunk of it.
struct UpdateTask {
  const Kernels& kernels;
  uint32_t optimizer;
  AdamStep adam;
  SgdStep sgd;
  RmsStep rms;
  float shrink;  ///< the proximal step; 0: none
  float *w, *m, *v;
  const float* g;
  uint64_t n;

  static void run(void* argument, uint32_t i) {
    const UpdateTask& t = *static_cast<UpdateTask*>(argument);
    const uint64_t at = i * chunk, n = t.n - at < chunk ? t.n - at : chunk;
    if (t.optimizer == SLUICE_SGD)
      t.kernels.sgd_f32(t.sgd, t.w + at, t.g + at, t.m + at, size_t(n));
    else if (t.optimizer == SLUICE_RMSPROP)
      t.kernels.rms_f32(t.rms, t.w + at, t.g + at, t.v + at, size_t(n));
    else
      t.kernels.adam_f32(t.adam, t.w + at, t.g + at, t.m + at, t.v + at, size_t(n));
    if (t.shrink > 0.0f) t.kernels.shrink_f32(t.shrink, t.w + at, size_t(n));
  }
};

double power(double base, uint64_t n) {
  double result = 1.0;
  for (; n; n >>= 1, base *= base)
    if (n & 1) result *= base;
  return result;
}

/// From `begin` to `end` along half a cosine, done in [0, 1].
double along_cosine(double begin, double end, double done) { return end + (begin - end) * (0.5 * (1.0 + cos_pi(done))); }

double one_cycle(double rate, double step, double total) {
  constexpr double start_share = 1.0 / 25, end_share = 1e-4, rising = 0.3;
  const double top = rising * total - 1.0, bottom = total - 1.0, start = rate * start_share;
  if (step < top) return along_cosine(start, rate, step / top);
  return along_cosine(rate, start * end_share, step >= bottom ? 1.0 : (step - top) / (bottom - top));
}

double scheduled(const sluice_train_options& options, uint64_t step) {
  const double rate = double(options.learning_rate);
  switch (options.schedule) {
    case SLUICE_COSINE:
      return along_cosine(rate, 0.0, step >= options.total_steps ? 1.0 : double(step) / double(options.total_steps));
    case SLUICE_STEPS:
      return rate * power(double(options.schedule_factor), step / options.schedule_every);
    case SLUICE_ONE_CYCLE:
      return one_cycle(rate, double(step), double(options.total_steps));
    default:
      return rate;
  }
}

}  // namespace

double learning_rate(const sluice_train_options& options, const Update& update) {
  const uint64_t step = update.step;
  const double rate = scheduled(options, step) * update.rate_factor;
  return step + 1 < options.warmup_steps ? rate * (double(step + 1) / double(options.warmup_steps)) : rate;
}

GradientNorm penalize(const OpenModel& model, const sluice_train_options& options, const Parameters& p) {
  const Kernels& kernels = *model.kernels;
  double sum = 0.0, clipped = 0.0;
  for_each_trained(model, options, [&](const Weights& array) {
    float* const g = p.gradient_at(array.offset);
    if (array.matrix && options.l2 > 0.0f)
      kernels.scaled_add_f32(2.0f * options.l2, reinterpret_cast<const float*>(p.base + array.offset), g,
                             size_t(elements(array)));
    if (array.matrix && options.l1 > 0.0f && !options.proximal)
      kernels.sign_add_f32(options.l1, reinterpret_cast<const float*>(p.base + array.offset), g, size_t(elements(array)));
    sum += kernels.square_sum_f32(g, size_t(elements(array)));
    if (options.clip_value == 0.0f) return;
    kernels.clip_f32(options.clip_value, g, size_t(elements(array)));
    clipped += kernels.square_sum_f32(g, size_t(elements(array)));
  });
  return {square_root(sum), square_root(options.clip_value > 0.0f ? clipped : sum)};
}

void update_weights(const OpenModel& model, const sluice_train_options& options, const Parameters& p, const sluice_host* host,
                    double norm, Update& update, uint8_t* weights, float* first, float* second) {
  const double rate = learning_rate(options, update);
  update.step += 1;
  update.beta1_power *= double(options.beta1);
  update.beta2_power *= double(options.beta2);

  const float scale =
      options.clip_norm > 0.0f && norm > double(options.clip_norm) ? float(double(options.clip_norm) / norm) : 1.0f;
  AdamStep adam;
  adam.gradient_scale = scale;
  adam.beta1 = options.beta1, adam.beta2 = options.beta2;
  adam.one_minus_beta1 = float(1.0 - double(options.beta1));
  adam.one_minus_beta2 = float(1.0 - double(options.beta2));
  adam.step_size = float(rate / (1.0 - update.beta1_power));
  adam.root_scale = float(1.0 / square_root(1.0 - update.beta2_power));
  adam.epsilon = options.epsilon;
  SgdStep sgd{scale, 1.0f, options.momentum, float(rate), options.nesterov != 0};
  RmsStep rms{scale, 1.0f, options.alpha, float(1.0 - double(options.alpha)), float(rate), options.epsilon};
  const float decay = float(1.0 - rate * double(options.optimizer == SLUICE_ADAM ? 0.0f : options.weight_decay));
  const float shrink = options.proximal ? float(rate * double(options.l1)) : 0.0f;

  for_each_trained(model, options, [&](const Weights& array) {
    adam.keep = sgd.keep = rms.keep = array.matrix ? decay : 1.0f;
    const uint32_t at = (array.offset - p.section_begin) / uint32_t(sizeof(float));
    UpdateTask task{*model.kernels,
                    options.optimizer,
                    adam,
                    sgd,
                    rms,
                    array.matrix ? shrink : 0.0f,
                    reinterpret_cast<float*>(weights + array.offset),
                    first + at,
                    second + at,
                    p.gradient_at(array.offset),
                    elements(array)};
    spread(host, uint32_t((task.n + chunk - 1) / chunk), UpdateTask::run, &task);
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
