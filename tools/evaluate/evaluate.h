// Evaluates a model on data, always by running its blob as a device would.
#pragma once
#include <cstdint>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "../common/thread_pool.h"
#include "../convert/run_rows.h"
#include "../data/data.h"
#include "../model/model_file.h"
#include "../recipe/words.h"
#include "sluice.h"

namespace sluice::tools {

/// One answer and its target; for values, one number of it.
struct Answer {
  std::int32_t truth = 0, guess = 0;  ///< classes
  float p = 1;                        ///< classes: probability of the true class, at least FLT_MIN
  double cost = 0;                    ///< the loss of this answer
  /// Values: error of the answer, and of the naive answer: the last value (windows) or the targets'
  /// mean.
  double error = 0, naive_error = 0;
  double unit = 1;           ///< values: standard deviation, the unit of errors
  std::uint32_t output = 0;  ///< values: which of the labels
  /// Answers of one block depend on one another; different blocks count as independent.
  std::uint32_t block = 0;
};

/// The loss of values: mse, mse_sum, huber or binary; that of classes is always -log p[class].
struct Loss {
  LossKind kind = LossKind::mse;
  double huber_delta = 1;
};

/// The numbers that the answers of values are made of: 4 bytes for each, since windows with a wide
/// horizon have many millions.
struct ValueAnswers {
  DataSet targets;  ///< without frames
  Loss loss;
  std::vector<std::size_t> target;   ///< [answered targets] their numbers in `targets`
  std::vector<std::uint32_t> block;  ///< [answered targets]
  std::vector<float> y;              ///< [answered targets][outputs]
  std::vector<double> mean;          ///< [outputs] of the targets, the naive answer
  std::vector<std::size_t> valid;    ///< which numbers have a target; empty: all
  std::size_t size() const { return valid.empty() ? y.size() : valid.size(); }
  Answer at(std::size_t i) const;
};

/// The answers of valid targets, in order. Those of values are computed when they are read.
class AnswerList {
 public:
  struct Iterator {
    using iterator_category = std::input_iterator_tag;
    using value_type = Answer;
    using difference_type = std::ptrdiff_t;
    using pointer = const Answer*;
    using reference = Answer;
    const AnswerList* list = nullptr;
    std::size_t index = 0;
    Answer operator*() const { return (*list)[index]; }
    Iterator& operator++() { return ++index, *this; }
    Iterator operator++(int) { return {list, index++}; }
    Iterator operator+(difference_type n) const { return {list, index + std::size_t(n)}; }
    bool operator==(const Iterator& other) const { return index == other.index; }
  };
  AnswerList() = default;
  explicit AnswerList(ValueAnswers values)
      : values_(std::make_shared<const ValueAnswers>(std::move(values))) {}
  std::size_t size() const { return values_ ? values_->size() : answers_.size(); }
  bool empty() const { return size() == 0; }
  Answer operator[](std::size_t i) const { return values_ ? values_->at(i) : answers_[i]; }
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, size()}; }
  void push_back(const Answer& one) { answers_.push_back(one); }

 private:
  std::vector<Answer> answers_;  ///< of classes
  std::shared_ptr<const ValueAnswers> values_;
};

/// Of an answer in several parts `heads` has one of each part, and this only sequences, frames,
/// targets and loss: the sum of the heads' losses, each times its weight.
struct Evaluation {
  bool classes = true, per_row = false, text = false, windows = false;
  std::uint64_t sequences = 0, frames = 0;
  std::uint64_t targets = 0;  ///< number of valid targets; for values, of their numbers
  Clock answered = {};        ///< the rows that have an answer
  double loss = 0;  ///< mean over the targets, as Loss defines; for mse_sum over sequences

  std::vector<std::string> labels;  ///< of the classes, or of the values
  /// [true class][predicted class] Empty for texts, whose classes are tokens.
  std::vector<std::uint64_t> confusion;
  std::uint64_t correct = 0;

  double absolute_error = 0;  ///< values: mean of |y - value|
  /// Values: mean squared error if the answer were always the mean of these targets.
  double baseline_loss = 0;

  AnswerList answers;
  std::vector<float> scores;  ///< classes: [answers][classes], if there are few enough to rank
  std::uint32_t blocks = 0;   ///< number of blocks
  Units units;                ///< of values; empty: not standardized

