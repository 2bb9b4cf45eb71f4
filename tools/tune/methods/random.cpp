#include <cstdint>

#include "shared.h"

namespace sluice::tools {

std::optional<Point> suggest_random(const SearchRequest& request) {
  return first_new(request, [&](std::uint32_t attempt) { return random_point(request, attempt); });
}

}  // namespace sluice::tools
