#include "seeds.h"

#include <algorithm>
#include <optional>

#include "../common/error.h"
#include "../data/parse_number.h"

namespace sluice::tools {

constexpr long long most_seeds = 1000;

std::vector<std::string> seeds_of(const std::string& text) {
  std::vector<std::string> seeds;
  const auto bad = [&]() {
    refuse("--seeds {}: give a range such as 1..5, or a list such as 1,3,7", text);
  };
  const auto number = [&](std::string_view word) {
    const std::optional<long long> value = parse_integer(word);
    if (!value || *value < 0) bad();
    return *value;
  };
  if (const std::size_t dots = text.find(".."); dots != text.npos) {
    const long long first = number(std::string_view(text).substr(0, dots)),
                    last = number(std::string_view(text).substr(dots + 2));
    if (last < first || last - first >= most_seeds) bad();
    for (long long seed = first; seed <= last; ++seed) seeds.push_back(std::to_string(seed));
    return seeds;
  }
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find(','));
    seeds.push_back(std::to_string(number(word)));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    if (std::count(seeds.begin(), seeds.end(), seeds.back()) > 1)
      refuse("--seeds {}: {} is given twice; give each seed once", text, seeds.back());
  }
  return seeds;
}

}  // namespace sluice::tools
