// The pages of one run and of a comparison of runs.
#pragma once
#include <string>
#include <vector>

#include "run.h"

namespace sluice::tools {

/// Returns the page of a run.
/// @param sequences  to show in detail, by name or by number in the part shown; none: the first,
/// the one with the highest loss, and the least certain one. Refuses unknown ones, and any if there
/// are no data
std::string run_page(const ReportedRun& run, const std::vector<std::string>& sequences);

/// A value of a run in a comparison.
struct Figure {
  std::string name;
  double value = 0;
  bool share = false;     ///< shown in percent
  std::string text = {};  ///< in place of the value; such figures have no mean
};

/// The parts of a run that a comparison keeps, without its data.
struct ComparedRun {
  std::string name;
  Recipe recipe;
  Log log;
  std::vector<Figure> figures;
  std::string no_input;
};
ComparedRun compared(ReportedRun run);

std::string comparison_page(const std::vector<ComparedRun>& runs);

// The sections of a run's page. Each function returns markup.

/// The evaluation of a run's model on a part of its data.
struct Measured {
  Part part;
  Evaluation evaluation;
};

/// The charts of loss, accuracy, learning rate and norms are drawn for one log, or for several
/// together.
struct NamedLog {
  std::string name;  ///< empty: the only one
  const Log& log;
  int color = 1;
};
std::string curves(const std::vector<NamedLog>& logs, const Recipe& recipe);

std::string results(const std::vector<Measured>& measured);

/// Returns charts of true and predicted values over time, for windows of a series and for sequences
/// that are answered at every row; empty if the answers have no order in time.
std::string over_time(const Measured& measured);

/// The network, drawn: a box for each layer, lines from each output to the layers that read it, and
/// marks at the answers.
std::string network_section(const Network& network);

std::string devices(const ReportedRun& run, const Measured* measured);
std::string sequences_inside(const ReportedRun& run, const Measured& measured,
                             const std::vector<std::string>& wanted);

/// Returns the summary: data, quality, size, and the next steps.
std::string summary_of(const ReportedRun& run, const Measured* measured);

}  // namespace sluice::tools
