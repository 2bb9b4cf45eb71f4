// Tests the curves of curve_f32 against libm's doubles, over a dense sample of all floats, and
// their derivatives and the gates of cells that have them against the documented operations.
#include <doctest/doctest.h>

#include <cfloat>
#include <functional>

#include "../support/numbers.h"
#include "../support/tables.h"

using namespace sluice;
using namespace sluice::tests;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

/// A curve with its formula, its derivative, and the bound of its error.
struct Known {
  const char* name;
  OtherCurve curve;
  std::function<double(double)> value, slope;
  double ulps;          ///< 0: exact to the bit
  double absolute = 0;  ///< of negative numbers, in place of ulps
};

double sigma(double x) { return 1 / (1 + std::exp(-x)); }
double normal(double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }
double density(double x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::acos(-1.0)); }
double gelu_argument(double x) {
  return 2 * std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x);
}
double hard(double x) { return std::fmin(1, std::fmax(0, double(1.0f / 6) * x + 0.5)); }

constexpr float prelu_slope[64] = {-0.25f, 0.5f, 1.5f, 0.0f, -2.0f, 0.125f, 3.0f, 0.75f};

std::vector<Known> every_curve() {
  const double scale = 1.0507009873554804934, alpha = 1.6732632423543772848;
  const auto curve = [](Activation kind, float first = 0, float second = 0) {
    return OtherCurve{kind, first, second, nullptr};
  };
  return {
      {"linear", curve(Activation::linear), [](double x) { return x; }, [](double) { return 1; },
       0},
      {"tanh", curve(Activation::tanh), [](double x) { return std::tanh(x); },
       [](double x) { return 1 - std::tanh(x) * std::tanh(x); }, 2},
      {"sigmoid", curve(Activation::sigmoid), sigma, [](double x) { return sigma(x) * sigma(-x); },
       2},
      {"relu", curve(Activation::relu), [](double x) { return x > 0 ? x : 0; },
       [](double x) { return x > 0; }, 0},
      {"elu", curve(Activation::elu, 0, 1), [](double x) { return x > 0 ? x : std::expm1(x); },
       [](double x) { return x > 0 ? 1 : std::exp(x); }, 2},
      {"elu 0.3", curve(Activation::elu, 0, 0.3f),
       [](double x) { return x > 0 ? x : double(0.3f) * std::expm1(x); },
       [](double x) { return x > 0 ? 1 : double(0.3f) * std::exp(x); }, 2},
      {"selu", curve(Activation::selu),
       [=](double x) { return scale * (x > 0 ? x : alpha * std::expm1(x)); },
       [=](double x) { return scale * (x > 0 ? 1 : alpha * std::exp(x)); }, 3},
      {"leaky relu", curve(Activation::leaky_relu, 0, 0.1f),
       [](double x) { return x > 0 ? x : double(0.1f) * x; },
       [](double x) { return x > 0 ? 1 : double(0.1f); }, 1},
      {"silu", curve(Activation::silu), [](double x) { return x * sigma(x); },
       [](double x) { return sigma(x) * (1 + x * sigma(-x)); }, 4},
      {"hard silu", curve(Activation::hard_silu, 1.0f / 6), [](double x) { return x * hard(x); },
       [](double x) { return hard(x) + (hard(x) > 0 && hard(x) < 1 ? x * double(1.0f / 6) : 0); },
       // Near -3 the sum of the hard sigmoid cancels.
       2, 4e-7},
      {"gelu", curve(Activation::gelu), [](double x) { return x * normal(x); },
       [](double x) { return normal(x) + x * density(x); }, 6},
      {"gelu by tanh", curve(Activation::gelu_tanh),
       [](double x) { return x * sigma(gelu_argument(x)); },
       [](double x) {
         const double s = sigma(gelu_argument(x)),
                      inner = 2 * std::sqrt(2 / std::acos(-1.0)) * (1 + 3 * 0.044715 * x * x);
         return s + (std::fabs(x) < 30 ? x * s * sigma(-gelu_argument(x)) * inner : 0);
       },
       3, 1e-7},
      {"softplus", curve(Activation::softplus),
       [](double x) { return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x))); }, sigma, 3},
      {"relu6", curve(Activation::clip, 0, 6),
       [](double x) { return std::fmin(6, std::fmax(0, x)); },
       [](double x) { return x > 0 && x < 6; }, 0},
      {"hard tanh", curve(Activation::clip, -1, 1),
       [](double x) { return std::fmin(1, std::fmax(-1, x)); },
       [](double x) { return x > -1 && x < 1; }, 0},
      {"softsign", curve(Activation::softsign), [](double x) { return x / (1 + std::fabs(x)); },
       [](double x) { return 1 / ((1 + std::fabs(x)) * (1 + std::fabs(x))); }, 2},
      {"exponential", curve(Activation::exponential), [](double x) { return std::exp(x); },
       [](double x) { return std::exp(x); }, 2},
      {"square root", curve(Activation::sqrt), [](double x) { return std::sqrt(std::fmax(x, 0)); },
       [](double x) { return x > 0 ? 0.5 / std::sqrt(x) : 0; }, 0.5},
      {"logarithm", curve(Activation::log),
       [](double x) {
         return x > 2 * double(FLT_MAX) ? double(infinity)
                                        : std::log(std::fmax(x, double(FLT_MIN)));
       },
       [](double x) { return x < double(FLT_MIN) ? 0 : 1 / x; }, 2},
  };
}

