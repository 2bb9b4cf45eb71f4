#define SLUICE_ISA_ARMV7
#include "../all.h"
#include "sets.h"

namespace sluice {
extern const Kernels armv7_kernels;
const Kernels armv7_kernels = make_kernels<Set>("armv7");
}  // namespace sluice
