#include "recipe.h"

#include <fmt/format.h>

namespace sluice::tools {

std::string where(const Recipe& recipe, const std::string& key) {
  const auto found = recipe.origin.find(key);
  return found != recipe.origin.end() ? found->second : fmt::format("{}: {}", recipe.file, key);
}

}  // namespace sluice::tools
