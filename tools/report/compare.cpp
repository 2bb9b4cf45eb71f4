// Compares several runs: the settings that differ, their results, and their curves in one chart.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "../common/print.h"
#include "../data/files.h"
#include "../evaluate/mean.h"
#include "../evaluate/measures.h"
#include "../recipe/keys.h"
#include "../recipe/write.h"
#include "markup.h"
#include "report.h"
#include "style.h"

namespace sluice::tools {
namespace {

std::string text_of(const Figure& figure) {
  if (!figure.text.empty()) return figure.text;
  return figure.share ? percent(figure.value) : figure_text(figure.value);
}

/// Returns null if a run has no such figure.
const Figure* find_figure(const ComparedRun& run, const std::string& name) {
  const auto found = std::find_if(run.figures.begin(), run.figures.end(),
                                  [&](const Figure& figure) { return figure.name == name; });
  return found == run.figures.end() ? nullptr : &*found;
}

/// Returns the names of all runs' figures, each once.
std::vector<std::string> figure_names(const std::vector<ComparedRun>& runs) {
  std::vector<std::string> names;
  for (const ComparedRun& run : runs)
    for (const Figure& figure : run.figures)
      if (std::find(names.begin(), names.end(), figure.name) == names.end())
        names.push_back(figure.name);
  return names;
}

/// Returns the variant that a run of several seeds belongs to: "runs/wide" for "runs/wide/seed-3";
/// else the run itself.
std::string group_of(const std::string& name) {
  const std::filesystem::path path(name);
  return path.filename().string().starts_with("seed-") ? path.parent_path().string() : name;
}

std::vector<std::string> groups_of(const std::vector<ComparedRun>& runs) {
  std::vector<std::string> groups;
  for (const ComparedRun& run : runs)
    if (const std::string group = group_of(run.name);
        std::find(groups.begin(), groups.end(), group) == groups.end())
      groups.push_back(group);
  return groups;
}

std::string figures(const std::vector<ComparedRun>& runs) {
  const std::vector<std::string> names = figure_names(runs);
  std::vector<std::vector<std::string>> rows = {{"run"}};
  rows[0].insert(rows[0].end(), names.begin(), names.end());
  for (const ComparedRun& run : runs) {
    rows.push_back({run.name});
    for (const std::string& name : names)
      rows.back().push_back(find_figure(run, name) ? text_of(*find_figure(run, name)) : "-");
  }
  return html_table(rows);
}

/// Returns a table of means and standard errors over seeds; empty if no variant has several seeds.
std::string means(const std::vector<ComparedRun>& runs) {
  const std::vector<std::string> groups = groups_of(runs);
  if (groups.size() == runs.size()) return "";
  std::vector<std::vector<std::string>> rows = {{"variant", "runs"}};
  for (const std::string& name : figure_names(runs))
    if (find_figure(runs[0], name) && find_figure(runs[0], name)->text.empty())
      rows[0].push_back(name);
  for (const std::string& group : groups) {
    std::vector<std::string> row = {group, ""};
    for (std::size_t i = 2; i < rows[0].size(); ++i) {
      std::vector<double> values;
      bool share = false;
      for (const ComparedRun& run : runs)
        if (const Figure* const figure = find_figure(run, rows[0][i]);
            figure && group_of(run.name) == group)
          values.push_back(figure->value), share = figure->share;
      row.push_back(values.empty() ? "-" : mean_text(mean_of(values), share));
    }
    row[1] = std::to_string(std::count_if(runs.begin(), runs.end(), [&](const ComparedRun& run) {
      return group_of(run.name) == group;
    }));
    rows.push_back(row);
  }
  return "<h3>Means over seeds, with standard errors</h3>\n" + html_table(rows) +
         "<h3>Every run</h3>\n";
}

std::string missing_inputs(const std::vector<ComparedRun>& runs) {
  std::string html;
  for (const ComparedRun& run : runs)
    if (!run.no_input.empty()) html += missing(fmt::format("{}: {}", run.name, run.no_input));
  return html;
}

std::string setting_of(const Recipe& recipe, const Key& key) {
  if (!key.file_name) return value_text(recipe, key);
  return std::filesystem::path(shown_files(recipe.*std::get<std::string Recipe::*>(key.field)))
      .filename()
      .string();
}

/// Returns a table of the keys whose values differ between runs.
std::string settings(const std::vector<ComparedRun>& runs) {
  std::vector<std::vector<std::string>> rows = {{"run"}};
  for (const ComparedRun& run : runs) rows.push_back({run.name});
  for (const Key& key : keys()) {
    const std::string first = setting_of(runs[0].recipe, key);
    const bool same = std::all_of(runs.begin(), runs.end(), [&](const ComparedRun& run) {
      return setting_of(run.recipe, key) == first;
    });
    if (same || key.never_changes_result) continue;
    rows[0].push_back(std::string(key.name));
    for (std::size_t i = 0; i < runs.size(); ++i)
      rows[i + 1].push_back(setting_of(runs[i].recipe, key));
  }
  return section("Settings that differ", rows[0].size() > 1
                                             ? html_table(rows)
                                             : paragraph("None: all runs have the same settings."));
}

/// Gives one color to runs that differ only in the seed, if there are other runs too.
std::vector<NamedLog> colored(const std::vector<ComparedRun>& runs) {
  const std::vector<std::string> groups = groups_of(runs);
  const bool by_group = groups.size() > 1;
  std::vector<NamedLog> logs;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::string group = group_of(runs[i].name);
    const std::size_t number =
        by_group ? std::size_t(std::find(groups.begin(), groups.end(), group) - groups.begin()) : i;
    logs.push_back({by_group ? group : runs[i].name, runs[i].log, int(number % series_colors) + 1});
  }
  return logs;
}

}  // namespace

