#include <string.h>

#include "kernels.h"
#if defined(SLUICE_HAS_NEON) && defined(__linux__)
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
    &avx2_kernels,
    &avx2_vnni_kernels,
    &avx512_kernels,
    &avx512_vnni_kernels,
#elif defined(SLUICE_HAS_NEON)
    &neon_kernels,
    &neon_dot_kernels,
#elif defined(SLUICE_HAS_ARMV7)
    &armv7_kernels,
#endif
};
constexpr int table_count = int(sizeof tables / sizeof *tables);
}  // namespace

#if defined(SLUICE_HAS_NEON)
namespace {
bool has_dot_product() {
#if defined(__ARM_FEATURE_DOTPROD)
  return true;
#elif defined(__linux__)
  return getauxval(AT_HWCAP) & HWCAP_ASIMDDP;
#else
  return false;
#endif
}
}  // namespace
#endif

const Kernels* const* kernel_tables(int* count) {
  *count = table_count;
  return tables;
}

bool runs_here(const Kernels& kernels) {
#if defined(SLUICE_HAS_X86)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (&kernels == &avx2_kernels) return avx2;
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
  if (&kernels == &avx512_kernels) return avx512;
  if (&kernels == &avx512_vnni_kernels) return avx512 && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vnni");
  if (&kernels == &avx2_vnni_kernels) return avx2 && __builtin_cpu_supports("avxvnni");
#endif
#if defined(SLUICE_HAS_NEON)
  if (&kernels == &neon_dot_kernels) return has_dot_product();
#endif
  (void)kernels;  // NEON itself is part of what the ARM builds are compiled for
  return true;
}

const Kernels* pick_kernels(const char* name) {
  for (int i = table_count - 1; i >= 0; --i)
    if (name ? strcmp(name, tables[i]->name) == 0 : runs_here(*tables[i])) return tables[i];
  return nullptr;
}

/// Taylor series on [0, 1/4] of whichever of sine and cosine is nearer; plain products and sums of doubles.
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
