// The side of a product: what enters it, padded with zeros to whole sixteens.
#ifndef SLUICE_FIXED_SIDE_H
#define SLUICE_FIXED_SIDE_H

#include "../lanes/one.h"

namespace sluice {
namespace {

constexpr int side_length(int n) { return (n + 15) & -16; }

/// int16 as it enters a product of int8.
inline int narrowed(int16_t h) { return saturated<8>(OneInt{(h + 128) >> 8}).v; }

}  // namespace
}  // namespace sluice

#endif
