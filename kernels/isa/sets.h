// The lane types of each instruction set; the file is compiled with that set's flags (kernels/CMakeLists.txt).
//   Wide, Half       floats; Half for eights that Wide leaves
//   Int, HalfInt     integers likewise
//   Dot8, Dot16      blocks of int8 weights times int8 and int16
#ifndef SLUICE_ISA_SETS_H
#define SLUICE_ISA_SETS_H

#if defined(SLUICE_ISA_SCALAR) || defined(SLUICE_ISA_CORTEX_M)
#include "../lanes/one.h"
#else
#include "../lanes/xsimd.h"
#include "../lanes/xsimd_ints.h"
#endif
#include "../fixed/dots.h"

namespace sluice {
namespace {

#if defined(SLUICE_ISA_SCALAR) || defined(SLUICE_ISA_CORTEX_M)
struct Set {
  using Wide = One; using Half = One;
  using Int = OneInt; using HalfInt = OneInt;
  using Dot8 = PlainDot; using Dot16 = PlainDot;
};
#elif defined(SLUICE_ISA_AVX2) || defined(SLUICE_ISA_AVX2_VNNI)
struct Set {
  using Wide = Lanes<xsimd::fma3<xsimd::avx2>, 12>; using Half = One;
  using Int = Ints<xsimd::avx2>; using HalfInt = OneInt;
#if defined(SLUICE_ISA_AVX2)
  using Dot8 = DotAvx2;
#else
  using Dot8 = DotAvxVnni;
#endif
  using Dot16 = DotAvx2Wide;
};
#elif defined(SLUICE_ISA_AVX512) || defined(SLUICE_ISA_AVX512_VNNI)
struct Set {
  using Wide = Lanes<xsimd::avx512f, 24>; using Half = Lanes<xsimd::fma3<xsimd::avx2>, 12>;
  using Int = Ints<xsimd::avx512f>; using HalfInt = Ints<xsimd::avx2>;
#if defined(SLUICE_ISA_AVX512)
  using Dot8 = DotAvx2;
#else
  using Dot8 = DotAvx512Vnni;
#endif
  using Dot16 = DotAvx2Wide;
};
#elif defined(SLUICE_ISA_NEON) || defined(SLUICE_ISA_NEON_DOT)
struct Set {
  using Wide = Lanes<xsimd::neon64, 24>; using Half = One;
  using Int = Ints<xsimd::neon64>; using HalfInt = OneInt;
#if defined(SLUICE_ISA_NEON)
  using Dot8 = DotNeon;
#else
  using Dot8 = DotNeonDot;
#endif
  using Dot16 = DotNeonWide;
};
#elif defined(SLUICE_ISA_ARMV7)
struct Set {
  using Wide = Lanes<xsimd::neon, 12>; using Half = One;
  using Int = Ints<xsimd::neon>; using HalfInt = OneInt;
  using Dot8 = DotNeon; using Dot16 = DotNeonWide;
};
#endif

}  // namespace
}  // namespace sluice

#endif