/// Calls check(x) with pieces of a dense sample of all floats.
template <class Check>
void over_floats(Check check) {
  const uint32_t step = sparse() ? 99991 : 1499;
  std::vector<float> x = special_numbers();
  for (uint64_t pattern = 0; pattern < (uint64_t(1) << 32); pattern += step) {
    x.push_back(from_bits(uint32_t(pattern)));
#if defined(__arm__)
    if (subnormal(x.back())) x.pop_back();
#endif
    if (x.size() < 4096) continue;
    check(x);
    x.clear();
  }
  check(x);
}

/// Returns the numbers, on ARMv7 with zeros in place of those that are subnormal, or came by
/// subnormal ones: its NEON flushes them, and no bits are promised there.
std::vector<float> comparable(std::vector<float> v) {
#if defined(__arm__) && defined(__ARM_NEON)
  for (float& f : v)
    if (std::fabs(f) < 1e-35f) f = 0;
#endif
  return v;
}

bool close(const Known& known, float x, float y, double truth) {
  const double distance = std::fabs(double(y) - truth);
  if (known.ulps == 0) return double(y) == truth;
  if (std::fabs(truth) > double(FLT_MAX)) return std::fabs(y) >= FLT_MAX;
  if (std::fabs(truth) < double(FLT_MIN)) return distance <= double(FLT_MIN);
  if (known.absolute > 0 && x < 0) return distance <= known.absolute;
  if (known.curve.kind == Activation::silu && x < -87.33f) return distance <= 1.1e-36;
  return ulps(y, truth) <= known.ulps;
}

float activate(const Kernels& table, Curve f, float x) {
  table.activate_f32(f, &x, 1, 1, 1);
  return x;
}
float apply(const Kernels& table, const OtherCurve& f, float x) {
  curves_of(table).curve_f32(f, &x, 1, 1, 1);
  return x;
}
/// Returns f'(x) as a table computes it from the value.
float slope(const Kernels& table, const OtherCurve& f, float value) {
  float dy = 1;
  curves_of(table).curve_back_f32(f, &value, &dy, 1, 1, 1);
  return dy;
}

}  // namespace

TEST_CASE("every curve is within its documented distance of the exact value, and keeps a NaN") {
  for (const Kernels* table : every_table())
    for (const Known& known : every_curve()) {
      CAPTURE(name_of(*table));
      CAPTURE(std::string(known.name));
      over_floats([&](const std::vector<float>& x) {
        std::vector<float> y = x;
        curves_of(*table).curve_f32(known.curve, y.data(), 1, int(y.size()), int(y.size()));
        for (size_t i = 0; i < x.size(); ++i) {
          CAPTURE(x[i]);
          if (std::isnan(x[i])) {
            if (!std::isnan(y[i])) FAIL("a NaN becomes ", y[i]);
          } else if (!std::isinf(x[i]) && !close(known, x[i], y[i], known.value(double(x[i])))) {
            FAIL("gives ", y[i], " where ", known.value(double(x[i])), " is right");
          }
        }
      });
      // At infinities and zeros: the limits.
      const float high = apply(*table, known.curve, infinity),
                  low = apply(*table, known.curve, -infinity);
      CHECK_EQ(high, float(known.value(1e300)));
      CHECK_EQ(low, float(known.value(-1e300)));
      CHECK_EQ(apply(*table, known.curve, 0.0f), float(known.value(0)));
    }
}

