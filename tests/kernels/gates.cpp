// Tests the gates, forward and backward, against the documented formula, operation by operation,
// and against its value in double.
#include <doctest/doctest.h>

#include <algorithm>

#include "../support/numbers.h"
#include "../support/tables.h"

using namespace sluice;
using namespace sluice::tests;

namespace {

struct Shape {
  int hidden, count, gap;  ///< gap: floats between the rows, which must stay untouched
};

std::vector<Shape> every_shape() {
  std::vector<Shape> shapes;
  for (const int hidden : {8, 16, 24, 32, 40, 104, 256})
    for (const int count : {1, 2, 3, 8, 17})
      shapes.push_back({hidden, count, (hidden + count) % 3});
  return shapes;
}

/// Owns the arrays of struct Gates.
struct Step {
  Shape s;
  int a_stride, stride;
  std::vector<float> a, g, h, h_next;
  Step(Shape shape, Noise& noise, float range)
      : s(shape),
        a_stride(3 * s.hidden + s.gap),
        stride(s.hidden + s.gap),
        a(noise.uniform(size_t(s.count - 1) * size_t(a_stride) + size_t(3 * s.hidden), -range,
                        range)),
        g(noise.uniform(size_t(s.count - 1) * size_t(stride) + size_t(s.hidden), -range, range)),
        h(noise.uniform(g.size())),
        h_next(noise.uniform(g.size())) {}
  Gates gates(bool in_place) {
    return {
        a.data(), a_stride, g.data(), stride, h.data(), stride, in_place ? h.data() : h_next.data(),
        stride,   s.hidden, s.count};
  }
};

float activate(const Kernels& table, Activation f, float x) {
  table.activate_f32(f, &x, 1, 1, 1);
  return x;
}

}  // namespace

TEST_CASE("GRU gates perform the documented operations, to the bit") {
  Noise noise(10);
  for (const Kernels* table : every_table())
    for (const Shape s : every_shape())
      for (const bool in_place : {false, true}) {
        Step step(s, noise, 6), expected = step;
        std::vector<float>& h_next = in_place ? expected.h : expected.h_next;
        for (int i = 0; i < s.count; ++i)
          for (int j = 0; j < s.hidden; ++j) {
            float* a = &expected.a[size_t(i * step.a_stride + j)];
            const size_t at = size_t(i * step.stride + j);
            a[0] = activate(*table, Activation::sigmoid, a[0]);
            a[s.hidden] = activate(*table, Activation::sigmoid, a[s.hidden]);
            const float n =
                activate(*table, Activation::tanh, std::fma(a[0], a[2 * s.hidden], expected.g[at]));
            expected.g[at] = n;
            h_next[at] = std::fma(a[s.hidden], expected.h[at] - n, n);
          }
        table->gru_f32(step.gates(in_place));
        CAPTURE(name_of(*table));
        CAPTURE(s.hidden);
        CAPTURE(s.count);
        CAPTURE(in_place);
        REQUIRE(same_bits(step.a, expected.a));
        REQUIRE(same_bits(step.g, expected.g));
        REQUIRE(same_bits(step.h, expected.h));
        REQUIRE(same_bits(step.h_next, expected.h_next));
      }
}

TEST_CASE("GRU gates are close to their value in double") {
  Noise noise(11);
  for (const Kernels* table : every_table())
    for (const Shape s : every_shape()) {
      Step step(s, noise, 8);
      const Step before = step;
      table->gru_f32(step.gates(false));
      for (int i = 0; i < s.count; ++i)
        for (int j = 0; j < s.hidden; ++j) {
          const size_t a = size_t(i * step.a_stride + j), at = size_t(i * step.stride + j);
          const double r = 1 / (1 + std::exp(-double(before.a[a])));
          const double z = 1 / (1 + std::exp(-double(before.a[a + size_t(s.hidden)])));
          const double n =
              std::tanh(double(before.g[at]) + r * double(before.a[a + size_t(2 * s.hidden)]));
          const double h = (1 - z) * n + z * double(before.h[at]);
          REQUIRE(std::fabs(step.a[a] - r) <= 2e-7);
          REQUIRE(std::fabs(step.a[a + size_t(s.hidden)] - z) <= 2e-7);
          REQUIRE(std::fabs(step.g[at] - n) <= 2e-6);
          REQUIRE(std::fabs(step.h_next[at] - h) <= 2e-6);
        }
    }
}

