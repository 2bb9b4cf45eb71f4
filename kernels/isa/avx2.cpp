#define SLUICE_ISA_AVX2
#include "../all.h"
#include "sets.h"

namespace sluice {
SLUICE_TABLES(avx2, "avx2")
}  // namespace sluice
