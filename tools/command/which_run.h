// The runs in a folder, and the one of them whose model is meant.
#pragma once
#include <string>
#include <vector>

namespace sluice::tools {

/// Returns the folder itself if it is a run, else the runs inside it, in the order of their names.
/// The seeds of a variant are two levels down.
std::vector<std::string> runs_in(const std::string& folder);

/// Returns the model or the run that is meant. In a folder of variants or seeds this is the run
/// that --run names or, without --run, the one with the best validation, which a line on standard
/// error tells. Refuses (exit code 2) a name that is not in the folder, and a folder whose runs
/// cannot be compared.
/// @param given  the model's file or a folder
/// @param run  as given to --run; may be empty
/// @param by  for messages: the option that names a run
std::string chosen_model(const std::string& given, const std::string& run,
                         const std::string& by = "--run");

}  // namespace sluice::tools
