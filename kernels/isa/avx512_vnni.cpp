#define SLUICE_ISA_AVX512_VNNI
#include "../all.h"
#include "sets.h"

namespace sluice {
extern const Kernels avx512_vnni_kernels;
const Kernels avx512_vnni_kernels = make_kernels<Set>("avx512-vnni");
}  // namespace sluice
