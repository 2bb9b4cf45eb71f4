// Fills the tables of an instruction set from its lane types. A file of isa/ is compiled twice: for
// its Kernels, and with SLUICE_CURVE_PART for its CurveKernels.
#ifndef SLUICE_KERNELS_ALL_H
#define SLUICE_KERNELS_ALL_H

#include "cpu.h"
#if defined(SLUICE_CURVE_PART)
#include "f32/curves.h"
#include "fixed/curves.h"
#else
#include "f32/gates.h"
#include "f32/math.h"
#include "f32/product.h"
#include "f32/reduce.h"
#include "f32/step.h"
#include "fixed/layers.h"
#endif
#include "kernels.h"

namespace sluice {
namespace {

#if !defined(SLUICE_ONE_ISA)
#define SLUICE_KERNEL(result, entry, parameters, arguments) entry<Set>,
#if defined(SLUICE_CURVE_PART)
template <class Set>
constexpr CurveKernels make_curves() {
  return {
#include "curve_entries.h"
  };
}
#define SLUICE_TABLES(id, name)          \
  extern const CurveKernels id##_curves; \
  const CurveKernels id##_curves = make_curves<Set>();
#else
template <class Set>
constexpr Kernels make_kernels(const char* name, const CurveKernels* curves) {
  return {
      name,
      compiled_features,
      curves,
#include "entries.h"
  };
}
#define SLUICE_TABLES(id, name)          \
  extern const CurveKernels id##_curves; \
  extern const Kernels id##_kernels;     \
  const Kernels id##_kernels = make_kernels<Set>(name, &id##_curves);
#endif
#undef SLUICE_KERNEL
#endif

}  // namespace
}  // namespace sluice

#endif
