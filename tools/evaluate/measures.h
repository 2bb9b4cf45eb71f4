// What an evaluation's answers amount to: each measure beside a naive answer's, with a 95 %
// interval.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "evaluate.h"

namespace sluice::tools {

struct Interval {
  double low, high;
};

/// A share's 95 % interval (Wilson 1927), which stays inside 0 and 1 for few trials too.
Interval wilson(std::uint64_t successes, std::uint64_t trials);

/// Of one class: how many targets it has, how many answers it got, how many of both.
struct Counts {
  std::uint64_t real = 0, predicted = 0, correct = 0;
};
std::vector<Counts> class_counts(const Evaluation& evaluation);

/// The share of the most frequent class: what answering it always would score.
double majority_accuracy(const Evaluation& evaluation);

/// What a model that answers values is compared with.
const char* naive_answer(const Evaluation& evaluation);

struct Measure {
  std::string name;
  double value = 0;
  std::optional<Interval> interval;
  std::optional<double> naive;  ///< what `answer` scores
  std::string answer;           ///< "majority class"
  bool share = false;           ///< to be shown in percent
};

/// All of them, with intervals: of accuracy where every answer is independent Wilson's, of all
/// others by 1,000 draws of the blocks (Efron 1979).
std::vector<Measure> measures(const Evaluation& evaluation);

/// What train.monitor names, without an interval; NaN where it has no meaning, as an AUC of one
/// class.
double watched_measure(const Evaluation& evaluation, Monitor monitor);

/// Mean squared error in units of the values' deviation.
double error_in_units(const Evaluation& evaluation);

/// Accuracy alone.
Measure accuracy_measure(const Evaluation& evaluation);

/// Returns the one figure that says how good a head is, without an interval: accuracy of classes,
/// of values the root mean squared error.
Measure short_measure(const Evaluation& head);

/// "97.8 %" of a share, else "0.123".
std::string measure_text(const Measure& measure);

/// "balanced accuracy" as "balanced_accuracy": the name of a measure in JSON.
std::string json_name(std::string name);

}  // namespace sluice::tools
