// An evaluation as text and as JSON.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "../common/json.h"
#include "../common/print.h"
#include "evaluate.h"
#include "measures.h"

namespace sluice::tools {
namespace {

std::string ratio(std::uint64_t part, std::uint64_t all) {
  return all ? percent(double(part) / double(all)) : "-";
}

OrderedJson json_ratio(std::uint64_t part, std::uint64_t all) {
  if (all == 0) return nullptr;
  return double(part) / double(all);
}

}  // namespace

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

namespace {

std::string value_summary(const Evaluation& evaluation) {
  double own = 0, naive = 0, standardized = 0, naive_standardized = 0;
  const double n = double(std::max<std::uint64_t>(evaluation.targets, 1));
  const auto square = [](double x) { return x * x; };
  for (const Answer& one : evaluation.answers) {
    own += square(one.error) / n, naive += square(one.naive_error) / n;
    standardized += square(one.error / one.unit) / n,
        naive_standardized += square(one.naive_error / one.unit) / n;
  }
  const bool squares = std::abs(evaluation.loss - own) <= 1e-6 * own;
  std::string text = squares ? "" : fmt::format("loss {:.6g}, ", evaluation.loss);
  text += fmt::format(
      "mean squared error {:.6g}, mean absolute error {:.6g} (always the {}: squared error "
      "{:.6g}{})",
      own, evaluation.absolute_error, naive_answer(evaluation), naive,
      own > naive ? ", which is better" : "");
  if (!evaluation.units.empty())
    text += fmt::format("; squared error in units of deviation {:.4g} ({:.4g})", standardized,
                        naive_standardized);
  return text;
}

/// Of values the loss too, whatever it is.
std::string head_summary(const Evaluation& head) {
  const std::string text = summary(head);
  return text.starts_with("loss") ? text : fmt::format("loss {:.4g}, {}", head.loss, text);
}

}  // namespace

std::string summary(const Evaluation& evaluation) {
  if (!evaluation.heads.empty()) {
    std::string text = fmt::format("loss {:.4g}", evaluation.loss);
    for (const Evaluation& head : evaluation.heads)
      text += fmt::format("\n  {}, weight {:g}: {}", head.name, head.weight, head_summary(head));
    return text;
  }
  if (!evaluation.classes) return value_summary(evaluation);
  const Measure accuracy = accuracy_measure(evaluation);
  const std::string interval =
      accuracy.interval ? fmt::format("95 % interval {:.1f} to {}; ", 100 * accuracy.interval->low,
                                      percent(accuracy.interval->high))
                        : "";
  return fmt::format("loss {:.4g}, accuracy {} ({}always the majority class: {})", evaluation.loss,
                     percent(evaluation.accuracy()), interval,
                     percent(majority_accuracy(evaluation)));
}

std::string measure_text(const Measure& measure) {
  return measure.share ? percent(measure.value) : fmt::format("{:#.4g}", measure.value);
}

std::vector<std::vector<std::string>> measure_rows(const Evaluation& evaluation) {
  std::vector<std::vector<std::string>> rows = {
      {"measure", "value", "95 % interval", "naive", "which answers"}};
  for (const Measure& m : measures(evaluation)) {
    const auto text = [&](double value) {
      return m.share ? percent(value) : fmt::format("{:.4g}", value);
    };
    rows.push_back({m.name, text(m.value),
                    m.interval ? text(m.interval->low) + " to " + text(m.interval->high) : "-",
                    m.naive ? text(*m.naive) : "-", m.answer});
  }
  return rows;
}

std::string measure_table(const Evaluation& evaluation) { return table(measure_rows(evaluation)); }

std::vector<std::vector<std::string>> class_rows(const Evaluation& evaluation) {
  std::vector<std::vector<std::string>> rows = {
      {"class", evaluation.per_row ? "rows" : "sequences", "precision", "recall"}};
  const std::vector<Counts> counts = class_counts(evaluation);
  for (std::size_t i = 0; i < evaluation.labels.size(); ++i) {
    const Counts& c = counts[i];
    rows.push_back({printable(evaluation.labels[i]), with_commas(c.real),
                    ratio(c.correct, c.predicted), ratio(c.correct, c.real)});
  }
  return rows;
}

std::string class_table(const Evaluation& evaluation) {
  return evaluation.confusion.empty() ? "" : table(class_rows(evaluation));
}

std::string confusion_table(const Evaluation& evaluation) {
  if (evaluation.confusion.empty()) return "";
  const std::size_t n = evaluation.labels.size();
  std::vector<std::vector<std::string>> rows(n + 1);
  rows[0].push_back("true \\ predicted");
  for (std::size_t i = 0; i < n; ++i) {
    rows[0].push_back(printable(evaluation.labels[i]));
    rows[i + 1].push_back(printable(evaluation.labels[i]));
    for (std::size_t j = 0; j < n; ++j)
      rows[i + 1].push_back(fmt::format("{}", evaluation.confusion[i * n + j]));
  }
  return table(rows);
}

std::string json_name(std::string name) {
  std::replace(name.begin(), name.end(), ' ', '_');
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return name;
}

namespace {

void add_measures(const Evaluation& evaluation, OrderedJson& json) {
  for (const Measure& m : measures(evaluation)) {
    const std::string name = json_name(m.name);
    json[name] = m.value;
    if (m.interval) json[name + "_interval_95"] = {m.interval->low, m.interval->high};
    if (m.naive) json[name + "_naive"] = *m.naive;
  }
}

/// Adds the measures that only classes have.
void add_classes(const Evaluation& evaluation, OrderedJson& json) {
  json["majority_accuracy"] = majority_accuracy(evaluation);
  if (evaluation.confusion.empty()) return;
  const std::size_t n = evaluation.labels.size();
  const std::vector<Counts> counts = class_counts(evaluation);
  json["classes"] = OrderedJson::array();
  json["confusion"] = OrderedJson::array();
  for (std::size_t i = 0; i < n; ++i) {
    const Counts& c = counts[i];
    json["classes"].push_back({{"label", evaluation.labels[i]},
                               {"targets", c.real},
                               {"precision", json_ratio(c.correct, c.predicted)},
                               {"recall", json_ratio(c.correct, c.real)},
                               {"f1", json_ratio(2 * c.correct, c.real + c.predicted)}});
    const auto row = evaluation.confusion.begin() + std::ptrdiff_t(i * n);
    json["confusion"].push_back(std::vector<std::uint64_t>(row, row + std::ptrdiff_t(n)));
  }
}

OrderedJson json_of(const Evaluation& evaluation) {
  OrderedJson json;
  json["sequences"] = evaluation.sequences;
  json["frames"] = evaluation.frames;
  json["targets"] = evaluation.targets;
  json["loss"] = evaluation.loss;
  for (const Evaluation& head : evaluation.heads) {
    json["heads"][head.name] = json_of(head);
    json["heads"][head.name]["weight"] = head.weight;
  }
  if (!evaluation.heads.empty()) return json;
  add_measures(evaluation, json);
  if (evaluation.classes)
    add_classes(evaluation, json);
  else
    json["baseline_mse"] = evaluation.baseline_loss;
  return json;
}

}  // namespace

std::string json_text(const Evaluation& evaluation) { return json_text(json_of(evaluation), 2); }

}  // namespace sluice::tools
