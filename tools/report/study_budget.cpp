// Quality against cost on the device.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>

#include "../common/print.h"
#include "markup.h"
#include "study.h"

namespace sluice::tools {
namespace {

struct Cost {
  const char *limit, *title, *label;
  std::uint64_t TrialCost::* amount;
};
constexpr Cost costs[] = {
    {"flash", "flash", "flash (bytes)", &TrialCost::flash},
    {"ram", "RAM", "RAM (bytes)", &TrialCost::ram},
    {"instructions", "instructions", "instructions per step", &TrialCost::instructions}};

std::vector<Mark> limits_of(const Study& study, const Cost& cost) {
  std::vector<Mark> marks;
  for (const Limit& limit : study.limits)
    if (limit.name == cost.limit)
      marks.push_back({fmt::format("budget: {}", with_commas(limit.amount)), double(limit.amount)});
  return marks;
}

/// Returns the best value at each amount of a cost, as steps.
Points best_for(const Study& study, const Cost& cost, std::vector<ScoredTrial> trials) {
  const auto amount = [&](const ScoredTrial& j) { return double((*j.trial->cost).*cost.amount); };
  std::sort(trials.begin(), trials.end(), [&](const ScoredTrial& a, const ScoredTrial& b) {
    return amount(a) != amount(b) ? amount(a) < amount(b) : a.value < b.value;
  });
  Points steps{
      .name = "the best at this cost or less", .shape = Points::none, .color = 2, .joined = true};
  const auto add = [&](double x, double y) { steps.x.push_back(x), steps.y.push_back(y); };
  double best = 0;
  for (const ScoredTrial& scored : trials) {
    if (!steps.x.empty() && scored.value >= best) continue;
    if (!steps.x.empty()) add(amount(scored), drawn(study, best));
    best = scored.value;
    add(amount(scored), drawn(study, best));
  }
  if (!steps.x.empty()) add(amount(trials.back()), drawn(study, best));
  return steps;
}

std::string chart(const Study& study, const Cost& cost, const std::vector<ScoredTrial>& trials,
                  const std::vector<const Trial*>& front) {
  Points all{.name = "complete"},
      on_front{.name = "on the front", .shape = Points::ring, .color = 8},
      winner{.name = "the best", .shape = Points::winner, .color = 2};
  for (const ScoredTrial& scored : trials) {
    const bool is_on = std::find(front.begin(), front.end(), scored.trial) != front.end();
    for (Points* const points :
         {is_on ? &on_front : &all, scored.trial == best_of(study) ? &winner : nullptr})
      if (points)
        points->x.push_back(double(scored.trial->cost.value_or(TrialCost{}).*cost.amount)),
            points->y.push_back(drawn(study, scored.value));
  }
  const Objective objective = objective_of(study);
  std::string title = fmt::format("Validation {} against {}", objective.name, cost.title);
  const std::vector<Mark> marks = limits_of(study, cost);
  if (marks.empty()) title += ", which has no budget";
  return scatter({.title = title,
                  .x = {.label = cost.label},
                  .y = complete_axis(study),
                  .series = {best_for(study, cost, trials), all, on_front, winner},
                  .marks = marks});
}

}  // namespace

std::string study_budget(const Study& study) {
  const auto wrapped = [](const std::string& inside) {
    return section("Quality against cost", inside);
  };
  if (study.core.empty())
    return wrapped(
        missing("The recipe names no device (device.core), so flash, RAM and instructions are "
                "unknown, and the best trial alone is the front."));
  std::vector<ScoredTrial> trials = complete_trials(study);
  std::erase_if(trials, [](const ScoredTrial& j) { return !j.trial->cost; });
  const auto unfit = std::count_if(study.trials.begin(), study.trials.end(),
                                   [](const Trial& t) { return t.state == State::unfit; });
  const std::string over =
      unfit == 0
          ? ""
          : fmt::format("{} over the budget and was not trained.",
                        counted(std::uint64_t(unfit), "trial") + (unfit == 1 ? " is" : " are"));
  if (trials.empty())
    return wrapped(missing(
        "No trial is complete whose cost on the device is known, so there is no front. " + over));
  std::vector<const Trial*> front = pareto_front(study);
  std::erase_if(front, [](const Trial* t) { return !t->cost; });
  std::string drawn;
  for (const Cost& cost : costs) drawn += chart(study, cost, trials, front);
  const std::string how = fmt::format(
      "{} on the front: no other complete trial is at least as good in {}, flash, RAM and "
      "instructions at once. {}",
      counted(front.size(), "trial") + (front.size() == 1 ? " is" : " are"),
      objective_of(study).name, over);
  return wrapped(paragraph(how) + charts(drawn) + trial_table(study, front) +
                 fmt::format("<p><code>sluice tune --study {} --export N --out model.slu</code> "
                             "writes the model of trial N.</p>\n",
                             escaped(std::filesystem::path(study.file).filename().string())));
}

}  // namespace sluice::tools
