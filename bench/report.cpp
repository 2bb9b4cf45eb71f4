#include "report.h"

#include <fmt/format.h>

#include <cstdio>

#include "bench.h"
#include "onednn.h"

namespace sluice::bench {
namespace {

/// Returns a counter's value times `factor`; an empty text if the figure does not have the counter.
std::string shown(const benchmark::BenchmarkReporter::Run& run, const char* counter,
                  const char* format, double factor = 1) {
  const auto at = run.counters.find(counter);
  return at == run.counters.end() ? ""
                                  : fmt::format(fmt::runtime(format), at->second.value * factor);
}

/// Returns the time of one step (if a call makes many), of a frame of one stream, of one value of
/// an activation, or of a batch in training.
std::string nanoseconds(const benchmark::BenchmarkReporter::Run& run) {
  const auto steps = run.counters.find("steps");
  const bool wall = run.counters.count("vs_alone") > 0;
  const double ns = (wall ? run.GetAdjustedRealTime() : run.GetAdjustedCPUTime()) /
                    (steps == run.counters.end() ? 1.0 : steps->second.value);
  return fmt::format(fmt::runtime(ns < 10 ? "{:.2f}" : ns < 1000 ? "{:.1f}" : "{:.0f}"), ns);
}

void print_row(const std::string& name, const std::string& median, const std::string& fastest,
               const std::string& macs, const std::string& share, const std::string& by,
               const std::string& peer) {
  fmt::print("{:<52} {:>10} {:>10} {:>7} {:>9} {:<6} {:>9}\n", name, median, fastest, macs, share,
             by, peer);
  std::fflush(stdout);
}

/// Returns the aggregate of that name among the runs of a figure; null if it has only one
/// repetition.
const benchmark::BenchmarkReporter::Run* find(
    const std::vector<benchmark::BenchmarkReporter::Run>& runs, const std::string& name) {
  for (const auto& run : runs)
    if (run.aggregate_name == name) return &run;
  return nullptr;
}

}  // namespace

bool Table::ReportContext(const Context&) {
  for (const auto& [key, value] : setting().head) fmt::print("{:<14} {}\n", key, value);
  fmt::print("\n");
  print_row("ns of a step, of a batch in training; medians", "median", "fastest", "MAC/ns",
            "of limit", "set by", onednn_version().empty() ? "vs f32" : "vs oneDNN, or our f32");
  return true;
}

void Table::ReportRuns(const std::vector<Run>& runs) {
  if (runs.empty()) return;
  const Run* const median = find(runs, "median");
  const Run* const fastest = find(runs, "fastest");
  const Run& run = median ? *median : runs.front();
  print_row(run.run_name.str(), nanoseconds(run), fastest ? nanoseconds(*fastest) : "",
            shown(run, "mac_per_ns", "{:.1f}"), shown(run, "limit_share", "{:.0f} %", 100),
            run.report_label,
            shown(run, "vs_onednn", "{:.2f}x") + shown(run, "vs_f32", "{:.2f}x f32") +
                shown(run, "vs_dense", "{:.2f}x dense") +
                shown(run, "bytes_saved", ", 1/{:.1f} bytes") +
                shown(run, "vs_alone", "{:.2f}x one thread"));
}

}  // namespace sluice::bench
