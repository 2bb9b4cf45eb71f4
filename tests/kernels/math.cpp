// Tests exp, log, tanh, sigmoid and softmax against libm's doubles, over a dense sample of all
// floats.
#include <doctest/doctest.h>

#include <cfloat>

#include "../support/numbers.h"
#include "../support/tables.h"

using namespace sluice;
using namespace sluice::tests;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

using Function = void (*)(const Kernels&, float* x, int n);

/// Calls check(x, y) for the special numbers and a dense sample of all bit patterns; y is the
/// table's answer. The sample is densest for sizes between 2^-14 and 2^7, in which the functions
/// bend.
template <class Check>
void over_floats(const Kernels& table, Function f, Check check) {
  // `fine` is odd, so that no low bit is left out.
  const uint32_t coarse = sparse() ? 99991 : 997, fine = coarse / 9 | 1;
  std::vector<float> x = special_numbers(), y;
  uint64_t pattern = 0;
  for (;;) {
    while (x.size() < 4096 && pattern < (uint64_t(1) << 32)) {
      const uint32_t exponent = uint32_t(pattern) >> 23 & 255;
      x.push_back(from_bits(uint32_t(pattern)));
#if defined(__arm__)
      if (subnormal(x.back())) x.pop_back();
#endif
      pattern += exponent >= 113 && exponent < 134 ? fine : coarse;
    }
    if (x.empty()) return;
    y = x;
    f(table, y.data(), int(y.size()));
    for (size_t i = 0; i < x.size(); ++i) check(x[i], y[i]);
    x.clear();
  }
}

void call_exp(const Kernels& t, float* x, int n) { t.exp_f32(x, x, size_t(n)); }
void call_log(const Kernels& t, float* x, int n) { t.log_f32(x, x, size_t(n)); }
void call_tanh(const Kernels& t, float* x, int n) { t.activate_f32(Activation::tanh, x, 1, n, n); }
void call_sigmoid(const Kernels& t, float* x, int n) {
  t.activate_f32(Activation::sigmoid, x, 1, n, n);
}
void call_relu(const Kernels& t, float* x, int n) { t.activate_f32(Activation::relu, x, 1, n, n); }
void call_linear(const Kernels& t, float* x, int n) {
  t.activate_f32(Activation::linear, x, 1, n, n);
}

/// Checks an error of at most 2 ULP if the truth is normal, and of at most FLT_MIN if it is
/// smaller.
bool close(float got, double truth) {
  if (std::fabs(truth) < double(FLT_MIN)) return std::fabs(double(got) - truth) <= double(FLT_MIN);
  return ulps(got, truth) <= 2.0;
}

}  // namespace

TEST_CASE("tanh is within 2 ULP of its value, in [-1, 1], and odd") {
  for (const Kernels* table : every_table()) {
    CAPTURE(name_of(*table));
    over_floats(*table, call_tanh, [&](float x, float y) {
      CAPTURE(x);
      if (std::isnan(x)) {
        REQUIRE(std::isnan(y));
        return;
      }
      if (!close(y, std::tanh(double(x))))
        FAIL("tanh gives ", y, " where ", std::tanh(double(x)), " is right");
      if (!(y >= -1 && y <= 1)) FAIL("outside [-1, 1]: ", y);
      float mirror = -x;
      if (!sparse() || (raw_bits(x) & 15) == 0) {
        call_tanh(*table, &mirror, 1);
        if (raw_bits(mirror) != raw_bits(-y)) FAIL("not odd");
      }
    });
    float ends[] = {infinity, -infinity, 0.0f, -0.0f};
    call_tanh(*table, ends, 4);
    CHECK_EQ(ends[0], 1.0f);
    CHECK_EQ(ends[1], -1.0f);
    CHECK_EQ(raw_bits(ends[2]), 0u);
    CHECK_EQ(raw_bits(ends[3]), 0x80000000u);
  }
}

TEST_CASE("sigmoid is within 2 ULP of its value and in [0, 1]") {
  for (const Kernels* table : every_table()) {
    CAPTURE(name_of(*table));
    over_floats(*table, call_sigmoid, [&](float x, float y) {
      CAPTURE(x);
      if (std::isnan(x)) {
        REQUIRE(std::isnan(y));
        return;
      }
      if (!close(y, 1 / (1 + std::exp(-double(x))))) FAIL("sigmoid gives ", y);
      if (!(y >= 0 && y <= 1)) FAIL("outside [0, 1]: ", y);
    });
    float ends[] = {infinity, -infinity, 0.0f, -0.0f};
    call_sigmoid(*table, ends, 4);
    CHECK_EQ(ends[0], 1.0f);
    CHECK_EQ(ends[1], 0.0f);
    CHECK_EQ(ends[2], 0.5f);
    CHECK_EQ(ends[3], 0.5f);
  }
}

