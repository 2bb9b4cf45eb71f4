#include "vocabulary.h"

#include <algorithm>
#include <cstdint>
#include <numeric>

#include "../common/error.h"
#include "../common/text.h"

namespace sluice::tools {

std::string normal_token(TokenRules rules, std::string_view token) {
  if (!rules.lower_case) return std::string(token);
  std::string text;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(token.data());
  for (std::size_t at = 0; at < token.size();)
    append_utf8(text, lower_case(next_code_point(bytes, token.size(), &at)));
  return text;
}

void check_text(std::string_view text, const std::string& file, std::size_t first_line) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  std::size_t line = first_line;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const std::uint32_t c = next_code_point(bytes, text.size(), &at);
    if (c == malformed)
      refuse("{}:{}: byte {:02x} is not UTF-8; convert the file (iconv -t UTF-8)", file, line,
             bytes[begin]);
    if (c == 0) refuse("{}:{}: contains a byte 0; give text in UTF-8", file, line);
    line += c == '\n';
  }
}

Tokens learn_tokens(const Tokens& all, std::span<const std::int32_t> ids, std::size_t limit,
                    std::vector<std::int32_t>& renumber) {
  std::vector<std::size_t> count(all.ids()), first(all.ids(), ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto id = std::size_t(ids[i]);
    if (count[id]++ == 0) first[id] = i;
  }
  std::vector<std::size_t> order(all.texts.size());
  std::iota(order.begin(), order.end(), std::size_t(first_token));
  std::erase_if(order, [&](std::size_t id) { return count[id] == 0; });
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return count[a] != count[b] ? count[a] > count[b] : first[a] < first[b];
  });
  if (limit) order.resize(std::min(order.size(), limit - first_token));

  Tokens kept{all.rules, {}};
  renumber.assign(all.ids(), 1);
  renumber[0] = 0;
  for (const std::size_t id : order) {
    renumber[id] = std::int32_t(kept.ids());
    kept.texts.push_back(all.texts[id - first_token]);
  }
  return kept;
}

}  // namespace sluice::tools
