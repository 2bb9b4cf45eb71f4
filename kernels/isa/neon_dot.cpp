#define SLUICE_ISA_NEON_DOT
#include "../all.h"
#include "sets.h"

namespace sluice {
SLUICE_TABLES(neon_dot, "neon-dot")
}  // namespace sluice