TEST_CASE("every curve has the same bits on every instruction set, forward and backward") {
  for (const Known& known : every_curve())
    over_floats([&](const std::vector<float>& x) {
      const int n = int(x.size());
      std::vector<float> expected = x, back(x.size(), 0.75f);
      curves_of(scalar_table()).curve_f32(known.curve, expected.data(), 1, n, n);
      const std::vector<float> v = derives_from_argument(known.curve.kind) ? x : expected;
      curves_of(scalar_table()).curve_back_f32(known.curve, v.data(), back.data(), 1, n, n);
      expected = comparable(expected), back = comparable(back);
      for (const Kernels* table : every_table()) {
        std::vector<float> y = x, dy(x.size(), 0.75f);
        curves_of(*table).curve_f32(known.curve, y.data(), 1, n, n);
        curves_of(*table).curve_back_f32(known.curve, v.data(), dy.data(), 1, n, n);
        CAPTURE(name_of(*table));
        CAPTURE(std::string(known.name));
        y = comparable(y), dy = comparable(dy);
        const size_t at = first_difference(y.data(), expected.data(), x.size());
        if (at < x.size()) FAIL("different bits at ", x[at]);
        const size_t back_at = first_difference(dy.data(), back.data(), x.size());
        if (back_at < x.size()) FAIL("different derivatives at ", x[back_at]);
      }
    });
}

TEST_CASE("the derivative of a curve agrees with its formula") {
  Noise noise(71);
  for (const Kernels* table : every_table())
    for (const Known& known : every_curve())
      for (int i = 0; i < 2000; ++i) {
        const float x = noise.number(-8, 8), dy = noise.number(-2, 2);
        // Between the pieces of a curve there is no derivative.
        if (std::fabs(x) < 1e-4f || std::fabs(std::fabs(x) - 1) < 1e-4f ||
            std::fabs(std::fabs(x) - 3) < 1e-4f || std::fabs(x - 6) < 1e-4f)
          continue;
        const float v = derives_from_argument(known.curve.kind) ? x : apply(*table, known.curve, x);
        float got = dy;
        curves_of(*table).curve_back_f32(known.curve, &v, &got, 1, 1, 1);
        CAPTURE(name_of(*table));
        CAPTURE(std::string(known.name));
        CAPTURE(x);
        const double truth = double(dy) * known.slope(double(x));
        REQUIRE(std::fabs(double(got) - truth) <= 1e-6 * std::fmax(1, std::fabs(truth)));
      }
}

TEST_CASE("a PReLU has a slope for each number of a row, of either sign") {
  Noise noise(72);
  const OtherCurve f{Activation::prelu, 0, 0, prelu_slope};
  for (const Kernels* table : every_table())
    for (const int n : {1, 7, 8, 9, 33, 64}) {
      const int rows = 3, stride = n + 3;
      const std::vector<float> x = noise.uniform(size_t(rows * stride), -3, 3);
      std::vector<float> y = x, dy = noise.uniform(x.size());
      const std::vector<float> before = dy;
      curves_of(*table).curve_f32(f, y.data(), rows, n, stride);
      curves_of(*table).curve_back_f32(f, x.data(), dy.data(), rows, n, stride);
      CAPTURE(name_of(*table));
      CAPTURE(n);
      for (int i = 0; i < rows * stride; ++i) {
        const size_t at = size_t(i);
        const bool gap = i % stride >= n, negative = x[at] < 0 && !gap;
        const float own = gap ? 1 : prelu_slope[i % stride];
        REQUIRE_EQ(bits(y[at]), bits(negative ? x[at] * own : x[at]));
        REQUIRE_EQ(bits(dy[at]), bits(negative ? before[at] * own : before[at]));
      }
    }
}

