// The benchmark program. Measures the limits first, then shows every figure beside them. Takes
// Google Benchmark's own options.
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <xsimd/config/xsimd_config.hpp>

#include "bench.h"
#include "common/error.h"
#include "onednn.h"
#include "report.h"

namespace sluice::bench {
namespace {

Setting the_setting;

std::string limits_text(const Limits& limits) {
  std::string text = fmt::format("{:.1f} MAC/ns", limits.mac_per_ns);
  for (const Level& level : limits.levels)
    text += fmt::format(", {} {:.0f} bytes/ns", level.name, level.bytes_per_ns);
  return text;
}

void set_up() {
  the_setting.kernels = pick_kernels(tools::wanted_isa());
  the_setting.limits = measure_limits(*the_setting.kernels);
  the_setting.head = {
      {"instruction set", the_setting.kernels->name},
      {"limits", limits_text(the_setting.limits)},
      {"xsimd",
       fmt::format("{}.{}.{}", XSIMD_VERSION_MAJOR, XSIMD_VERSION_MINOR, XSIMD_VERSION_PATCH)},
      {"compiler", "g++ " __VERSION__},
      {"oneDNN", onednn_version().empty() ? "not installed: no ratios" : onednn_version()},
  };
  for (const auto& [key, value] : the_setting.head) benchmark::AddCustomContext(key, value);
}

/// Returns the arguments for Google Benchmark: ours first, then the user's, since the last one
/// counts.
std::vector<char*> arguments(int argc, char** argv) {
  static char repetitions[] = "--benchmark_repetitions=9", time[] = "--benchmark_min_time=0.03",
              medians[] = "--benchmark_report_aggregates_only=true";
  std::vector<char*> all = {argv[0], repetitions, time, medians};
  all.insert(all.end(), argv + 1, argv + argc);
  return all;
}

int run(int argc, char** argv) {
  std::vector<char*> all = arguments(argc, argv);
  int count = int(all.size());
  benchmark::Initialize(&count, all.data());
  if (benchmark::ReportUnrecognizedArguments(count, all.data())) return 2;
  set_up();
  register_kernels();
  register_steps();
  register_training();
  Table table;
  benchmark::RunSpecifiedBenchmarks(&table);
  benchmark::Shutdown();
  return 0;
}

}  // namespace

const Setting& setting() { return the_setting; }

}  // namespace sluice::bench

int main(int argc, char** argv) {
  try {
    return sluice::bench::run(argc, argv);
  } catch (const sluice::tools::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_code;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
