#include "limits.h"

#include <sched.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>

#include "bench.h"
#include "generated/isas.h"

namespace sluice::bench {

#define SLUICE_PROBE_OF(isa) extern const Probe isa##_probe;
SLUICE_FOR_EACH_ISA(SLUICE_PROBE_OF)
#undef SLUICE_PROBE_OF

namespace {

#define SLUICE_PROBE_OF(isa) &isa##_probe,
const Probe* const probes[] = {SLUICE_FOR_EACH_ISA(SLUICE_PROBE_OF)};
#undef SLUICE_PROBE_OF

const Probe& probe_of(const Kernels& kernels) {
  for (const Probe* p : probes)
    if (std::string(p->name) == kernels.name) return *p;
  throw std::logic_error(std::string("no probe for ") + kernels.name);
}

volatile float sink;  // takes the loops' results, so that the compiler keeps the loops

/// Returns the best amount per ns of many short runs of `call`, which does `amount`.
template <class F>
double best_rate(double amount, int runs, F call) {
  double best = 0;
  for (int i = 0; i < runs; ++i) {
    const double begin = cpu_ns();
    call();
    best = std::max(best, amount / (cpu_ns() - begin));
  }
  return best;
}

double fma_peak(const Probe& probe) {
  constexpr size_t rounds = 20000;
  return best_rate(double(rounds) * probe.fma_lanes, 200, [&] { sink = probe.fma(rounds); });
}

double read_rate(const Probe& probe, size_t bytes, int runs) {
  const size_t n = bytes / sizeof(float) / size_t(probe.read_floats) * size_t(probe.read_floats);
  Floats x(n);
  const size_t passes = std::max<size_t>(1, (size_t(4) << 20) / bytes);
  return best_rate(double(n * sizeof(float)) * double(passes), runs,
                   [&] { sink = probe.read(x.data(), n, passes); });
}

std::string line_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// Parses a size such as "512K"; returns bytes.
size_t size_of(const std::string& text) {
  if (text.empty()) return 0;
  const size_t unit = text.back() == 'K'   ? size_t(1) << 10
                      : text.back() == 'M' ? size_t(1) << 20
                                           : 1;
  return size_t(std::stoul(text)) * unit;
}

/// Returns the data caches of the core that we run on, as the kernel lists them.
std::vector<Level> caches() {
  std::vector<Level> levels;
  const std::string folder =
      "/sys/devices/system/cpu/cpu" + std::to_string(std::max(0, sched_getcpu())) + "/cache/index";
  for (int i = 0; i < 8; ++i) {
    const std::string at = folder + std::to_string(i) + "/";
    const std::string level = line_of(at + "level"), type = line_of(at + "type");
    if (level.empty() || type == "Instruction") continue;
    if (const size_t bytes = size_of(line_of(at + "size")))
      levels.push_back({"L" + level, bytes, 0});
  }
  std::sort(levels.begin(), levels.end(),
            [](const Level& a, const Level& b) { return a.bytes < b.bytes; });
  return levels;
}

}  // namespace

const Level& Limits::level_for(size_t bytes) const {
  for (const Level& level : levels)
    if (bytes <= level.bytes) return level;
  return levels.back();
}

Limits measure_limits(const Kernels& kernels) {
  const Probe& probe = probe_of(kernels);
  Limits limits{fma_peak(probe), caches()};
  size_t below = 0;
  for (Level& level : limits.levels) {
    // Large enough not to fit the level below, and small enough to fit this one for certain.
    const size_t bytes = below ? std::min(4 * below, level.bytes / 2) : level.bytes / 2;
    level.bytes_per_ns = read_rate(probe, bytes, 100);
    below = level.bytes;
  }
  const size_t beyond = std::clamp<size_t>(4 * below, size_t(64) << 20, size_t(256) << 20);
  limits.levels.push_back({"memory", SIZE_MAX, read_rate(probe, beyond, 5)});
  return limits;
}

Bound bound_of(const Limits& limits, const Work& work) {
  const double fma_ns = work.macs / limits.mac_per_ns;
  const Level& level = limits.level_for(work.weight_bytes);
  const double read_ns = work.weight_bytes_read / level.bytes_per_ns;
  if (read_ns > fma_ns) return {read_ns, level.name};
  return {fma_ns, "fma"};
}

}  // namespace sluice::bench
