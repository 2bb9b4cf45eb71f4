// The page of a tuning study, and what its sections share.
#pragma once
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "../tune/show.h"
#include "charts.h"

namespace sluice::tools {

std::string study_page(const Study& study);

/// What a study ranks by, as the page shows it.
struct Objective {
  std::string name;    ///< "loss", "balanced accuracy"
  bool share = false;  ///< in percent, and the better the higher it is
  Axis axis() const;
};
Objective objective_of(const Study& study);

/// A score as a chart's number; NaN where it is none.
double drawn(const Study& study, double value);
double drawn_error(const Study& study, const Score& score);

/// What can be drawn and written: neither infinite nor close to it.
inline bool is_number(double v) { return std::fabs(v) < 1e300; }

/// How a trial stands: a complete one's score, another's at its last rung; none where that is no
/// number.
std::optional<Score> standing(const Trial& trial);

/// The best trial; null where there is none with a number.
const Trial* best_of(const Study& study);

/// A trial that may be compared with the others.
struct Judged {
  const Trial* trial;
  double value;  ///< as Score::value
};

/// Complete trials by number.
std::vector<Judged> complete_trials(const Study& study);

/// Trials whose values can be compared and are enough to learn from: the complete ones, or, of a
/// study that prunes most, all at the highest rung that enough of them reached: four a parameter,
/// or else ten. Empty where there are fewer.
struct Comparable {
  std::vector<Judged> trials;
  std::int64_t epochs = 0;  ///< of the rung; 0: complete trials
};
constexpr std::size_t least_comparable = 10;
Comparable comparable_trials(const Study& study);

/// The objective's axis over all that trials reached, so that charts of a study can be compared.
Axis objective_axis(const Study& study);
Axis complete_axis(const Study& study);  ///< over complete trials alone

/// A parameter's name without its table: "learning_rate", "layers.1.gru"; the whole where two would
/// be the same.
std::string short_name(const Space& space, std::size_t parameter);
Axis parameter_axis(const Space& space, std::size_t parameter);

/// Trials as points over what is said of each: pruned, failed, complete ones, and the best.
std::vector<Points> points_of(const Study& study, const std::function<double(const Trial&)>& x_of);

/// Trials with their parameters and costs, in the order given.
std::string trial_table(const Study& study, const std::vector<const Trial*>& trials);

/// Trials that can be told apart in a chart as lines, or as dots over colors.
constexpr std::size_t most_drawn = 150;

/// A parameter's value with four digits at most; a sign where it is not in force.
std::string brief_text(const Parameter& parameter, double value);

// The sections; each gives markup.
std::string study_summary(const Study& study);
std::string study_progress(const Study& study);  ///< optimization history, curves while training
/// which parameters matter, and the two that matter most
std::string study_importance(const Study& study);
/// the objective against each parameter, and all together
std::string study_slices(const Study& study);
std::string study_budget(const Study& study);  ///< the front against flash, RAM and instructions
std::string study_tables(const Study& study);  ///< the ten best, and what failed

}  // namespace sluice::tools
