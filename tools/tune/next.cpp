#include "next.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "../common/error.h"
#include "halving.h"
#include "interrupt.h"
#include "load.h"
#include "suggest.h"

namespace sluice::tools {
namespace {

bool is_seen(const Study& study, const Point& point) {
  return std::any_of(study.trials.begin(), study.trials.end(),
                     [&](const Trial& t) { return same(t.point, point); });
}

/// Adds a trial as waiting, or as unfit if it does not fit.
void add(Database& db, const StudyPlan& plan, Shapes& shapes, Study& study, const Point& point,
         const std::string& origin) {
  Trial trial;
  trial.number = study.trials.size();
  trial.point = point;
  trial.origin = origin;
  trial.seed = plan.own.seed;
  trial.bracket = first_rung(plan.own, trial.number);
  trial.until = trial.bracket;
  trial.reason = objection(plan, point, shapes);
  if (!trial.reason.empty()) trial.state = State::unfit;
  try {
    trial.cost = cost_of(recipe_of(plan, point), shapes);
  } catch (const Error& error) {
    if (error.exit_code != 2 || trial.reason.empty()) throw;
  }
  add_trial(db, plan.space, trial);
  study.trials.push_back(std::move(trial));
}

/// Adds the next new trial. Returns false if there is none.
bool add_next(Database& db, const StudyPlan& plan, Shapes& shapes, Study& study) {
  const std::uint64_t number = study.trials.size();
  if (number >= std::uint64_t(plan.own.tune_trials)) return false;
  if (number == 0) {
    add(db, plan, shapes, study, settled(plan.space, Point(plan.space.parameters.size(), NAN)),
        "recipe");
    return true;
  }
  const auto method = std::find_if(methods().begin(), methods().end(), [&](const Method& m) {
    return m.method == plan.own.tune_method;
  });
  if (method == methods().end())
    refuse("{}: this sluice was built without \"{}\"; give another method",
           where(plan.own, "tune.method"), word(plan.own.tune_method));
  const std::vector<PastTrial> past = history(study, plan.own);
  const SearchRequest request{.space = plan.space,
                              .history = past,
                              .number = number,
                              .seed = std::uint64_t(plan.own.tune_seed),
                              .allowed =
                                  [&](const Point& point) {
                                    check_interrupt();  // a search for a fitting point may be long
                                    return objection(plan, point, shapes).empty();
                                  },
                              .acquisition = plan.own.tune_acquisition};
  const std::optional<Point> point = method->suggest(request);
  if (point) add(db, plan, shapes, study, *point, std::string(word(plan.own.tune_method)));
  return point.has_value();
}

bool too_many_failed(const Study& study, const StudyPlan& plan) {
  const auto failed = std::count_if(study.trials.begin(), study.trials.end(),
                                    [](const Trial& t) { return t.state == State::failed; });
  return plan.own.tune_max_failures > 0 && failed > plan.own.tune_max_failures;
}

/// Returns the first waiting trial.
Trial* waiting(Study& study) {
  for (Trial& trial : study.trials)
    if (trial.state == State::waiting) return &trial;
  return nullptr;
}

/// Chooses the next work of this worker, without holding the trial yet.
Next choose(Database& db, const StudyPlan& plan, Shapes& shapes, Study& study,
            std::uint64_t& number, std::int64_t& until) {
  if (too_many_failed(study, plan)) return Next::end;
  if (const std::vector<std::uint64_t> left = abandoned(db); !left.empty()) {
    number = left.front(), until = study.trials[left.front()].until;
    return Next::work;
  }
  const auto take = [&](const Promotion& p) {
    number = p.trial, until = p.until;
    return Next::work;
  };
  if (const Trial* trial = waiting(study)) return take({trial->number, trial->until});
  if (const std::optional<Promotion> up = promotion(study, plan.own)) return take(*up);
  while (add_next(db, plan, shapes, study))
    if (const Trial* trial = waiting(study))
      return take({trial->number, trial->until});  // otherwise the trial was unfit
  const bool runs = std::any_of(study.trials.begin(), study.trials.end(),
                                [](const Trial& t) { return t.state == State::running; });
  if (runs) return Next::wait;
  if (const std::optional<Promotion> up = last_promotion(study, plan.own)) return take(*up);
  return Next::end;
}

/// Refuses a study whose space another process has widened: values of this plan's space may mean
/// others there.
void check_unchanged(const Study& study, const StudyPlan& plan) {
  if (study.recipe_hash != recipe_hash(plan))
    refuse(
        "{}: is a study of another recipe: the search space differs, since another process has "
        "widened it; give the command again with that recipe, or without one",
        study.file);
}

}  // namespace

Next take_next(Database& db, const StudyPlan& plan, Shapes& shapes, const std::string& worker,
               Job& job) {
  Transaction transaction(db);
  Study study = load_study(db, false);
  check_unchanged(study, plan);
  std::uint64_t number = 0;
  std::int64_t until = 0;
  const Next next = choose(db, plan, shapes, study, number, until);
  if (next == Next::work) {
    job = {number, study.trials[number].point, until, load_folds(db, number)};
    hold_trial(db, number, until, worker);
  }
  transaction.commit();
  return next;
}

std::vector<std::uint64_t> enqueue(Database& db, const StudyPlan& plan, Shapes& shapes,
                                   const std::vector<Point>& points) {
  Transaction transaction(db);
  Study study = load_study(db, false);
  check_unchanged(study, plan);
  if (study.trials.empty()) add_next(db, plan, shapes, study);
  std::vector<std::uint64_t> added;
  for (const Point& point : points) {
    if (is_seen(study, point)) continue;
    added.push_back(study.trials.size());
    add(db, plan, shapes, study, point, "enqueued");
  }
  transaction.commit();
  return added;
}

}  // namespace sluice::tools
