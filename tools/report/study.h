// The page of a tuning study, and the shared parts of its sections.
#pragma once
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "../tune/show.h"
#include "charts.h"

namespace sluice::tools {

std::string study_page(const Study& study);

/// The measure that ranks the trials, as the page shows it.
struct Objective {
  std::string name;    ///< "loss", "balanced accuracy"
  bool share = false;  ///< shown in percent; higher is better
  Axis axis() const;
};
Objective objective_of(const Study& study);

/// Returns a score as a number for a chart; NaN if it is not finite.
double drawn(const Study& study, double value);
double drawn_error(const Study& study, const Score& score);

/// Returns whether a number can be drawn and written: it is neither infinite nor close to that.
inline bool is_number(double v) { return std::fabs(v) < 1e300; }

/// Returns the score of a complete trial, or of another one at its last rung; nothing if that is
/// not a number.
std::optional<Score> last_score(const Trial& trial);

/// Returns the best trial; null if none has a number.
const Trial* best_of(const Study& study);

/// A trial that can be compared with the others.
struct ScoredTrial {
  const Trial* trial;
  double value;  ///< as Score::value
};

/// Returns the complete trials by number.
std::vector<ScoredTrial> complete_trials(const Study& study);

/// Trials whose values can be compared, and which are enough to learn from: the complete ones or,
/// in a study that prunes most trials, all at the highest rung that enough of them reached (four
/// for each parameter, at least ten). Empty if there are fewer.
struct Comparable {
  std::vector<ScoredTrial> trials;
  std::int64_t epochs = 0;  ///< of the rung; 0: complete trials
};
constexpr std::size_t least_comparable = 10;
Comparable comparable_trials(const Study& study);

/// Returns the objective's axis over the values of all trials, so that the charts of a study can be
/// compared.
Axis objective_axis(const Study& study);
Axis complete_axis(const Study& study);  ///< over complete trials alone

/// Returns a parameter's name without its table: "learning_rate", "layers.1.gru"; the whole name if
/// two would be equal.
std::string short_name(const Space& space, std::size_t parameter);
Axis parameter_axis(const Space& space, std::size_t parameter);

/// Returns the trials as points at x_of(trial): pruned, failed, complete ones, and the best.
std::vector<Points> points_of(const Study& study, const std::function<double(const Trial&)>& x_of);

/// Returns a table of trials with parameters and costs, in the order given.
std::string trial_table(const Study& study, const std::vector<const Trial*>& trials);

/// The most trials that are distinguishable in a chart as lines, or as dots over colors.
constexpr std::size_t most_drawn = 150;

/// Returns a parameter's value with at most four digits; "–" if it is not in force.
std::string brief_text(const Parameter& parameter, double value);

// The sections. Each function returns markup.
std::string study_summary(const Study& study);
std::string study_progress(const Study& study);  ///< optimization history, curves of training
/// The importance of parameters, and the two most important ones.
std::string study_importance(const Study& study);
/// The objective against each parameter, and all parameters together.
std::string study_slices(const Study& study);
/// the Pareto front against flash, RAM and instructions
std::string study_budget(const Study& study);
std::string study_tables(const Study& study);  ///< the ten best trials, and the failed ones

}  // namespace sluice::tools
