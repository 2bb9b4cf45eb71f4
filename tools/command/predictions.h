// The class or value that a model's answer predicts, beside the true one and other cells of the
// input.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "../data/data.h"
#include "../model/model_file.h"

namespace sluice::tools {

/// One prediction of an answer: a class, which several outputs decide, or a value, which is one
/// output. An answer of several values or heads has several predictions.
struct Prediction {
  std::string name = {};                 ///< of the target; empty if the answer has one prediction
  std::vector<std::string> labels = {};  ///< of the classes; empty for a value
  std::size_t first = 0;                 ///< of its outputs, among the answer's
  std::size_t outputs = 1;               ///< 1 for a class: the probability of the second label
  std::size_t column = 0;                ///< of the target, in DataSet::beside
  std::size_t ahead = 0;  ///< of windows: rows from the window's last row to the target

  /// Returns the class or the value in these numbers.
  /// @param y  all outputs of an answer
  std::string predicted(const float* y) const;
};

/// The sequences of an input with the columns that stand beside their answers.
struct Predictions {
  std::vector<Prediction> each;
  bool next_token = false;  ///< the target of each token is the next one
  WindowClass window_class = WindowClass::last;
  std::vector<std::string> with;

  /// Returns whether the input has the target of a prediction.
  bool is_known(const Prediction& prediction, const DataSet& data) const;
  /// Returns the true class or value of an answer; empty if it is not known.
  /// @param step  the row of the sequence that was answered
  /// @param every_step  whether each row is answered
  std::string truth(const Prediction& prediction, const DataSet& data, std::size_t sequence,
                    std::size_t step, bool every_step) const;
  /// Returns the cells of the columns of --with.
  std::vector<std::string> cells(const DataSet& data, std::size_t sequence, std::size_t step) const;
};

/// Returns the predictions of a model's answers.
/// @param columns  its `beside` begins with the targets, one for each prediction, and ends with
///                 `with`
Predictions predictions_of(const OwnedModel& model, const Columns& columns,
                           const std::vector<std::string>& with);

}  // namespace sluice::tools
