#define SLUICE_ISA_AVX512
#include "../all.h"
#include "sets.h"

namespace sluice {
SLUICE_TABLES(avx512, "avx512")
}  // namespace sluice
