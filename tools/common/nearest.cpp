#include "nearest.h"

#include <algorithm>
#include <vector>

namespace sluice::tools {

std::size_t letters_apart(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      d[i][j] =
          std::min({d[i - 1][j - 1] + (a[i - 1] != b[j - 1]), d[i - 1][j] + 1, d[i][j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

bool is_near(std::size_t differ, std::string_view word) {
  return differ <= std::max<std::size_t>(word.size() > 2, word.size() / 3);
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> words) {
  std::string_view best;
  std::size_t least = 0;
  for (std::string_view candidate : words) {
    const std::size_t differ = letters_apart(word, candidate);
    if (is_near(differ, word) && (best.empty() || differ < least)) best = candidate, least = differ;
  }
  return best;
}

}  // namespace sluice::tools
