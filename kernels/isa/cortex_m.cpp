// The only instruction set of firmware. Every entry is a function with a name of its own, which the
// linker keeps or drops.
#define SLUICE_ISA_CORTEX_M
#include "../all.h"
#include "sets.h"

namespace sluice {

#define SLUICE_KERNEL(result, name, parameters, arguments) \
  result Kernels::name parameters { return sluice::name<Set> arguments; }
#include "../entries.h"
#undef SLUICE_KERNEL

}  // namespace sluice