TEST_CASE("a whole GRU step equals its chains and its gates, to the bit") {
  Noise noise(15);
  for (const Kernels* table : every_table())
    for (const int hidden : {8, 16, 24, 32, 40, 64, 96, 104, 200})
      for (const int in : {1, 3, 33})
        for (const bool with_x : {true, false})
          for (const bool in_place : {false, true}) {
            const int units = hidden - noise.below(8), gates = 3 * hidden;
            const auto n = [](int count) { return size_t(count); };
            const std::vector<float> w_ih = noise.uniform(n(gates * in)),
                                     w_hh = noise.uniform(n(gates * units), -0.3f, 0.3f);
            const std::vector<float> b_ih = noise.uniform(n(gates)), b_hh = noise.uniform(n(gates)),
                                     x = noise.uniform(n(in));
            const std::vector<float> chains = noise.uniform(n(gates)), h = noise.uniform(n(hidden));
            std::vector<float> expected(n(hidden));
            for (int unit = 0; unit < hidden; ++unit) {
              float sum[4];  // r, z, g_x, g_h
              for (int gate = 0; gate < 4; ++gate) {
                const int row = std::min(gate, 2) * hidden + unit;
                float& s = sum[gate];
                s = gate < 2    ? b_ih[n(row)] + b_hh[n(row)]
                    : gate == 2 ? b_ih[n(row)]
                                : b_hh[n(row)];
                if (gate < 3)
                  for (int k = 0; k < in; ++k)
                    s = std::fma(w_ih[packed_index(gates, in, row, k)], x[n(k)], s);
                if (gate < 3 && !with_x) s = chains[n(row)];
                if (gate != 2)
                  for (int k = 0; k < units; ++k)
                    s = std::fma(w_hh[packed_index(gates, units, row, k)], h[n(k)], s);
              }
              const float r = activate(*table, Activation::sigmoid, sum[0]),
                          z = activate(*table, Activation::sigmoid, sum[1]);
              const float candidate =
                  activate(*table, Activation::tanh, std::fma(r, sum[3], sum[2]));
              expected[n(unit)] = std::fma(z, h[n(unit)] - candidate, candidate);
            }
            std::vector<float> a = with_x ? noise.uniform(n(gates)) : chains,
                               g = noise.uniform(n(hidden)), state = h, next(n(hidden));
            table->gru_step_f32({w_ih.data(), w_hh.data(), b_ih.data(), b_hh.data(),
                                 with_x ? x.data() : nullptr, a.data(), g.data(), state.data(),
                                 in_place ? state.data() : next.data(), in, units, hidden});
            CAPTURE(name_of(*table));
            CAPTURE(hidden);
            CAPTURE(units);
            CAPTURE(in);
            CAPTURE(with_x);
            REQUIRE(same_bits(in_place ? state : next, expected));
            if (!in_place) REQUIRE(same_bits(state, h));
          }
}

TEST_CASE("the backward pass of GRU gates computes the documented products, to the bit") {
  Noise noise(12);
  for (const Kernels* table : every_table())
    for (const Shape s : every_shape()) {
      Step step(s, noise, 1);
      // These are the gates, and g_h, which may be any number.
      for (size_t i = 0; i < step.a.size(); ++i) step.a[i] = noise.number(0, 1);
      Step expected = step;
      const int hidden = s.hidden;
      for (int i = 0; i < s.count; ++i)
        for (int j = 0; j < hidden; ++j) {
          float* a = &expected.a[size_t(i * step.a_stride + j)];
          const size_t at = size_t(i * step.stride + j);
          const float r = a[0], z = a[hidden], g_h = a[2 * hidden], n = expected.g[at],
                      h = expected.h[at], dh = expected.h_next[at];
          const float dg_x = dh * (1 - z) * (1 - n * n);
          expected.g[at] = dg_x;
          a[2 * hidden] = dg_x * r;
          a[0] = dg_x * g_h * (r * (1 - r));
          a[hidden] = dh * (h - n) * (z * (1 - z));
          expected.h_next[at] = dh * z;
        }
      table->gru_back_f32({step.a.data(), step.a_stride, step.g.data(), step.stride, step.h.data(),
                           step.stride, step.h_next.data(), step.stride, hidden, s.count});
      CAPTURE(name_of(*table));
      CAPTURE(hidden);
      CAPTURE(s.count);
      REQUIRE(same_bits(step.a, expected.a));
      REQUIRE(same_bits(step.g, expected.g));
      REQUIRE(same_bits(step.h, expected.h));
      REQUIRE(same_bits(step.h_next, expected.h_next));
    }
}

