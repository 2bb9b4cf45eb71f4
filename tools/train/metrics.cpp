// What an evaluation says, in words and as JSON.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "../common/print.h"
#include "evaluate.h"

namespace sluice::tools {
namespace {

/// Of one class: how many targets it has, how many answers it got, how many of both.
struct Counts {
  std::uint64_t real = 0, predicted = 0, correct = 0;
};

Counts counts(const Evaluation& evaluation, std::size_t label) {
  const std::size_t n = evaluation.labels.size();
  Counts c;
  for (std::size_t i = 0; i < n; ++i)
    c.real += evaluation.confusion[label * n + i], c.predicted += evaluation.confusion[i * n + label];
  c.correct = evaluation.confusion[label * n + label];
  return c;
}

std::string ratio(std::uint64_t part, std::uint64_t all) { return all ? percent(double(part) / double(all)) : "-"; }

nlohmann::ordered_json json_ratio(std::uint64_t part, std::uint64_t all) {
  if (all == 0) return nullptr;
  return double(part) / double(all);
}

}  // namespace

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

Interval wilson(std::uint64_t successes, std::uint64_t trials) {
  if (trials == 0) return {0, 1};
  constexpr double z = 1.959963984540054;  // of the normal distribution, 97.5 % lie below
  const double n = double(trials), p = double(successes) / n;
  const double center = (p + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return {std::max(0.0, center - half), std::min(1.0, center + half)};
}

double majority_accuracy(const Evaluation& evaluation) {
  std::uint64_t most = 0;
  for (std::size_t i = 0; i < evaluation.labels.size(); ++i) most = std::max(most, counts(evaluation, i).real);
  return evaluation.targets ? double(most) / double(evaluation.targets) : 0;
}

std::string summary(const Evaluation& evaluation) {
  if (!evaluation.classes)
    return fmt::format(
        "mean squared error {:.6g}, mean absolute error {:.6g} (always the targets' mean: squared error {:.6g}{})",
        evaluation.loss, evaluation.absolute_error, evaluation.baseline_loss,
        evaluation.loss > evaluation.baseline_loss ? ", which is better" : "");
  const Interval interval = wilson(evaluation.correct, evaluation.targets);
  return fmt::format("loss {:.4g}, accuracy {} (95 % interval{} {:.1f} to {}; always the majority class: {})", evaluation.loss,
                     percent(evaluation.accuracy()), evaluation.per_row ? ", as if rows were independent," : "",
                     100 * interval.low, percent(interval.high), percent(majority_accuracy(evaluation)));
}

std::string class_table(const Evaluation& evaluation) {
  if (!evaluation.classes) return "";
  std::vector<std::vector<std::string>> rows = {{"class", evaluation.per_row ? "rows" : "sequences", "precision", "recall"}};
  for (std::size_t i = 0; i < evaluation.labels.size(); ++i) {
    const Counts c = counts(evaluation, i);
    rows.push_back(
        {printable(evaluation.labels[i]), with_commas(c.real), ratio(c.correct, c.predicted), ratio(c.correct, c.real)});
  }
  return table(rows);
}

std::string confusion_table(const Evaluation& evaluation) {
  if (!evaluation.classes) return "";
  const std::size_t n = evaluation.labels.size();
  std::vector<std::vector<std::string>> rows(n + 1);
  rows[0].push_back("true \\ predicted");
  for (std::size_t i = 0; i < n; ++i) {
    rows[0].push_back(printable(evaluation.labels[i]));
    rows[i + 1].push_back(printable(evaluation.labels[i]));
    for (std::size_t j = 0; j < n; ++j) rows[i + 1].push_back(fmt::format("{}", evaluation.confusion[i * n + j]));
  }
  return table(rows);
}

std::string json_text(const Evaluation& evaluation) {
  nlohmann::ordered_json json;
  json["sequences"] = evaluation.sequences;
  json["frames"] = evaluation.frames;
  json["targets"] = evaluation.targets;
  json["loss"] = evaluation.loss;
  if (!evaluation.classes) {
    json["mse"] = evaluation.loss;
    json["mae"] = evaluation.absolute_error;
    json["baseline_mse"] = evaluation.baseline_loss;
    return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  }
  const Interval interval = wilson(evaluation.correct, evaluation.targets);
  const std::size_t n = evaluation.labels.size();
  json["accuracy"] = evaluation.accuracy();
  json["accuracy_interval_95"] = {interval.low, interval.high};
  json["majority_accuracy"] = majority_accuracy(evaluation);
  json["classes"] = nlohmann::ordered_json::array();
  json["confusion"] = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < n; ++i) {
    const Counts c = counts(evaluation, i);
    json["classes"].push_back({{"label", evaluation.labels[i]},
                               {"targets", c.real},
                               {"precision", json_ratio(c.correct, c.predicted)},
                               {"recall", json_ratio(c.correct, c.real)}});
    const auto row = evaluation.confusion.begin() + std::ptrdiff_t(i * n);
    json["confusion"].push_back(std::vector<std::uint64_t>(row, row + std::ptrdiff_t(n)));
  }
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace sluice::tools
