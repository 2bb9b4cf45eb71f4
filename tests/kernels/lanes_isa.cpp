// Exports fma, divide and sqrt of one instruction set's lane types to a test. Compiled once per
// instruction set, with the flags of its file in kernels/isa, which names the lane types
// (kernels/isa/sets.h).
#include <stddef.h>

#include "kernels/isa/sets.h"
#include "lanes.h"

namespace sluice {
namespace {

template <class V, class Operation>
void over(size_t n, float* y, Operation operation) {  // n is a multiple of every width
  for (size_t i = 0; i < n; i += size_t(V::width)) store(y + i, operation(i));
}

template <class V>
void lane_fma(const float* a, const float* b, const float* c, float* y, size_t n) {
  over<V>(n, y, [=](size_t i) {
    return fma(Make<V>::load(a + i), Make<V>::load(b + i), Make<V>::load(c + i));
  });
}

template <class V>
void lane_divide(const float* a, const float* b, float* y, size_t n) {
  over<V>(n, y, [=](size_t i) { return Make<V>::load(a + i) / Make<V>::load(b + i); });
}

template <class V>
void lane_sqrt(const float* a, float* y, size_t n) {
  over<V>(n, y, [=](size_t i) { return sqrt(Make<V>::load(a + i)); });
}

template <class V>
constexpr tests::LaneType lane_type(const char* name) {
  return {name, V::width, lane_fma<V>, lane_divide<V>, lane_sqrt<V>};
}

}  // namespace

namespace tests {
extern const LaneType SLUICE_LANES_TABLE[2];
const LaneType SLUICE_LANES_TABLE[2] = {lane_type<Set::Wide>(SLUICE_LANES_NAME),
                                        lane_type<Set::Half>(SLUICE_LANES_NAME)};
}  // namespace tests
}  // namespace sluice
