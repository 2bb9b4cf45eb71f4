#include "evaluate.h"

#include <algorithm>
#include <atomic>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <unordered_map>

#include "../../kernels/kernels.h"
#include "../common/error.h"
#include "../data/features.h"
#include "../model/graph.h"
#include "../model/model_file.h"
#include "../model/network.h"
#include "../model/pack.h"

namespace sluice::tools {
namespace {

// Frames that are run at a time; the answers do not depend on it.
constexpr std::uint32_t piece = 64;
constexpr std::size_t most_ranked = 64;  // limit of the classes for which scores are kept
// number of blocks of rows, if there are too few sequences
constexpr std::size_t enough_blocks = 100;

/// A part of the answer: its targets, its loss, and the evaluation that both give.
struct Goal {
  const DataSet& data;  ///< of its targets
  Loss loss;
  std::size_t first, outputs;  ///< which numbers of an answer it is
  bool adds;          ///< the model adds the last values to the differences that are its targets
  Evaluation result;  ///< an answer a target, of values one a number, masked or not

  void take_value(float value, float y, Answer& one) const {
    one.error = double(y) - double(value);
    const double far = std::fabs(one.error), delta = loss.huber_delta;
    one.cost = one.error * one.error;
    if (loss.kind == LossKind::huber)
      one.cost = far <= delta ? one.cost / 2 : delta * (far - delta / 2);
    if (loss.kind != LossKind::binary) return;
    float log_p[] = {std::max(y, FLT_MIN), std::max(1.0f - y, FLT_MIN)};
    pick_kernels("scalar")->log_f32(log_p, log_p, 2);
    one.cost = -(double(value) * double(log_p[0]) + (1 - double(value)) * double(log_p[1]));
  }

  /// @param target  which of the data's; @param answer  which of the result's; @param y  all of it
  void take(std::size_t target, std::size_t answer, const float* y) {
    y += first;
    std::size_t n = outputs;
    const float both[] = {1.0f - y[0], y[0]};
    if (data.classes && n == 1) y = both, n = 2;  // one sigmoid tells two classes apart
    if (!data.classes) {
      for (std::size_t k = 0; k < n; ++k) {
        const float last = adds ? data.last[target * n + k] : 0;
        take_value(data.value[target * n + k], y[k] - last, result.answers[answer * n + k]);
      }
      return;
    }
    const std::int32_t truth = data.target[target];
    Answer& one = result.answers[answer];
    one.truth = truth;
    if (!result.scores.empty())
      std::copy_n(y, n, result.scores.begin() + std::ptrdiff_t(answer * n));
    if (truth < 0) return;
    one.guess = std::int32_t(sluice_argmax(y, n));
    one.p = y[truth] < FLT_MIN ? FLT_MIN : y[truth];  // a probability of 0 would cost infinity
  }
};

/// The state that the threads share while sequences are run. Each task has a stream, and takes
/// sequences until none is left.
struct RunTask {
  const DataSet& data;
  std::span<const std::size_t> sequences;
  std::vector<std::size_t> begin;  ///< [sequences + 1] of their answers, in targets
  std::vector<Goal>& goals;
  std::vector<OwnedStream> streams;
  std::atomic<std::size_t> next{0};

  static void run(void* argument, std::uint32_t i) {
    RunTask& task = *static_cast<RunTask*>(argument);
    for (std::size_t k = task.next++; k < task.sequences.size(); k = task.next++)
      task.run_sequence(task.streams[i], k);
  }

