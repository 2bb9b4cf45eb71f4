// The only instruction set of firmware. Every entry is a function with a name of its own, which the
// linker keeps or drops.
#define SLUICE_ISA_CORTEX_M
#include "../all.h"
#include "sets.h"

#if defined(SLUICE_CURVE_PART)
#define SLUICE_TABLE CurveKernels
#define SLUICE_ENTRIES "../curve_entries.h"
#else
#define SLUICE_TABLE Kernels
#define SLUICE_ENTRIES "../entries.h"
#endif

namespace sluice {

#define SLUICE_KERNEL(result, name, parameters, arguments) \
  result SLUICE_TABLE::name parameters { return sluice::name<Set> arguments; }
#include SLUICE_ENTRIES
#undef SLUICE_KERNEL

}  // namespace sluice