TEST_CASE("gates of special numbers have the same bits on every instruction set") {
  const std::vector<float> special = special_numbers();
  Noise noise(13);
  for (int round = 0; round < 200; ++round) {
    Step step({24, 5, 1}, noise, 3);
    for (auto* v : {&step.a, &step.g, &step.h})
      for (float& f : *v)
        if (noise.below(3) == 0) f = tame(special[size_t(noise.below(int(special.size())))]);
    Step expected = step;
    scalar_table().gru_f32(expected.gates(false));
    for (const Kernels* table : every_table()) {
      Step got = step;
      table->gru_f32(got.gates(false));
      CAPTURE(name_of(*table));
      REQUIRE(same_bits(got.a, expected.a));
      REQUIRE(same_bits(got.g, expected.g));
      REQUIRE(same_bits(got.h_next, expected.h_next));
    }
  }
}

TEST_CASE("a NaN in any of a unit's numbers is a NaN in its state") {
  Noise noise(14);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const Kernels* table : every_table())
    for (int which = 0; which < 5; ++which) {
      Step step({16, 2, 0}, noise, 3);
      const size_t unit = 5;
      (which < 3    ? step.a[unit + size_t(which) * 16]
       : which == 3 ? step.g[unit]
                    : step.h[unit]) = nan;
      table->gru_f32(step.gates(false));
      CAPTURE(name_of(*table));
      CAPTURE(which);
      for (size_t i = 0; i < step.h_next.size(); ++i)
        REQUIRE_EQ(std::isnan(step.h_next[i]), i == unit);
    }
}

TEST_CASE(
    "the gates of an LSTM and of a GRU that resets before perform the documented operations, to "
    "the bit") {
  Noise noise(16);
  for (const Kernels* table : every_table())
    for (const Shape s : every_shape())
      for (const Curve gate : {Curve(Activation::sigmoid), Curve(Activation::tanh),
                               Curve(Activation::hard_sigmoid, 0.2f)}) {
        const auto squash = [&](Activation f, float x) { return activate(*table, f, x); };
        const auto curve = [&](float x) {
          table->activate_f32(gate, &x, 1, 1, 1);
          return x;
        };
        const int stride = s.hidden + s.gap, wide = 4 * s.hidden + s.gap;
        const auto rows = [&](int width) {
          return noise.uniform(size_t(s.count) * size_t(width), -3, 3);
        };
        std::vector<float> a = rows(wide), t = rows(stride), c = rows(stride),
                           c_next = rows(stride), h_next = rows(stride);
        const std::vector<float> chains = a, before = c, h = rows(stride);
        CAPTURE(name_of(*table));
        CAPTURE(s.hidden);
        table->lstm_f32({a.data(), wide, t.data(), stride, c.data(), stride, c_next.data(), stride,
                         h_next.data(), stride, s.hidden, s.count, gate});
        for (int n = 0; n < s.count; ++n)
          for (int j = 0; j < s.hidden; ++j) {
            const auto at = [&](int g) { return chains[size_t(n * wide + g * s.hidden + j)]; };
            const size_t own = size_t(n * stride + j);
            const float i = curve(at(0)), f = curve(at(1)), g = squash(Activation::tanh, at(2)),
                        o = curve(at(3));
            const float next = std::fma(f, before[own], i * g),
                        squashed = squash(Activation::tanh, next);
            REQUIRE_EQ(bits(c_next[own]), bits(next));
            REQUIRE_EQ(bits(h_next[own]), bits(o * squashed));
          }
        // The GRU's step has two parts around the candidate's product, which here leaves its chain
        // unchanged.
        std::vector<float> b = chains, reset = rows(stride), after = rows(stride);
        const ResetBefore parts{b.data(),     wide,   reset.data(), stride,  h.data(), stride,
                                after.data(), stride, s.hidden,     s.count, gate};
        table->gru_reset_f32(parts);
        table->gru_update_f32(parts);
        for (int n = 0; n < s.count; ++n)
          for (int j = 0; j < s.hidden; ++j) {
            const auto at = [&](int g) { return chains[size_t(n * wide + g * s.hidden + j)]; };
            const size_t own = size_t(n * stride + j);
            const float r = curve(at(0)), z = curve(at(1)),
                        candidate = squash(Activation::tanh, at(2));
            REQUIRE_EQ(bits(reset[own]), bits(r * h[own]));
            REQUIRE_EQ(bits(after[own]), bits(std::fma(z, h[own] - candidate, candidate)));
          }
      }
}

