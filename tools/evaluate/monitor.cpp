#include "monitor.h"

#include <cstdint>

namespace sluice::tools {

bool higher_is_better(Monitor monitor) {
  return monitor != Monitor::loss && monitor != Monitor::mae;
}

bool is_share(Monitor measure) { return higher_is_better(measure); }

bool is_share(std::string_view measure) {
  const auto known = value_of_word<Monitor>(measure.substr(measure.rfind(' ') + 1));
  return known && is_share(*known);
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
