#define SLUICE_ISA_NEON
#include "../all.h"
#include "sets.h"

namespace sluice {
SLUICE_TABLES(neon, "neon")
}  // namespace sluice