TEST_CASE("curves work row by row and leave the gaps unchanged, wherever a number is in its row") {
  Noise noise(73);
  for (const Kernels* table : every_table())
    for (const Known& known : every_curve())
      for (const int n : {1, 2, 7, 8, 9, 16, 33}) {
        const int rows = 3, stride = n + 3;
        const std::vector<float> x = noise.uniform(size_t(rows * stride), -4, 4);
        std::vector<float> y = x;
        curves_of(*table).curve_f32(known.curve, y.data(), rows, n, stride);
        CAPTURE(name_of(*table));
        CAPTURE(std::string(known.name));
        for (int i = 0; i < rows * stride; ++i) {
          const float v = x[size_t(i)];
          REQUIRE_EQ(bits(y[size_t(i)]), bits(i % stride < n ? apply(*table, known.curve, v) : v));
        }
      }
}

TEST_CASE(
    "the gates of cells with other candidates perform the documented operations, forward and "
    "backward, to the bit") {
  Noise noise(74);
  const OtherCurve curves[] = {{Activation::linear, 0, 0, nullptr},
                               {Activation::relu, 0, 0, nullptr},
                               {Activation::elu, 0, 0.5f, nullptr},
                               {Activation::softsign, 0, 0, nullptr},
                               {Activation::tanh, 0, 0, nullptr}};
  for (const Kernels* table : every_table())
    for (const int hidden : {8, 16, 24, 40, 104})
      for (const int count : {1, 3})
        for (const Curve gate : {Curve(Activation::sigmoid), Curve(Activation::tanh),
                                 Curve(Activation::hard_sigmoid, 0.2f)})
          for (const OtherCurve& f : curves) {
            const int stride = hidden + 2, wide = 4 * hidden + 1;
            const auto rows = [&](int width) {
              return noise.uniform(size_t(count) * size_t(width), -3, 3);
            };
            const auto gate_slope = [&](float y) {
              if (gate.kind == Activation::tanh) return 1 - y * y;
              if (gate.kind == Activation::hard_sigmoid) return y > 0 && y < 1 ? gate.slope : 0.0f;
              return y * (1 - y);
            };
            const auto s = [&](float x) { return activate(*table, gate, x); };
            const auto value = [&](float x) { return apply(*table, f, x); };
            const auto own_slope = [&](float y) { return slope(*table, f, y); };
            CAPTURE(name_of(*table));
            CAPTURE(hidden);
            CAPTURE(int(f.kind));
            std::vector<float> a = rows(wide), g = rows(stride), h = rows(stride),
                               h_next = rows(stride), dh = rows(stride);
            const std::vector<float> chains = a, g_x = g, dh_in = dh;
            curves_of(*table).gru_curve_f32({a.data(), wide, g.data(), stride, h.data(), stride,
                                             h_next.data(), stride, hidden, count, gate},
                                            f);
            std::vector<float> a_back = a, g_back = g;
            curves_of(*table).gru_curve_back_f32(
                {a_back.data(), wide, g_back.data(), stride, h.data(), stride, dh.data(), stride,
                 hidden, count, gate},
                f);
            // A GRU that resets before shares the update.
            std::vector<float> b = chains, after = rows(stride), reset = rows(stride);
            const ResetBefore parts{b.data(),     wide,   reset.data(), stride, h.data(), stride,
                                    after.data(), stride, hidden,       count,  gate};
            curves_of(*table).gru_update_curve_f32(parts, f);
            std::vector<float> b_back = b, d_back = dh_in;
            ResetBefore back = parts;
            back.a = b_back.data(), back.h_next = d_back.data();
            curves_of(*table).gru_update_curve_back_f32(back, f);
            for (int c = 0; c < count; ++c)
              for (int j = 0; j < hidden; ++j) {
                const size_t at = size_t(c * wide + j), own = size_t(c * stride + j);
                const auto chain = [&](int which) { return chains[at + size_t(which * hidden)]; };
                const float r = s(chain(0)), z = s(chain(1)), gh = chain(2);
                const float n = value(std::fma(r, gh, g_x[own])), d = dh_in[own];
                REQUIRE_EQ(bits(g[own]), bits(n));
                REQUIRE_EQ(bits(h_next[own]), bits(std::fma(z, h[own] - n, n)));
                const float dg_x = d * (1 - z) * own_slope(n);
                REQUIRE_EQ(bits(g_back[own]), bits(dg_x));
                REQUIRE_EQ(bits(a_back[at]), bits(dg_x * gh * gate_slope(r)));
                REQUIRE_EQ(bits(a_back[at + size_t(hidden)]),
                           bits(d * (h[own] - n) * gate_slope(z)));
                REQUIRE_EQ(bits(a_back[at + size_t(2 * hidden)]), bits(dg_x * r));
                REQUIRE_EQ(bits(dh[own]), bits(d * z));
                // z enters gru_update as a value.
                const float z_value = chain(1), candidate = value(chain(2));
                REQUIRE_EQ(bits(after[own]),
                           bits(std::fma(z_value, h[own] - candidate, candidate)));
                REQUIRE_EQ(bits(b_back[at + size_t(2 * hidden)]),
                           bits(d * (1 - z_value) * own_slope(candidate)));
                REQUIRE_EQ(bits(b_back[at + size_t(hidden)]),
                           bits(d * (h[own] - candidate) * gate_slope(z_value)));
                REQUIRE_EQ(bits(d_back[own]), bits(d * z_value));
              }
            std::vector<float> l = chains, t = rows(stride), c_before = rows(stride),
                               c_next = rows(stride), dc = rows(stride);
            const std::vector<float> dc_in = dc;
            curves_of(*table).lstm_curve_f32(
                {l.data(), wide, t.data(), stride, c_before.data(), stride, c_next.data(), stride,
                 h_next.data(), stride, hidden, count, gate},
                f);
            std::vector<float> l_back = l;
            curves_of(*table).lstm_curve_back_f32(
                {l_back.data(), wide, t.data(), c_before.data(), stride, stride, dh_in.data(),
                 stride, dc.data(), stride, hidden, count, gate},
                f);
            for (int c = 0; c < count; ++c)
              for (int j = 0; j < hidden; ++j) {
                const size_t at = size_t(c * wide + j), own = size_t(c * stride + j);
                const auto chain = [&](int which) { return chains[at + size_t(which * hidden)]; };
                const auto got = [&](int which) { return l_back[at + size_t(which * hidden)]; };
                const float i = s(chain(0)), forget = s(chain(1)), candidate = value(chain(2)),
                            o = s(chain(3));
                const float next = std::fma(forget, c_before[own], i * candidate),
                            squashed = value(next), dy = dh_in[own];
                REQUIRE_EQ(bits(c_next[own]), bits(next));
                REQUIRE_EQ(bits(t[own]), bits(squashed));
                REQUIRE_EQ(bits(h_next[own]), bits(o * squashed));
                const float d = std::fma(dy * o, own_slope(squashed), dc_in[own]);
                REQUIRE_EQ(bits(got(0)), bits(d * candidate * gate_slope(i)));
                REQUIRE_EQ(bits(got(1)), bits(d * c_before[own] * gate_slope(forget)));
                REQUIRE_EQ(bits(got(2)), bits(d * i * own_slope(candidate)));
                REQUIRE_EQ(bits(got(3)), bits(dy * squashed * gate_slope(o)));
                REQUIRE_EQ(bits(dc[own]), bits(d * forget));
              }
          }
}

