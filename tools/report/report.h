// The pages: of one run, and of several beside each other.
#pragma once
#include <string>
#include <vector>

#include "run.h"

namespace sluice::tools {

/// @param sequences  which to look into, by name or by number in the part shown; none: the first,
/// the one with the highest loss, the
///                   least sure one. Refused where one is not there, or there are no data
std::string run_page(const ReportedRun& run, const std::vector<std::string>& sequences);

/// What a comparison says of a run.
struct Figure {
  std::string name;
  double value = 0;
  bool share = false;     ///< to be shown in percent
  std::string text = {};  ///< in place of the value; of such a figure there are no means
};

/// What a comparison keeps of a run, without its data.
struct ComparedRun {
  std::string name;
  Recipe recipe;
  Log log;
  std::vector<Figure> figures;
  std::string no_input;
};
ComparedRun compared(ReportedRun run);

std::string comparison_page(const std::vector<ComparedRun>& runs);

// The sections of a run's page; each gives markup.

/// A run's model on a part of its data.
struct Measured {
  Part part;
  Evaluation evaluation;
};

/// Loss, accuracy, learning rate, norms: a chart each. One log, or several over one another.
struct NamedLog {
  std::string name;  ///< empty: the only one
  const Log& log;
  int color = 1;
};
std::string curves(const std::vector<NamedLog>& logs, const Recipe& recipe);

std::string results(const std::vector<Measured>& measured);

/// The network, drawn: a box for each layer, lines from each output to the layers that read it, and
/// marks at the answers.
std::string network_section(const Network& network);

std::string devices(const ReportedRun& run, const Measured* measured);
std::string sequences_inside(const ReportedRun& run, const Measured& measured,
                             const std::vector<std::string>& wanted);

/// What was trained on what, how good it is, how large, and what to do next.
std::string summary_of(const ReportedRun& run, const Measured* measured);

}  // namespace sluice::tools
