#define SLUICE_ISA_AVX2_VNNI
#include "../all.h"
#include "sets.h"

namespace sluice {
extern const Kernels avx2_vnni_kernels;
const Kernels avx2_vnni_kernels = make_kernels<Set>("avx2-vnni");
}  // namespace sluice
