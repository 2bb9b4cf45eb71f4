// Elementwise operations, the sum of squares, and the optimizer steps. kernels.h has the formulas
// and the order of each sum.
#ifndef SLUICE_F32_REDUCE_H
#define SLUICE_F32_REDUCE_H

#include "../kernels.h"
#include "../sweep.h"

namespace sluice {
namespace {

template <class Set>
void standardize_f32(const float* x, const float* mean, const float* scale, float* y, int n) {
  sweep<Set>(size_t(n), [=](auto make, size_t i) {
    store(y + i, (make.load(x + i) - make.load(mean + i)) * make.load(scale + i));
  });
}

template <class Set>
void normalize_f32(const float* x, const float* mean, const float* scale, const float* shift,
                   float* y, int n) {
  sweep<Set>(size_t(n), [=](auto make, size_t i) {
    store(y + i,
          fma(make.load(x + i) - make.load(mean + i), make.load(scale + i), make.load(shift + i)));
  });
}

template <class Set>
float layer_norm_f32(const float* x, float epsilon, const float* scale, const float* shift,
                     float* u, float* y, int n) {
  One sum = Make<One>::set(0.0f), squares = sum;
  for (int i = 0; i < n; ++i) sum = sum + Make<One>::load(x + i);
  const One mean = sum / Make<One>::set(float(n));
  for (int i = 0; i < n; ++i) {
    const One d = Make<One>::load(x + i) - mean;
    squares = fma(d, d, squares);
  }
  const One r =
      Make<One>::set(1.0f) / sqrt(squares / Make<One>::set(float(n)) + Make<One>::set(epsilon));
  sweep<Set>(size_t(n), [=](auto make, size_t i) {
    const auto normal = (make.load(x + i) - make.set(mean.v)) * make.set(r.v);
    if (u) store(u + i, normal);
    store(y + i, fma(normal, make.load(scale + i), make.load(shift + i)));
  });
  return r.v;
}

template <class Set>
void add_f32(const float* x, float* y, size_t n) {
  sweep<Set>(n, [=](auto make, size_t i) { store(y + i, make.load(y + i) + make.load(x + i)); });
}

template <class Set>
void multiply_f32(const float* x, float* y, size_t n) {
  sweep<Set>(n, [=](auto make, size_t i) { store(y + i, make.load(y + i) * make.load(x + i)); });
}

template <class Set>
void scaled_add_f32(float factor, const float* x, float* y, size_t n) {
  sweep<Set>(n, [=](auto make, size_t i) {
    store(y + i, fma(make.set(factor), make.load(x + i), make.load(y + i)));
  });
}

constexpr int square_chains = 16;
constexpr size_t square_block = 1024;

template <class Set>
inline float square_sum_of_block(const float* x, size_t n) {
  using V = typename Set::Wide;
  constexpr int parts = square_chains / V::width;
  V sum[parts];
  for (int p = 0; p < parts; ++p) sum[p] = Make<V>::set(0.0f);
  size_t i = 0;
  for (; i + square_chains <= n; i += square_chains)
    for (int p = 0; p < parts; ++p) {
      const V v = Make<V>::load(x + i + p * V::width);
      sum[p] = fma(v, v, sum[p]);
    }
  float chain[square_chains];
  for (int p = 0; p < parts; ++p) store(chain + p * V::width, sum[p]);
  for (int c = 0; i < n; ++i, ++c) chain[c] = __builtin_fmaf(x[i], x[i], chain[c]);
  for (int half = square_chains / 2; half >= 1; half /= 2)
    for (int c = 0; c < half; ++c) chain[c] += chain[c + half];
  return chain[0];
}

template <class Set>
double square_sum_f32(const float* x, size_t n) {
  double sum = 0.0;
  for (size_t i = 0; i < n; i += square_block)
    sum += double(square_sum_of_block<Set>(x + i, n - i < square_block ? n - i : square_block));
  return sum;
}

template <class Set>
void adam_f32(const AdamStep& step, float* w, const float* g, float* m, float* v, size_t n) {
  const AdamStep s = step;
  sweep<Set>(n, [=](auto make, size_t i) {
    const auto gradient = make.load(g + i) * make.set(s.gradient_scale);
    const auto first =
        fma(make.set(s.beta1), make.load(m + i), make.set(s.one_minus_beta1) * gradient);
    const auto second = fma(make.set(s.beta2), make.load(v + i),
                            (make.set(s.one_minus_beta2) * gradient) * gradient);
    store(m + i, first);
    store(v + i, second);
    const auto root = fma(sqrt(second), make.set(s.root_scale), make.set(s.epsilon));
    store(w + i, make.load(w + i) * make.set(s.keep) - (make.set(s.step_size) * first) / root);
  });
}

template <class Set>
void sgd_f32(const SgdStep& step, float* w, const float* g, float* m, size_t n) {
  const SgdStep s = step;
  sweep<Set>(n, [=](auto make, size_t i) {
    const auto gradient = make.load(g + i) * make.set(s.gradient_scale);
    const auto velocity = fma(make.set(s.momentum), make.load(m + i), gradient);
    store(m + i, velocity);
    const auto direction = s.nesterov ? fma(make.set(s.momentum), velocity, gradient) : velocity;
    store(w + i, make.load(w + i) * make.set(s.keep) - make.set(s.rate) * direction);
  });
}

template <class Set>
void rms_f32(const RmsStep& step, float* w, const float* g, float* v, size_t n) {
  const RmsStep s = step;
  sweep<Set>(n, [=](auto make, size_t i) {
    const auto gradient = make.load(g + i) * make.set(s.gradient_scale);
    const auto square = fma(make.set(s.alpha), make.load(v + i),
                            (make.set(s.one_minus_alpha) * gradient) * gradient);
    store(v + i, square);
    store(w + i, make.load(w + i) * make.set(s.keep) -
                     (make.set(s.rate) * gradient) / (sqrt(square) + make.set(s.epsilon)));
  });
}

template <class Set>
void sign_add_f32(float factor, const float* x, float* y, size_t n) {
  sweep<Set>(n, [=](auto make, size_t i) {
    const auto value = make.load(x + i), before = make.load(y + i), zero = make.set(0.0f),
               f = make.set(factor);
    store(y + i, select(zero < value, before + f, select(value < zero, before - f, before)));
  });
}

template <class Set>
void clip_f32(float limit, float* x, size_t n) {
  sweep<Set>(n, [=](auto make, size_t i) {
    const auto value = make.load(x + i), high = make.set(limit), low = make.set(-limit);
    store(x + i, select(high < value, high, select(value < low, low, value)));
  });
}

template <class Set>
void shrink_f32(float threshold, float* x, size_t n) {
  sweep<Set>(n, [=](auto make, size_t i) {
    const auto value = make.load(x + i), high = make.set(threshold), low = make.set(-threshold);
    // value - value is 0, or NaN if value is NaN.
    store(x + i,
          select(high < value, value - high, select(value < low, value - low, value - value)));
  });
}

}  // namespace
}  // namespace sluice

#endif
