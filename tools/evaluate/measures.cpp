#include "measures.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>

#include "kernels/kernels.h"
#include "kernels/random.h"

namespace sluice::tools {
namespace {

constexpr std::uint32_t draws = 1000;
constexpr std::size_t fewest_blocks = 10;  // fewer give no interval
// limit of answers times classes for an interval of AUC
constexpr std::size_t most_ranks = 2000000;

/// The number of times that each block was drawn.
using Weights = std::vector<std::uint32_t>;

/// Computes a measure of answers that are weighted by their blocks; NaN if the measure is
/// undefined.
using Statistic = std::function<double(const Weights&)>;

std::optional<Interval> bootstrap(const Evaluation& e, const Statistic& statistic) {
  const std::size_t n = e.blocks;
  if (n < fewest_blocks) return std::nullopt;
  std::vector<double> values;
  for (std::uint32_t draw = 0; draw < draws; ++draw) {
    Weights weights(n);
    for (std::size_t i = 0; i < n; ++i) {
      const Philox random =
          Philox::at(0, std::uint32_t(i / 4), draw, 0, std::uint32_t(Purpose::bootstrap));
      ++weights[below(random.word[i % 4], std::uint32_t(n))];
    }
    if (const double value = statistic(weights); !std::isnan(value)) values.push_back(value);
  }
  if (values.size() < draws * 9 / 10) return std::nullopt;
  std::sort(values.begin(), values.end());
  const std::size_t tail = values.size() / 40;  // 2.5 %
  return Interval{values[tail], values[values.size() - 1 - tail]};
}

/// Returns the mean of f over the answers, by sums of blocks.
Statistic mean_of(const Evaluation& e, const std::function<double(const Answer&)>& f) {
  std::vector<double> sum(e.blocks), count(e.blocks);
  for (const Answer& one : e.answers) sum[one.block] += f(one), count[one.block] += 1;
  return [sum, count](const Weights& weights) {
    double all = 0, n = 0;
    for (std::size_t b = 0; b < sum.size(); ++b)
      all += weights[b] * sum[b], n += weights[b] * count[b];
    return all / n;
  };
}

std::vector<Counts> count_classes(const Evaluation& e, const Weights& weights) {
  std::vector<Counts> counts(e.labels.size());
  for (const Answer& one : e.answers) {
    const std::uint32_t weight = weights[one.block];
    counts[std::size_t(one.truth)].real += weight;
    counts[std::size_t(one.guess)].predicted += weight;
    if (one.truth == one.guess) counts[std::size_t(one.truth)].correct += weight;
  }
  return counts;
}

/// Returns the mean of the recalls of all classes that occur.
double balanced_accuracy(const std::vector<Counts>& counts) {
  double sum = 0, n = 0;
  for (const Counts& c : counts)
    if (c.real) sum += double(c.correct) / double(c.real), n += 1;
  return sum / n;
}

/// Returns the mean of F1 = 2 correct / (real + predicted) over all classes that occur or are
/// predicted.
double macro_f1(const std::vector<Counts>& counts) {
  double sum = 0, n = 0;
  for (const Counts& c : counts)
    if (c.real + c.predicted) sum += 2 * double(c.correct) / double(c.real + c.predicted), n += 1;
  return sum / n;
}

/// Area under the ROC curve: for two classes that of the second, for more the mean of each against
/// the rest (as scikit-learn's "ovr"); ties count half.
struct Ranks {
  const Evaluation& e;
  /// for each ranked class, the answers ordered by their scores
  std::vector<std::vector<std::uint32_t>> order;

  std::size_t classes() const { return e.labels.size(); }
  std::size_t ranked(std::size_t k) const { return classes() == 2 ? 1 : k; }
  float score(std::uint32_t answer, std::size_t label) const {
    return e.scores[answer * classes() + label];
  }

  explicit Ranks(const Evaluation& evaluation) : e(evaluation) {
    for (std::size_t k = 0; k < (classes() == 2 ? 1 : classes()); ++k) {
      order.emplace_back(e.answers.size());
      std::iota(order.back().begin(), order.back().end(), 0u);
      std::stable_sort(order.back().begin(), order.back().end(),
                       [&](auto a, auto b) { return score(a, ranked(k)) < score(b, ranked(k)); });
    }
  }

  double area(std::size_t k, const Weights& weights) const {
    double below = 0, others = 0, own = 0, area = 0;
    for (std::size_t i = 0, end; i < order[k].size(); i = end) {
      double tied_own = 0, tied_others = 0;
      for (end = i; end < order[k].size() &&
                    score(order[k][end], ranked(k)) == score(order[k][i], ranked(k));
           ++end) {
        const Answer& one = e.answers[order[k][end]];
        (one.truth == std::int32_t(ranked(k)) ? tied_own : tied_others) += weights[one.block];
      }
      area += tied_own * (below + tied_others / 2);
      below += tied_others, own += tied_own, others += tied_others;
    }
    return area / (own * others);  // NaN if one of them is 0
  }

