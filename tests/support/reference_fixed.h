// Computes networks in fixed point, one number at a time, from the written arithmetic alone. Shares
// nothing with the runtime.
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

/// Returns the quotient rounded down, also below zero. Requires divisor > 0.
inline int64_t floor_div(int64_t a, int64_t divisor) {
  const int64_t quotient = a / divisor;
  return a % divisor < 0 ? quotient - 1 : quotient;
}

/// Returns the number from -2^31 to 2^31 - 1 that is congruent to a modulo 2^32.
inline int32_t wrapped(int64_t a) {
  const int64_t modulus = int64_t{1} << 32;
  int64_t rest = a % modulus;
  if (rest < 0) rest += modulus;
  if (rest >= modulus / 2) rest -= modulus;
  return int32_t(rest);
}

inline int64_t magnitude(int64_t u) { return u < 0 ? -u : u; }

/// Returns the bias plus one row times the values.
inline int32_t accumulate(int32_t bias, const int8_t* row, const std::vector<int32_t>& values) {
  int32_t a = bias;
  for (size_t k = 0; k < values.size(); ++k) a = wrapped(int64_t{a} + int64_t{row[k]} * values[k]);
  return a;
}

/// R(a, s, m).
inline int32_t requantize(int32_t a, int s, int32_t m) {
  if (s < 0 || s > 30) throw std::logic_error("a shift outside 0 to 30");
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

/// Returns the form in which a state, or the output of an earlier layer, enters a product.
inline int32_t narrowed(Mode mode, int16_t h) {
  return mode == int8 ? int32_t(std::min<int64_t>(floor_div(int64_t{h} + 128, 256), 127)) : h;
}

inline std::vector<int32_t> narrowed(Mode mode, const std::vector<int16_t>& h) {
  std::vector<int32_t> v;
  for (const int16_t one : h) v.push_back(narrowed(mode, one));
  return v;
}

/// A factor of low rank: weights [rank][columns], vectors [rank]. Without weights: none.
struct Factor {
  std::vector<int8_t> w = {};
  std::vector<int32_t> b = {}, m = {};
  int s = 0;
};

/// A recurrent layer: weights [gates][hidden][in] and [gates][hidden][hidden], vectors
/// [gates][hidden]. With a factor the weights have as many columns as that has rows.
struct Cell {
  enum Kind { gru, gru_before, lstm, rnn, fastgrnn };
  Kind kind;
  Mode mode;
  int in, hidden;
  std::vector<int8_t> w_ih, w_hh;
  std::vector<int32_t> b_ih, b_hh, m_ih, m_hh;
  int s_ih, s_hh;
  int e;                                    ///< of an LSTM's cell state, or a FastGRNN's state
  std::vector<int32_t> b_z = {}, b_n = {};  ///< of a FastGRNN
  int32_t zeta = 0, nu = 0;
  Factor factor_ih = {}, factor_hh = {};
  bool hard = false;  ///< the gates are a hard sigmoid
  enum Candidate { squashed, linear, relu } candidate = squashed;
  int lift = 0;  ///< of an LSTM, by which h's unit is finer than c's
};

inline int16_t clamped(int64_t value) { return int16_t(std::clamp<int64_t>(value, -32768, 32767)); }

/// A gate of the sum u.
inline int64_t gate_of(const Cell& cell, int32_t u) {
  return cell.hard ? std::clamp<int64_t>(int64_t{u} + 16384, 0, 32767) : sigmoid(u);
}

/// The candidate of the sum u.
inline int64_t candidate_of(const Cell& cell, int32_t u) {
  if (cell.candidate == Cell::squashed) return tanh(u);
  return cell.candidate == Cell::relu ? std::max<int64_t>(clamped(u), 0) : clamped(u);
}

/// Returns the numbers that enter a product of low rank: the factor's product, narrowed; without a
/// factor, v itself.
inline std::vector<int32_t> reduced(Mode mode, const Factor& factor,
                                    const std::vector<int32_t>& v) {
  if (factor.w.empty()) return v;
  require(factor.w.size() == factor.b.size() * v.size() && factor.m.size() == factor.b.size(),
          "a factor of the wrong size");
  std::vector<int32_t> y;
  for (size_t row = 0; row < factor.b.size(); ++row) {
    const int32_t sum = accumulate(factor.b[row], factor.w.data() + row * v.size(), v);
    y.push_back(narrowed(
        mode, int16_t(std::clamp(requantize(sum, factor.s, factor.m[row]), -32768, 32767))));
  }
  return y;
}

/// Returns the form of a state, or of r * h, in its product.
inline std::vector<int32_t> in_product(const Cell& cell, const std::vector<int16_t>& h) {
  return reduced(cell.mode, cell.factor_hh, narrowed(cell.mode, h));
}

inline int gates_of(Cell::Kind kind) {
  return kind == Cell::lstm ? 4 : kind == Cell::rnn || kind == Cell::fastgrnn ? 1 : 3;
}

/// In units of 2^-12.
inline int64_t over_input(const Cell& cell, size_t row, const std::vector<int32_t>& v) {
  return requantize(accumulate(cell.b_ih[row], cell.w_ih.data() + row * v.size(), v), cell.s_ih,
                    cell.m_ih[row]);
}
inline int64_t over_state(const Cell& cell, size_t row, const std::vector<int32_t>& v) {
  return requantize(accumulate(cell.b_hh[row], cell.w_hh.data() + row * v.size(), v), cell.s_hh,
                    cell.m_hh[row]);
}

/// (a * b + 2^14) >> 15.
inline int64_t product_q15(int64_t a, int64_t b) { return floor_div(a * b + 16384, 32768); }

inline int16_t int16_of(int64_t value) {
  require(value >= -32768 && value <= 32767, "a state that leaves 16 bits");
  return int16_t(value);
}

inline void require_shape(const Cell& cell, size_t inputs, size_t units) {
  const size_t in = size_t(cell.in), hidden = size_t(cell.hidden),
               rows = size_t(gates_of(cell.kind)) * hidden;
  require(inputs == in && units == hidden, "a frame or a state of the wrong size");
  require(
      cell.w_ih.size() == rows * (cell.factor_ih.w.empty() ? in : cell.factor_ih.b.size()) &&
          cell.w_hh.size() == rows * (cell.factor_hh.w.empty() ? hidden : cell.factor_hh.b.size()),
      "weights of the wrong size");
  require(cell.b_ih.size() == rows && cell.b_hh.size() == rows, "biases of the wrong size");
  require(cell.m_ih.size() == rows && cell.m_hh.size() == rows, "multipliers of the wrong size");
}

/// One step of an LSTM with gates i, f, g, o; c is the cell state.
inline void lstm_step(const Cell& cell, const std::vector<int32_t>& v, std::vector<int16_t>& h,
                      std::vector<int16_t>& c) {
  require(cell.e >= 0 && cell.e <= 15 && c.size() == h.size(), "a cell state that is none");
  const std::vector<int32_t> state = in_product(cell, h);
  const size_t hidden = h.size();
  for (size_t j = 0; j < hidden; ++j) {
    int32_t sum[4];
    for (size_t gate = 0; gate < 4; ++gate)
      sum[gate] = wrapped(over_input(cell, gate * hidden + j, v) +
                          over_state(cell, gate * hidden + j, state));
    const int64_t i = gate_of(cell, sum[0]), f = gate_of(cell, sum[1]),
                  g = candidate_of(cell, sum[2]), o = gate_of(cell, sum[3]);
    const bool squashed = cell.candidate == Cell::squashed;
    const int64_t all =
        f * c[j] + (squashed ? floor_div(i * g, int64_t{1} << cell.e) : i * g) + 16384;
    require(all == wrapped(all), "a cell state that leaves 32 bits on its way");
    c[j] = int16_t(std::clamp<int64_t>(floor_div(all, 32768), -32768, 32767));
    const int64_t u =
        cell.e >= 3 ? c[j] * (int64_t{1} << (cell.e - 3))
                    : floor_div(c[j] + (int64_t{1} << (2 - cell.e)), int64_t{1} << (3 - cell.e));
    const int64_t y = squashed ? tanh(int32_t(u)) : candidate_of(cell, c[j]);
    const int64_t down = int64_t{1} << (15 - cell.lift);
    h[j] = squashed ? int16_of(product_q15(o, y)) : clamped(floor_div(o * y + down / 2, down));
  }
}

inline void rnn_step(const Cell& cell, const std::vector<int32_t>& v, std::vector<int16_t>& h) {
  const std::vector<int32_t> state = in_product(cell, h);
  for (size_t j = 0; j < h.size(); ++j)
    h[j] =
        int16_of(candidate_of(cell, wrapped(over_input(cell, j, v) + over_state(cell, j, state))));
}

/// One step of a FastGRNN: gates z and n over one sum.
inline void fastgrnn_step(const Cell& cell, const std::vector<int32_t>& v,
                          std::vector<int16_t>& h) {
  require(cell.e >= 0 && cell.e <= 15 && cell.b_z.size() == h.size() && cell.b_n.size() == h.size(),
          "a FastGRNN that is none");
  const std::vector<int32_t> state = in_product(cell, h);
  for (size_t j = 0; j < h.size(); ++j) {
    const int64_t u = over_input(cell, j, v) + over_state(cell, j, state);
    const int64_t z = sigmoid(wrapped(u + cell.b_z[j])), n = tanh(wrapped(u + cell.b_n[j]));
    const int64_t share =
        floor_div(wrapped(cell.zeta * (32768 - z) + int64_t{cell.nu} * 32768 + 32768), 65536);
    const int64_t sum = floor_div(z * h[j], 2) + floor_div(share * n, int64_t{1} << cell.e) + 8192;
    require(sum == wrapped(sum), "a state that leaves 32 bits on its way");
    h[j] = int16_t(std::clamp<int64_t>(floor_div(sum, 16384), -32768, 32767));
  }
}

/// One step of a GRU that resets before: gates r, z, n; the product of n is over r * h.
inline void gru_before_step(const Cell& cell, const std::vector<int32_t>& v,
                            std::vector<int16_t>& h) {
  const std::vector<int32_t> state = in_product(cell, h);
  const size_t hidden = h.size();
  std::vector<int16_t> s;
  std::vector<int64_t> z;
  for (size_t j = 0; j < hidden; ++j) {
    const int64_t r = gate_of(cell, wrapped(over_input(cell, j, v) + over_state(cell, j, state)));
    z.push_back(gate_of(
        cell, wrapped(over_input(cell, hidden + j, v) + over_state(cell, hidden + j, state))));
    s.push_back(int16_of(product_q15(r, h[j])));
  }
  const std::vector<int32_t> reset = in_product(cell, s);
  for (size_t j = 0; j < hidden; ++j) {
    const int64_t n = candidate_of(cell, wrapped(over_input(cell, 2 * hidden + j, v) +
                                                 over_state(cell, 2 * hidden + j, reset)));
    h[j] = int16_of(n + product_q15(z[j], h[j] - n));
  }
}

/// One step of a GRU with gates r, z, n. All units use the state from before the step.
inline void gru_step(const Cell& gru, const std::vector<int32_t>& v, std::vector<int16_t>& h) {
  const size_t hidden = h.size(), rows = 3 * hidden;
  const std::vector<int32_t> state = in_product(gru, h);
  std::vector<int64_t> x(rows), y(rows);
  for (size_t row = 0; row < rows; ++row)
    x[row] = over_input(gru, row, v), y[row] = over_state(gru, row, state);
  for (size_t j = 0; j < hidden; ++j) {
    const int64_t r = gate_of(gru, wrapped(x[j] + y[j]));
    const int64_t z = gate_of(gru, wrapped(x[hidden + j] + y[hidden + j]));
    const int64_t g = std::clamp<int64_t>(y[2 * hidden + j], -65536, 65535);
    const int64_t n = candidate_of(gru, wrapped(x[2 * hidden + j] + product_q15(r, g)));
    h[j] = int16_of(n + product_q15(z, h[j] - n));
  }
}

/// Computes one step. `inputs` are the numbers that enter the product over the inputs; c is an
/// LSTM's cell state.
inline void step(const Cell& cell, const std::vector<int32_t>& inputs, std::vector<int16_t>& h,
                 std::vector<int16_t>& c) {
  require_shape(cell, inputs.size(), h.size());
  const std::vector<int32_t> v = reduced(cell.mode, cell.factor_ih, inputs);
  switch (cell.kind) {
    case Cell::gru:
      return gru_step(cell, v, h);
    case Cell::gru_before:
      return gru_before_step(cell, v, h);
    case Cell::lstm:
      return lstm_step(cell, v, h, c);
    case Cell::rnn:
      return rnn_step(cell, v, h);
    case Cell::fastgrnn:
      return fastgrnn_step(cell, v, h);
  }
}

/// Weights [out][ids].
struct Embedding {
  int ids, out;
  std::vector<int8_t> w;
};

inline std::vector<int16_t> run(const Embedding& embedding, int32_t id) {
  const int32_t known = id >= 0 && id < embedding.ids ? id : embedding.ids > 1 ? 1 : 0;
  std::vector<int16_t> y;
  for (int j = 0; j < embedding.out; ++j)
    y.push_back(int16_t(256 * embedding.w.at(size_t(j) * size_t(embedding.ids) + size_t(known))));
  return y;
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

/// Computes a Dense layer from v, the numbers that enter the product. Returns the logits of a last
/// layer with sigmoid or softmax.
inline std::vector<int16_t> run(const Dense& dense, const std::vector<int32_t>& v) {
  const size_t in = size_t(dense.in), out = size_t(dense.out);
  require(v.size() == in && dense.w.size() == out * in, "a frame or weights of the wrong size");
  require(dense.b.size() == out && dense.m.size() == out,
          "biases or multipliers of the wrong size");
  require(dense.last || dense.activation != Dense::softmax, "softmax in front of another layer");
  std::vector<int16_t> y;
  for (size_t row = 0; row < out; ++row) {
    int32_t value =
        requantize(accumulate(dense.b[row], dense.w.data() + row * in, v), dense.s, dense.m[row]);
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

/// Returns one feature of a frame; lo and hi are the lowest and the highest number of the input's
/// type.
inline int32_t quantize(float x, float inverse, float offset, int32_t lo, int32_t hi) {
  const float product = std::fma(x, inverse, offset);
  const float v = product + 0.5f;
  if (std::isnan(v) || v < float(lo)) return lo;
  if (v > float(hi)) return hi;
  return int32_t(std::floor(v));
}

/// Returns one output that no function follows.
inline float dequantize(int16_t y, float unit, float zero) {
  return std::fma(float(y), unit, zero);
}

/// Returns a number of a frame in the form in which layers hand numbers on.
inline int32_t widened(Mode mode, int32_t x) {
  return mode == int8 ? int32_t(uint32_t(x) * 256u) : x;
}

inline int32_t wrapping_sum(int32_t a, int32_t b) { return int32_t(uint32_t(a) + uint32_t(b)); }

/// Joins sources x, [units] each, with multipliers m, [units] for each source.
inline std::vector<int16_t> add(const std::vector<std::vector<int32_t>>& x,
                                const std::vector<int32_t>& m, const std::vector<int32_t>& b) {
  std::vector<int16_t> y;
  for (size_t j = 0; j < b.size(); ++j) {
    int32_t sum = b[j];
    for (size_t p = 0; p < x.size(); ++p)
      sum = wrapping_sum(sum, requantize(x[p].at(j), 15, m.at(p * b.size() + j)));
    y.push_back(int16_t(std::clamp(sum, -32768, 32767)));
  }
  return y;
}

/// @param before  x of the step before; empty at a stream's first step
inline std::vector<int16_t> difference(const std::vector<int32_t>& x,
                                       const std::vector<int32_t>& before,
                                       const std::vector<int32_t>& m) {
  std::vector<int16_t> y(x.size());
  for (size_t j = 0; j < before.size(); ++j)
    y[j] = int16_t(std::clamp(requantize(x[j] - before[j], 14, m.at(j)), -32768, 32767));
  return y;
}

inline std::vector<int16_t> multiply(const std::vector<int32_t>& x0, const std::vector<int32_t>& x1,
                                     const std::vector<int32_t>& m, const std::vector<int32_t>& b) {
  std::vector<int16_t> y;
  const size_t n = b.size();
  for (size_t j = 0; j < n; ++j) {
    int32_t sum = wrapping_sum(b[j], requantize(x0.at(j) * x1.at(j), 0, m.at(j)));
    sum = wrapping_sum(sum, requantize(x0[j], 15, m.at(n + j)));
    sum = wrapping_sum(sum, requantize(x1[j], 15, m.at(2 * n + j)));
    y.push_back(int16_t(std::clamp(sum, -32768, 32767)));
  }
  return y;
}

}  // namespace sluice::tests::fixed