TEST_CASE(
    "peepholes and the clip of a cell state perform the documented operations, forward and "
    "backward, "
    "to the bit") {
  Noise noise(75);
  for (const Kernels* table : every_table())
    for (const int hidden : {8, 24, 40, 104})
      for (const int count : {1, 3})
        for (const bool peeks : {false, true})
          for (const float clip : {0.0f, 0.75f})
            for (const Activation kind : {Activation::tanh, Activation::softsign}) {
              const OtherCurve f{kind, 0, 0, nullptr};
              const Curve gate = Activation::sigmoid;
              const int stride = hidden + 2, wide = 4 * hidden + 1;
              const auto rows = [&](int width) {
                return noise.uniform(size_t(count) * size_t(width), -3, 3);
              };
              std::vector<float> a = rows(wide), t = rows(stride), c_next = rows(stride),
                                 h_next = rows(stride), dc = rows(stride);
              const std::vector<float> chains = a, c = rows(stride), dh = rows(stride), dc_in = dc,
                                       p = noise.uniform(size_t(3 * hidden), -1, 1),
                                       sums_in = noise.uniform(size_t(3 * hidden), -1, 1);
              const LstmOptions options{peeks ? p.data() : nullptr, clip};
              curves_of(*table).lstm_options_f32(
                  {a.data(), wide, t.data(), stride, c.data(), stride, c_next.data(), stride,
                   h_next.data(), stride, hidden, count, gate},
                  f, options);
              std::vector<float> back = a, sums = sums_in;
              curves_of(*table).lstm_options_back_f32(
                  {back.data(), wide, t.data(), c.data(), stride, stride, dh.data(), stride,
                   dc.data(), stride, hidden, count, gate},
                  f, options, c_next.data(), sums.data());
              CAPTURE(name_of(*table));
              CAPTURE(hidden);
              CAPTURE(peeks);
              CAPTURE(clip);
              const auto s = [&](float x) { return activate(*table, gate, x); };
              const auto s_slope = [](float y) { return y * (1 - y); };
              for (int j = 0; j < hidden; ++j) {
                float sum[3];
                for (int k = 0; k < 3; ++k) sum[k] = sums_in[size_t(k * hidden + j)];
                for (int n = 0; n < count; ++n) {
                  const size_t at = size_t(n * wide + j), own = size_t(n * stride + j);
                  const auto chain = [&](int which) { return chains[at + size_t(which * hidden)]; };
                  const auto weight = [&](int which) { return p[size_t(which * hidden + j)]; };
                  const auto peeked = [&](int which, float cell, float x) {
                    return peeks ? std::fma(weight(which), cell, x) : x;
                  };
                  const float i = s(peeked(0, c[own], chain(0))),
                              forget = s(peeked(1, c[own], chain(1))),
                              g = apply(*table, f, chain(2));
                  float next = std::fma(forget, c[own], i * g);
                  if (clip > 0) next = std::fmin(clip, std::fmax(-clip, next));
                  const float squashed = apply(*table, f, next), o = s(peeked(2, next, chain(3)));
                  REQUIRE_EQ(bits(c_next[own]), bits(next));
                  REQUIRE_EQ(bits(t[own]), bits(squashed));
                  REQUIRE_EQ(bits(h_next[own]), bits(o * squashed));
                  const float dy = dh[own], da_o = dy * squashed * s_slope(o);
                  float d = std::fma(dy * o, slope(*table, f, squashed), dc_in[own]);
                  if (peeks) d = std::fma(da_o, weight(2), d);
                  if (clip > 0 && !(std::fabs(next) < clip)) d = 0;
                  const float da_i = d * g * s_slope(i), da_f = d * c[own] * s_slope(forget);
                  float dc_own = d * forget;
                  if (peeks) dc_own = std::fma(da_f, weight(1), std::fma(da_i, weight(0), dc_own));
                  const auto got = [&](int which) { return back[at + size_t(which * hidden)]; };
                  REQUIRE_EQ(bits(got(0)), bits(da_i));
                  REQUIRE_EQ(bits(got(1)), bits(da_f));
                  REQUIRE_EQ(bits(got(2)), bits(d * i * slope(*table, f, g)));
                  REQUIRE_EQ(bits(got(3)), bits(da_o));
                  REQUIRE_EQ(bits(dc[own]), bits(dc_own));
                  sum[0] = std::fma(da_i, c[own], sum[0]);
                  sum[1] = std::fma(da_f, c[own], sum[1]);
                  sum[2] = std::fma(da_o, next, sum[2]);
                }
                for (int k = 0; k < 3; ++k)
                  REQUIRE_EQ(bits(sums[size_t(k * hidden + j)]),
                             bits(peeks ? sum[k] : sums_in[size_t(k * hidden + j)]));
              }
            }
}

TEST_CASE(
    "a NaN in any of a unit's numbers is a NaN in the state of a cell with another candidate") {
  const OtherCurve f{Activation::relu, 0, 0, nullptr};
  for (const Kernels* table : every_table())
    for (int which = 0; which < 4; ++which) {
      std::vector<float> a(3 * 16, 0.5f), g(16, 0.25f), h(16, 0.5f);
      (which < 3 ? a[size_t(which) * 16 + 5] : g[5]) = not_a_number;
      curves_of(*table).gru_curve_f32(
          {a.data(), 48, g.data(), 16, h.data(), 16, h.data(), 16, 16, 1}, f);
      for (size_t i = 0; i < 16; ++i) REQUIRE_EQ(std::isnan(h[i]), i == 5);
    }
}
