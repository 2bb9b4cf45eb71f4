// The table that a run prints: one line a figure, medians, beside the limit and the peer.
#pragma once
#include <benchmark/benchmark.h>

namespace sluice::bench {

class Table : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override;
  void ReportRuns(const std::vector<Run>&) override;
};

}  // namespace sluice::bench