TEST_CASE("exp is within 2 ULP of its value where that is normal, zero below and infinite above") {
  for (const Kernels* table : every_table()) {
    CAPTURE(name_of(*table));
    over_floats(*table, call_exp, [&](float x, float y) {
      CAPTURE(x);
      const double truth = std::exp(double(x));
      if (std::isnan(x)) {
        REQUIRE(std::isnan(y));
      } else if (truth < double(FLT_MIN)) {
        if (y != 0 && y != FLT_MIN) FAIL("exp gives ", y, " where 0 is right");
      } else if (truth > double(FLT_MAX)) {
        if (y < FLT_MAX) FAIL("exp gives ", y, " where infinity is right");
      } else if (ulps(y, truth) > 2) {
        FAIL("exp gives ", y, " where ", truth, " is right");
      }
    });
    float ends[] = {0.0f, -0.0f, infinity, -infinity};
    call_exp(*table, ends, 4);
    CHECK_EQ(ends[0], 1.0f);
    CHECK_EQ(ends[1], 1.0f);
    CHECK_EQ(ends[2], infinity);
    CHECK_EQ(raw_bits(ends[3]), 0u);
  }
}

TEST_CASE("log is within 2 ULP of its value; a subnormal counts as FLT_MIN") {
  for (const Kernels* table : every_table()) {
    CAPTURE(name_of(*table));
    float least = FLT_MIN;
    call_log(*table, &least, 1);
    over_floats(*table, call_log, [&](float x, float y) {
      CAPTURE(x);
      if (std::isnan(x)) {
        REQUIRE(std::isnan(y));
      } else if (x > 0 && subnormal(x)) {
        REQUIRE_EQ(raw_bits(y), raw_bits(least));
      } else if (x == infinity) {
        REQUIRE_EQ(y, infinity);
      } else if (x == 1) {
        REQUIRE_EQ(y, 0.0f);
      } else if (x > 0 && ulps(y, std::log(double(x))) > 2) {
        FAIL("log gives ", y, " where ", std::log(double(x)), " is right");
      }
    });
  }
}

TEST_CASE("linear changes nothing, and ReLU changes only negative numbers") {
  for (const Kernels* table : every_table()) {
    CAPTURE(name_of(*table));
    over_floats(*table, call_linear, [&](float x, float y) {
      if (bits(x) != bits(y)) FAIL("linear changes ", x);
    });
    over_floats(*table, call_relu, [&](float x, float y) {
      if (std::isnan(x) ? !std::isnan(y) : y != (x > 0 ? x : 0)) FAIL("ReLU of ", x, " is ", y);
    });
  }
}

TEST_CASE("every function has the same bits on every instruction set") {
  for (const Function f : {call_exp, call_log, call_tanh, call_sigmoid, call_relu}) {
    std::vector<uint32_t> expected;
    over_floats(scalar_table(), f, [&](float, float y) { expected.push_back(bits(y)); });
    for (const Kernels* table : every_table()) {
      size_t i = 0;
      CAPTURE(name_of(*table));
      over_floats(*table, f, [&](float x, float y) {
        if (bits(y) != expected[i++]) FAIL("different bits at ", x);
      });
    }
  }
}

TEST_CASE("a function's value does not depend on the place of its argument in the array") {
  Noise noise(20);
  for (const Kernels* table : every_table())
    for (const Function f : {call_exp, call_log, call_tanh, call_sigmoid})
      for (int n = 1; n <= 40; ++n) {
        std::vector<float> x = noise.uniform(size_t(n), -9, 9), together = x;
        f(*table, together.data(), n);
        for (float& v : x) f(*table, &v, 1);
        CAPTURE(name_of(*table));
        CAPTURE(n);
        REQUIRE(same_bits(together, x));
      }
}

TEST_CASE("activations work row by row and leave the gaps unchanged") {
  Noise noise(21);
  for (const Kernels* table : every_table())
    for (const Activation f : {Activation::linear, Activation::tanh, Activation::sigmoid,
                               Activation::relu, Activation::softmax})
      for (const int rows : {1, 2, 7})
        for (const int n : {1, 2, 7, 8, 9, 16, 33}) {
          const int stride = n + 3;
          const std::vector<float> before = noise.uniform(size_t((rows - 1) * stride + n), -4, 4);
          std::vector<float> x = before, expected = before;
          table->activate_f32(f, x.data(), rows, n, stride);
          for (int row = 0; row < rows; ++row)
            table->activate_f32(f, &expected[size_t(row * stride)], 1, n, n);
          CAPTURE(name_of(*table));
          REQUIRE(same_bits(x, expected));
        }
}

