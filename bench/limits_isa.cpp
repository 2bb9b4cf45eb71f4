// The bare loops of one instruction set: compiled once for each, with the flags of its file in
// kernels/isa.
#include "kernels/isa/sets.h"
#include "limits.h"

namespace sluice {
namespace {

// More than latency times pipes of any core we know, fewer than 16 registers.
constexpr int chains = 12;

using V = Set::Wide;
constexpr int round_floats = chains * V::width;

/// x and y are parameters so that nothing is known about them at compile time.
float fma_chains(size_t rounds, float x, float y) {
  V sum[chains];
  for (V& s : sum) s = Make<V>::set(y);
  const V a = Make<V>::set(x), b = Make<V>::set(y);
  for (size_t i = 0; i < rounds; ++i)
    for (V& s : sum) s = fma(s, a, b);
  float lanes[V::width], total = 0;
  for (const V& s : sum) {
    store(lanes, s);
    total += lanes[0];
  }
  return total;
}

float fma_rounds(size_t rounds) {
  volatile float x = 0.5f, y = 1.0f;
  return fma_chains(rounds, x, y);
}

float read(const float* x, size_t n, size_t passes) {
  V sum[chains];
  for (V& s : sum) s = Make<V>::set(0.0f);
  for (size_t pass = 0; pass < passes; ++pass)
    for (const float* at = x; at != x + n; at += round_floats)
      for (int i = 0; i < chains; ++i) sum[i] = sum[i] + Make<V>::load(at + i * V::width);
  float lanes[V::width], total = 0;
  for (const V& s : sum) {
    store(lanes, s);
    total += lanes[0];
  }
  return total;
}

}  // namespace

namespace bench {
extern const Probe SLUICE_PROBE;
const Probe SLUICE_PROBE{SLUICE_PROBE_NAME, round_floats, round_floats, fma_rounds, read};
}  // namespace bench
}  // namespace sluice