  /// Runs a sequence. One that is answered at every row is run in pieces, since the answers of a
  /// long one may not fit in memory.
  void run_sequence(OwnedStream& stream, std::size_t k) {
    const std::size_t s = sequences[k], outputs = sluice_describe(stream.model).outputs,
                      steps = data.steps(s);
    const bool whole = !data.per_row || sluice_describe(stream.model).whole_sequences;
    const std::size_t at_once = whole ? steps : piece;
    std::vector<float> y((data.per_row ? at_once : 1) * outputs);
    sluice_reset(&stream.stream);
    for (std::size_t t = 0; t < steps; t += at_once) {
      const std::size_t n = std::min(at_once, steps - t);
      run_rows(stream, data, data.first[s] + t, n, y.data());
      for (std::size_t row = 0; row < (data.per_row ? n : 1); ++row)
        for (Goal& goal : goals)
          goal.take(data.target_begin(s) + t + row, begin[k] + t + row, y.data() + row * outputs);
    }
  }
};

/// Numbers the blocks of dependent answers: those of a sequence; of a group; of windows that share
/// rows; if few sequences are answered at every row, those of a range of rows.
void fill_blocks(const DataSet& data, std::span<const std::size_t> sequences,
                 const std::vector<std::size_t>& begin, Evaluation& result) {
  constexpr std::size_t few = 30;
  const std::size_t each = data.classes ? 1 : data.outputs();
  const bool stretches = data.per_row && sequences.size() < few, groups = !data.group.empty();
  const std::size_t rows =
      stretches ? std::max<std::size_t>(1, begin.back() / enough_blocks) : begin.back() + 1;
  std::unordered_map<std::string, std::uint32_t> known;
  std::uint32_t block = 0;
  std::size_t window = 0;
  for (std::size_t k = 0; k < sequences.size(); ++k) {
    const std::size_t row = data.first[sequences[k]];
    const bool shares = data.window && k > 0 && row < window + data.window;
    if (!shares) window = row;
    if (k > 0 && !shares) ++block;
    if (groups)
      block = known.emplace(data.group[sequences[k]], std::uint32_t(known.size())).first->second;
    for (std::size_t t = begin[k]; t < begin[k + 1]; ++t) {
      if (t > begin[k] && (t - begin[k]) % rows == 0) ++block;
      for (std::size_t i = t * each; i < (t + 1) * each; ++i) result.answers[i].block = block;
    }
  }
}

void fill_classes(const sluice_model& model, const DataSet& data, Evaluation& result) {
  std::vector<float> log_p;
  for (const Answer& one : result.answers) log_p.push_back(one.p);
  pick_kernels(sluice_isa(&model))->log_f32(log_p.data(), log_p.data(), log_p.size());
  for (std::size_t i = 0; i < log_p.size(); ++i) result.answers[i].cost = -double(log_p[i]);
  const std::size_t classes = data.outputs();
  if (!data.is_text() || !data.per_row) result.confusion.assign(classes * classes, 0);
}

/// Computes the errors of naive answers: windows repeat their last value, all others answer the
/// mean of these targets.
void fill_values(const DataSet& data, std::span<const std::size_t> sequences,
                 const std::vector<std::size_t>& begin, Evaluation& result) {
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
    const double last = data.window && !data.difference ? double(data.last[at]) : 0;
    one.naive_error = (data.window ? last : mean) - value;
    if (!data.units.empty()) one.unit = data.units.deviation[output];
    if (one.truth == 0) result.baseline_loss += (value - mean) * (value - mean);
  });
}

/// Removes masked answers, and renumbers the remaining blocks.
void keep_valid(std::size_t classes, Evaluation& result) {
  if (result.scores.empty()) classes = 0;
  const auto scores = [&](std::size_t i) {
    return result.scores.begin() + std::ptrdiff_t(i * classes);
  };
  std::unordered_map<std::uint32_t, std::uint32_t> left;
  std::size_t to = 0;
  for (std::size_t i = 0; i < result.answers.size(); ++i) {
    if (result.answers[i].truth < 0) continue;
    result.answers[to] = result.answers[i];
    result.answers[to].block =
        left.emplace(result.answers[i].block, std::uint32_t(left.size())).first->second;
    if (classes) std::copy_n(scores(i), classes, scores(to));
    ++to;
  }
  result.answers.resize(to), result.scores.resize(to * classes);
  result.blocks = std::uint32_t(left.size());
}

