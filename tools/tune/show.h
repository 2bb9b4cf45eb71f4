// A study in words: for a terminal, and for programs.
#pragma once
#include <string>
#include <string_view>

#include "study.h"

namespace sluice::tools {

/// "0.0712 ± 0.004", "97.12 ± 0.09 %".
std::string score_text(const Study& study, const Score& score);

/// Every trial, a line each.
std::string list_text(const Study& study);

/// All that is known of one.
std::string trial_text(const Study& study, const Trial& trial);

/// The winner, how it does on the test set, and the front where there is a device.
std::string best_text(const Study& study);

/// Trials by state, for a line of progress: "12/60 trials, 2 running, 3 pruned, 1 failed".
std::string counts_text(const Study& study, std::int64_t wanted);

std::string study_json(const Study& study);

/// The trial of that number. Refused (`origin` begins the message) where there is none.
const Trial& trial_of(const Study& study, const std::string& number, std::string_view origin);

}  // namespace sluice::tools