  double mean(const Weights& weights) const {
    double sum = 0, n = 0;
    for (std::size_t k = 0; k < order.size(); ++k)
      if (const double one = area(k, weights); !std::isnan(one)) sum += one, n += 1;
    return sum / n;
  }
};

/// Returns whether the answers can be ordered by their scores.
bool ranks_answers(const Evaluation& e) {
  return !e.scores.empty() &&
         std::none_of(e.scores.begin(), e.scores.end(), [](float p) { return std::isnan(p); });
}

float exp_of(double x) {
  float y = float(x);
  pick_kernels("scalar")->exp_f32(&y, &y, 1);
  return y;
}

/// Returns -sum p log p over the classes of the targets: the loss if the answer were always the
/// frequency of each class.
double entropy(const Evaluation& e, const std::vector<Counts>& counts) {
  std::vector<float> p;
  for (const Counts& c : counts)
    if (c.real) p.push_back(float(double(c.real) / double(e.targets)));
  std::vector<float> log_p(p.size());
  pick_kernels("scalar")->log_f32(p.data(), log_p.data(), p.size());
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) sum -= double(p[i]) * double(log_p[i]);
  return sum;
}

void add_classes(const Evaluation& e, const Weights& once, std::vector<Measure>& list) {
  const std::vector<Counts> counts = class_counts(e);
  const double majority = majority_accuracy(e), constant = entropy(e, counts);
  const char* frequencies = e.text ? "unigram" : "class frequencies";
  list.push_back({"loss", e.loss, bootstrap(e, mean_of(e, [](const Answer& a) { return a.cost; })),
                  constant, frequencies});
  list.push_back(accuracy_measure(e));
  if (e.text) {
    Measure perplexity{"perplexity", double(exp_of(e.loss)), std::nullopt, double(exp_of(constant)),
                       frequencies};
    if (const std::optional<Interval> loss = list[0].interval)
      perplexity.interval = Interval{double(exp_of(loss->low)), double(exp_of(loss->high))};
    list.push_back(perplexity);
    return;
  }
  double present = 0;
  for (const Counts& c : counts) present += c.real != 0;
  list.push_back(
      {"balanced accuracy", balanced_accuracy(counts),
       bootstrap(e, [&](const Weights& w) { return balanced_accuracy(count_classes(e, w)); }),
       1 / present, "majority class", true});
  list.push_back({"macro F1", macro_f1(counts),
                  bootstrap(e, [&](const Weights& w) { return macro_f1(count_classes(e, w)); }),
                  2 * majority / (1 + majority) / present, "majority class"});
  if (!ranks_answers(e)) return;
  const Ranks ranks(e);
  const double area = ranks.mean(once);
  if (std::isnan(area)) return;
  Measure auc{"AUC", area, std::nullopt, 0.5, "any constant answer"};
  if (e.scores.size() <= most_ranks)
    auc.interval = bootstrap(e, [&](const Weights& w) { return ranks.mean(w); });
  list.push_back(auc);
}

void add_values(const Evaluation& e, const Weights& once, std::vector<Measure>& list) {
  const auto add = [&](const std::string& name,
                       const std::function<double(const Answer&, double)>& f, bool root) {
    const auto rooted = [root](const Statistic& mean) -> Statistic {
      return [root, mean](const Weights& w) { return root ? std::sqrt(mean(w)) : mean(w); };
    };
    const Statistic own = rooted(mean_of(e, [f](const Answer& a) { return f(a, a.error); }));
    const Statistic naive =
        rooted(mean_of(e, [f](const Answer& a) { return f(a, a.naive_error); }));
    list.push_back({name, own(once), bootstrap(e, own), naive(once), naive_answer(e)});
  };
  add("MSE", [](const Answer&, double error) { return error * error; }, false);
  add("RMSE", [](const Answer&, double error) { return error * error; }, true);
  add("MAE", [](const Answer&, double error) { return std::fabs(error); }, false);
  if (e.units.empty()) return;
  add(
      "standardized MSE",
      [](const Answer& a, double error) { return error / a.unit * (error / a.unit); }, false);
  add(
      "standardized MAE", [](const Answer& a, double error) { return std::fabs(error / a.unit); },
      false);
}

}  // namespace

const char* naive_answer(const Evaluation& evaluation) {
  return evaluation.windows ? "last value" : "targets' mean";
}

