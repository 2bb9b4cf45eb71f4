// A table runs only on a CPU that has all extensions that its file was compiled for. features.cmake
// asks the compiler for their list.
#include "kernels/cpu.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/kernels.h"

using namespace sluice;

namespace {

std::vector<const Kernels*> all_tables() {
  int count = 0;
  const Kernels* const* tables = kernel_tables(&count);
  return {tables, tables + count};
}

}  // namespace

TEST_CASE(
    "a table does not run on a CPU that lacks any one of the extensions that it is compiled for") {
  for (const Kernels* table : all_tables()) {
    CAPTURE(std::string(table->name));
    CHECK(runs_with(~std::uint32_t(0), *table));
    CHECK(runs_with(table->needs, *table));
    for (int i = 0; i < cpu_feature_count; ++i) {
      const std::uint32_t one = std::uint32_t(1) << i;
      if (!(table->needs & one) || (compiled_features & one)) continue;
      CAPTURE(i);
      CHECK_FALSE(runs_with(~one, *table));
    }
  }
}

TEST_CASE("the scalar table needs no extension beyond those of the whole program") {
  CHECK(runs_with(0, *pick_kernels("scalar")));
}

#if defined(__x86_64__)
TEST_CASE("tables need the extensions that their instructions belong to") {
  // Intel's manual, volume 1, chapters 14 and 15: AVX2 implies AVX. xsimd and the compilers use the
  // five extensions of AVX-512 together.
  const std::uint32_t avx2 =
      cpu_AVX | cpu_AVX2 | cpu_FMA | cpu_SSE3 | cpu_SSSE3 | cpu_SSE4_1 | cpu_SSE4_2;
  const std::uint32_t avx512 =
      avx2 | cpu_F16C | cpu_AVX512F | cpu_AVX512CD | cpu_AVX512DQ | cpu_AVX512BW | cpu_AVX512VL;
  const struct {
    const char* name;
    std::uint32_t needs;
  } expected[] = {{"avx2", avx2},
                  {"avx2-vnni", avx2 | cpu_AVXVNNI},
                  {"avx512", avx512},
                  {"avx512-vnni", avx512 | cpu_AVX512VNNI}};
  for (const auto& [name, needs] : expected) {
    const std::string which = name;
    CAPTURE(which);
    const Kernels* const table = pick_kernels(name);
    if (!table) continue;  // a build without xsimd
    CHECK_EQ(table->needs & needs, needs);
  }
}

TEST_CASE("this CPU has the extensions that the compiler's own library finds") {
  if (!pick_kernels("avx2")) return;
  const std::uint32_t has = cpu_features();
  __builtin_cpu_init();
  // The extensions that GCC 12 and clang 14 both know by name.
  CHECK_EQ((has & cpu_SSE3) != 0, __builtin_cpu_supports("sse3") != 0);
  CHECK_EQ((has & cpu_SSSE3) != 0, __builtin_cpu_supports("ssse3") != 0);
  CHECK_EQ((has & cpu_SSE4_1) != 0, __builtin_cpu_supports("sse4.1") != 0);
  CHECK_EQ((has & cpu_SSE4_2) != 0, __builtin_cpu_supports("sse4.2") != 0);
  CHECK_EQ((has & cpu_POPCNT) != 0, __builtin_cpu_supports("popcnt") != 0);
  CHECK_EQ((has & cpu_AVX) != 0, __builtin_cpu_supports("avx") != 0);
  CHECK_EQ((has & cpu_FMA) != 0, __builtin_cpu_supports("fma") != 0);
  CHECK_EQ((has & cpu_AVX2) != 0, __builtin_cpu_supports("avx2") != 0);
  CHECK_EQ((has & cpu_AVX512F) != 0, __builtin_cpu_supports("avx512f") != 0);
  CHECK_EQ((has & cpu_AVX512CD) != 0, __builtin_cpu_supports("avx512cd") != 0);
  CHECK_EQ((has & cpu_AVX512DQ) != 0, __builtin_cpu_supports("avx512dq") != 0);
  CHECK_EQ((has & cpu_AVX512BW) != 0, __builtin_cpu_supports("avx512bw") != 0);
  CHECK_EQ((has & cpu_AVX512VL) != 0, __builtin_cpu_supports("avx512vl") != 0);
  CHECK_EQ((has & cpu_AVX512VNNI) != 0, __builtin_cpu_supports("avx512vnni") != 0);
}
#endif
