// A study that goes on with wider ranges and more choices, and with the trials that it has.
#pragma once
#include <string>

#include "plan.h"
#include "study.h"

namespace sluice::tools {

/// Returns what keeps a study from going on by another plan: the first difference that is not a
/// wider range or another choice; empty if there is none.
/// @param there  of the study
std::string fault_of_widening(const StudyPlan& there, const StudyPlan& here);

/// Returns which ranges have changed: "train.learning_rate from 0.0001 to 0.1 (before: from 0.001
/// to 0.1)".
std::string widening_text(const StudyPlan& there, const StudyPlan& here);

/// Gives the study in a file the recipe and the space of `now`; its trials keep their values.
/// Refuses (exit code 2) a study that another process works on, and a trial whose value is not on
/// the new steps.
/// @param there  the plan of the study, from which `here` differs as fault_of_widening() allows
void widen_study(const std::string& file, const StudyPlan& there, const StudyPlan& here,
                 const Study& now);

}  // namespace sluice::tools
