#include "evaluate.h"

#include <algorithm>
#include <atomic>
#include <cfloat>
#include <cmath>

#include "../../kernels/kernels.h"
#include "../common/model_file.h"

namespace sluice::tools {
namespace {

constexpr std::uint32_t piece = 64;         // frames that go through the scratch at once; the answers do not depend on it
constexpr std::size_t most_ranked = 64;     // classes that are ranked against one another
constexpr std::size_t enough_blocks = 100;  // of rows, where sequences are too few to draw from

/// What the threads share while sequences are run. Each task has a stream, and takes sequences until none is left.
struct RunTask {
  const DataSet& data;
  std::span<const std::size_t> sequences;
  std::vector<std::size_t> begin;  ///< [sequences + 1] of their answers, in targets
  Evaluation& result;              ///< an answer a target, of values one a number, masked or not
  std::vector<OwnedStream> streams;
  std::atomic<std::size_t> next{0};

  static void run(void* argument, std::uint32_t i) {
    RunTask& task = *static_cast<RunTask*>(argument);
    for (std::size_t k = task.next++; k < task.sequences.size(); k = task.next++) task.run_sequence(task.streams[i], k);
  }

  /// A sequence that answers every row goes in pieces: a long one's answers may be more than memory holds.
  void run_sequence(OwnedStream& stream, std::size_t k) {
    const sluice_info info = sluice_describe(stream.model);
    const std::size_t s = sequences[k], outputs = info.outputs, steps = data.steps(s);
    const bool whole = !data.per_row || info.whole_sequences;
    const std::size_t at_once = whole ? steps : piece;
    std::vector<float> y((data.per_row ? at_once : 1) * outputs);
    sluice_reset(&stream.stream);
    for (std::size_t t = 0; t < steps; t += at_once) {
      const std::size_t n = std::min(at_once, steps - t);
      run_rows(stream, data, data.first[s] + t, n, y.data());
      for (std::size_t row = 0; row < (data.per_row ? n : 1); ++row)
        if (outputs == 1 && data.classes) {  // the second class's probability
          const float both[2] = {1 - y[row], y[row]};
          take(data.target_begin(s) + t + row, begin[k] + t + row, both);
        } else {
          take(data.target_begin(s) + t + row, begin[k] + t + row, y.data() + row * outputs);
        }
    }
  }

