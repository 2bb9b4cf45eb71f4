// A run's folder as a report reads it.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "../evaluate/evaluate.h"
#include "../model/model_file.h"
#include "../model/network.h"
#include "../train/input.h"

namespace sluice::tools {

/// A number of every epoch; NaN where the log has none.
struct LogColumn {
  std::string name;  ///< "loss", "weight_norm.input"
  std::vector<double> values;
};

struct Log {
  std::vector<double> epochs;
  std::vector<LogColumn> columns;
  /// Null where no epoch has it.
  const LogColumn* find(std::string_view name) const;
};

/// Refused where a line is not what a training writes, with its number.
Log read_log(std::string_view text, const std::string& file);

/// Sequences to be looked at: "test", "validation" or "training".
struct Part {
  std::string name;
  const DataSet* data;
  std::vector<std::size_t> sequences;
};

struct ReportedRun {
  std::string folder;  ///< as given
  std::string name;    ///< on the page
  Recipe recipe;
  Log log;
  bool complete = true;             ///< else the training stopped before its end
  std::optional<OwnedModel> model;  ///< none where there is none yet
  /// the float weights that a model in fixed point was made of
  std::optional<OwnedModel> of_floats;
  std::optional<Input> input;  ///< the data, in its own units
  std::string no_input;        ///< why there is none

  bool classes() const { return recipe.target_type == TargetType::classes; }
  bool text() const {
    return classes() && recipe.format == Format::text;
  }  ///< each token's target is the next
  /// The model whose values are floats; null where there is none.
  const OwnedModel* real() const;
  /// What there is of test, validation and, without either, training sequences, in this order.
  std::vector<Part> parts() const;
  Evaluation evaluated(const OwnedModel& of, const Part& part) const;
};

/// Reads a run. Data that cannot be read, or are not what the run was trained on, are left out, and
/// the reason is kept; all else that is wrong is refused.
/// @param data_folder  where the data files are, if not where the recipe says; empty: there
ReportedRun read_run(const std::string& folder, const std::string& data_folder);

}  // namespace sluice::tools
