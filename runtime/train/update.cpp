// Computes new weights from a batch's gradient: penalties, clipping, schedule, optimizer, proximal
// step, in this order.
#include "train.h"

namespace sluice {
namespace {

constexpr uint64_t chunk = 1u << 14;  ///< floats of a task

/// An array that is trained.
struct Trained : Weights {
  uint32_t group;
};

/// Calls f once for every trained array.
template <class F>
void for_each_trained(const OpenModel& model, const sluice_train_options& options, F f) {
  for (uint32_t i = 0; i < model.layer_count; ++i)
    if (!is_frozen(options, i) && !tied_to_earlier(model, i))
      for_each_array(model.layers[i], [&](const Weights& a) {
        if (a.trained) f(Trained{a, uint32_t(group_of(model.layers[i].kind, a.role))});
      });
}

double square_root(double x) { return __builtin_sqrt(x); }

/// The update of one array, a chunk a task.
struct UpdateTask {
  const Kernels& kernels;
  uint32_t optimizer;
  AdamStep adam;
  SgdStep sgd;
  RmsStep rms;
  float shrink = 0.0f;  ///< the proximal step; 0: none
  float *w = nullptr, *m = nullptr, *v = nullptr;
  const float *g = nullptr, *mask = nullptr;
  uint64_t n = 0;

  void piece(size_t at, size_t count) const {
    if (optimizer == SLUICE_SGD)
      kernels.sgd_f32(sgd, w + at, g + at, m + at, count);
    else if (optimizer == SLUICE_RMSPROP)
      kernels.rms_f32(rms, w + at, g + at, v + at, count);
    else
      kernels.adam_f32(adam, w + at, g + at, m + at, v + at, count);
    if (shrink > 0.0f) kernels.shrink_f32(shrink, w + at, count);
    for (size_t i = at; mask && i < at + count; ++i) w[i] *= mask[i];
  }