TEST_CASE(
    "the gates of a FastGRNN perform the documented operations, forward and backward, to the bit") {
  Noise noise(17);
  for (const Kernels* table : every_table())
    for (const Shape s : every_shape())
      for (const Curve gate : {Curve(Activation::sigmoid), Curve(Activation::tanh),
                               Curve(Activation::hard_sigmoid, 0.2f)}) {
        const auto curve = [&](float x) { return table->activate_f32(gate, &x, 1, 1, 1), x; };
        const auto slope = [&](float y) {
          if (gate.kind == Activation::tanh) return 1 - y * y;
          if (gate.kind == Activation::hard_sigmoid) return y > 0 && y < 1 ? gate.slope : 0.0f;
          return y * (1 - y);
        };
        const int stride = s.hidden + s.gap;
        const auto rows = [&] { return noise.uniform(size_t(s.count) * size_t(stride), -3, 3); };
        std::vector<float> a = rows(), n = rows(), h = rows(), h_next = rows();
        const std::vector<float> chains = a, bias_z = noise.uniform(size_t(s.hidden)),
                                 bias_n = noise.uniform(size_t(s.hidden));
        const float zeta_0 = noise.number(-4, 4), nu_0 = noise.number(-4, 4);
        const float zeta = activate(*table, Activation::sigmoid, zeta_0),
                    nu = activate(*table, Activation::sigmoid, nu_0);
        CAPTURE(name_of(*table));
        CAPTURE(s.hidden);
        CAPTURE(s.count);
        table->fastgrnn_f32({a.data(), stride, n.data(), stride, h.data(), stride, h_next.data(),
                             stride, bias_z.data(), bias_n.data(), zeta_0, nu_0, s.hidden, s.count,
                             gate});
        for (int c = 0; c < s.count; ++c)
          for (int j = 0; j < s.hidden; ++j) {
            const size_t at = size_t(c * stride + j), unit = size_t(j);
            const float z = curve(chains[at] + bias_z[unit]),
                        candidate = activate(*table, Activation::tanh, chains[at] + bias_n[unit]);
            REQUIRE_EQ(bits(a[at]), bits(z));
            REQUIRE_EQ(bits(n[at]), bits(candidate));
            REQUIRE_EQ(bits(h_next[at]),
                       bits(std::fma(z, h[at], std::fma(zeta, 1 - z, nu) * candidate)));
          }
        std::vector<float> back = a, dh = rows(), sums = noise.uniform(4 * size_t(s.hidden)),
                           expected = sums;
        const std::vector<float> before = dh;
        table->fastgrnn_back_f32({back.data(), stride, n.data(), stride, h.data(), stride,
                                  dh.data(), stride, sums.data(), zeta_0, nu_0, s.hidden, s.count,
                                  gate});
        for (int c = 0; c < s.count; ++c)
          for (int j = 0; j < s.hidden; ++j) {
            const size_t at = size_t(c * stride + j), hidden = size_t(s.hidden);
            const float z = a[at], candidate = n[at], d = before[at], t = d * candidate;
            const float da_n = d * std::fma(zeta, 1 - z, nu) * (1 - candidate * candidate);
            const float da_z = d * (h[at] - zeta * candidate) * slope(z);
            float* const sum = &expected[size_t(j)];
            sum[0] += da_z, sum[hidden] += da_n,
                sum[2 * hidden] = std::fma(t, 1 - z, sum[2 * hidden]), sum[3 * hidden] += t;
            REQUIRE_EQ(bits(back[at]), bits(da_z + da_n));
            REQUIRE_EQ(bits(dh[at]), bits(d * z));
          }
        REQUIRE(same_bits(sums, expected));
      }
}
