// Networks in fixed point, one number at a time, from the written arithmetic alone; shares nothing with the runtime.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace sluice::tests::fixed {

enum Mode { int8, w8a16 };

inline void require(bool holds, const char* what) {
  if (!holds) throw std::logic_error(what);
}

/// The quotient rounded down, also below zero; divisor > 0.
inline int64_t floor_div(int64_t a, int64_t divisor) {
  const int64_t quotient = a / divisor;
  return a % divisor < 0 ? quotient - 1 : quotient;
}

/// The number from -2^31 to 2^31 - 1 that is congruent to a modulo 2^32.
inline int32_t wrapped(int64_t a) {
  const int64_t modulus = int64_t{1} << 32;
  int64_t rest = a % modulus;
  if (rest < 0) rest += modulus;
  if (rest >= modulus / 2) rest -= modulus;
  return int32_t(rest);
}

inline int64_t magnitude(int64_t u) { return u < 0 ? -u : u; }

/// One row times the values, and the bias.
inline int32_t accumulate(int32_t bias, const int8_t* row, const std::vector<int32_t>& values) {
  int32_t a = bias;
  for (size_t k = 0; k < values.size(); ++k) a = wrapped(int64_t{a} + int64_t{row[k]} * values[k]);
  return a;
}

/// R(a, s, m).
inline int32_t requantize(int32_t a, int s, int32_t m) {
  require(s >= 0 && s <= 30, "a shift outside 0 to 30");
  const int64_t shifted = wrapped(int64_t{a} * (int64_t{1} << s));
  return int32_t(floor_div(shifted * m + (int64_t{1} << 31), int64_t{1} << 32));  // -2^30 to 2^30
}

/// The curve of the document: sixteen cubics, C0 to C3 of each.
constexpr int64_t cubics[16][4] = {
    {524288, 174877, -594, -5718}, {692854, 156927, -18101, -1846}, {829835, 115523, -23109, 1334},
    {923584, 73400, -18670, 2138}, {980452, 42433, -12130, 1704},   {1012459, 23218, -7038, 1078},
    {1029717, 12327, -3849, 614},  {1038809, 6440, -2042, 332},     {1043539, 3336, -1066, 175},
    {1045984, 1721, -552, 91},     {1047244, 886, -285, 47},        {1047892, 455, -146, 24},
    {1048225, 234, -75, 13},       {1048396, 120, -39, 6},          {1048484, 62, -20, 3},
    {1048530, 32, -10, 2}};

/// L(p), 0 <= p <= 131071; in units of 2^-20.
inline int64_t curve(int64_t p) {
  require(p >= 0 && p <= 131071, "an argument outside the curve");
  const int64_t* const c = cubics[p / 8192];
  const int64_t f = p % 8192;
  int64_t sum = c[3];
  for (int k = 2; k >= 0; --k) sum = c[k] + floor_div(sum * f, 8192);
  return sum;
}

inline int32_t sigmoid(int32_t u) {
  const int64_t s = floor_div(curve(std::min<int64_t>(3 * magnitude(u), 131071)) + 16, 32);
  return int32_t(u >= 0 ? s : 32768 - s);
}

inline int32_t tanh(int32_t u) {
  const int64_t t = floor_div(curve(std::min<int64_t>(6 * magnitude(u), 131071)) - 524288 + 8, 16);
  return int32_t(u >= 0 ? t : -t);
}

/// What enters a product of a state, or of what a layer before hands on.
inline int32_t narrowed(Mode mode, int16_t h) {
  return mode == int8 ? int32_t(std::min<int64_t>(floor_div(int64_t{h} + 128, 256), 127)) : h;
}

inline std::vector<int32_t> narrowed(Mode mode, const std::vector<int16_t>& h) {
  std::vector<int32_t> v;
  for (const int16_t one : h) v.push_back(narrowed(mode, one));
  return v;
}

