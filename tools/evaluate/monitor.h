// Whether validation still gets better: early stopping, and the plateau schedule. A value is the
// lower the better; what is the better the higher it is comes negated.
#pragma once
#include <cstdint>
#include <limits>
#include <string_view>

#include "../recipe/words.h"

namespace sluice::tools {

constexpr double worst = std::numeric_limits<double>::infinity();

bool higher_is_better(Monitor monitor);

/// Whether a measure is a share, to be shown in percent.
bool is_share(Monitor measure);
bool is_share(std::string_view measure);  ///< by its word, which may follow the
                                          ///< name of a head; of other measures false

/// Early stopping: how long ago the last improvement was.
struct Patience {
  double best = worst;     ///< at the last improvement
  std::int64_t worse = 0;  ///< validations since
};

/// @param least  what is not better by more than this is no improvement
void watch(Patience& patience, double value, double least);

/// The plateau schedule, as PyTorch's ReduceLROnPlateau with a relative threshold of 1e-4 and no
/// cooldown.
struct Plateau {
  double best = worst;
  std::int64_t worse = 0;
  double factor = 1;  ///< of the learning rate, from now on
};

/// @param rate  without the factor: a change of it by less than 1e-8 is not made, as in PyTorch
void watch(Plateau& plateau, double value, std::int64_t let_pass, double multiply, double rate);

}  // namespace sluice::tools
