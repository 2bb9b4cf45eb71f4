#include "study.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "../evaluate/monitor.h"

namespace sluice::tools {
namespace {

constexpr const char* state_names[] = {"waiting",  "running", "pruned",
                                       "complete", "failed",  "unfit"};

}  // namespace

const char* state_name(State state) { return state_names[std::size_t(state)]; }

std::string method_text(const Study& study) {
  const std::string method(word(study.method));
  return study.halving == Halving::none ? method
                                        : fmt::format("{} with {}", method, word(study.halving));
}

std::optional<Score> Trial::score() const {
  if (state != State::complete || rungs.empty()) return std::nullopt;
  return rungs.back().score;
}

std::int64_t Trial::best_epoch() const {
  std::vector<std::int64_t> epochs;
  for (const FoldResult& fold : folds) epochs.push_back(fold.best_epoch);
  if (epochs.empty()) return 0;
  std::sort(epochs.begin(), epochs.end());
  // The lower of two middle ones, so that it is an epoch of one of the folds.
  return epochs[(epochs.size() - 1) / 2];
}

std::int64_t Trial::epochs() const {
  std::int64_t sum = 0;
  for (const FoldResult& fold : folds) sum += fold.epochs;
  return sum;
}

bool Study::higher_is_better() const { return tools::higher_is_better(objective); }

// 0 - value, so that 0 is not shown as -0.
double Study::shown(double value) const { return higher_is_better() ? 0 - value : value; }

const Trial* Study::best() const {
  const auto better = [](const Trial& a, const Trial& b) {
    const double v = a.score().value_or(no_score).value, w = b.score().value_or(no_score).value;
    return v < w || (v == w && a.cost && b.cost && a.cost->flash < b.cost->flash);
  };
  const Trial* best = nullptr;
  for (const Trial& trial : trials)
    if (trial.score() && (!best || better(trial, *best))) best = &trial;
  return best;
}

std::vector<const Trial*> pareto_front(const Study& study) {
  std::vector<const Trial*> front;
  const auto beats = [](const Trial& a, const Trial& b) {
    const TrialCost x = a.cost.value_or(TrialCost{}), y = b.cost.value_or(TrialCost{});
    const double v = a.score().value_or(no_score).value, w = b.score().value_or(no_score).value;
    if (v > w || x.flash > y.flash || x.ram > y.ram || x.instructions > y.instructions)
      return false;
    const bool equal =
        v == w && x.flash == y.flash && x.ram == y.ram && x.instructions == y.instructions;
    return !equal || a.number < b.number;
  };
  for (const Trial& one : study.trials) {
    if (!one.score()) continue;
    const bool beaten = std::any_of(
        study.trials.begin(), study.trials.end(),
        [&](const Trial& other) { return &other != &one && other.score() && beats(other, one); });
    if (!beaten) front.push_back(&one);
  }
  return front;
}

}  // namespace sluice::tools
