// The CPU extensions that a table needs. The file of an instruction set records, by the compiler's
// own macros, for which extensions it was compiled. So a table needs exactly the extensions that
// its compiler flags turn on, and no second list of them must be kept up to date.
#ifndef SLUICE_CPU_H
#define SLUICE_CPU_H

#include <stdint.h>

/// Lists the extensions that the flags of kernels/isa (CMakeLists.txt) turn on beyond the baseline,
/// by the names of the compiler's macros. A test asks the compiler whether one is missing here.
#if defined(__x86_64__)
#define SLUICE_CPU_MACRO(name) __##name##__
// clang-format off
#define SLUICE_CPU_FEATURES(X)                                                         \
  X(SSE3) X(SSSE3) X(SSE4_1) X(SSE4_2) X(CRC32) X(POPCNT) X(XSAVE)                     \
  X(AVX) X(F16C) X(FMA) X(AVX2) X(AVXVNNI)                                             \
  X(AVX512F) X(AVX512CD) X(AVX512DQ) X(AVX512BW) X(AVX512VL) X(AVX512VNNI)
// clang-format on
#elif defined(__aarch64__)
#define SLUICE_CPU_MACRO(name) __ARM_FEATURE_##name
#define SLUICE_CPU_FEATURES(X) X(CRC32) X(ATOMICS) X(QRDMX) X(DOTPROD)
#else
#define SLUICE_CPU_FEATURES(X)
#endif

namespace sluice {

#define SLUICE_CPU_INDEX(name) cpu_index_##name,
enum CpuIndex { SLUICE_CPU_FEATURES(SLUICE_CPU_INDEX) cpu_feature_count };
#define SLUICE_CPU_BIT(name) cpu_##name = uint32_t(1) << cpu_index_##name,
enum CpuFeature : uint32_t { SLUICE_CPU_FEATURES(SLUICE_CPU_BIT) };

/// Gives the bit of an extension if the compiler defines its macro, else 0. A macro that is not
/// defined stays a name, which begins with an underscore; a defined one becomes a number.
#define SLUICE_CPU_SHOWN(expanded) #expanded
#define SLUICE_CPU_TEXT(macro) SLUICE_CPU_SHOWN(macro)
#define SLUICE_CPU_COMPILED(name) \
  (SLUICE_CPU_TEXT(SLUICE_CPU_MACRO(name))[0] == '_' ? 0u : uint32_t(cpu_##name)) |

/// The extensions that the including file is compiled for. It has internal linkage, because each
/// file has its own.
[[maybe_unused]] static constexpr uint32_t compiled_features =
    SLUICE_CPU_FEATURES(SLUICE_CPU_COMPILED) 0u;

/// Returns the extensions of this CPU that the system lets programs use (bits of CpuFeature).
uint32_t cpu_features();

}  // namespace sluice

#endif
