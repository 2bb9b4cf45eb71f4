// Tests of sums, standardization, optimizer steps, cosine and random numbers.
#include <doctest/doctest.h>

#include <string>

#include "../support/numbers.h"
#include "../support/tables.h"
#include "kernels/random.h"

using namespace sluice;
using namespace sluice::tests;

namespace {

const std::vector<size_t> lengths = {0,  1,  2,  7,   8,    9,    15,   16,  17,
                                     31, 33, 64, 100, 1023, 1024, 1025, 3001};

/// Ordinary and special numbers.
std::vector<float> mixed(size_t n, Noise& noise) {
  static const std::vector<float> special = special_numbers();
  std::vector<float> v = noise.uniform(n, -3, 3);
  for (float& f : v)
    if (noise.below(4) == 0) f = tame(special[size_t(noise.below(int(special.size())))]);
  return v;
}

/// The documented sum: blocks of 1,024 numbers, 16 chains in each, added pairwise; the blocks are
/// added in double.
double literal_square_sum(const std::vector<float>& x) {
  double sum = 0;
  for (size_t begin = 0; begin < x.size(); begin += 1024) {
    float chain[16] = {};
    for (size_t i = begin; i < x.size() && i < begin + 1024; ++i) {
      float& c = chain[(i - begin) % 16];
      c = std::fma(x[i], x[i], c);
    }
    for (int width = 8; width >= 1; width /= 2)
      for (int i = 0; i < width; ++i) chain[i] = chain[i] + chain[i + width];
    sum += double(chain[0]);
  }
  return sum;
}

}  // namespace

TEST_CASE("standardization is one subtraction and one multiplication") {
  Noise noise(30);
  for (const Kernels* table : every_table())
    for (int n = 1; n <= 40; ++n) {
      const std::vector<float> x = mixed(size_t(n), noise), mean = noise.uniform(size_t(n)),
                               scale = noise.uniform(size_t(n));
      std::vector<float> y(x.size());
      table->standardize_f32(x.data(), mean.data(), scale.data(), y.data(), n);
      CAPTURE(name_of(*table));
      for (size_t i = 0; i < x.size(); ++i)
        REQUIRE_EQ(bits(y[i]), bits((x[i] - mean[i]) * scale[i]));
    }
}

TEST_CASE("shards are added element by element") {
  Noise noise(31);
  for (const Kernels* table : every_table())
    for (const size_t n : lengths) {
      const std::vector<float> x = mixed(n, noise), before = mixed(n, noise);
      std::vector<float> y = before;
      table->add_f32(x.data(), y.data(), n);
      CAPTURE(name_of(*table));
      for (size_t i = 0; i < n; ++i) REQUIRE_EQ(bits(y[i]), bits(before[i] + x[i]));
      y = before;
      table->scaled_add_f32(0.37f, x.data(), y.data(), n);
      for (size_t i = 0; i < n; ++i) REQUIRE_EQ(bits(y[i]), bits(std::fma(0.37f, x[i], before[i])));
    }
}

TEST_CASE("the sum of squares is computed in blocks of sixteen chains, added pairwise") {
  Noise noise(32);
  for (const Kernels* table : every_table())
    for (const size_t n : lengths) {
      const std::vector<float> x = noise.uniform(n, -2, 2);
      double exact = 0;
      for (const float v : x) exact += double(v) * double(v);
      const double got = table->square_sum_f32(x.data(), n);
      CAPTURE(name_of(*table));
      CAPTURE(n);
      REQUIRE_EQ(got, literal_square_sum(x));
      REQUIRE(std::fabs(got - exact) <= 1e-6 * exact);
    }
}

