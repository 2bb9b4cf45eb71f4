// The summary of a study: the search space, the trials, the winner, and its results on the test
// set.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>

#include "../common/json.h"
#include "../common/print.h"
#include "../evaluate/mean.h"
#include "../evaluate/monitor.h"
#include "markup.h"
#include "study.h"

namespace sluice::tools {
namespace {

std::string file_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

/// The trainings of one trial on all training data, one for each seed.
struct Retrained {
  std::uint64_t trial = 0;
  std::size_t seeds = 0;
  std::int64_t epochs = 0;
  /// by name, the value of each seed
  std::vector<std::pair<std::string, std::vector<double>>> measures;
};

void add_measures(const std::string& text, Retrained& retrained) {
  const OrderedJson json = parse_ordered_json(text);
  if (!json.is_object()) return;
  for (const auto& item : json.items()) {
    const std::string& name = item.key();
    const OrderedJson& value = item.value();
    if (!value.is_number() || !is_number(value.get<double>())) continue;
    auto& all = retrained.measures;
    auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& m) { return m.first == name; });
    if (found == all.end()) found = all.insert(all.end(), {name, {}});
    found->second.push_back(value.get<double>());
  }
}

/// Returns the retrained trials, the winner first.
std::vector<Retrained> retrained_of(const Study& study) {
  std::vector<Retrained> list;
  for (const Final& final : study.finals) {
    auto found = std::find_if(list.begin(), list.end(),
                              [&](const Retrained& r) { return r.trial == final.trial; });
    if (found == list.end())
      found = list.insert(list.end(), Retrained{final.trial, 0, final.epochs, {}});
    ++found->seeds;
    add_measures(final.measures, *found);
  }
  if (const Trial* const best = best_of(study))
    std::stable_partition(list.begin(), list.end(),
                          [&](const Retrained& r) { return r.trial == best->number; });
  return list;
}

