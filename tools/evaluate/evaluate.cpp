#include "evaluate.h"

#include <algorithm>
#include <atomic>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <unordered_map>

#include "../../kernels/kernels.h"
#include "../common/error.h"
#include "../common/print.h"
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
  bool adds;  ///< the model adds the last values to the differences that are its targets
  Evaluation result = {};            ///< its scores are those of all answers, masked or not
  std::vector<Answer> answers = {};  ///< [answered targets] of classes
  std::vector<float> y = {};         ///< [answered targets][outputs] of values

  /// @param target  which of the data's; @param answer  which of the answers; @param whole  all
  /// numbers of the answer
  void take(std::size_t target, std::size_t answer, const float* whole) {
    const float* numbers = whole + first;
    std::size_t n = outputs;
    const float both[] = {1.0f - numbers[0], numbers[0]};
    // one sigmoid tells two classes apart
    if (data.classes && n == 1) numbers = both, n = 2;
    if (!data.classes) {
      for (std::size_t k = 0; k < n; ++k)
        y[answer * n + k] = numbers[k] - (adds ? data.last_at(target, k) : 0);
      return;
    }
    const std::int32_t truth = data.target[target];
    Answer& one = answers[answer];
    one.truth = truth;
    if (!result.scores.empty())
      std::copy_n(numbers, n, result.scores.begin() + std::ptrdiff_t(answer * n));
    if (truth < 0) return;
    one.guess = std::int32_t(sluice_argmax(numbers, n));
    // a probability of 0 would cost infinity
    one.p = numbers[truth] < FLT_MIN ? FLT_MIN : numbers[truth];
  }
};

double cost_of(const Loss& loss, float value, float y) {
  const double error = double(y) - double(value), far = std::fabs(error), delta = loss.huber_delta;
  if (loss.kind == LossKind::huber)
    return far <= delta ? error * error / 2 : delta * (far - delta / 2);
  if (loss.kind != LossKind::binary) return error * error;
  float log_p[] = {std::max(y, FLT_MIN), std::max(1.0f - y, FLT_MIN)};
  pick_kernels("scalar")->log_f32(log_p, log_p, 2);
  return -(double(value) * double(log_p[0]) + (1 - double(value)) * double(log_p[1]));
}

/// Returns the number of answers of a model to a sequence, and the target of each.
std::size_t answers_to(const DataSet& data, const sluice_info& info, std::size_t s) {
  return data.per_row ? answered_frames(info).of(data.steps(s)) : data.targets(s);
}
std::size_t target_of(const DataSet& data, const sluice_info& info, std::size_t s,
                      std::size_t answer) {
  return data.target_begin(s) + (data.per_row ? answered_frames(info).frame(answer) : answer);
}

/// The state that the threads share while sequences are run. Each task has a stream, and takes
/// sequences until none is left.
struct RunTask {
  const DataSet& data;
  std::span<const std::size_t> sequences;
  const sluice_info info;
  std::vector<std::size_t> begin;  ///< [sequences + 1] of their answers
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
    const std::size_t s = sequences[k], outputs = info.outputs, steps = data.steps(s);
    const bool whole = !data.per_row || info.whole_sequences;
    const std::size_t at_once = whole ? steps : piece;
    std::vector<float> y((data.per_row ? at_once : 1) * outputs);
    sluice_reset(&stream.stream);
    std::size_t answered = 0;
    for (std::size_t t = 0; t < steps; t += at_once) {
      const std::size_t n = std::min(at_once, steps - t),
                        answers = run_rows(stream, data, data.first[s] + t, n, y.data());
      for (std::size_t row = 0; row < answers; ++row, ++answered)
        for (Goal& goal : goals)
          goal.take(target_of(data, info, s, answered), begin[k] + answered,
                    y.data() + row * outputs);
    }
  }
};

/// Returns the block of each answered target: those of a sequence depend on one another; those of a
/// group; of windows that share rows; if few sequences are answered at every row, those of a range
/// of rows.
std::vector<std::uint32_t> blocks_of(const DataSet& data, std::span<const std::size_t> sequences,
                                     const std::vector<std::size_t>& begin) {
  constexpr std::size_t few = 30;
  const bool stretches = data.per_row && sequences.size() < few, groups = !data.group.empty();
  const std::size_t rows =
      stretches ? std::max<std::size_t>(1, begin.back() / enough_blocks) : begin.back() + 1;
  std::unordered_map<std::string, std::uint32_t> known;
  std::vector<std::uint32_t> blocks;
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
      blocks.push_back(block);
    }
  }
  return blocks;
}