TEST_CASE("a step of Adam performs the documented operations, to the bit") {
  Noise noise(33);
  for (const Kernels* table : every_table())
    for (const size_t n : lengths)
      for (const float keep : {1.0f, 0.999f})
        for (const float clip : {1.0f, 0.3f}) {
          const AdamStep s = {clip,  keep, 0.9f, 0.999f, float(1 - 0.9), float(1 - 0.999),
                              3e-3f, 1.7f, 1e-8f};
          std::vector<float> w = noise.uniform(n), g = noise.uniform(n), m = noise.uniform(n),
                             v = noise.uniform(n, 0, 1);
          std::vector<float> ew = w, em = m, ev = v;
          for (size_t i = 0; i < n; ++i) {
            const float scaled = g[i] * s.gradient_scale;
            em[i] = std::fma(s.beta1, em[i], s.one_minus_beta1 * scaled);
            ev[i] = std::fma(s.beta2, ev[i], (s.one_minus_beta2 * scaled) * scaled);
            ew[i] = ew[i] * s.keep -
                    (s.step_size * em[i]) / std::fma(std::sqrt(ev[i]), s.root_scale, s.epsilon);
          }
          table->adam_f32(s, w.data(), g.data(), m.data(), v.data(), n);
          CAPTURE(name_of(*table));
          CAPTURE(n);
          REQUIRE(same_bits(w, ew));
          REQUIRE(same_bits(m, em));
          REQUIRE(same_bits(v, ev));
        }
}

TEST_CASE("steps of SGD and RMSprop perform the documented operations, to the bit") {
  Noise noise(36);
  for (const Kernels* table : every_table())
    for (const size_t n : lengths)
      for (const bool nesterov : {false, true}) {
        const SgdStep s = {0.3f, 0.999f, 0.9f, 1e-2f, nesterov};
        const RmsStep r = {0.3f, 0.999f, 0.99f, float(1 - 0.99), 1e-2f, 1e-8f};
        std::vector<float> w = noise.uniform(n), rw = w, m = noise.uniform(n),
                           v = noise.uniform(n, 0, 1);
        const std::vector<float> g = noise.uniform(n);
        std::vector<float> ew = w, erw = w, em = m, ev = v;
        for (size_t i = 0; i < n; ++i) {
          const float scaled = g[i] * 0.3f;
          em[i] = std::fma(0.9f, em[i], scaled);
          ew[i] = ew[i] * 0.999f - 1e-2f * (nesterov ? std::fma(0.9f, em[i], scaled) : em[i]);
          ev[i] = std::fma(0.99f, ev[i], (r.one_minus_alpha * scaled) * scaled);
          erw[i] = erw[i] * 0.999f - (1e-2f * scaled) / (std::sqrt(ev[i]) + 1e-8f);
        }
        table->sgd_f32(s, w.data(), g.data(), m.data(), n);
        table->rms_f32(r, rw.data(), g.data(), v.data(), n);
        CAPTURE(name_of(*table));
        CAPTURE(n);
        REQUIRE(same_bits(w, ew));
        REQUIRE(same_bits(m, em));
        REQUIRE(same_bits(rw, erw));
        REQUIRE(same_bits(v, ev));
      }
}

TEST_CASE("sign, clipping and shrinking follow their formulas, special numbers included") {
  Noise noise(37);
  for (const Kernels* table : every_table())
    for (const size_t n : lengths) {
      const std::vector<float> x = mixed(n, noise), y = noise.uniform(n);
      std::vector<float> sum = y, clipped = x, shrunk = x;
      table->sign_add_f32(0.25f, x.data(), sum.data(), n);
      table->clip_f32(0.5f, clipped.data(), n);
      table->shrink_f32(0.5f, shrunk.data(), n);
      CAPTURE(name_of(*table));
      for (size_t i = 0; i < n; ++i) {
        CAPTURE(x[i]);
        REQUIRE_EQ(sum[i], y[i] + (x[i] > 0 ? 0.25f : x[i] < 0 ? -0.25f : 0.0f));
        if (std::isnan(x[i])) {
          REQUIRE(std::isnan(clipped[i]));
          REQUIRE(std::isnan(shrunk[i]));
          continue;
        }
        REQUIRE_EQ(clipped[i], std::fmin(std::fmax(x[i], -0.5f), 0.5f));
        REQUIRE_EQ(shrunk[i], x[i] > 0.5f ? x[i] - 0.5f : x[i] < -0.5f ? x[i] + 0.5f : 0.0f);
      }
    }
}