/// Adds up in the order of the answers.
void add_up(const DataSet& data, const Loss& loss, Evaluation& result) {
  result.targets = result.answers.size();
  double cost = 0;
  for (const Answer& one : result.answers) {
    cost += one.cost;
    result.absolute_error += std::fabs(one.error);
    result.correct += data.classes && one.guess == one.truth;
    if (!result.confusion.empty())
      ++result.confusion[std::size_t(one.truth) * data.outputs() + std::size_t(one.guess)];
  }
  if (result.targets == 0) return;
  result.loss = cost / double(loss.kind == LossKind::mse_sum && !data.classes ? result.sequences
                                                                              : result.targets);
  result.absolute_error /= double(result.targets);
  result.baseline_loss /= double(result.targets);
}

// --- a goal's result, from before the model runs to its sums

void begin_result(const DataSet& data, std::span<const std::size_t> sequences,
                  const std::vector<std::size_t>& begin, Goal& goal) {
  Evaluation& result = goal.result;
  const DataSet& targets = goal.data;
  result.classes = targets.classes, result.per_row = data.per_row;
  result.text = targets.is_text() && data.per_row, result.windows = targets.window != 0;
  result.labels = targets.labels, result.units = targets.units;
  result.sequences = sequences.size();
  for (std::size_t s : sequences) result.frames += data.steps(s);
  result.answers.resize(begin.back() * (targets.classes ? 1 : targets.outputs()));
  if (targets.classes && !result.text && targets.outputs() <= most_ranked)
    result.scores.resize(begin.back() * targets.outputs());
}

void finish_result(const sluice_model& model, std::span<const std::size_t> sequences,
                   const std::vector<std::size_t>& begin, Goal& goal) {
  if (goal.data.classes) {
    fill_classes(model, goal.data, goal.result);
  } else {
    fill_values(goal.data, sequences, begin, goal.result);
  }
  fill_blocks(goal.data, sequences, begin, goal.result);
  keep_valid(goal.data.outputs(), goal.result);
  add_up(goal.data, goal.loss, goal.result);
}

// --- heads

Loss loss_of(const Head& head) {
  const LossKind kind = head.loss == SLUICE_BINARY  ? LossKind::binary
                        : head.loss == SLUICE_HUBER ? LossKind::huber
                                                    : LossKind::mse;
  return {kind, head.huber_delta};
}

/// The targets of each head; empty if the answer is one.
std::vector<DataSet> targets_of_heads(const DataSet& data) {
  std::vector<DataSet> targets;
  for (std::size_t i = 0; i < data.heads.size(); ++i) targets.push_back(head_targets(data, i));
  return targets;
}

Evaluation sum_of(std::vector<Goal>& goals) {
  Evaluation sum;
  const Evaluation& any = goals[0].result;
  sum.classes = false, sum.per_row = any.per_row;
  sum.sequences = any.sequences, sum.frames = any.frames;
  for (Goal& goal : goals) {
    sum.targets += goal.result.targets;
    sum.loss += goal.result.weight * goal.result.loss;
    sum.heads.push_back(std::move(goal.result));
  }
  return sum;
}

}  // namespace

std::span<const Evaluation> parts_of(const Evaluation& evaluation) {
  if (evaluation.heads.empty()) return {&evaluation, 1};
  return evaluation.heads;
}

void check_frames(const sluice_model& model, const DataSet& data, const std::string& name) {
  const sluice_info info = sluice_describe(&model);
  const bool reads_ids = info.vocabulary != 0;
  if (data.sequences() > 0 && data.is_text() != reads_ids)
    refuse("{}: reads {}, but the data are {}; give the data that it was trained on", name,
           reads_ids ? "texts" : "frames of numbers", reads_ids ? "frames of numbers" : "texts");
  if (!reads_ids && data.features() != info.inputs)
    refuse("{}: reads {} features, but the data have {}; give the columns that it was trained on",
           name, info.inputs, data.features());
  if (data.difference && data.outputs() != info.outputs)
    refuse(
        "{}: answers {} numbers, but says that it answers differences of {}; use a model as "
        "\"sluice train\" writes it",
        name, info.outputs, list_names(data.labels));
}

