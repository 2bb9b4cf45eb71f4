#define SLUICE_ISA_AVX2_VNNI
#include "../all.h"
#include "sets.h"

namespace sluice {
SLUICE_TABLES(avx2_vnni, "avx2-vnni")
}  // namespace sluice
