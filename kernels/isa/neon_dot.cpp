#define SLUICE_ISA_NEON_DOT
#include "../all.h"
#include "sets.h"

namespace sluice {
extern const Kernels neon_dot_kernels;
const Kernels neon_dot_kernels = make_kernels<Set>("neon-dot");
}  // namespace sluice