Interval wilson(std::uint64_t successes, std::uint64_t trials) {
  if (trials == 0) return {0, 1};
  constexpr double z = 1.959963984540054;  // quantile of the normal distribution for 97.5 %
  const double n = double(trials), p = double(successes) / n;
  const double center = (p + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return {std::max(0.0, center - half), std::min(1.0, center + half)};
}

std::vector<Counts> class_counts(const Evaluation& evaluation) {
  return count_classes(evaluation, Weights(evaluation.blocks, 1));
}

std::vector<Mistake> mistakes(const Evaluation& e) {
  const std::size_t n = e.labels.size();
  std::vector<Mistake> list;
  for (std::size_t i = 0; i < n * n; ++i)
    if (i / n != i % n && e.confusion[i]) list.push_back({i / n, i % n, e.confusion[i]});
  std::stable_sort(list.begin(), list.end(),
                   [](const Mistake& a, const Mistake& b) { return a.count > b.count; });
  return list;
}

namespace {

/// @param columns  number of the groups: output i belongs to group i % columns
std::vector<TargetErrors> errors_of(const Evaluation& e, std::size_t columns) {
  std::vector<TargetErrors> list(columns);
  for (const Answer& one : e.answers) {
    TargetErrors& own = list[one.output % columns];
    ++own.targets;
    own.squared += one.error * one.error, own.absolute += std::fabs(one.error);
    own.naive_squared += one.naive_error * one.naive_error;
    own.naive_absolute += std::fabs(one.naive_error);
    own.standardized += one.error / one.unit * (one.error / one.unit);
  }
  for (TargetErrors& one : list) {
    const double n = double(std::max<std::uint64_t>(one.targets, 1));
    for (double* sum :
         {&one.squared, &one.absolute, &one.naive_squared, &one.naive_absolute, &one.standardized})
      *sum /= n;
  }
  return list;
}

}  // namespace

std::size_t column_count(const Evaluation& e) {
  const std::vector<std::string>& labels = e.labels;
  const auto ends = [](const std::string& label) { return label.ends_with("+1"); };
  const auto columns =
      std::size_t(std::find_if_not(labels.begin(), labels.end(), ends) - labels.begin());
  if (!e.windows || columns == 0 || labels.size() % columns != 0) return labels.size();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    std::string label = labels[i % columns];
    label.replace(label.size() - 1, 1, std::to_string(i / columns + 1));
    if (labels[i] != label) return labels.size();
  }
  return columns;
}

std::vector<TargetErrors> target_errors(const Evaluation& e) {
  std::vector<TargetErrors> list = errors_of(e, e.labels.size());
  for (std::size_t i = 0; i < list.size(); ++i) list[i].label = e.labels[i];
  return list;
}

std::vector<TargetErrors> column_errors(const Evaluation& e) {
  const std::size_t columns = column_count(e), steps = e.labels.size() / columns;
  if (steps == 1) return target_errors(e);
  std::vector<TargetErrors> list = errors_of(e, columns);
  for (std::size_t i = 0; i < columns; ++i) {
    const std::string& label = e.labels[i];
    list[i].label = label + " to " + std::to_string(steps);
  }
  return list;
}

double majority_accuracy(const Evaluation& evaluation) {
  std::uint64_t most = 0;
  for (const Counts& c : class_counts(evaluation)) most = std::max(most, c.real);
  return evaluation.targets ? double(most) / double(evaluation.targets) : 0;
}

double watched_measure(const Evaluation& e, Monitor monitor) {
  if (monitor == Monitor::accuracy) return e.accuracy();
  if (monitor == Monitor::balanced_accuracy) return balanced_accuracy(class_counts(e));
  if (monitor == Monitor::macro_f1) return macro_f1(class_counts(e));
  if (monitor == Monitor::auc)
    return ranks_answers(e) ? Ranks(e).mean(Weights(e.blocks, 1)) : std::nan("");
  return monitor == Monitor::mae ? e.absolute_error : e.loss;
}

Measure accuracy_measure(const Evaluation& e) {
  Measure accuracy{"accuracy",           e.accuracy(),     wilson(e.correct, e.targets),
                   majority_accuracy(e), "majority class", true};
  if (e.blocks != e.targets)  // rows of a sequence are not independent
    accuracy.interval =
        bootstrap(e, mean_of(e, [](const Answer& a) { return double(a.truth == a.guess); }));
  return accuracy;
}

std::vector<Measure> measures(const Evaluation& evaluation) {
  std::vector<Measure> list;
  if (evaluation.targets == 0) return list;
  const Weights once(evaluation.blocks, 1);
  (evaluation.classes ? add_classes : add_values)(evaluation, once, list);
  return list;
}

Measure short_measure(const Evaluation& e) {
  if (e.classes) return {"accuracy", e.accuracy(), {}, {}, "", true};
  double sum = 0;
  for (const Answer& one : e.answers) sum += one.error * one.error;
  const double n = double(std::max<std::size_t>(e.answers.size(), 1));
  return {"RMSE", std::sqrt(sum / n), {}, {}, "", false};
}

double error_in_units(const Evaluation& e) {
  double sum = 0;
  for (const Answer& one : e.answers) sum += one.error / one.unit * (one.error / one.unit);
  return sum / double(e.answers.size());
}

}  // namespace sluice::tools
