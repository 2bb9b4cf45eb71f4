// Early stopping and the plateau schedule. Lower values are better; measures for which higher is
// better are passed in negated.
#pragma once
#include <cstdint>
#include <limits>
#include <string_view>

#include "../recipe/words.h"

namespace sluice::tools {

constexpr double worst = std::numeric_limits<double>::infinity();

bool higher_is_better(Monitor monitor);

/// Returns whether a measure is a share, shown in percent.
bool is_share(Monitor measure);
bool is_share(std::string_view measure);  ///< by its word, which may follow the
                                          ///< name of a head; of other measures false

/// Early stopping: the number of validations since the last improvement.
struct Patience {
  double best = worst;     ///< value at the last improvement
  std::int64_t worse = 0;  ///< validations since then
};

/// Records a validation.
/// @param least  an improvement must be larger than this
void watch(Patience& patience, double value, double least);

/// The plateau schedule, like PyTorch's ReduceLROnPlateau with a relative threshold of 1e-4 and no
/// cooldown.
struct Plateau {
  double best = worst;
  std::int64_t worse = 0;
  double factor = 1;  ///< current factor of the learning rate
};

/// Records a validation.
/// @param rate  the rate without the factor; as in PyTorch, a change of it by less than 1e-8 is not
/// made
void watch(Plateau& plateau, double value, std::int64_t let_pass, double multiply, double rate);

}  // namespace sluice::tools
