#include "vocabulary.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "../common/error.h"

namespace sluice::tools {
namespace {

void add_utf8(std::string& text, std::uint32_t c) {
  if (c < 0x80) {
    text += char(c);
    return;
  }
  const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  constexpr std::uint32_t lead[] = {0, 0xC0, 0xE0, 0xF0};
  text += char(lead[more] | c >> (6 * more));
  for (int i = more - 1; i >= 0; --i) text += char(0x80 | (c >> (6 * i) & 0x3F));
}

template <class T>
void add_numbers(std::string& bytes, const std::vector<T>& numbers) {
  bytes.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T));
}

}  // namespace

std::string normal_token(TokenRules rules, std::string_view token) {
  if (!rules.lower_case) return std::string(token);
  std::string text;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(token.data());
  for (std::size_t at = 0; at < token.size();) add_utf8(text, lower_case(next_code_point(bytes, token.size(), &at)));
  return text;
}

void check_text(std::string_view text, const std::string& file, std::size_t first_line) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  std::size_t line = first_line;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const std::uint32_t c = next_code_point(bytes, text.size(), &at);
    if (c == malformed) refuse("{}:{}: byte {:02x} is not UTF-8; convert the file (iconv -t UTF-8)", file, line, bytes[begin]);
    if (c == 0) refuse("{}:{}: a byte 0; give text (UTF-8)", file, line);
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
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return count[a] != count[b] ? count[a] > count[b] : first[a] < first[b]; });
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

std::string vocabulary_section(const Tokens& tokens) {
  if (tokens.empty()) return "";
  std::vector<std::uint32_t> ends;
  std::vector<std::uint16_t> sorted(tokens.texts.size());
  std::string texts;
  for (const std::string& text : tokens.texts) ends.push_back(std::uint32_t((texts += text).size()));
  std::iota(sorted.begin(), sorted.end(), std::uint16_t(0));
  std::sort(sorted.begin(), sorted.end(), [&](auto a, auto b) { return tokens.texts[a] < tokens.texts[b]; });
  if (sorted.size() % 2) sorted.push_back(0);
  const BlobVocabulary head{tokens.rules.words, tokens.rules.lower_case, std::uint32_t(tokens.ids()),
                            std::uint32_t(texts.size())};
  std::string bytes(reinterpret_cast<const char*>(&head), sizeof head);
  add_numbers(bytes, ends);
  add_numbers(bytes, sorted);
  return bytes + texts;
}

Tokens tokens_of(const sluice_model& model) {
  const sluice_vocabulary head = sluice_vocabulary_of(&model);
  Tokens tokens{{head.words != 0, head.lower_case != 0}, {}};
  for (std::int32_t id = first_token; id < std::int32_t(head.ids); ++id) {
    std::size_t bytes = 0;
    const char* text = sluice_token(&model, id, &bytes);
    tokens.texts.emplace_back(text, bytes);
  }
  return tokens;
}

std::vector<std::string> names_of(const Tokens& tokens) {
  std::vector<std::string> names = {"<padding>", "<unknown>"};
  names.insert(names.end(), tokens.texts.begin(), tokens.texts.end());
  return names;
}

}  // namespace sluice::tools
