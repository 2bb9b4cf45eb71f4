#define SLUICE_ISA_AVX512
#include "../all.h"
#include "sets.h"

namespace sluice {
extern const Kernels avx512_kernels;
const Kernels avx512_kernels = make_kernels<Set>("avx512");
}  // namespace sluice
