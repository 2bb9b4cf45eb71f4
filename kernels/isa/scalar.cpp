#define SLUICE_ISA_SCALAR
#include "../all.h"
#include "sets.h"

namespace sluice {
SLUICE_TABLES(scalar, "scalar")
}  // namespace sluice
