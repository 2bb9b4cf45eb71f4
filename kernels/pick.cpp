// The list of tables in this build, and the choice of one by name or by the CPU's extensions.
#include <string.h>

#include "cpu.h"
#include "kernels.h"
#if defined(SLUICE_HAS_X86)
#include <cpuid.h>
#elif defined(SLUICE_HAS_NEON) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace sluice {

#if defined(SLUICE_ONE_ISA)
constexpr Kernels only_kernels{SLUICE_ONE_ISA};
#else
extern const Kernels scalar_kernels;
#endif
#if defined(SLUICE_HAS_X86)
extern const Kernels avx2_kernels, avx2_vnni_kernels, avx512_kernels, avx512_vnni_kernels;
#elif defined(SLUICE_HAS_NEON)
extern const Kernels neon_kernels, neon_dot_kernels;
#elif defined(SLUICE_HAS_ARMV7)
extern const Kernels armv7_kernels;
#endif

namespace {
const Kernels* const tables[] = {
#if defined(SLUICE_ONE_ISA)
    &only_kernels,
#else
    &scalar_kernels,
#endif
#if defined(SLUICE_HAS_X86)
    &avx2_kernels, &avx2_vnni_kernels, &avx512_kernels, &avx512_vnni_kernels,
#elif defined(SLUICE_HAS_NEON)
    &neon_kernels,
    &neon_dot_kernels,
#elif defined(SLUICE_HAS_ARMV7)
    &armv7_kernels,
#endif
};
constexpr int table_count = int(sizeof tables / sizeof *tables);
}  // namespace

#if defined(SLUICE_HAS_X86)
namespace {
struct Cpuid {
  uint32_t a = 0, b = 0, c = 0, d = 0;  ///< zeros if the CPU does not have the leaf
};
Cpuid cpuid(uint32_t leaf, uint32_t part) {
  Cpuid r;
  __get_cpuid_count(leaf, part, &r.a, &r.b, &r.c, &r.d);
  return r;
}

/// Returns the registers that the system saves when it switches between programs (XCR0).
uint32_t saved_registers() {
  uint32_t low, high;
  asm("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}
}  // namespace

// We read CPUID ourselves, because __builtin_cpu_supports of clang 14 does not know avxvnni.
uint32_t cpu_features() {
  const Cpuid one = cpuid(1, 0), seven = cpuid(7, 0), more = seven.a >= 1 ? cpuid(7, 1) : Cpuid{};
  const uint32_t saved = one.c >> 27 & 1 ? saved_registers() : 0;
  // ymm: XMM and the upper halves; zmm: these, the mask registers and all of ZMM.
  constexpr uint32_t none = 0, ymm = 0x06, zmm = 0xE6;
  const struct {
    uint32_t word;
    int bit;
    uint32_t registers;
    CpuFeature feature;
  } list[] = {
      {one.c, 0, none, cpu_SSE3},       {one.c, 9, none, cpu_SSSE3},
      {one.c, 19, none, cpu_SSE4_1},    {one.c, 20, none, cpu_SSE4_2},
      {one.c, 20, none, cpu_CRC32},     {one.c, 23, none, cpu_POPCNT},
      {one.c, 27, none, cpu_XSAVE},     {one.c, 28, ymm, cpu_AVX},
      {one.c, 29, ymm, cpu_F16C},       {one.c, 12, ymm, cpu_FMA},
      {seven.b, 5, ymm, cpu_AVX2},      {more.a, 4, ymm, cpu_AVXVNNI},
      {seven.b, 16, zmm, cpu_AVX512F},  {seven.b, 28, zmm, cpu_AVX512CD},
      {seven.b, 17, zmm, cpu_AVX512DQ}, {seven.b, 30, zmm, cpu_AVX512BW},
      {seven.b, 31, zmm, cpu_AVX512VL}, {seven.c, 11, zmm, cpu_AVX512VNNI},
  };
  static_assert(sizeof list / sizeof *list == cpu_feature_count, "every extension has its bit");
  uint32_t all = 0;
  for (const auto& one_of : list)
    if (one_of.word >> one_of.bit & 1 && (saved & one_of.registers) == one_of.registers)
      all |= one_of.feature;
  return all;
}
#elif defined(SLUICE_HAS_NEON) && defined(__linux__)
uint32_t cpu_features() {
  const unsigned long has = getauxval(AT_HWCAP);
  return (has & HWCAP_CRC32 ? cpu_CRC32 : 0u) | (has & HWCAP_ATOMICS ? cpu_ATOMICS : 0u) |
         (has & HWCAP_ASIMDRDM ? cpu_QRDMX : 0u) | (has & HWCAP_ASIMDDP ? cpu_DOTPROD : 0u);
}
#else
uint32_t cpu_features() { return 0; }
#endif

const Kernels* const* kernel_tables(int* count) {
  *count = table_count;
  return tables;
}

#if defined(SLUICE_ONE_ISA)
bool runs_here(const Kernels&) { return true; }
#else
/// The extensions that this file itself is compiled for are not tested, because the whole program
/// needs them.
bool runs_with(uint32_t features, const Kernels& kernels) {
  return (kernels.needs & ~(features | compiled_features)) == 0;
}
bool runs_here(const Kernels& kernels) { return runs_with(cpu_features(), kernels); }
#endif

const Kernels* pick_kernels(const char* name) {
  for (int i = table_count - 1; i >= 0; --i)
    if (name ? strcmp(name, tables[i]->name) == 0 : runs_here(*tables[i])) return tables[i];
  return nullptr;
}

/// Reduces to [0, 1/4], where it sums the Taylor series of sine or cosine, in plain products and
/// sums of doubles.
double cos_pi(double x) {
  if (x > 0.5) return -cos_pi(1.0 - x);
  constexpr double pi = 3.141592653589793238;
  if (x > 0.25) {
    const double y = pi * (0.5 - x), s = y * y;
    double sum = 1.0;
    for (int n = 18; n >= 2; n -= 2) sum = 1.0 - sum * s / (n * (n + 1.0));
    return sum * y;
  }
  const double y = pi * x, s = y * y;
  double sum = 1.0;
  for (int n = 18; n >= 2; n -= 2) sum = 1.0 - sum * s / (n * (n - 1.0));
  return sum;
}

}  // namespace sluice
