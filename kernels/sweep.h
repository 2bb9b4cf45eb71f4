// Loops over arrays, with the widest lanes that fit the remaining elements. The result of an
// element never depends on the lanes that computed it.
#ifndef SLUICE_SWEEP_H
#define SLUICE_SWEEP_H

#include <stddef.h>

#include "lanes/one.h"

namespace sluice {
namespace {

/// Calls f(Make<V>{}, i) for lanes V that cover [i, i + V::width), from 0 to n.
/// @tparam Set  the lane types of an instruction set: Wide, and Half for a remainder of eight (One
///              if there is no such type)
template <class Set, class F>
inline void sweep(size_t n, F&& f) {
  using Wide = typename Set::Wide;
  using Half = typename Set::Half;
  size_t i = 0;
  if constexpr (Wide::width > 1) {
    for (; i + Wide::width <= n; i += Wide::width) f(Make<Wide>{}, i);
  }
  if constexpr (Half::width > 1) {
    for (; i + Half::width <= n; i += Half::width) f(Make<Half>{}, i);
  }
  for (; i < n; ++i) f(Make<One>{}, i);
}

/// The same for integers, with n a multiple of 8: Int, and HalfInt for a remainder of eight.
template <class Set, class F>
__attribute__((always_inline)) inline void sweep_ints(size_t n, F&& f) {
  using Int = typename Set::Int;
  size_t i = 0;
  for (; i + Int::width <= n; i += Int::width) f(Make<Int>{}, i);
  if constexpr (Int::width > 8) {
    if (i < n) f(Make<typename Set::HalfInt>{}, i);
  }
}

}  // namespace
}  // namespace sluice

#endif
