#define SLUICE_ISA_ARMV7
#include "../all.h"
#include "sets.h"

namespace sluice {
SLUICE_TABLES(armv7, "armv7")
}  // namespace sluice
