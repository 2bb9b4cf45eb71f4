// The lane types of each instruction set; the file is compiled with that set's flags (kernels/CMakeLists.txt).
#ifndef SLUICE_ISA_SETS_H
#define SLUICE_ISA_SETS_H

#if defined(SLUICE_ISA_SCALAR)
#include "../lanes/one.h"
#else
#include "../lanes/xsimd.h"
#endif

namespace sluice {
namespace {

#if defined(SLUICE_ISA_SCALAR)
struct Set { using Wide = One; using Half = One; };
#elif defined(SLUICE_ISA_AVX2)
struct Set { using Wide = Lanes<xsimd::fma3<xsimd::avx2>, 12>; using Half = One; };
#elif defined(SLUICE_ISA_AVX512)
struct Set { using Wide = Lanes<xsimd::avx512f, 24>; using Half = Lanes<xsimd::fma3<xsimd::avx2>, 12>; };
#elif defined(SLUICE_ISA_NEON)
struct Set { using Wide = Lanes<xsimd::neon64, 24>; using Half = One; };
#elif defined(SLUICE_ISA_ARMV7)
struct Set { using Wide = Lanes<xsimd::neon, 12>; using Half = One; };
#endif

}  // namespace
}  // namespace sluice

#endif