  static void run(void* argument, uint32_t i) {
    const UpdateTask& t = *static_cast<UpdateTask*>(argument);
    const uint64_t at = i * chunk, n = t.n - at < chunk ? t.n - at : chunk;
    t.piece(size_t(at), size_t(n));
  }
};

/// Returns whether only the rows of ids that occur in a batch are updated.
bool by_rows(const Trained& array, const sluice_train_options& options) {
  return array.group == SLUICE_EMBEDDING_WEIGHTS && options.embedding_rows;
}

/// Calls f(first, count) for the parts of an array that a batch updates: all of it, or of an
/// embedding the rows of the ids that occur in the batch.
template <class F>
void for_each_piece(const Trained& array, const sluice_train_options& options,
                    const uint8_t* batch_ids, F f) {
  if (!by_rows(array, options)) return f(0, size_t(elements(array)));
  const int rows = padded_rows(array);
  for (int id = 0; id < array.cols; ++id)
    for (int row = 0; batch_ids[id] && row < rows; row += strip_rows)
      f(packed_index(rows, array.cols, row, id),
        size_t(rows - row < strip_rows ? rows - row : strip_rows));
}

/// Scales down to the limit every row of a matrix, or every id's vector of an embedding, whose norm
/// is above it. A bias is one row.
void limit_norms(const Trained& array, float limit, float* w) {
  const bool by_id = array.group == SLUICE_EMBEDDING_WEIGHTS || !is_matrix(array.role);
  const int rows = padded_rows(array), outer = by_id ? array.cols : rows,
            inner = by_id ? rows : array.cols;
  for (int i = 0; i < outer; ++i) {
    double square = 0.0;
    const auto at = [&](int j) -> float& {
      return w[by_id ? packed_index(rows, array.cols, j, i) : packed_index(rows, array.cols, i, j)];
    };
    for (int j = 0; j < inner; ++j) square += double(at(j)) * double(at(j));
    if (square <= double(limit) * double(limit)) continue;
    const float scale = float(double(limit) / square_root(square));
    for (int j = 0; j < inner; ++j) at(j) *= scale;
  }
}

/// Returns base ^ n, by multiplications alone, so that the bits are the same everywhere.
double power(double base, uint64_t n) {
  double result = 1.0;
  for (; n; n >>= 1, base *= base)
    if (n & 1) result *= base;
  return result;
}

/// Returns a number between `begin` and `end` along half a cosine, at `done` in [0, 1].
double along_cosine(double begin, double end, double done) {
  return end + (begin - end) * (0.5 * (1.0 + cos_pi(done)));
}

double one_cycle(double rate, double step, double total) {
  constexpr double start_share = 1.0 / 25, end_share = 1e-4, rising = 0.3;
  const double top = rising * total - 1.0, bottom = total - 1.0, start = rate * start_share;
  if (step < top) return along_cosine(start, rate, step / top);
  return along_cosine(rate, start * end_share,
                      step >= bottom ? 1.0 : (step - top) / (bottom - top));
}

double scheduled(const sluice_train_options& options, uint64_t step) {
  const double rate = double(options.learning_rate);
  switch (options.schedule) {
    case SLUICE_COSINE:
      return along_cosine(
          rate, 0.0,
          step >= options.total_steps ? 1.0 : double(step) / double(options.total_steps));
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
  return step + 1 < options.warmup_steps ? rate * (double(step + 1) / double(options.warmup_steps))
                                         : rate;
}

sluice_penalty penalty_of(const sluice_train_options& options, uint32_t group) {
  if (options.penalties) return options.penalties[group];
  return group == SLUICE_BIASES
             ? sluice_penalty{}
             : sluice_penalty{options.l1, options.l2, options.weight_decay, 0.0f};
}

GradientNorm penalize(const OpenModel& model, const sluice_train_options& options,
                      const Parameters& p, const uint8_t* batch_ids) {
  const Kernels& kernels = *model.kernels;
  double sum = 0.0, clipped = 0.0;
  for_each_trained(model, options, [&](const Trained& array) {
    const sluice_penalty penalty = penalty_of(options, array.group);
    float* const g = p.gradient_at(array.offset);
    const auto* const w = reinterpret_cast<const float*>(p.base + array.offset);
    for_each_piece(array, options, batch_ids, [&](size_t at, size_t n) {
      if (penalty.l2 > 0.0f) kernels.scaled_add_f32(2.0f * penalty.l2, w + at, g + at, n);
      if (penalty.l1 > 0.0f && !options.proximal)
        kernels.sign_add_f32(penalty.l1, w + at, g + at, n);
    });
    sum += kernels.square_sum_f32(g, size_t(elements(array)));
    if (options.clip_value == 0.0f) return;
    kernels.clip_f32(options.clip_value, g, size_t(elements(array)));
    clipped += kernels.square_sum_f32(g, size_t(elements(array)));
  });
  return {square_root(sum), square_root(options.clip_value > 0.0f ? clipped : sum)};
}

void update_weights(const OpenModel& model, const sluice_train_options& options,
                    const Parameters& p, const sluice_host* host, double norm, Update& update,
                    const uint8_t* batch_ids, uint8_t* weights, float* first, float* second) {
  const double rate = learning_rate(options, update);
  update.step += 1;
  update.beta1_power *= double(options.beta1);
  update.beta2_power *= double(options.beta2);

  const float scale = options.clip_norm > 0.0f && norm > double(options.clip_norm)
                          ? float(double(options.clip_norm) / norm)
                          : 1.0f;
  AdamStep adam;
  adam.gradient_scale = scale;
  adam.beta1 = options.beta1, adam.beta2 = options.beta2;
  adam.one_minus_beta1 = float(1.0 - double(options.beta1));
  adam.one_minus_beta2 = float(1.0 - double(options.beta2));
  adam.step_size = float(rate / (1.0 - update.beta1_power));
  adam.root_scale = float(1.0 / square_root(1.0 - update.beta2_power));
  adam.epsilon = options.epsilon;
  SgdStep sgd{scale, 1.0f, options.momentum, float(rate), options.nesterov != 0};
  RmsStep rms{scale,       1.0f,           options.alpha, float(1.0 - double(options.alpha)),
              float(rate), options.epsilon};

  for_each_trained(model, options, [&](const Trained& array) {
    const sluice_penalty penalty = penalty_of(options, array.group);
    const double decay = options.optimizer == SLUICE_ADAM ? 0.0 : double(penalty.weight_decay);
    adam.keep = sgd.keep = rms.keep = float(1.0 - rate * decay);
    const uint32_t at = (array.offset - p.section_begin) / uint32_t(sizeof(float));
    auto* const w = reinterpret_cast<float*>(weights + array.offset);
    UpdateTask task{*model.kernels, options.optimizer, adam, sgd, rms};
    if (options.proximal) task.shrink = float(rate * double(penalty.l1));
    task.w = w, task.m = first + at, task.v = second + at;
    task.g = p.gradient_at(array.offset);
    if (options.mask) task.mask = options.mask + at;
    task.n = elements(array);
    if (!by_rows(array, options)) {
      run_tasks(host, uint32_t((task.n + chunk - 1) / chunk), UpdateTask::run, &task);
    } else {
      for_each_piece(array, options, batch_ids,
                     [&](size_t from, size_t n) { task.piece(from, n); });
    }
    if (penalty.max_norm > 0.0f) limit_norms(array, penalty.max_norm, w);
  });
}

void run_tasks(const sluice_host* host, uint32_t n, void (*task)(void*, uint32_t), void* argument) {
  if (host && host->parallel_for && n > 1) {
    host->parallel_for(host->context, n, task, argument);
  } else {
    for (uint32_t i = 0; i < n; ++i) task(argument, i);
  }
}

}  // namespace sluice