TEST_CASE("a hundred steps of Adam stay near Adam in double") {
  Noise noise(34);
  const size_t n = 19;
  for (const Kernels* table : every_table()) {
    std::vector<float> w = noise.uniform(n), m(n), v(n);
    std::vector<double> dw(w.begin(), w.end()), dm(n), dv(n);
    for (int t = 1; t <= 100; ++t) {
      const std::vector<float> g = noise.uniform(n);
      const double b1 = 1 - std::pow(0.9, t), b2 = 1 - std::pow(0.999, t);
      const AdamStep s = {1,
                          1,
                          0.9f,
                          0.999f,
                          float(1 - 0.9),
                          float(1 - 0.999),
                          float(1e-2 / b1),
                          float(1 / std::sqrt(b2)),
                          1e-8f};
      table->adam_f32(s, w.data(), g.data(), m.data(), v.data(), n);
      for (size_t i = 0; i < n; ++i) {
        dm[i] = 0.9 * dm[i] + 0.1 * double(g[i]);
        dv[i] = 0.999 * dv[i] + 0.001 * double(g[i]) * double(g[i]);
        dw[i] -= 1e-2 * (dm[i] / b1) / (std::sqrt(dv[i] / b2) + 1e-8);
      }
    }
    CAPTURE(name_of(*table));
    for (size_t i = 0; i < n; ++i) REQUIRE(std::fabs(double(w[i]) - dw[i]) <= 1e-5);
  }
}

TEST_CASE("cos_pi is the cosine within 1e-15") {
  for (int i = 0; i <= 100000; ++i) {
    const double x = i / 100000.0;
    // The sine has the same value, and its argument a smaller error.
    REQUIRE(std::fabs(cos_pi(x) - std::sin(3.14159265358979323846 * (0.5 - x))) <= 1e-15);
  }
  CHECK_EQ(cos_pi(0), 1.0);
  CHECK_EQ(cos_pi(1), -1.0);
  CHECK_EQ(cos_pi(0.5), 0.0);
}

TEST_CASE("Philox gives the published numbers") {
  // Random123 1.14, tests/kat_vectors: philox4x32 10
  struct Vector {
    uint64_t key;
    uint32_t counter[4], expected[4];
  };
  const Vector vectors[] = {{0, {0, 0, 0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
                            {0xffffffffffffffffu,
                             {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
                             {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
                            {0x299f31d0a4093822u,
                             {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                             {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}};
  for (const Vector& v : vectors) {
    const Philox got = Philox::at(v.key, v.counter[0], v.counter[1], v.counter[2], v.counter[3]);
    for (int i = 0; i < 4; ++i) CHECK_EQ(got.word[i], v.expected[i]);
  }
}

TEST_CASE("unit_float is in [0, 1) and below is below its bound") {
  CHECK_EQ(unit_float(0), 0.0f);
  CHECK_EQ(unit_float(0xffffffffu), 1.0f - 1.0f / 16777216.0f);
  CHECK_EQ(unit_float(0x80000000u), 0.5f);
  for (const uint32_t bound : {1u, 2u, 3u, 1000u, 0xffffffffu}) {
    CHECK_EQ(below(0, bound), 0u);
    CHECK_EQ(below(0xffffffffu, bound), bound - 1);
  }
}

TEST_CASE("tables are found by name, and this CPU runs the one that is picked") {
  int count = 0;
  const Kernels* const* tables = kernel_tables(&count);
  REQUIRE(count >= 1);
  CHECK_EQ(std::string(tables[0]->name), "scalar");
  CHECK(runs_here(*tables[0]));
  for (int i = 0; i < count; ++i) CHECK_EQ(pick_kernels(tables[i]->name), tables[i]);
  CHECK(pick_kernels("no such") == nullptr);
  CHECK(pick_kernels("") == nullptr);
  const Kernels* best = pick_kernels(nullptr);
  REQUIRE(best != nullptr);
  CHECK_EQ(best, every_table().back());
}