/// Weights [3][hidden][in] and [3][hidden][hidden], vectors [3][hidden]; the gates in the order r, z, n.
struct Gru {
  Mode mode;
  int in, hidden;
  std::vector<int8_t> w_ih, w_hh;
  std::vector<int32_t> b_ih, b_hh, m_ih, m_hh;
  int s_ih, s_hh;
};

/// One step; v: the numbers that enter the product over the inputs. All units see the state from before the step.
inline void step(const Gru& gru, const std::vector<int32_t>& v, std::vector<int16_t>& h) {
  const size_t in = size_t(gru.in), hidden = size_t(gru.hidden), rows = 3 * hidden;
  require(v.size() == in && h.size() == hidden, "a frame or a state of the wrong size");
  require(gru.w_ih.size() == rows * in && gru.w_hh.size() == rows * hidden, "weights of the wrong size");
  require(gru.b_ih.size() == rows && gru.b_hh.size() == rows, "biases of the wrong size");
  require(gru.m_ih.size() == rows && gru.m_hh.size() == rows, "multipliers of the wrong size");
  const std::vector<int32_t> state = narrowed(gru.mode, h);
  std::vector<int64_t> x(rows), y(rows);  // of the input and of the state, in units of 2^-12
  for (size_t row = 0; row < rows; ++row) {
    x[row] = requantize(accumulate(gru.b_ih[row], gru.w_ih.data() + row * in, v), gru.s_ih, gru.m_ih[row]);
    y[row] = requantize(accumulate(gru.b_hh[row], gru.w_hh.data() + row * hidden, state), gru.s_hh, gru.m_hh[row]);
  }
  for (size_t j = 0; j < hidden; ++j) {
    const int64_t r = sigmoid(wrapped(x[j] + y[j]));
    const int64_t z = sigmoid(wrapped(x[hidden + j] + y[hidden + j]));
    const int64_t g = std::clamp<int64_t>(y[2 * hidden + j], -65536, 65535);
    const int64_t n = tanh(wrapped(x[2 * hidden + j] + floor_div(r * g + 16384, 32768)));
    const int64_t next = n + floor_div(z * (h[j] - n) + 16384, 32768);
    require(next >= -32768 && next <= 32767, "a state that leaves 16 bits");
    h[j] = int16_t(next);
  }
}

/// Weights [out][in], vectors [out].
struct Dense {
  enum Activation { linear, tanh, sigmoid, relu, softmax };
  int in, out;
  std::vector<int8_t> w;
  std::vector<int32_t> b, m;
  int s;
  Activation activation;
  bool last;
};

/// v: the numbers that enter the product. Of a last layer with sigmoid or softmax, the logits.
inline std::vector<int16_t> run(const Dense& dense, const std::vector<int32_t>& v) {
  const size_t in = size_t(dense.in), out = size_t(dense.out);
  require(v.size() == in && dense.w.size() == out * in, "a frame or weights of the wrong size");
  require(dense.b.size() == out && dense.m.size() == out, "biases or multipliers of the wrong size");
  require(dense.last || dense.activation != Dense::softmax, "softmax in front of another layer");
  std::vector<int16_t> y;
  for (size_t row = 0; row < out; ++row) {
    int32_t value = requantize(accumulate(dense.b[row], dense.w.data() + row * in, v), dense.s, dense.m[row]);
    if (dense.activation == Dense::tanh)
      value = tanh(value);
    else if (dense.activation == Dense::sigmoid && !dense.last)
      value = sigmoid(value);
    else
      value = std::clamp(value, dense.activation == Dense::relu ? 0 : -32768, 32767);
    y.push_back(int16_t(value));
  }
  return y;
}

/// One feature of a frame; lo and hi: the lowest and the highest number of the input's type.
inline int32_t quantize(float x, float inverse, float offset, int32_t lo, int32_t hi) {
  const float product = std::fma(x, inverse, offset);
  const float v = product + 0.5f;
  if (std::isnan(v) || v < float(lo)) return lo;
  if (v > float(hi)) return hi;
  return int32_t(std::floor(v));
}

/// One output that no function follows.
inline float dequantize(int16_t y, float scale) { return float(y) * scale; }

}  // namespace sluice::tests::fixed
