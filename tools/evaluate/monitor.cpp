#include "monitor.h"

namespace sluice::tools {

bool higher_is_better(const std::string& monitor) { return monitor != "loss" && monitor != "mae"; }

bool is_share(const std::string& measure) {
  return measure == "accuracy" || measure == "balanced_accuracy" || measure == "macro_f1" || measure == "auc";
}

void watch(Patience& patience, double value, double least) {
  const bool better = value < patience.best - least;
  if (better) patience.best = value;
  patience.worse = better ? 0 : patience.worse + 1;
}

void watch(Plateau& plateau, double value, std::int64_t let_pass, double multiply, double rate) {
  constexpr double threshold = 1e-4, least_change = 1e-8;
  const bool better = value < plateau.best * (plateau.best < 0 ? 1 + threshold : 1 - threshold);
  if (better) plateau.best = value;
  plateau.worse = better ? 0 : plateau.worse + 1;
  if (plateau.worse <= let_pass) return;
  plateau.worse = 0;
  const double now = rate * plateau.factor, then = now * multiply;
  if (now - then > least_change) plateau.factor *= multiply;
}

}  // namespace sluice::tools
