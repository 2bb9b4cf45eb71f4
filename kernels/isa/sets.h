// The lane types of each instruction set. The including file is compiled with the flags of its set
// (kernels/CMakeLists.txt). A Set has:
// - Wide, Half: floats; Half is for a remainder of eight.
// - Int, HalfInt: the same for integers.
// - Q8, Q16: for the formats int8 and w8a16, the product and the preparation of its right side.
// - overlaps: whether the CPU executes out of order.
// - units_at_once: how many units of a layer in fixed point are computed at a time, with their sums
//   on the stack.
#ifndef SLUICE_ISA_SETS_H
#define SLUICE_ISA_SETS_H

#if defined(SLUICE_ISA_CORTEX_M) && defined(__ARM_FEATURE_MVE)
#include "../fixed/helium.h"
#elif defined(SLUICE_ISA_CORTEX_M)
#include "../fixed/cortex_m.h"
#else
#if defined(SLUICE_ISA_SCALAR)
#include "../fixed/dots.h"
#else
#include "../lanes/xsimd.h"
#include "../lanes/xsimd_ints.h"
#if defined(__ARM_NEON)
#include "../fixed/dots_neon.h"
#else
#include "../fixed/dots_x86.h"
#endif
#endif
#include "../fixed/product.h"
#endif

namespace sluice {
namespace {

#if defined(SLUICE_ISA_CORTEX_M)
struct Sizes {
  static constexpr bool overlaps = false;
  static constexpr int units_at_once = 8;
};
#else
struct Sizes {
  static constexpr bool overlaps = true;
  static constexpr int units_at_once = 64;
};
#endif

#if defined(SLUICE_ISA_CORTEX_M) && defined(__ARM_FEATURE_MVE)
struct Set : Sizes {
  using Wide = One;
  using Half = One;  // not Helium's floats, which flush subnormals; the scalar unit does not
  using Int = HeliumInt;
  using HalfInt = OneInt;
  using Q8 = HeliumFormat<true>;
  using Q16 = HeliumFormat<false>;
};
#elif defined(SLUICE_ISA_CORTEX_M)
struct Set : Sizes {
  using Wide = One;
  using Half = One;
  using Int = OneInt;
  using HalfInt = OneInt;
  using Q8 = CortexQ8;
  using Q16 = CortexQ16;
};
#elif defined(SLUICE_ISA_SCALAR)
struct Set : Sizes {
  using Wide = One;
  using Half = One;
  using Int = OneInt;
  using HalfInt = OneInt;
  using Q8 = HostQ8<PlainDot>;
  using Q16 = HostQ16<PlainDot>;
};
#elif defined(SLUICE_ISA_AVX2) || defined(SLUICE_ISA_AVX2_VNNI)
struct Set : Sizes {
  using Wide = Lanes<xsimd::fma3<xsimd::avx2>, 12>;
  using Half = One;
  using Int = Ints<xsimd::avx2>;
  using HalfInt = OneInt;
#if defined(SLUICE_ISA_AVX2)
  using Q8 = HostQ8<DotAvx2>;
#else
  using Q8 = HostQ8<DotAvxVnni>;
#endif
  using Q16 = HostQ16<DotAvx2Wide>;
};
#elif defined(SLUICE_ISA_AVX512) || defined(SLUICE_ISA_AVX512_VNNI)
struct Set : Sizes {
  using Wide = Lanes<xsimd::avx512f, 24>;
  using Half = Lanes<xsimd::fma3<xsimd::avx2>, 12>;
  using Int = Ints<xsimd::avx512f>;
  using HalfInt = Ints<xsimd::avx2>;
#if defined(SLUICE_ISA_AVX512)
  using Q8 = HostQ8<DotAvx2>;
#else
  using Q8 = HostQ8<DotAvx512Vnni>;
#endif
  using Q16 = HostQ16<DotAvx2Wide>;
};
#elif defined(SLUICE_ISA_NEON) || defined(SLUICE_ISA_NEON_DOT)
struct Set : Sizes {
  using Wide = Lanes<xsimd::neon64, 24>;
  using Half = One;
  using Int = Ints<xsimd::neon64>;
  using HalfInt = OneInt;
#if defined(SLUICE_ISA_NEON)
  using Q8 = HostQ8<DotNeon>;
#else
  using Q8 = HostQ8<DotNeonDot>;
#endif
  using Q16 = HostQ16<DotNeonWide>;
};
#elif defined(SLUICE_ISA_ARMV7)
struct Set : Sizes {
  using Wide = Lanes<xsimd::neon, 12>;
  using Half = One;
  using Int = Ints<xsimd::neon>;
  using HalfInt = OneInt;
  using Q8 = HostQ8<DotNeon>;
  using Q16 = HostQ16<DotNeonWide>;
};
#endif

}  // namespace
}  // namespace sluice

#endif