void fill_classes(const sluice_model& model, Goal& goal) {
  std::vector<float> log_p;
  for (const Answer& one : goal.answers) log_p.push_back(one.p);
  pick_kernels(sluice_isa(&model))->log_f32(log_p.data(), log_p.data(), log_p.size());
  for (std::size_t i = 0; i < log_p.size(); ++i) goal.answers[i].cost = -double(log_p[i]);
  const std::size_t classes = goal.data.outputs();
  if (!goal.data.is_text() || !goal.data.per_row)
    goal.result.confusion.assign(classes * classes, 0);
}

/// Numbers blocks anew, in the order in which they are first asked for.
struct BlocksLeft {
  std::unordered_map<std::uint32_t, std::uint32_t> left = {};
  std::uint32_t of(std::uint32_t block) {
    return left.emplace(block, std::uint32_t(left.size())).first->second;
  }
};

/// Keeps the answers of classes that have a target.
void keep_valid_classes(const std::vector<std::uint32_t>& blocks, Goal& goal) {
  Evaluation& result = goal.result;
  const std::size_t classes = result.scores.empty() ? 0 : goal.data.outputs();
  const auto scores = [&](std::size_t i) {
    return result.scores.begin() + std::ptrdiff_t(i * classes);
  };
  BlocksLeft left;
  for (std::size_t i = 0; i < goal.answers.size(); ++i) {
    if (goal.answers[i].truth < 0) continue;
    goal.answers[i].block = left.of(blocks[i]);
    if (classes) std::copy_n(scores(i), classes, scores(result.answers.size()));
    result.answers.push_back(goal.answers[i]);
  }
  result.scores.resize(result.answers.size() * classes);
  result.blocks = std::uint32_t(left.left.size());
}

/// Returns the targets of a data set by themselves.
DataSet targets_of(const DataSet& data) {
  DataSet targets;
  targets.labels = data.labels, targets.classes = data.classes, targets.per_row = data.per_row;
  targets.first = data.first, targets.window = data.window, targets.value = data.value;
  targets.horizon = data.horizon, targets.difference = data.difference;
  targets.standardized = data.standardized, targets.units = data.units, targets.own = data.own;
  return targets;
}

