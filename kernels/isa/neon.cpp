#define SLUICE_ISA_NEON
#include "sets.h"

#include "../all.h"

namespace sluice {
extern const Kernels neon_kernels;
const Kernels neon_kernels = make_kernels<Set>("neon");
}  // namespace sluice