  /// @param target  which of the data's; @param answer  which of the result's
  void take(std::size_t target, std::size_t answer, const float* y) {
    const std::size_t outputs = data.outputs();
    if (!data.classes) {
      for (std::size_t k = 0; k < outputs; ++k)
        result.answers[answer * outputs + k].error = double(y[k]) - double(data.value[target * outputs + k]);
      return;
    }
    const std::int32_t truth = data.target[target];
    Answer& one = result.answers[answer];
    one.truth = truth;
    if (!result.scores.empty()) std::copy_n(y, outputs, result.scores.begin() + std::ptrdiff_t(answer * outputs));
    if (truth < 0) return;
    one.guess = std::int32_t(sluice_argmax(y, outputs));
    one.p = y[truth] < FLT_MIN ? FLT_MIN : y[truth];  // a probability of 0 would cost infinity
  }
};

/// Where blocks begin, in targets: sequences; of few long sequences stretches of rows; of windows those that share rows.
std::vector<std::size_t> blocks_of(const DataSet& data, std::span<const std::size_t> sequences,
                                   const std::vector<std::size_t>& begin) {
  constexpr std::size_t few = 30;
  std::vector<std::size_t> blocks;
  if (data.per_row && sequences.size() < few) {
    const std::size_t rows = std::max<std::size_t>(1, begin.back() / enough_blocks);
    for (std::size_t k = 0; k < sequences.size(); ++k)
      for (std::size_t row = begin[k]; row < begin[k + 1]; row += rows) blocks.push_back(row);
    return blocks;
  }
  std::size_t last = 0;
  for (std::size_t k = 0; k < sequences.size(); ++k) {
    const std::size_t row = data.first[sequences[k]];
    if (data.window && k > 0 && row < last + data.window) continue;
    blocks.push_back(begin[k]), last = row;
  }
  return blocks;
}

void fill_classes(const sluice_model& model, const DataSet& data, Evaluation& result) {
  std::vector<float> log_p;
  for (const Answer& one : result.answers) log_p.push_back(one.p);
  pick_kernels(sluice_isa(&model))->log_f32(log_p.data(), log_p.data(), log_p.size());
  for (std::size_t i = 0; i < log_p.size(); ++i) result.answers[i].cost = -double(log_p[i]);
  const std::size_t classes = data.outputs();
  if (!data.is_text() || !data.per_row) result.confusion.assign(classes * classes, 0);
}

/// What the naive answers err by; windows repeat their last value, all else answers the mean of these targets.
void fill_values(const DataSet& data, std::span<const std::size_t> sequences, const std::vector<std::size_t>& begin,
                 Evaluation& result) {
  const std::size_t outputs = data.outputs();
  std::vector<double> sum(outputs), count(outputs);
  const auto each = [&](auto f) {
    for (std::size_t i = 0; i < sequences.size(); ++i)
      for (std::size_t k = 0; k < data.targets(sequences[i]) * outputs; ++k) {
        const std::size_t at = data.target_begin(sequences[i]) * outputs + k;
        f(k % outputs, at, result.answers[begin[i] * outputs + k]);
      }
  };
  each([&](std::size_t output, std::size_t at, Answer&) {
    if (!std::isnan(data.value[at])) sum[output] += double(data.value[at]), count[output] += 1;
  });
  each([&](std::size_t output, std::size_t at, Answer& one) {
    const double value = double(data.value[at]), mean = sum[output] / count[output];
    one.truth = std::isnan(data.value[at]) ? -1 : 0;
    one.cost = one.error * one.error;
    const double last = data.window && !data.difference ? double(data.last[at]) : 0;
    one.naive_error = (data.window ? last : mean) - value;
    if (!data.units.empty()) one.unit = data.units.deviation[output];
    if (one.truth == 0) result.baseline_loss += (value - mean) * (value - mean);
  });
}

/// Leaves out what is masked.
void keep_valid(const DataSet& data, std::vector<std::size_t> blocks, Evaluation& result) {
  const std::size_t each = data.classes ? 1 : data.outputs(), classes = result.scores.empty() ? 0 : data.outputs();
  std::size_t to = 0;
  std::size_t block = 0;
  for (std::size_t i = 0; i < result.answers.size(); ++i) {
    for (; block < blocks.size() && blocks[block] * each <= i; ++block)
      if (result.blocks.empty() || result.blocks.back() < to) result.blocks.push_back(to);
    if (result.answers[i].truth < 0) continue;
    if (to != i) {
      result.answers[to] = result.answers[i];
      if (classes)
        std::copy_n(result.scores.begin() + std::ptrdiff_t(i * classes), classes,
                    result.scores.begin() + std::ptrdiff_t(to * classes));
    }
    ++to;
  }
  result.answers.resize(to), result.scores.resize(to * classes);
  while (!result.blocks.empty() && result.blocks.back() >= to) result.blocks.pop_back();
}

/// Sums go in the order of the answers.
void add_up(const DataSet& data, Evaluation& result) {
  result.targets = result.answers.size();
  double cost = 0;
  for (const Answer& one : result.answers) {
    cost += one.cost;
    result.absolute_error += std::fabs(one.error);
    result.correct += data.classes && one.guess == one.truth;
    if (!result.confusion.empty()) ++result.confusion[std::size_t(one.truth) * data.outputs() + std::size_t(one.guess)];
  }
  if (result.targets == 0) return;
  result.loss = cost / double(result.targets);
  result.absolute_error /= double(result.targets);
  result.baseline_loss /= double(result.targets);
}

}  // namespace

std::uint32_t steps_at_once(const sluice_model& model, const DataSet& data, std::span<const std::size_t> sequences) {
  std::uint32_t steps = piece;
  if (sluice_describe(&model).whole_sequences)
    for (const std::size_t s : sequences) steps = std::max(steps, std::uint32_t(data.steps(s)));
  return steps;
}

void run_rows(OwnedStream& stream, const DataSet& data, std::size_t row, std::size_t steps, float* y) {
  if (data.is_text()) return stream.run(data.ids.data() + row, y, steps);
  stream.run(data.x.data() + row * data.features(), y, steps);
}

Evaluation evaluate(const sluice_model& model, const DataSet& data, std::span<const std::size_t> sequences, Crew& crew) {
  Evaluation result;
  result.classes = data.classes, result.per_row = data.per_row;
  result.text = data.is_text() && data.per_row, result.windows = data.window != 0;
  result.labels = data.labels, result.units = data.units;
  result.sequences = sequences.size();
  std::vector<std::size_t> begin = {0};
  for (std::size_t s : sequences) {
    result.frames += data.steps(s);
    begin.push_back(begin.back() + data.targets(s));
  }
  result.answers.resize(begin.back() * (data.classes ? 1 : data.outputs()));
  if (data.classes && !result.text && data.outputs() <= most_ranked) result.scores.resize(begin.back() * data.outputs());
  RunTask task{data, sequences, begin, result, {}};
  const std::uint32_t at_once = steps_at_once(model, data, sequences);
  for (int i = 0; i < crew.threads; ++i) task.streams.emplace_back(model, sluice_use{at_once, 1});
  crew_for(&crew, std::uint32_t(crew.threads), RunTask::run, &task);
  if (data.classes) {
    fill_classes(model, data, result);
  } else {
    fill_values(data, sequences, begin, result);
  }
  keep_valid(data, blocks_of(data, sequences, begin), result);
  add_up(data, result);
  return result;
}

Evaluation evaluate(const sluice_model& model, const DataSet& data, std::span<const std::size_t> sequences, int threads) {
  Crew crew(threads);
  Evaluation result;
  with_crew(crew, [&] { result = evaluate(model, data, sequences, crew); });
  return result;
}

}  // namespace sluice::tools
