#define SLUICE_ISA_SCALAR
#include "../all.h"
#include "sets.h"

namespace sluice {
extern const Kernels scalar_kernels;
const Kernels scalar_kernels = make_kernels<Set>("scalar");
}  // namespace sluice
