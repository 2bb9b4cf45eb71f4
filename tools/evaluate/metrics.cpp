// An evaluation as text and as JSON.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

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
  if (evaluation.confusion.empty()) return "";
  const std::vector<std::vector<std::string>> rows = class_rows(evaluation);
  const std::size_t n = evaluation.labels.size();
  if (n <= most_listed) return table(rows);
  const std::vector<Counts> counts = class_counts(evaluation);
  const auto recall = [&](std::size_t i) {  // a class without targets is listed last
    return counts[i].real ? double(counts[i].correct) / double(counts[i].real) : 2;
  };
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return recall(a) < recall(b); });
  std::vector<std::vector<std::string>> shown = {rows[0]};
  for (std::size_t i = 0; i < most_listed; ++i) shown.push_back(rows[order[i] + 1]);
  return table(shown) +
         fmt::format("These {} of {} classes have the lowest recall; --json has all.\n",
                     most_listed, with_commas(n));
}

std::vector<std::vector<std::string>> mistake_rows(const Evaluation& evaluation, std::size_t most) {
  std::vector<std::vector<std::string>> rows = {{"true", "predicted", "times"}};
  const std::vector<Mistake> all = mistakes(evaluation);
  for (std::size_t i = 0; i < std::min(all.size(), most); ++i)
    rows.push_back({printable(evaluation.labels[all[i].truth]),
                    printable(evaluation.labels[all[i].guess]), with_commas(all[i].count)});
  return rows;
}

namespace {

/// Returns the pairs of classes that are most often confused.
std::string confused_pairs(const Evaluation& evaluation) {
  const std::size_t pairs = mistakes(evaluation).size();
  if (pairs == 0) return "No class is taken for another one.\n";
  std::string text = table(mistake_rows(evaluation, most_listed));
  if (pairs > most_listed)
    text += fmt::format("These {} of {} confused pairs are the most frequent; --json has all.\n",
                        most_listed, with_commas(pairs));
  return text;
}

}  // namespace

std::vector<std::vector<std::string>> target_rows(const Evaluation& evaluation) {
  const bool units = !evaluation.units.empty(), many = evaluation.labels.size() > most_listed;
  const std::vector<TargetErrors> list =
      many ? column_errors(evaluation) : target_errors(evaluation);
  std::vector<std::vector<std::string>> rows = {
      {"target", "MSE", "RMSE", "MAE", fmt::format("RMSE of the {}", naive_answer(evaluation))}};
  if (units) rows[0].push_back("RMSE in deviations");
  const auto text = [](double value) { return fmt::format("{:.4g}", value); };
  for (const TargetErrors& one : list) {
    std::vector<std::string> row = {printable(one.label)};
    if (one.targets == 0) row.resize(rows[0].size(), "-");
    if (one.targets)
      for (const double value :
           {one.squared, std::sqrt(one.squared), one.absolute, std::sqrt(one.naive_squared)})
        row.push_back(text(value));
    if (one.targets && units) row.push_back(text(std::sqrt(one.standardized)));
    rows.push_back(row);
  }
  return rows;
}

std::string target_table(const Evaluation& evaluation) {
  if (evaluation.classes || evaluation.labels.size() < 2) return "";
  std::vector<std::vector<std::string>> rows = target_rows(evaluation);
  const std::size_t all = rows.size() - 1;
  if (all <= most_listed) return table(rows);
  rows.resize(most_listed + 1);
  return table(rows) + fmt::format("These are {} of {} targets; --json has all.\n", most_listed,
                                   with_commas(all));
}

std::string confusion_table(const Evaluation& evaluation) {
  if (evaluation.confusion.empty()) return "";
  const std::size_t n = evaluation.labels.size();
  if (n > most_listed) return confused_pairs(evaluation);
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

// More classes have their confusion as a list of pairs, since a matrix of 1,000 classes is 11 MB.
constexpr std::size_t most_in_matrix = 100;

/// Adds the measures that only classes have.
void add_classes(const Evaluation& evaluation, OrderedJson& json) {
  json["majority_accuracy"] = majority_accuracy(evaluation);
  if (evaluation.confusion.empty()) return;
  const std::size_t n = evaluation.labels.size();
  const std::vector<Counts> counts = class_counts(evaluation);
  const bool matrix = n <= most_in_matrix;
  json["classes"] = OrderedJson::array();
  json[matrix ? "confusion" : "confused"] = OrderedJson::array();
  if (!matrix)
    for (const Mistake& one : mistakes(evaluation))
      json["confused"].push_back({{"true", evaluation.labels[one.truth]},
                                  {"predicted", evaluation.labels[one.guess]},
                                  {"times", one.count}});
  for (std::size_t i = 0; i < n; ++i) {
    const Counts& c = counts[i];
    json["classes"].push_back({{"label", evaluation.labels[i]},
                               {"targets", c.real},
                               {"precision", json_ratio(c.correct, c.predicted)},
                               {"recall", json_ratio(c.correct, c.real)},
                               {"f1", json_ratio(2 * c.correct, c.real + c.predicted)}});
    if (!matrix) continue;
    const auto row = evaluation.confusion.begin() + std::ptrdiff_t(i * n);
    json["confusion"].push_back(std::vector<std::uint64_t>(row, row + std::ptrdiff_t(n)));
  }
}

/// Adds the errors of each value.
void add_values(const Evaluation& evaluation, OrderedJson& json) {
  json["baseline_mse"] = evaluation.baseline_loss;
  json["values"] = OrderedJson::array();
  for (const TargetErrors& one : target_errors(evaluation)) {
    OrderedJson item = {{"label", one.label}, {"targets", one.targets}};
    json["values"].push_back(item);
    if (one.targets == 0) continue;
    OrderedJson& own = json["values"].back();
    own["mse"] = one.squared, own["mse_naive"] = one.naive_squared;
    own["rmse"] = std::sqrt(one.squared), own["rmse_naive"] = std::sqrt(one.naive_squared);
    own["mae"] = one.absolute, own["mae_naive"] = one.naive_absolute;
    if (!evaluation.units.empty()) own["standardized_mse"] = one.standardized;
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
    add_values(evaluation, json);
  return json;
}

}  // namespace

std::string json_text(const Evaluation& evaluation) { return json_text(json_of(evaluation), 2); }

}  // namespace sluice::tools
