// exp, log, tanh and sigmoid over all 2^32 floats: within the bounds of kernels/kernels.h, against
// double precision. Checks ranges, oddness, infinities and NaN, and that every table that this CPU
// runs gives the same bits.
//   exhaust_activations [THREADS]
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "kernels/kernels.h"

namespace {

using sluice::Activation;
using sluice::Kernels;

constexpr uint64_t all_floats = uint64_t(1) << 32;
constexpr int piece = 1 << 16;  ///< floats of one task
constexpr double most_ulps = 2.0;

float from_bits(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

uint32_t bits_of(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return std::isnan(x) ? 0x7FC00000u : bits;
}

struct Function {
  const char* name;
  void (*call)(const Kernels&, float* x, int n);
  double (*truth)(double x);
  float least, greatest;  ///< the range, ends included
  bool odd;
};

void exp_of(const Kernels& k, float* x, int n) { k.exp_f32(x, x, size_t(n)); }
void log_of(const Kernels& k, float* x, int n) { k.log_f32(x, x, size_t(n)); }
void tanh_of(const Kernels& k, float* x, int n) { k.activate_f32(Activation::tanh, x, 1, n, n); }
void sigmoid_of(const Kernels& k, float* x, int n) {
  k.activate_f32(Activation::sigmoid, x, 1, n, n);
}

constexpr float infinity = std::numeric_limits<float>::infinity();

const Function functions[] = {
    {"tanh", tanh_of, [](double x) { return std::tanh(x); }, -1.0f, 1.0f, true},
    {"sigmoid", sigmoid_of, [](double x) { return 1.0 / (1.0 + std::exp(-x)); }, 0.0f, 1.0f, false},
    {"exp", exp_of, [](double x) { return std::exp(x); }, 0.0f, infinity, false},
    // kernels.h: zeros and positive subnormal numbers count as FLT_MIN.
    {"log", log_of,
     [](double x) { return std::log(x >= 0 && x < double(FLT_MIN) ? double(FLT_MIN) : x); },
     -infinity, infinity, false},
};

/// The largest errors over all floats that a thread checked.
struct Worst {
  double ulps = 0;   ///< if the truth is normal
  double below = 0;  ///< in units of FLT_MIN, if the truth is smaller
  float ulps_at = 0;
  uint64_t wrong = 0;
  std::string first_wrong;

  void fail(const Kernels& kernels, const char* what, float x, float y) {
    if (wrong++) return;
    char line[160];
    std::snprintf(line, sizeof line, "%s: %s: %a gives %a", kernels.name, what, double(x),
                  double(y));
    first_wrong = line;
  }

  void add(const Worst& other) {
    if (other.ulps > ulps) ulps = other.ulps, ulps_at = other.ulps_at;
    below = std::max(below, other.below);
    if (!wrong) first_wrong = other.first_wrong;
    wrong += other.wrong;
  }
};

/// |y - truth| in units in the last place of the truth, which is normal.
double ulps(float y, double truth) {
  uint64_t bits;
  std::memcpy(&bits, &truth, sizeof bits);
  bits &= uint64_t(0x7FF) << 52;  // the power of two below
  double power;
  std::memcpy(&power, &bits, sizeof power);
  return std::fabs(double(y) - truth) / power * double(1 << 23);
}

void check_value(const Function& f, const Kernels& kernels, float x, float y, Worst& worst) {
  const double truth = f.truth(double(x));
  if (std::isnan(truth) || std::isnan(y)) {
    if (std::isnan(truth) != std::isnan(y)) worst.fail(kernels, "NaN", x, y);
    return;
  }
  if (!(y >= f.least && y <= f.greatest)) worst.fail(kernels, "out of range", x, y);
  if (std::fabs(truth) > double(FLT_MAX) || std::isinf(y)) {
    // The truth rounds to infinity, or to the greatest number if that is nearer.
    const bool right = std::isinf(y) ? std::fabs(truth) > double(FLT_MAX)
                                     : ulps(y, std::copysign(double(FLT_MAX), truth)) <= most_ulps;
    if (!right || std::signbit(y) != std::signbit(truth)) worst.fail(kernels, "infinity", x, y);
    return;
  }
  if (std::fabs(truth) < double(FLT_MIN)) {
    const double error = std::fabs(double(y) - truth) / double(FLT_MIN);
    worst.below = std::max(worst.below, error);
    if (error > 1.0) worst.fail(kernels, "more than FLT_MIN off", x, y);
    return;
  }
  const double error = ulps(y, truth);
  if (error > worst.ulps) worst.ulps = error, worst.ulps_at = x;
  if (error > most_ulps) worst.fail(kernels, "more than 2 ULP off", x, y);
}

/// Checks one piece of the floats: the first table against the truth, the other tables against the
/// first, and oddness against the mirrored piece.
void check_piece(const Function& f, const std::vector<const Kernels*>& tables, uint32_t first,
                 Worst& worst) {
  std::vector<float> x(piece), y, other(piece);
  for (int i = 0; i < piece; ++i) x[size_t(i)] = from_bits(first + uint32_t(i));
  y = x;
  f.call(*tables[0], y.data(), piece);
  for (size_t i = 0; i < piece; ++i) check_value(f, *tables[0], x[i], y[i], worst);
  for (size_t t = 1; t < tables.size(); ++t) {
    other = x;
    f.call(*tables[t], other.data(), piece);
    for (size_t i = 0; i < piece; ++i)
      if (bits_of(other[i]) != bits_of(y[i]))
        worst.fail(*tables[t], "other bits than the first table", x[i], other[i]);
  }
  if (!f.odd) return;
  for (int i = 0; i < piece; ++i) other[size_t(i)] = -x[size_t(i)];
  f.call(*tables.back(), other.data(), piece);
  for (size_t i = 0; i < piece; ++i)
    if (bits_of(other[i]) != bits_of(-y[i])) worst.fail(*tables.back(), "not odd", x[i], y[i]);
}

Worst check_all(const Function& f, const std::vector<const Kernels*>& tables, unsigned threads) {
  Worst worst;
  std::mutex lock;
  std::atomic<uint64_t> next{0};
  const auto work = [&] {
    Worst own;
    for (uint64_t at; (at = next.fetch_add(piece)) < all_floats;) {
      if (at % (all_floats / 64) == 0 && isatty(STDERR_FILENO))
        std::fprintf(stderr, "\r%s %2d %%", f.name, int(at * 100 / all_floats));
      check_piece(f, tables, uint32_t(at), own);
    }
    const std::lock_guard<std::mutex> hold(lock);
    worst.add(own);
  };
  std::vector<std::thread> pool;
  for (unsigned i = 0; i < threads; ++i) pool.emplace_back(work);
  for (std::thread& thread : pool) thread.join();
  if (isatty(STDERR_FILENO)) std::fprintf(stderr, "\r");
  return worst;
}

std::vector<const Kernels*> runnable_tables() {
  int count = 0;
  const Kernels* const* all = sluice::kernel_tables(&count);
  std::vector<const Kernels*> tables;
  for (int i = 0; i < count; ++i) {
    if (sluice::runs_here(*all[i]))
      tables.push_back(all[i]);
    else
      std::printf("skipped, not run by this CPU: %s\n", all[i]->name);
  }
  return tables;
}

}  // namespace

int main(int argc, char** argv) {
  const unsigned threads = argc > 1 ? unsigned(std::max(1, std::atoi(argv[1])))
                                    : std::max(1u, std::thread::hardware_concurrency());
  const std::vector<const Kernels*> tables = runnable_tables();
  std::printf("all 2^32 floats on");
  for (const Kernels* table : tables) std::printf(" %s", table->name);
  std::printf(", %u threads\n", threads);
  bool good = true;
  for (const Function& f : functions) {
    std::fflush(stdout);
    const Worst worst = check_all(f, tables, threads);
    std::printf("%-8s %.4f ULP at the worst (x = %.9g); below FLT_MIN %.3g FLT_MIN; %llu wrong\n",
                f.name, worst.ulps, double(worst.ulps_at), worst.below,
                static_cast<unsigned long long>(worst.wrong));
    if (worst.wrong) std::printf("  first: %s\n", worst.first_wrong.c_str());
    good = good && !worst.wrong;
  }
  return good ? 0 : 1;
}
