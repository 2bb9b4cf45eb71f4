#define SLUICE_ISA_SCALAR
#include "sets.h"

#include "../all.h"

namespace sluice {
extern const Kernels scalar_kernels;
const Kernels scalar_kernels = make_kernels<Set>("scalar");
}  // namespace sluice
