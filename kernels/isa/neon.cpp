#define SLUICE_ISA_NEON
#include "../all.h"
#include "sets.h"

namespace sluice {
extern const Kernels neon_kernels;
const Kernels neon_kernels = make_kernels<Set>("neon");
}  // namespace sluice