/// Keeps the answers of values that have a target, and computes the mean of the targets, which is
/// the naive answer.
void keep_valid_values(const sluice_info& info, std::span<const std::size_t> sequences,
                       const std::vector<std::uint32_t>& blocks, Goal& goal) {
  ValueAnswers values{.targets = targets_of(goal.data),
                      .loss = goal.loss,
                      .target = {},
                      .block = blocks,
                      .y = std::move(goal.y),
                      .mean = {},
                      .valid = {}};
  for (const std::size_t s : sequences)
    for (std::size_t answer = 0; answer < answers_to(goal.data, info, s); ++answer)
      values.target.push_back(target_of(goal.data, info, s, answer));
  const std::size_t outputs = goal.data.outputs();
  std::vector<double> sum(outputs), count(outputs);
  std::size_t valid = 0;
  const auto each = [&](auto f) {
    for (std::size_t i = 0; i < values.target.size(); ++i)
      for (std::size_t k = 0; k < outputs; ++k)
        if (const float value = goal.data.value_at(values.target[i], k); !std::isnan(value))
          f(i, k, double(value));
  };
  each([&](std::size_t, std::size_t k, double value) { sum[k] += value, count[k] += 1, ++valid; });
  for (std::size_t k = 0; k < outputs; ++k) values.mean.push_back(sum[k] / count[k]);
  const bool all = valid == values.y.size();
  std::vector<bool> answered(blocks.size());
  each([&](std::size_t i, std::size_t k, double value) {
    goal.result.baseline_loss += (value - values.mean[k]) * (value - values.mean[k]);
    if (!all) values.valid.push_back(i * outputs + k);
    answered[i] = true;
  });
  BlocksLeft left;
  for (std::size_t i = 0; i < blocks.size(); ++i)
    if (answered[i]) values.block[i] = left.of(blocks[i]);
  goal.result.blocks = std::uint32_t(left.left.size());
  if (valid > 0) goal.result.answers = AnswerList(std::move(values));
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

void begin_result(const sluice_info& info, const DataSet& data,
                  std::span<const std::size_t> sequences, const std::vector<std::size_t>& begin,
                  Goal& goal) {
  Evaluation& result = goal.result;
  result.answered = answered_frames(info);
  const DataSet& targets = goal.data;
  result.classes = targets.classes, result.per_row = data.per_row;
  result.text = targets.is_text() && data.per_row, result.windows = targets.window != 0;
  result.labels = targets.labels, result.units = targets.units;
  result.sequences = sequences.size();
  for (std::size_t s : sequences) result.frames += data.steps(s);
  if (targets.classes)
    goal.answers.resize(begin.back());
  else
    goal.y.resize(begin.back() * targets.outputs());
  if (targets.classes && !result.text && targets.outputs() <= most_ranked)
    result.scores.resize(begin.back() * targets.outputs());
}

void finish_result(const sluice_model& model, std::span<const std::size_t> sequences,
                   const std::vector<std::size_t>& begin, Goal& goal) {
  const std::vector<std::uint32_t> blocks = blocks_of(goal.data, sequences, begin);
  if (goal.data.classes)
    fill_classes(model, goal), keep_valid_classes(blocks, goal);
  else
    keep_valid_values(sluice_describe(&model), sequences, blocks, goal);
  goal.answers = {};
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
  sum.answered = any.answered;
  for (Goal& goal : goals) {
    sum.targets += goal.result.targets;
    sum.loss += goal.result.weight * goal.result.loss;
    sum.heads.push_back(std::move(goal.result));
  }
  return sum;
}

}  // namespace

Answer ValueAnswers::at(std::size_t i) const {
  const std::size_t outputs = targets.outputs(), number = valid.empty() ? i : valid[i],
                    where = number / outputs, k = number % outputs;
  const float value = targets.value_at(target[where], k);
  Answer one;
  one.error = double(y[number]) - double(value);
  one.cost = cost_of(loss, value, y[number]);
  const double last =
      targets.window && !targets.difference ? double(targets.last_at(target[where], k)) : 0;
  one.naive_error = (targets.window ? last : mean[k]) - double(value);
  if (!targets.units.empty()) one.unit = targets.units.deviation[k];
  one.block = block[where], one.output = std::uint32_t(k);
  return one;
}

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

void check_lengths(const sluice_info& info, const DataSet& data,
                   std::span<const std::size_t> sequences) {
  for (const std::size_t s : sequences)
    if (data.steps(s) <= info.first_answer)
      refuse(
          "sequence {} has {}, and the model gives its first answer at step {} of a "
          "sequence; leave out shorter sequences",
          printable(data.names[s]),
          data.steps(s) == 1 ? "1 step" : fmt::format("{} steps", data.steps(s)),
          info.first_answer + 1);
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
  const sluice_info info = sluice_describe(&model);
  check_lengths(info, data, sequences);
  std::vector<std::size_t> begin = {0};
  for (std::size_t s : sequences) begin.push_back(begin.back() + answers_to(data, info, s));
  const std::vector<DataSet> heads = targets_of_heads(data);
  std::vector<Goal> goals;
  const std::size_t outputs = info.outputs;
  const bool adds = data.difference && adds_frame_columns(read_network(model));
  if (heads.empty()) goals.push_back({data, loss, 0, outputs, adds});
  std::size_t first = 0;
  for (const DataSet& targets : heads) {
    const Head& head = data.heads[goals.size()];
    goals.push_back({targets, loss_of(head), first, head.outputs, false});
    goals.back().result.name = head.name, goals.back().result.weight = head.weight;
    first += head.outputs;
  }
  for (Goal& goal : goals) begin_result(info, data, sequences, begin, goal);
  RunTask task{.data = data,
               .sequences = sequences,
               .info = info,
               .begin = begin,
               .goals = goals,
               .streams = {}};
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
