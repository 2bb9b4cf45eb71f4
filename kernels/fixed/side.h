// The right side of a product: the numbers x that its weights multiply, padded with zeros to a
// multiple of 16.
#ifndef SLUICE_FIXED_SIDE_H
#define SLUICE_FIXED_SIDE_H

#include "../lanes/one.h"

namespace sluice {
namespace {

constexpr int side_length(int n) { return (n + 15) & -16; }

/// Returns an int16 as the int8 that enters a product: its upper byte, rounded and saturated.
inline int narrowed(int16_t h) { return saturated<8>(OneInt{(h + 128) >> 8}).v; }

}  // namespace
}  // namespace sluice

#endif
