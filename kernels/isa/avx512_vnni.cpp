#define SLUICE_ISA_AVX512_VNNI
#include "../all.h"
#include "sets.h"

namespace sluice {
SLUICE_TABLES(avx512_vnni, "avx512-vnni")
}  // namespace sluice
