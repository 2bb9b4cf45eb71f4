// The table that a run prints: one line per figure, with medians, the share of the limit and the
// comparison with oneDNN.
#pragma once
#include <benchmark/benchmark.h>

namespace sluice::bench {

class Table : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override;
  void ReportRuns(const std::vector<Run>&) override;
};

}  // namespace sluice::bench
