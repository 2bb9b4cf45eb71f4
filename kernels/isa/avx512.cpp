#define SLUICE_ISA_AVX512
#include "sets.h"

#include "../all.h"

namespace sluice {
extern const Kernels avx512_kernels;
const Kernels avx512_kernels = make_kernels<Set>("avx512");
}  // namespace sluice
