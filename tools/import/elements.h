// Types of numbers in tensors, little-endian, and their values as floats.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "../data/npy.h"

namespace sluice::tools {

struct ElementType {
  std::size_t bytes = 0;
  float (*read)(const char* at) = nullptr;
};

template <class T>
constexpr ElementType element_of = {sizeof(T), [](const char* at) {
                                      T value;
                                      std::memcpy(&value, at, sizeof value);
                                      return float(value);
                                    }};

/// IEEE 754's binary16.
constexpr ElementType half_element = {sizeof(std::uint16_t), [](const char* at) {
                                        std::uint16_t bits;
                                        std::memcpy(&bits, at, sizeof bits);
                                        return float(binary16_of(bits));
                                      }};

/// The upper half of a binary32.
constexpr ElementType bfloat16_element = {sizeof(std::uint16_t), [](const char* at) {
                                            std::uint16_t bits;
                                            std::memcpy(&bits, at, sizeof bits);
                                            return std::bit_cast<float>(std::uint32_t(bits) << 16);
                                          }};

}  // namespace sluice::tools
