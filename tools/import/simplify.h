// Takes out layers that other layers can do as well.
#pragma once
#include "imported.h"

namespace sluice::tools {

/// Gives a Dense the activation that alone reads it, also through a selection of its outputs, and
/// the columns of a selection that it alone reads; makes one selection of two that follow one
/// another, and of a concat of selections. The account of the import keeps its numbers
/// right.
void simplify(Imported& imported);

}  // namespace sluice::tools
