#include "evaluate.h"

#include <atomic>
#include <cfloat>
#include <cmath>

#include "../../kernels/kernels.h"
#include "../common/model_file.h"

namespace sluice::tools {
namespace {

constexpr std::uint32_t piece = 64;  // frames that go through the scratch at once; the answers do not depend on it

/// The model's answers, one for each target: [targets][outputs], sequence after sequence.
struct Answers {
  std::vector<std::size_t> begin;  ///< [sequences + 1], in targets
  std::vector<float> y;
};

/// What the threads share while sequences are run. Each task has a stream, and takes sequences until none is left.
struct RunTask {
  const DataSet& data;
  std::span<const std::size_t> sequences;
  Answers& answers;
  std::vector<OwnedStream> streams;
  std::atomic<std::size_t> next{0};

  static void run(void* argument, std::uint32_t i) {
    RunTask& task = *static_cast<RunTask*>(argument);
    OwnedStream& stream = task.streams[i];
    for (std::size_t k = task.next++; k < task.sequences.size(); k = task.next++) {
      const std::size_t s = task.sequences[k];
      sluice_reset(&stream.stream);
      stream.run(task.data.frames(s), task.answers.y.data() + task.answers.begin[k] * task.data.outputs(), task.data.steps(s));
    }
  }
};

Answers run_all(const sluice_model& model, const DataSet& data, std::span<const std::size_t> sequences, Crew& crew) {
  Answers answers;
  answers.begin.push_back(0);
  for (std::size_t s : sequences) answers.begin.push_back(answers.begin.back() + data.targets(s));
  answers.y.resize(answers.begin.back() * data.outputs());
  RunTask task{data, sequences, answers, {}};
  for (int i = 0; i < crew.threads; ++i) task.streams.emplace_back(model, sluice_use{piece, 1});
  crew_for(&crew, std::uint32_t(crew.threads), RunTask::run, &task);
  return answers;
}

void measure_classes(const sluice_model& model, const DataSet& data, std::span<const std::size_t> sequences,
                     const Answers& answers, Evaluation& result) {
  const std::size_t classes = data.outputs();
  result.confusion.assign(classes * classes, 0);
  std::vector<float> log_p;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    for (std::size_t k = 0; k < data.targets(sequences[i]); ++k) {
      const std::int32_t target = data.target[data.target_begin(sequences[i]) + k];
      if (target < 0) continue;
      const float* p = answers.y.data() + (answers.begin[i] + k) * classes;
      const std::size_t guess = sluice_argmax(p, classes);
      ++result.confusion[std::size_t(target) * classes + guess];
      result.correct += guess == std::size_t(target);
      log_p.push_back(p[target] < FLT_MIN ? FLT_MIN : p[target]);  // a probability of 0 would cost infinity
    }
  }
  result.targets = log_p.size();
  pick_kernels(sluice_isa(&model))->log_f32(log_p.data(), log_p.data(), log_p.size());
  double sum = 0;
  for (float value : log_p) sum -= double(value);
  if (result.targets) result.loss = sum / double(result.targets);
}

/// Calls f(output, answer, value) for every valid number, in order.
template <class F>
void each_value(const DataSet& data, std::span<const std::size_t> sequences, const Answers& answers, F f) {
  const std::size_t outputs = data.outputs();
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const float* y = answers.y.data() + answers.begin[i] * outputs;
    const float* value = data.value.data() + data.target_begin(sequences[i]) * outputs;
    for (std::size_t k = 0; k < data.targets(sequences[i]) * outputs; ++k)
      if (!std::isnan(value[k])) f(k % outputs, double(y[k]), double(value[k]));
  }
}

void measure_values(const DataSet& data, std::span<const std::size_t> sequences, const Answers& answers, Evaluation& result) {
  std::vector<double> sum(data.outputs()), count(data.outputs());
  double squares = 0, absolute = 0, baseline = 0;
  each_value(data, sequences, answers, [&](std::size_t output, double y, double value) {
    squares += (y - value) * (y - value), absolute += std::fabs(y - value);
    sum[output] += value, count[output] += 1;
    ++result.targets;
  });
  each_value(data, sequences, answers, [&](std::size_t output, double, double value) {
    const double mean = sum[output] / count[output];
    baseline += (value - mean) * (value - mean);
  });
  if (result.targets == 0) return;
  result.loss = squares / double(result.targets);
  result.absolute_error = absolute / double(result.targets);
  result.baseline_loss = baseline / double(result.targets);
}

}  // namespace

Evaluation evaluate(const sluice_model& model, const DataSet& data, std::span<const std::size_t> sequences, Crew& crew) {
  Evaluation result;
  result.classes = data.classes;
  result.per_row = data.per_row;
  result.labels = data.labels;
  result.sequences = sequences.size();
  for (std::size_t s : sequences) result.frames += data.steps(s);
  const Answers answers = run_all(model, data, sequences, crew);
  if (data.classes) {
    measure_classes(model, data, sequences, answers, result);
  } else {
    measure_values(data, sequences, answers, result);
  }
  return result;
}

Evaluation evaluate(const sluice_model& model, const DataSet& data, std::span<const std::size_t> sequences, int threads) {
  Crew crew(threads);
  Evaluation result;
  with_crew(crew, [&] { result = evaluate(model, data, sequences, crew); });
  return result;
}

}  // namespace sluice::tools