ComparedRun compared(ReportedRun run) {
  ComparedRun result{run.name, run.recipe, {}, {}, run.no_input};
  const auto add = [&](const std::string& name, double value, bool share = false) {
    result.figures.push_back({name, value, share});
  };
  const std::vector<Part> parts = run.model ? run.parts() : std::vector<Part>{};
  for (const Part& part : parts) {
    if (!run.model) break;
    const Evaluation e = run.evaluated(*run.model, part);
    add(part.name + " loss", e.loss);
    for (const Evaluation& head : e.heads) {
      const Measure measure = short_measure(head);
      add(fmt::format("{} {} loss", part.name, head.name), head.loss);
      add(fmt::format("{} {} {}", part.name, head.name, measure.name), measure.value,
          measure.share);
    }
    if (!e.heads.empty()) continue;
    if (!e.classes) add(part.name + " mean absolute error", e.absolute_error);
    if (!e.classes) continue;
    const Measure accuracy = accuracy_measure(e);
    add(part.name + " accuracy", accuracy.value, true);
    if (accuracy.interval)
      result.figures.push_back({part.name + " 95 % interval", 0, true,
                                fmt::format("{:.1f} to {}", 100 * accuracy.interval->low,
                                            percent(accuracy.interval->high))});
  }
  if (const LogColumn* const loss = run.log.find("validation_loss"); loss && parts.empty()) {
    double lowest = std::nan("");
    for (const double v : loss->values) lowest = std::fmin(lowest, v);
    add("lowest validation loss, by the log", lowest);
  }
  const auto say = [&](const std::string& name, const std::string& text) {
    result.figures.push_back({name, 0, false, text});
  };
  say("epochs", with_commas(run.log.epochs.size()));
  if (run.model) say("model, bytes", with_commas(run.model->info().bytes));
  if (run.model) say("type", sluice_format_name(run.model->info().format));
  if (!run.model) result.no_input = "the training did not end, so there is no model to measure.";
  result.log = std::move(run.log);
  return result;
}

std::string comparison_page(const std::vector<ComparedRun>& runs) {
  const std::string title = fmt::format("{} runs compared", runs.size());
  std::string names;
  for (const ComparedRun& run : runs) names += (names.empty() ? "" : ", ") + run.name;
  std::string body = fmt::format("<h1>{}</h1>\n<p class=\"lead\">{}</p>\n", escaped(title),
                                 escaped(shortened(names, 400)));
  return html_page(title,
                   body + section("Figures", means(runs) + figures(runs) + missing_inputs(runs)) +
                       curves(colored(runs), runs.front().recipe) + settings(runs));
}

}  // namespace sluice::tools
