// Turns texts into ids. While a vocabulary is learned, every token of the file has an id, in the
// order of first appearance. learn_vocabulary() then renumbers the tokens of the training part.
#include <algorithm>
#include <cstdint>
#include <unordered_map>

#include "../common/error.h"
#include "../common/print.h"
#include "data.h"

namespace sluice::tools {
namespace {

/// The ids of tokens: of a model's vocabulary, or of one that grows with each new token.
struct Ids {
  Tokens tokens;
  /// Whether new tokens are added; whether unknown characters are refused, as in a text to be
  /// answered and whenever the vocabulary was not limited.
  bool grows, refuses;
  std::unordered_map<std::string, std::int32_t> known;

  Ids(const Columns& columns, const Expected& expected)
      : tokens(expected.tokens),
        grows(expected.learning()),
        refuses(!grows && !tokens.rules.words && (columns.every_character || !expected.targets)) {
    if (grows) tokens.rules = columns.tokens;
    for (const std::string& text : tokens.texts)
      known.emplace(text, std::int32_t(first_token + known.size()));
  }

  /// A character that the model does not know.
  struct Stranger {
    std::size_t index;  ///< among the tokens of its text
    std::string token;
    std::size_t line;
  };

  /// @param line  returns the line of a token at `begin`, for messages
  /// @param most  number of tokens that will be left; 0: all. Tokens that are cut off are not
  /// judged
  template <class Line>
  void add(std::string_view text, const std::string& file, std::vector<std::int32_t>& ids,
           Line line, std::size_t most = 0, bool cut_front = false) {
    const std::size_t before = ids.size();
    std::vector<Stranger> strangers;
    const auto judge = [&] {
      const std::size_t n = ids.size() - before, left = most ? std::min(most, n) : n,
                        from = cut_front ? n - left : 0;
      for (const Stranger& one : strangers)
        if (one.index >= from && one.index < from + left)
          refuse(
              "{}:{}: character \"{}\" is not in the model's vocabulary; leave it out, or train on "
              "text that has it",
              file, one.line, one.token);
    };
    each_token(tokens.rules, text, [&](std::string_view token, std::size_t begin) {
      std::string normal = normal_token(tokens.rules, token);
      const auto found = known.find(normal);
      if (found != known.end()) return ids.push_back(found->second);
      if (refuses)
        strangers.push_back({ids.size() - before, std::string(token), std::size_t(line(begin))});
      ids.push_back(grows ? std::int32_t(tokens.ids()) : 1);
      if (refuses && !most) judge();  // all are kept
      if (!grows) return;
      known.emplace(normal, std::int32_t(tokens.ids()));
      tokens.texts.push_back(std::move(normal));
    });
    judge();
  }
};

}  // namespace

void add_tokens(const Rows& rows, const Columns& columns, const Expected& expected, DataSet& data) {
  Ids all(columns, expected);
  data.first.clear();
  for (std::size_t row = 0; row < rows.rows; ++row) {
    data.first.push_back(data.ids.size());
    all.add(
        rows.text[row], rows.file, data.ids, [&](std::size_t) { return rows.line[row]; },
        columns.max_steps, columns.cut_front);
    if (data.ids.size() == data.first.back())
      refuse("{}: {}: no token; give text, or leave the row out", place(rows, row), columns.text);
  }
  data.first.push_back(data.ids.size());
  data.tokens = std::move(all.tokens);
  constexpr std::size_t few = 10;
  if (expected.learning() && data.tokens.rules.words && rows.rows >= few &&
      data.ids.size() == rows.rows)
    tell_once(fmt::format(
        "{}: every text is one token, since words are what stands between blanks; for a language "
        "without blanks set data.tokens = \"characters\"",
        rows.file));
}

DataSet read_stream(std::string_view text, const std::string& file, const Columns& columns,
                    const Expected& expected) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  check_text(text, file);
  Ids all(columns, expected);
  std::vector<std::int32_t> stream;
  all.add(text, file, stream, [&](std::size_t begin) {
    return 1 + std::count(text.begin(), text.begin() + std::ptrdiff_t(begin), '\n');
  });
  DataSet data;
  data.feature_names = {"id"};
  data.per_row = true;
  if (stream.empty()) refuse("{}: empty; give text", file);
  const std::size_t targets = expected.targets;
  const std::vector<RowRange> parts =
      parts_of(columns.windows, stream.size(), expected.divides(), file);
  for (std::size_t p = 0; p < parts.size(); ++p) {
    const RowRange& part = parts[p];
    if (part.empty()) continue;
    if (part.end - part.first <= targets)
      refuse("{}: {} tokens, rows {}:{}, are too few to {}; give more", file, part.end - part.first,
             part.first, part.end, targets ? "learn or test the next token" : "answer");
    data.names.push_back(std::to_string(part.first));
    data.part.push_back(std::uint8_t(p));
    data.first.push_back(data.ids.size());
    const auto at = stream.begin() + std::ptrdiff_t(part.first),
               end = stream.begin() + std::ptrdiff_t(part.end);
    data.ids.insert(data.ids.end(), at, end - std::ptrdiff_t(targets));
    if (targets) data.target.insert(data.target.end(), at + 1, end);
  }
  data.first.push_back(data.ids.size());
  data.tokens = std::move(all.tokens);
  data.labels = names_of(data.tokens);
  return data;
}

void learn_vocabulary(DataSet& data, std::span<const std::size_t> train, std::size_t limit,
                      const std::string& file) {
  const bool stream = data.per_row;  // the target of each row is the next id
  std::vector<std::int32_t> seen, renumber;
  for (const std::size_t s : train) {
    seen.insert(seen.end(), data.ids.begin() + std::ptrdiff_t(data.first[s]),
                data.ids.begin() + std::ptrdiff_t(data.first[s + 1]));
    if (stream) seen.push_back(data.target[data.first[s + 1] - 1]);
  }
  data.tokens = learn_tokens(data.tokens, seen, limit, renumber);
  if (data.tokens.texts.size() < 2 && !limit)
    refuse(
        "{}: the training part has only the token \"{}\"; give text with at least two different "
        "tokens",
        file, data.tokens.texts[0]);
  if (data.tokens.ids() > most_ids)
    refuse(
        "{}: {} different tokens in the training part, but a vocabulary holds at most {}; set "
        "data.vocabulary",
        file, data.tokens.texts.size(), most_ids - first_token);
  for (std::int32_t& id : data.ids) id = renumber[std::size_t(id)];
  if (!stream) return;
  for (std::int32_t& id : data.target) id = renumber[std::size_t(id)];
  data.labels = names_of(data.tokens);
}

}  // namespace sluice::tools
