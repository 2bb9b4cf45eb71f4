// A study as text for a terminal, and as JSON.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "study.h"

namespace sluice::tools {

/// Returns a score such as "0.0712 ± 0.004" or "97.12 ± 0.09 %".
std::string score_text(const Study& study, const Score& score);

/// Returns a table of all trials.
std::string list_text(const Study& study);

/// Returns everything about one trial.
std::string trial_text(const Study& study, const Trial& trial);

/// Returns the winner, its results on the test set, and the Pareto front if the recipe has a
/// device.
std::string best_text(const Study& study);

/// Returns the number of trials by state, for a line of progress: "12/60 trials, 2 running, 3
/// pruned, 1 failed".
std::string counts_text(const Study& study, std::int64_t wanted);

// The same as JSON.
std::string study_json(const Study& study);
std::string list_json(const Study& study);
std::string trial_json(const Study& study, const Trial& trial);
std::string best_json(const Study& study);  ///< null without a complete trial

/// Returns the trial of that number. Refuses an unknown one; `origin` begins the message.
const Trial& trial_of(const Study& study, const std::string& number, std::string_view origin);

}  // namespace sluice::tools
