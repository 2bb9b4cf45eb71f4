#include "shared.h"

namespace sluice::tools {

std::optional<Point> ask_random(const Question& question) {
  return first_new(question,
                   [&](std::uint32_t attempt) { return random_point(question, attempt); });
}

}  // namespace sluice::tools
