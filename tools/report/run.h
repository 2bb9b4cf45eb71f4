// Reads a run's folder for a report.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "../evaluate/evaluate.h"
#include "../model/model_file.h"
#include "../model/network.h"
#include "../train/input.h"

namespace sluice::tools {

/// A number of every epoch; NaN if the log has none.
struct LogColumn {
  std::string name;  ///< "loss", "weight_norm.input"
  std::vector<double> values;
};

struct Log {
  std::vector<double> epochs;
  std::vector<LogColumn> columns;
  /// Returns null if no epoch has it.
  const LogColumn* find(std::string_view name) const;
};

/// Reads a log. Refuses a line that a training would not write, with its number.
Log read_log(std::string_view text, const std::string& file);

/// A part of the sequences: "test", "validation" or "training".
struct Part {
  std::string name;
  const DataSet* data;
  std::vector<std::size_t> sequences;
};

struct ReportedRun {
  std::string folder;  ///< as given
  std::string name;    ///< as the page shows it
  Recipe recipe;
  Log log;
  bool complete = true;             ///< false: the training stopped before its end
  std::optional<OwnedModel> model;  ///< none if the run has none yet
  /// The float weights that a model in fixed point was made of.
  std::optional<OwnedModel> of_floats;
  std::optional<Input> input;  ///< the data, in its own units
  std::string no_input;        ///< why there is no input

  bool classes() const { return recipe.target_type == TargetType::classes; }
  bool text() const {
    return classes() && recipe.format == Format::text;
  }  ///< whether each token's target is the next token
  /// Returns the float model; null if there is none.
  const OwnedModel* real() const;
  /// Returns the parts that exist of test, validation and, without either, training, in this order.
  std::vector<Part> parts() const;
  Evaluation evaluated(const OwnedModel& of, const Part& part) const;
};

/// Reads a run. Data that cannot be read or have changed since the training are left out, with the
/// reason in `no_input`; any other fault is refused.
/// @param data_folder  folder of the data files, if they have moved; empty: as in the recipe
ReportedRun read_run(const std::string& folder, const std::string& data_folder);

}  // namespace sluice::tools
