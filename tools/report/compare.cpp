// Several runs beside each other: where their settings differ, how they fared, their curves over one another.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "../common/print.h"
#include "../train/measures.h"
#include "markup.h"
#include "report.h"
#include "style.h"

namespace sluice::tools {
namespace {

/// Where a value stands in a table of runs: "-" where a run has none.
std::string found(const ComparedRun& run, const std::string& name) {
  for (const auto& [key, value] : run.figures)
    if (key == name) return value;
  return "-";
}

std::string figures(const std::vector<ComparedRun>& runs) {
  std::vector<std::vector<std::string>> rows = {{"run"}};
  for (const ComparedRun& run : runs)
    for (const auto& [name, value] : run.figures)
      if (std::find(rows[0].begin(), rows[0].end(), name) == rows[0].end()) rows[0].push_back(name);
  for (const ComparedRun& run : runs) {
    rows.push_back({run.name});
    for (std::size_t i = 1; i < rows[0].size(); ++i) rows.back().push_back(found(run, rows[0][i]));
  }
  std::string html = html_table(rows);
  for (const ComparedRun& run : runs)
    if (!run.no_input.empty()) html += missing(fmt::format("{}: {}", run.name, run.no_input));
  return section("Figures", html);
}

std::string setting_of(const Recipe& recipe, const Key& key) {
  if (!key.file_name) return value_text(recipe, key);
  return std::filesystem::path(recipe.*std::get<std::string Recipe::*>(key.field)).filename().string();
}

/// Keys whose values are not the same in all runs.
std::string settings(const std::vector<ComparedRun>& runs) {
  std::vector<std::vector<std::string>> rows = {{"key"}};
  for (const ComparedRun& run : runs) rows[0].push_back(run.name);
  for (const Key& key : keys()) {
    std::vector<std::string> row = {std::string(key.name)};
    for (const ComparedRun& run : runs) row.push_back(setting_of(run.recipe, key));
    const bool same = std::all_of(row.begin() + 2, row.end(), [&](const std::string& value) { return value == row[1]; });
    if (!same && !key.never_changes_result) rows.push_back(row);
  }
  return section("Settings that differ",
                 rows.size() > 1 ? html_table(rows) : paragraph("None: all runs have the same settings."));
}

/// The variant that a run of several seeds belongs to: "runs/wide" of "runs/wide/seed-3"; else the run itself.
std::string group_of(const std::string& name) {
  const std::filesystem::path path(name);
  return path.filename().string().starts_with("seed-") ? path.parent_path().string() : name;
}

/// Runs that differ by their seed alone have one color, where there are others.
std::vector<NamedLog> colored(const std::vector<ComparedRun>& runs) {
  std::vector<std::string> groups;
  for (const ComparedRun& run : runs)
    if (const std::string group = group_of(run.name); std::find(groups.begin(), groups.end(), group) == groups.end())
      groups.push_back(group);
  const bool by_group = groups.size() > 1;
  std::vector<NamedLog> logs;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::string group = group_of(runs[i].name);
    const std::size_t number = by_group ? std::size_t(std::find(groups.begin(), groups.end(), group) - groups.begin()) : i;
    logs.push_back({by_group ? group : runs[i].name, runs[i].log, int(number % series_colors) + 1});
  }
  return logs;
}

}  // namespace

ComparedRun compared(ReportedRun run) {
  ComparedRun result{run.name, run.recipe, {}, {}, run.no_input};
  const auto add = [&](const std::string& name, const std::string& value) { result.figures.emplace_back(name, value); };
  add("epochs", with_commas(run.log.epochs.size()));
  if (run.model)
    for (const Part& part : run.parts()) {
      const Evaluation e = run.evaluated(*run.model, part);
      add(part.name + " loss", figure_text(e.loss));
      if (!e.classes) {
        add(part.name + " mean absolute error", figure_text(e.absolute_error));
        continue;
      }
      const Measure accuracy = accuracy_measure(e);
      add(part.name + " accuracy", percent(accuracy.value));
      if (accuracy.interval)
        add("its 95 % interval, " + part.name,
            fmt::format("{} to {}", percent(accuracy.interval->low), percent(accuracy.interval->high)));
    }
  if (const LogColumn* const loss = run.log.find("validation_loss"); loss && run.parts().empty()) {
    std::vector<double> values = loss->values;
    std::erase_if(values, [](double v) { return std::isnan(v); });
    if (!values.empty())
      add("lowest validation loss, by the log", figure_text(*std::min_element(values.begin(), values.end())));
  }
  if (run.model) add("model, bytes", with_commas(run.model->info().bytes));
  if (run.model) add("type", sluice_format_name(run.model->info().format));
  if (run.model) add("multiply-accumulates a step", with_commas(run.model->info().macs));
  if (!run.model) result.no_input = "the training did not come to its end, so there is no model to measure.";
  result.log = std::move(run.log);
  return result;
}

std::string comparison_page(const std::vector<ComparedRun>& runs) {
  const std::string title = fmt::format("{} runs compared", runs.size());
  std::string names;
  for (const ComparedRun& run : runs) names += (names.empty() ? "" : ", ") + run.name;
  std::string body = fmt::format("<h1>{}</h1>\n<p class=\"lead\">{}</p>\n", escaped(title), escaped(shortened(names, 400)));
  return html_page(title, body + figures(runs) + curves(colored(runs), runs.front().recipe) + settings(runs));
}

}  // namespace sluice::tools