void check_data(const sluice_model& model, const DataSet& data, const std::string& name) {
  check_frames(model, data, name);
  const sluice_info info = sluice_describe(&model);
  std::size_t outputs = data.heads.empty() ? data.outputs() : 0, columns = 0;
  for (const Head& head : data.heads) outputs += head.outputs, columns += head.columns();
  if (!data.heads.empty() && columns != data.outputs())
    refuse(
        "{}: its parts of the answer have {} columns of targets, but the data {}: {}; give the "
        "data that it was trained on",
        name, columns, data.outputs(), list_names(data.labels));
  const bool one_of_two =  // a sigmoid: the probability of the second class
      data.heads.empty() && data.classes && outputs == 2 && info.outputs == 1;
  if (outputs != info.outputs && !one_of_two)
    refuse(
        "{}: answers {} numbers, but the targets are {}: {}; give the data and the targets that "
        "it was trained on",
        name, info.outputs, outputs, list_names(output_names(data)));
  if (data.per_row != (info.every_step != 0))
    refuse(
        "{}: answers {}, but the data have a target for {}; give the data that it was trained "
        "on",
        name, info.every_step ? "every row" : "a sequence once",
        data.per_row ? "every row" : "each sequence");
}

std::uint32_t steps_at_once(const sluice_model& model, const DataSet& data,
                            std::span<const std::size_t> sequences) {
  std::uint32_t steps = piece;
  if (sluice_describe(&model).whole_sequences)
    for (const std::size_t s : sequences) steps = std::max(steps, std::uint32_t(data.steps(s)));
  return steps;
}

Evaluation evaluate(const sluice_model& model, const DataSet& data,
                    std::span<const std::size_t> sequences, ThreadPool& pool, const Loss& loss) {
  check_data(model, data, "the model");
  std::vector<std::size_t> begin = {0};
  for (std::size_t s : sequences) begin.push_back(begin.back() + data.targets(s));
  const std::vector<DataSet> heads = targets_of_heads(data);
  std::vector<Goal> goals;
  const std::size_t outputs = sluice_describe(&model).outputs;
  const bool adds = data.difference && adds_frame_columns(read_network(model));
  if (heads.empty()) goals.push_back({data, loss, 0, outputs, adds, {}});
  std::size_t first = 0;
  for (const DataSet& targets : heads) {
    const Head& head = data.heads[goals.size()];
    goals.push_back({targets, loss_of(head), first, head.outputs, false, {}});
    goals.back().result.name = head.name, goals.back().result.weight = head.weight;
    first += head.outputs;
  }
  for (Goal& goal : goals) begin_result(data, sequences, begin, goal);
  RunTask task{.data = data, .sequences = sequences, .begin = begin, .goals = goals, .streams = {}};
  const std::uint32_t at_once = steps_at_once(model, data, sequences);
  for (int i = 0; i < pool.threads; ++i) task.streams.emplace_back(model, sluice_use{at_once, 1});
  pool_for(&pool, std::uint32_t(pool.threads), RunTask::run, &task);
  for (Goal& goal : goals) finish_result(model, sequences, begin, goal);
  return heads.empty() ? std::move(goals[0].result) : sum_of(goals);
}

Evaluation evaluate(const sluice_model& model, const DataSet& data,
                    std::span<const std::size_t> sequences, int threads, const Loss& loss) {
  ThreadPool pool(threads);
  Evaluation result;
  with_pool(pool, [&] { result = evaluate(model, data, sequences, pool, loss); });
  return result;
}

}  // namespace sluice::tools
