// Fills the table of an instruction set from its lane types.
#ifndef SLUICE_KERNELS_ALL_H
#define SLUICE_KERNELS_ALL_H

#include "cpu.h"
#include "f32/curves.h"
#include "f32/gates.h"
#include "f32/math.h"
#include "f32/product.h"
#include "f32/reduce.h"
#include "f32/step.h"
#include "fixed/layers.h"
#include "kernels.h"

namespace sluice {
namespace {

#if !defined(SLUICE_ONE_ISA)
template <class Set>
constexpr Kernels make_kernels(const char* name) {
  return {
      name,
      compiled_features,
#define SLUICE_KERNEL(result, entry, parameters, arguments) entry<Set>,
#include "entries.h"
#undef SLUICE_KERNEL
  };
}
#endif

}  // namespace
}  // namespace sluice

#endif