  std::string name;               ///< of a head
  double weight = 1;              ///< of a head's loss in the sum
  std::vector<Evaluation> heads;  ///< empty: the answer is one

  double accuracy() const { return targets ? double(correct) / double(targets) : 0; }
};

/// Calls f(target) for each target of a sequence at a step that has an answer, in the order of the
/// steps.
template <class F>
void each_answered(const Evaluation& evaluation, const DataSet& data, std::size_t s, F f) {
  const std::size_t begin = data.target_begin(s), end = begin + data.targets(s),
                    first = data.per_row ? evaluation.answered.first : 0,
                    stride = data.per_row ? evaluation.answered.stride : 1;
  for (std::size_t t = begin + first; t < end; t += stride) f(t);
}

/// Refuses (exit code 2) data whose frames are not those that the model reads.
/// @param name  of the model, for the message
void check_frames(const sluice_model& model, const DataSet& data, const std::string& name);

/// Refuses (exit code 2) data whose frames or targets are not those of the model. A blob says by
/// itself which targets it was trained on, so these may differ from its answers.
void check_data(const sluice_model& model, const DataSet& data, const std::string& name);

/// Runs the model over these sequences of a data set that has its features, labels and targets
/// (check_data). The losses of heads are those of the data. The pool must stand by (with_pool), or
/// this thread does it all; the result is the same.
Evaluation evaluate(const sluice_model& model, const DataSet& data,
                    std::span<const std::size_t> sequences, ThreadPool& pool,
                    const Loss& loss = {});

/// Does the same with a pool of its own.
/// @param threads  0 for all cores
Evaluation evaluate(const sluice_model& model, const DataSet& data,
                    std::span<const std::size_t> sequences, int threads, const Loss& loss = {});

/// Refuses (exit code 2) sequences that end before the model's first answer.
void check_lengths(const sluice_info& info, const DataSet& data,
                   std::span<const std::size_t> sequences);

/// Returns how many frames are run through a model at a time; for a model that takes whole
/// sequences, the longest of these.
std::uint32_t steps_at_once(const sluice_model& model, const DataSet& data,
                            std::span<const std::size_t> sequences);

/// Returns the heads of an evaluation, or it alone: each can be measured by itself.
std::span<const Evaluation> parts_of(const Evaluation& evaluation);

/// "loss 0.0712, accuracy 98.1 % (95 % interval 96.1 to 99.1 %; always the majority class: 23.8
/// %)". Of heads a line more for each.
std::string summary(const Evaluation& evaluation);

/// Returns a table of every measure with its interval and the score of a naive answer.
std::string measure_table(const Evaluation& evaluation);
std::vector<std::vector<std::string>> measure_rows(const Evaluation& evaluation);

/// Returns precision and recall of every class or, of more than most_listed classes, of those with
/// the lowest recall; empty for values and texts.
std::string class_table(const Evaluation& evaluation);
/// Returns the rows of that table, with every class, for an evaluation that has a confusion.
std::vector<std::vector<std::string>> class_rows(const Evaluation& evaluation);

/// Returns the confusion: rows are true classes, columns predicted ones. Of more than most_listed
/// classes it returns the pairs that are most often confused. Empty for values and texts.
std::string confusion_table(const Evaluation& evaluation);
/// Returns the rows of a table of the pairs that are most often confused, at most `most` of them.
std::vector<std::vector<std::string>> mistake_rows(const Evaluation& evaluation, std::size_t most);

/// Returns the errors of each target beside those of a naive answer; empty for classes and for a
/// single value. Of more than most_listed values it returns those of each column over all steps of
/// the horizon.
std::string target_table(const Evaluation& evaluation);
/// Returns the rows of that table.
std::vector<std::vector<std::string>> target_rows(const Evaluation& evaluation);

/// The most classes or values that a table lists one by one.
constexpr std::size_t most_listed = 20;

/// Returns the evaluation as JSON. It has every number, except that of more than 100 classes the
/// list of confused pairs, "confused", takes the place of the matrix, "confusion".
std::string json_text(const Evaluation& evaluation);

/// Returns a share as "97.8 %".
std::string percent(double share);

}  // namespace sluice::tools