TEST_CASE(
    "softmax performs the documented operations, to the bit, and is close to its value in double") {
  Noise noise(22);
  for (const Kernels* table : every_table())
    for (const int n : {1, 2, 3, 7, 8, 9, 17, 100})
      for (const float range : {0.1f, 3.0f, 60.0f}) {
        const std::vector<float> x = noise.uniform(size_t(n), -range, range);
        std::vector<float> y = x, e(x.size());
        table->activate_f32(Activation::softmax, y.data(), 1, n, n);
        float most = x[0], sum = 0;
        for (const float v : x) most = v > most ? v : most;
        double exact_sum = 0;
        for (size_t i = 0; i < x.size(); ++i) {
          e[i] = x[i] - most;
          table->exp_f32(&e[i], &e[i], 1);
          sum = i == 0 ? e[i] : sum + e[i];
          exact_sum += std::exp(double(x[i]) - double(most));
        }
        CAPTURE(name_of(*table));
        CAPTURE(n);
        for (size_t i = 0; i < x.size(); ++i) {
          REQUIRE_EQ(raw_bits(y[i]), raw_bits(e[i] / sum));
          REQUIRE(std::fabs(double(y[i]) - std::exp(double(x[i]) - double(most)) / exact_sum) <=
                  2e-6);
        }
      }
}

TEST_CASE("softmax of a NaN or of infinity is NaN throughout; of very low numbers it is zero") {
  for (const Kernels* table : every_table())
    for (const int n : {2, 9, 33})
      for (const float bad : {not_a_number, infinity, -infinity}) {
        std::vector<float> x(size_t(n), 0.5f);
        x[size_t(n / 2)] = bad;
        table->activate_f32(Activation::softmax, x.data(), 1, n, n);
        CAPTURE(name_of(*table));
        for (int i = 0; i < n; ++i) {
          if (bad == -infinity) {
            REQUIRE_EQ(x[size_t(i)], i == n / 2 ? 0.0f : 1.0f / float(n - 1));
          } else {
            REQUIRE(std::isnan(x[size_t(i)]));
          }
        }
      }
}

TEST_CASE("the backward pass of an activation multiplies by the derivative") {
  Noise noise(23);
  for (const Kernels* table : every_table())
    for (const Activation f :
         {Activation::linear, Activation::tanh, Activation::sigmoid, Activation::relu})
      for (const int n : {1, 7, 8, 9, 33}) {
        const int rows = 3, stride = n + 2;
        std::vector<float> y = noise.uniform(size_t((rows - 1) * stride + n), -3, 3);
        table->activate_f32(f, y.data(), rows, n, stride);
        const std::vector<float> dy = noise.uniform(y.size());
        std::vector<float> got = dy, scalar = dy;
        table->activate_back_f32(f, y.data(), got.data(), rows, n, stride);
        scalar_table().activate_back_f32(f, y.data(), scalar.data(), rows, n, stride);
        CAPTURE(name_of(*table));
        REQUIRE(same_bits(got, scalar));
        for (int row = 0; row < rows; ++row)
          for (int i = 0; i < stride && size_t(row * stride + i) < y.size(); ++i) {
            const size_t at = size_t(row * stride + i);
            const double v = y[at];
            const double slope = i >= n                     ? 1  // a gap
                                 : f == Activation::tanh    ? 1 - v * v
                                 : f == Activation::sigmoid ? v * (1 - v)
                                 : f == Activation::relu    ? (v > 0 ? 1 : 0)
                                                            : 1;
            REQUIRE(std::fabs(double(got[at]) - double(dy[at]) * slope) <= 3e-7);
          }
      }
}

TEST_CASE("the backward pass of softmax computes the documented chain, to the bit") {
  Noise noise(24);
  for (const Kernels* table : every_table())
    for (const int n : {1, 2, 7, 8, 9, 33}) {
      const int rows = 4, stride = n + 1;
      std::vector<float> y = noise.uniform(size_t((rows - 1) * stride + n), -3, 3);
      table->activate_f32(Activation::softmax, y.data(), rows, n, stride);
      std::vector<float> got = noise.uniform(y.size()), expected = got;
      for (int row = 0; row < rows; ++row) {
        float sum = 0;
        for (int i = 0; i < n; ++i)
          sum = std::fma(expected[size_t(row * stride + i)], y[size_t(row * stride + i)], sum);
        for (int i = 0; i < n; ++i) {
          float& d = expected[size_t(row * stride + i)];
          d = y[size_t(row * stride + i)] * (d - sum);
        }
      }
      table->activate_back_f32(Activation::softmax, y.data(), got.data(), rows, n, stride);
      CAPTURE(name_of(*table));
      REQUIRE(same_bits(got, expected));
    }
}
