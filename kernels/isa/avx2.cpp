#define SLUICE_ISA_AVX2
#include "../all.h"
#include "sets.h"

namespace sluice {
extern const Kernels avx2_kernels;
const Kernels avx2_kernels = make_kernels<Set>("avx2");
}  // namespace sluice
