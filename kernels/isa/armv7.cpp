#define SLUICE_ISA_ARMV7
#include "sets.h"

#include "../all.h"

namespace sluice {
extern const Kernels armv7_kernels;
const Kernels armv7_kernels = make_kernels<Set>("armv7");
}  // namespace sluice