std::string readable(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

std::string best_fact(const Study& study) {
  const Trial* const best = best_of(study);
  if (!best) return fact("Best", "\u2013", "no trial is complete yet");
  const std::string folds =
      best->folds.size() > 1 ? fmt::format(", mean of {}", counted(best->folds.size(), "training"))
                             : "";
  return fact(
      "Best", score_text(study, last_score(*best).value_or(no_score)),
      fmt::format("{} by validation, trial {}{}", objective_of(study).name, best->number, folds));
}

std::string trials_fact(const Study& study) {
  std::string more;
  for (const State state : {State::complete, State::pruned, State::failed, State::unfit,
                            State::running, State::waiting}) {
    const auto n = std::count_if(study.trials.begin(), study.trials.end(),
                                 [&](const Trial& t) { return t.state == state; });
    if (n == 0) continue;
    const char* const name =
        state == State::unfit ? "over the budget, not trained" : state_name(state);
    more += fmt::format("{}{} {}", more.empty() ? "" : ", ", with_commas(std::uint64_t(n)), name);
  }
  return fact("Trials", with_commas(study.trials.size()), more);
}

std::string search_fact(const Study& study) {
  const std::string more = fmt::format(
      "{} at most, seed {}",
      counted(std::uint64_t(std::max<std::int64_t>(study.most_epochs, 0)), "epoch"), study.seed);
  return fact("Search", method_text(study), more);
}

std::string device_fact(const Study& study) {
  if (study.core.empty()) return "";
  std::string more(word(study.type));
  for (const Limit& limit : study.limits)
    more += fmt::format(", at most {} {}", with_commas(limit.amount),
                        limit.name == "instructions" ? "instructions per step"
                        : limit.name == "ram"        ? "bytes of RAM"
                                                     : "bytes of flash");
  return fact("Device", study.core, more);
}

/// Returns the test result of the winner by the objective itself, or else by the first measure.
std::string test_fact(const Study& study, const std::vector<Retrained>& retrained) {
  if (retrained.empty() || retrained[0].measures.empty()) return "";
  const auto& all = retrained[0].measures;
  auto found = std::find_if(all.begin(), all.end(),
                            [](const auto& m) { return m.first == word(Monitor::accuracy); });
  if (found == all.end())
    found = std::find_if(all.begin(), all.end(),
                         [&](const auto& m) { return m.first == word(study.objective); });
  if (found == all.end()) found = all.begin();
  return fact(
      "Test", mean_text(mean_of(found->second), is_share(found->first)),
      fmt::format("{} of trial {}, trained again on all training data, {}", readable(found->first),
                  retrained[0].trial, counted(found->second.size(), "seed")));
}

/// Returns the range of a parameter: "from 1e-4 to 0.1, by logarithm, while train.optimizer is
/// "adam"".
std::string searched_text(const Space& space, const Parameter& p) {
  std::string text;
  for (const std::string& choice : p.choices) text += (text.empty() ? "one of " : ", ") + choice;
  if (p.kind != Parameter::choice)
    text = fmt::format("from {} to {}", value_text(p, p.low), value_text(p, p.high));
  if (p.step > 0) text += fmt::format(" {} {}", p.log ? "by factors of" : "in steps of", p.step);
  if (p.log && p.step == 0) text += ", on a logarithmic scale";
  for (const Condition& condition : p.when) {
    const Parameter& on = space.parameters[condition.parameter];
    std::string values;
    for (const double value : condition.values)
      values += (values.empty() ? "" : " or ") + value_text(on, value);
    text += fmt::format(", while {} is {}", on.name, values);
  }
  return text;
}

std::string space_table(const Study& study) {
  const Trial* const best = best_of(study);
  std::vector<std::vector<std::string>> rows = {{"parameter", "searched", "recipe\u2019s own"}};
  if (best) rows[0].push_back(fmt::format("best, trial {}", best->number));
  for (std::size_t i = 0; i < study.space.parameters.size(); ++i) {
    const Parameter& p = study.space.parameters[i];
    rows.push_back({p.name, searched_text(study.space, p), value_text(p, p.own)});
    if (best)
      rows.back().push_back(std::isnan(best->point[i]) ? "not in force"
                                                       : value_text(p, best->point[i]));
  }
  return "<h3>Search space</h3>\n" + html_table(rows);
}

std::string test_table(const std::vector<Retrained>& retrained) {
  std::string html = "<h3>On the test set</h3>\n";
  if (retrained.empty())
    return html + missing(
                      "No trial has been trained again on all training data, so the test set has "
                      "not been used.");
  for (const Retrained& r : retrained) {
    const std::string how =
        fmt::format("Trial {}, trained again on all training data for {}, by {}", r.trial,
                    counted(std::uint64_t(std::max<std::int64_t>(r.epochs, 0)), "epoch"),
                    counted(r.seeds, "seed"));
    if (r.measures.empty()) {
      html += missing(how + ": the recipe has no test set.");
      continue;
    }
    std::vector<std::vector<std::string>> rows = {
        {"measure", r.seeds > 1 ? "mean \u00b1 standard error" : "value"}};
    for (const auto& [name, values] : r.measures)
      rows.push_back({readable(name), mean_text(mean_of(values), is_share(name))});
    html += paragraph(how + ".") + html_table(rows);
  }
  return html;
}

/// Returns the recipe and its overrides: "recipe.toml, with train.batch = 8".
std::string recipe_text(const Study& study) {
  std::string text = file_name(study.recipe_file);
  for (std::size_t i = 0; i < study.overrides.size(); ++i)
    text += fmt::format("{}{} = {}", i ? ", " : ", with ", study.overrides[i].first,
                        study.overrides[i].second);
  return text;
}

}  // namespace

std::string study_summary(const Study& study) {
  const std::vector<Retrained> retrained = retrained_of(study);
  const std::string name = file_name(study.file);
  std::string html = fmt::format(
      "<h1>{}</h1>\n<p class=\"lead\">{} of <code>{}</code></p>\n", escaped(name),
      escaped(counted(study.space.parameters.size(), "parameter")), escaped(recipe_text(study)));
  html += fmt::format("<dl class=\"facts\">\n{}</dl>\n",
                      best_fact(study) + test_fact(study, retrained) + trials_fact(study) +
                          search_fact(study) + device_fact(study));
  if (const Trial* const best = best_of(study))
    html += fmt::format(
        "<p class=\"next\"><code>sluice tune --study {} --export {} --out model.slu</code> writes "
        "the best trial\u2019s "
        "model.</p>\n",
        escaped(name), best->number);
  return html + space_table(study) + test_table(retrained);
}

}  // namespace sluice::tools
