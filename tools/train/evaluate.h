// How good a model is on data: always by running its blob, as a device would.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "../common/crew.h"
#include "../data/data.h"
#include "sluice.h"

namespace sluice::tools {

struct Evaluation {
  bool classes = true, per_row = false;
  std::uint64_t sequences = 0, frames = 0;
  std::uint64_t targets = 0;  ///< valid ones; of values, numbers
  double loss = 0;            ///< mean over them: -log p[class], or (y - value)^2

  std::vector<std::string> labels;       ///< of the classes, or of the values
  std::vector<std::uint64_t> confusion;  ///< [true class][predicted class]
  std::uint64_t correct = 0;

  double absolute_error = 0;  ///< values: mean of |y - value|
  double baseline_loss = 0;   ///< values: mean squared error of always answering these targets' own mean

  double accuracy() const { return targets ? double(correct) / double(targets) : 0; }
};

/// Runs the model over these sequences of a data set that has its features, labels and targets.
/// The crew must stand by (with_crew), or this thread does it all; the result is the same.
Evaluation evaluate(const sluice_model& model, const DataSet& data, std::span<const std::size_t> sequences, Crew& crew);

/// The same with a crew of its own.
/// @param threads  0 for all cores
Evaluation evaluate(const sluice_model& model, const DataSet& data, std::span<const std::size_t> sequences, int threads);

/// A share's 95 % interval (Wilson 1927), which stays inside 0 and 1 for few trials too.
struct Interval {
  double low, high;
};
Interval wilson(std::uint64_t successes, std::uint64_t trials);

/// The share of the most frequent class: what answering it always would score.
double majority_accuracy(const Evaluation& evaluation);

/// "loss 0.0712, accuracy 98.1 % (95 % interval 96.1 to 99.1 %; always the majority class: 23.8 %)".
std::string summary(const Evaluation& evaluation);

/// Precision and recall of every class; empty for values.
std::string class_table(const Evaluation& evaluation);

/// Rows are true classes, columns predicted ones; empty for values.
std::string confusion_table(const Evaluation& evaluation);

/// The same as JSON, with every number.
std::string json_text(const Evaluation& evaluation);

/// "97.8 %".
std::string percent(double share);

}  // namespace sluice::tools
