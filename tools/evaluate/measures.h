// Measures of an evaluation, each with a naive answer's score and a 95 % interval.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "evaluate.h"

namespace sluice::tools {

struct Interval {
  double low, high;
};

/// Returns a share's 95 % interval (Wilson 1927), which stays inside 0 and 1 even for few trials.
Interval wilson(std::uint64_t successes, std::uint64_t trials);

/// Counts of one class: targets, predictions, and correct predictions.
struct Counts {
  std::uint64_t real = 0, predicted = 0, correct = 0;
};
std::vector<Counts> class_counts(const Evaluation& evaluation);

/// Returns the share of the most frequent class, which is the score of always predicting it.
double majority_accuracy(const Evaluation& evaluation);

/// Returns the name of the naive answer for values.
const char* naive_answer(const Evaluation& evaluation);

/// A confused pair of classes.
struct Mistake {
  std::size_t truth, guess;
  std::uint64_t count;
};
/// Returns the confused pairs, the most frequent first.
std::vector<Mistake> mistakes(const Evaluation& evaluation);

/// Errors of one value of the answer, or of one column at all steps of the horizon; means over the
/// targets.
struct TargetErrors {
  std::string label;
  std::uint64_t targets = 0;
  double squared = 0, absolute = 0;              ///< of the model
  double naive_squared = 0, naive_absolute = 0;  ///< of the naive answer
  double standardized = 0;                       ///< squared error in units of deviation
};
/// Returns the errors of each value, in the order of the labels.
std::vector<TargetErrors> target_errors(const Evaluation& evaluation);
/// Returns how many columns the values are. Of windows with a horizon, "a+1", "b+1", "a+2", "b+2",
/// output i is of column i % 2; else every value is a column.
std::size_t column_count(const Evaluation& evaluation);
/// Returns the errors of each column: of windows with a horizon over all steps, "load+1" to
/// "load+24"; else as target_errors().
std::vector<TargetErrors> column_errors(const Evaluation& evaluation);

struct Measure {
  std::string name;
  double value = 0;
  std::optional<Interval> interval;
  std::optional<double> naive;  ///< score of the naive answer
  std::string answer;           ///< name of the naive answer: "majority class"
  bool share = false;           ///< shown in percent
};

/// Returns all measures with intervals: Wilson's for accuracy if all answers are independent, else
/// by 1,000 draws of the blocks (Efron 1979).
std::vector<Measure> measures(const Evaluation& evaluation);

/// Returns the measure of train.monitor, without an interval; NaN if it is undefined, as is an AUC
/// of one class.
double watched_measure(const Evaluation& evaluation, Monitor monitor);

/// Returns the mean squared error in units of the values' deviation.
double error_in_units(const Evaluation& evaluation);

/// Returns the accuracy alone.
Measure accuracy_measure(const Evaluation& evaluation);

/// Returns the one figure that says how good a head is, without an interval: accuracy of classes,
/// of values the root mean squared error.
Measure short_measure(const Evaluation& head);

/// "97.8 %" of a share, else "0.123".
std::string measure_text(const Measure& measure);

/// "balanced accuracy" as "balanced_accuracy": the name of a measure in JSON.
std::string json_name(std::string name);

}  // namespace sluice::tools
