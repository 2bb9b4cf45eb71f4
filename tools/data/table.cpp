#include "table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "../common/error.h"
#include "../common/print.h"
#include "../common/text.h"
#include "calendar.h"
#include "parse_number.h"

namespace sluice::tools {
namespace {

constexpr char separators[] = {',', ';', '\t', '|', ' '};  ///< in the order of preference
constexpr std::size_t sampled_rows = 64;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/// Reads a quoted cell from its opening quote; two quotes stand for one.
std::string quoted_cell(CellReader& in) {
  const std::size_t opened = in.line;
  std::string cell;
  for (++in.at; in.at < in.text.size(); ++in.at) {
    const char c = in.text[in.at];
    if (c == '"' && in.at + 1 < in.text.size() && in.text[in.at + 1] == '"') {
      ++in.at;
    } else if (c == '"') {
      ++in.at;
      return cell;
    }
    if (c == '\n') ++in.line;
    cell += c;
  }
  refuse("{}:{}: a quote is never closed; close it, or write \"\" for a quote inside a cell",
         *in.file, opened);
}

/// Reads up to the next separator or line end, which it leaves.
std::string read_cell(CellReader& in) {
  const auto passed = [&](char c) { return is_blank(c) && c != in.separator; };
  std::size_t start = in.at;
  while (start < in.text.size() && passed(in.text[start])) ++start;
  const bool quoted = start < in.text.size() && in.text[start] == '"';
  std::string value;
  if (quoted) {
    in.at = start;
    value = quoted_cell(in);
  }
  std::size_t end = in.at;
  while (end < in.text.size() && in.text[end] != in.separator && in.text[end] != '\n' &&
         !(in.separator == ' ' && is_blank(in.text[end])))
    ++end;
  std::size_t first = in.at, last = end;
  while (first < last && passed(in.text[first])) ++first;
  while (last > first && passed(in.text[last - 1])) --last;
  in.at = end;
  if (!quoted) return std::string(in.text.substr(first, last - first));
  if (first < last)
    refuse("{}:{}: \"{}\" after a closing quote; end the cell with {}", *in.file, in.line,
           brief(in.text.substr(first, last - first)),
           in.separator == ',' ? "a comma" : separator_name(in.separator));
  return value;
}

void skip_blanks(CellReader& in) {
  while (in.at < in.text.size() && is_blank(in.text[in.at])) ++in.at;
}

/// Reads the cells of one line and the line's end.
void read_line(CellReader& in, std::vector<std::string>& cells) {
  const bool blanks = in.separator == ' ';
  cells.clear();
  if (blanks) skip_blanks(in);
  for (;;) {
    cells.push_back(read_cell(in));
    if (blanks) skip_blanks(in);
    if (in.at >= in.text.size() || in.text[in.at] == '\n') break;
    if (!blanks) ++in.at;
  }
  ++in.at, ++in.line;
}

std::string_view rest_of_line(const CellReader& in) {
  const std::size_t end = std::min(in.text.find('\n', in.at), in.text.size());
  std::string_view line = in.text.substr(in.at, end - in.at);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

void skip_line(CellReader& in) {
  in.at = std::min(in.text.find('\n', in.at), in.text.size());
  ++in.at, ++in.line;
}

bool all_empty(const std::vector<std::string>& cells, std::size_t from) {
  return std::all_of(cells.begin() + std::ptrdiff_t(from), cells.end(),
                     [](const std::string& cell) { return cell.empty(); });
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Returns the number of digits from `at` on.
std::size_t digits_at(std::string_view text, std::size_t at) {
  std::size_t n = 0;
  while (at + n < text.size() && is_digit(text[at + n])) ++n;
  return n;
}

std::string_view without_sign(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  return text;
}

/// Returns a number whose digits are in groups of three, such as "1,198.50", without the group
/// separators and with a point; nothing if it is none.
std::optional<std::string> ungrouped(std::string_view text, char group, char point) {
  std::string plain(text.substr(0, text.size() - without_sign(text).size()));
  text = without_sign(text);
  std::size_t at = digits_at(text, 0);
  if (at == 0 || at > 3 || (text[0] == '0')) return std::nullopt;
  plain += text.substr(0, at);
  std::size_t groups = 0;
  for (; at < text.size() && text[at] == group; at += 4, ++groups) {
    if (digits_at(text, at + 1) != 3) return std::nullopt;
    plain += text.substr(at + 1, 3);
  }
  if (groups == 0) return std::nullopt;
  if (at < text.size() && text[at] == point) {
    const std::size_t digits = digits_at(text, at + 1);
    plain += "." + std::string(text.substr(at + 1, digits));
    at += 1 + digits;
  }
  if (at != text.size()) return std::nullopt;
  return plain;
}

/// Returns a number with a decimal comma with a point in its place; nothing if it is none.
std::optional<std::string> with_point(std::string_view text) {
  const std::size_t comma = text.find(',');
  if (comma == text.npos || text.find('.') != text.npos) return std::nullopt;
  std::string plain(text);
  plain[comma] = '.';
  return parse_float(plain) ? std::optional(plain) : std::nullopt;
}

/// Returns whether a cell may be a number in any way of writing.
bool looks_numeric(const std::string& cell) {
  return parse_float(cell) || with_point(cell) || ungrouped(cell, ',', '.') ||
         ungrouped(cell, '.', ',');
}

/// Returns a cell as text that parse_float() reads.
std::string plain_number(const std::string& cell, Decimal decimal) {
  std::optional<std::string> plain;
  if (decimal == Decimal::grouped) plain = ungrouped(cell, ',', '.');
  if (decimal == Decimal::comma) plain = with_point(cell);
  if (decimal == Decimal::comma && !plain) plain = ungrouped(cell, '.', ',');
  return plain.value_or(cell);
}

}  // namespace

bool CellReader::next(std::vector<std::string>& cells, std::size_t& first_line) {
  while (at < text.size()) {
    if (!comment.empty() && text.substr(at).starts_with(comment)) {
      skip_line(*this);
      ++comments;
      continue;
    }
    first_line = line;
    read_line(*this, cells);
    if (cells.size() > 1 || !cells[0].empty()) return true;
  }
  return false;
}

bool Lines::next(std::string_view& line) {
  while (next_line(text, line)) {
    line = trimmed(line);
    ++number;
    if (!line.empty() && comment_signs.find(line[0]) == comment_signs.npos) return true;
  }
  return false;
}

std::string separator_name(char separator) {
  return separator == '\t' ? "tabs" : separator == ' ' ? "blanks" : fmt::format("'{}'", separator);
}

void add_remark(std::string& read_as, const std::string& remark) {
  if (!remark.empty()) read_as += (read_as.empty() ? "" : ", ") + remark;
}

std::string_view plain_text(std::string_view text, const std::string& file) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  const std::string_view head = text.substr(0, 64);
  const bool marked = head.starts_with("\xFF\xFE") || head.starts_with("\xFE\xFF");
  const auto zeros = std::size_t(std::count(head.begin(), head.end(), '\0'));
  if (marked || (head.size() >= 4 && zeros * 5 >= head.size() * 2))
    refuse("{}: is UTF-16; convert it to UTF-8: iconv -f UTF-16{} -t UTF-8", file,
           marked                             ? ""
           : !head.empty() && head[0] == '\0' ? "BE"
                                              : "LE");
  if (const std::size_t nul = text.find('\0'); nul != text.npos)
    refuse("{}:{}: contains a byte 0; give text in UTF-8", file,
           1 + std::count(text.begin(), text.begin() + std::ptrdiff_t(nul), '\n'));
  return text;
}

NumberReader::NumberReader(const Dialect& dialect, Decimal decimal, bool named_columns)
    : dialect_(&dialect), named_columns_(named_columns), decimal_(decimal) {
  for (const std::string& word : dialect.missing)
    if (const auto value = parse_float(word); value && std::isfinite(*value))
      sentinels_.push_back(*value);
}

std::optional<float> NumberReader::parse(const std::string& cell) const {
  return decimal_ == Decimal::point ? parse_float(cell) : parse_float(plain_number(cell, decimal_));
}

bool NumberReader::is_missing(const std::string& cell) const {
  if (std::find(dialect_->missing.begin(), dialect_->missing.end(), cell) !=
      dialect_->missing.end())
    return true;
  if (sentinels_.empty()) return false;
  const auto value = parse(cell);
  return value && is_missing(*value);
}

bool NumberReader::is_missing(float number) const {
  return std::find(sentinels_.begin(), sentinels_.end(), number) != sentinels_.end();
}

std::string NumberReader::label(const std::string& cell) const {
  return decimal_ == Decimal::point || !parse(cell) ? cell : plain_number(cell, decimal_);
}

std::string NumberReader::plain(const std::string& cell) const {
  return is_missing(cell) ? "" : label(cell);
}

std::string beside_text(const Columns& columns, std::size_t i, const std::string& cell,
                        const NumberReader& numbers) {
  const std::vector<std::string>& targets = columns.target;  // none while windows are read
  const bool value =
      !columns.classes && (targets.empty() || std::find(targets.begin(), targets.end(),
                                                        columns.beside[i]) != targets.end());
  return value ? numbers.plain(cell) : cell;
}

namespace {

/// Returns whether a cell is a number with the other decimal mark.
bool is_with_other_mark(std::string cell, Decimal decimal) {
  const char other = decimal == Decimal::comma ? '.' : ',';
  if (std::count(cell.begin(), cell.end(), other) != 1) return false;
  std::replace(cell.begin(), cell.end(), other, '.');
  return parse_float(cell).has_value();
}

}  // namespace

float NumberReader::number(const std::string& cell, const std::string& file, std::size_t line,
                           const std::string& column) const {
  const auto value = parse(cell);
  if (!value)
    refuse("{}:{}: {}: \"{}\" is not a number; give one such as {}{}", file, line, brief(column),
           brief(cell), decimal_ == Decimal::comma ? "-0,25" : "-0.25",
           is_with_other_mark(cell, decimal_) ? ", or set data.decimal"
           : !named_columns_                  ? ""
           : parse_time(cell) ? ", name a column of times in data.time, or list it in data.ignore"
                              : ", or list the column in data.ignore");
  if (!std::isfinite(*value))
    refuse("{}:{}: {}: {} is not a finite float; give a finite number, or leave the sequence out",
           file, line, brief(column), brief(cell));
  return *value;
}

float NumberReader::feature(const std::string& cell, const std::string& file, std::size_t line,
                            const std::string& column) const {
  if (!is_missing(cell)) return number(cell, file, line, column);
  if (dialect_->fill != Fill::refuse) return std::nanf("");
  if (cell.empty())
    refuse("{}:{}: {}: the cell is empty; give a number, or set data.fill", file, line,
           brief(column));
  refuse("{}:{}: {}: \"{}\" is a missing value; give a number, or set data.fill", file, line,
         brief(column), brief(cell));
}

double NumberReader::exact(const std::string& cell) const {
  constexpr std::size_t few = 7;  // float32 tells apart all numbers of 7 digits
  const auto number = parse(cell);
  if (cell.size() <= few || !number) return number ? double(*number) : std::nan("");
  const auto exact = parse_double(decimal_ == Decimal::point ? cell : plain_number(cell, decimal_));
  return exact ? *exact : double(*number);
}

float NumberReader::target(const std::string& cell, const std::string& file, std::size_t line,
                           const std::string& column) const {
  return cell.empty() || is_missing(cell) ? std::nanf("") : number(cell, file, line, column);
}

namespace {

/// Returns the text in UTF-8 if it is in Windows-1252, whose first half is ASCII and which Latin-1
/// is a part of: as spreadsheets of Western Europe write it. Returns nothing if the text is in
/// UTF-8. A text with characters in UTF-8 and other bytes is refused.
std::optional<std::string> of_windows_1252(std::string_view text, const std::string& file) {
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  bool others = false, utf8 = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::uint32_t c = next_code_point(bytes, text.size(), &at);
    others = others || c == malformed;
    utf8 = utf8 || (c > 127 && c != malformed);
  }
  if (!others) return std::nullopt;
  if (utf8) check_text(text, file, 1);
  constexpr std::uint16_t code_points[32] = {
      // of the bytes 80 to 9F, as the WHATWG has them
      0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
      0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
      0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};
  std::string result;
  for (const char one : text) {
    const auto byte = std::uint8_t(one);
    append_utf8(result, byte < 0x80 || byte >= 0xA0 ? byte : code_points[byte - 0x80]);
  }
  return result;
}

}  // namespace

Table::Table(std::string_view text, const std::string& file, const Dialect& dialect,
             bool has_header, bool holds_texts)
    : file_(file), dialect_(dialect), has_header_(has_header) {
  text = plain_text(text, file);
  if (!holds_texts)
    if (std::optional<std::string> converted = of_windows_1252(text, file)) {
      utf8_ = *std::move(converted);
      text = utf8_;
      windows_1252_ = true;
    }
  if (text.ends_with('\x1a')) text.remove_suffix(1);  // the end of a file in CP/M and DOS
  if (text.find('\n') == text.npos && text.find('\r') != text.npos) {
    normal_ = text;
    std::replace(normal_.begin(), normal_.end(), '\r', '\n');
    text = normal_;
    carriage_returns_ = true;
  }
  in_ = {.text = text, .file = &file_};
  auto_comments_ = dialect.comment == "auto";
  in_.comment = auto_comments_ ? "#" : dialect.comment;
  for (std::size_t i = 0; i < dialect.skip_rows && in_.at < text.size(); ++i) skip_line(in_);
  find_separator(dialect);
  drop_empty_rows();
  if (has_header_) read_header();
  if (has_header_) skip_units();
}

void Table::find_separator(const Dialect& dialect) {
  if (const std::string_view line = rest_of_line(in_);
      line.size() == 5 && line.starts_with("sep=")) {
    in_.separator = line[4];  // as Excel writes it
    found_separator_ = in_.separator != ',';
    skip_line(in_);
    if (dialect.separator.empty()) return;
  }
  if (!dialect.separator.empty()) {
    in_.separator = dialect.separator[0];
    return;
  }
  double best = 0;
  std::size_t widest = 1;
  char by_header = ',', chosen = 0;
  for (const char separator : separators) {
    if (separator == ' ' && widest > 1) continue;  // blanks are in names then
    CellReader sample = in_;
    sample.separator = separator;
    std::vector<std::string> first, cells;
    std::size_t line = 0, rows = 0, same = 0, numbers = 0, all = 0;
    try {
      if (!sample.next(first, line)) return;
      while (first.size() > 1 && first.back().empty()) first.pop_back();
      if (first.size() < 2) continue;
      if (separator != ' ' && first.size() > widest) widest = first.size(), by_header = separator;
      while (rows < sampled_rows && sample.next(cells, line)) {
        ++rows;
        while (cells.size() > first.size() && cells.back().empty()) cells.pop_back();
        same += !has_header_ || cells.size() == first.size();
        all += cells.size();
        numbers += std::size_t(std::count_if(cells.begin(), cells.end(), looks_numeric));
      }
    } catch (const Error&) {
      continue;  // quotes that end inside a cell: another separator
    }
    const double share = rows ? double(same) / double(rows) : 1,
                 score = share + (all ? double(numbers) / double(all) : 0);
    if (share >= 0.5 && score > best) best = score, chosen = separator;
  }
  in_.separator = chosen ? chosen : by_header;
  found_separator_ = in_.separator != ',';
}

/// Cuts off rows at the end whose cells are all empty, as spreadsheets leave them.
void Table::drop_empty_rows() {
  const char blank[] = {in_.separator, ' ', '\t', '\r', '\n'};
  const std::size_t last = in_.text.find_last_not_of(std::string_view(blank, sizeof blank)),
                    end = last == in_.text.npos ? in_.text.npos : in_.text.find('\n', last);
  if (end == in_.text.npos) return;
  empty_rows_ = in_.separator != ' ' && in_.text.find(in_.separator, end) != in_.text.npos;
  in_.text = in_.text.substr(0, end + 1);
}

void Table::read_header() {
  std::size_t line = 0;
  const std::size_t begin = in_.at, first_line = in_.line;
  if (!in_.next(header, line)) refuse("{}: empty; give a header and one row per frame", file_);
  comments_ = in_.comments;
  // The header may be the comment before the first row, as in gnuplot's and NumPy's files.
  const bool numbers = std::any_of(header.begin(), header.end(), looks_numeric);
  if (comments_ > 0 && numbers && auto_comments_) {
    CellReader before = in_;
    before.comment.clear(), before.at = begin, before.line = first_line;
    std::vector<std::string> cells, names;
    std::size_t at = 0, named = 0;
    try {
      while (before.next(cells, at) && at < line) {
        std::string& mark = cells[0];
        mark.erase(0, mark.starts_with('#') ? 1 : 0);
        mark.erase(0, std::min(mark.find_first_not_of(" \t"), mark.size()));
        if (mark.empty()) cells.erase(cells.begin());
        names = cells, named = at;
      }
    } catch (const Error&) {
      names.clear();
    }
    if (names.size() == header.size() &&
        std::none_of(names.begin(), names.end(),
                     [](const auto& name) { return name.empty() || looks_numeric(name); })) {
      const std::size_t row = line;
      header = names, line = named, header_in_comment_ = true, --comments_;
      in_.at = begin, in_.line = first_line;
      while (in_.line < row) skip_line(in_);
    }
  }
  header_line = line;
  place = fmt::format("{}:{}", file_, line);
  while (header.size() > 1 && header.back().empty()) header.pop_back(), empty_ends_ = true;
  if (auto_comments_) in_.comment.clear(), in_.comments = 0;
}

/// Skips a first row that has the units of the columns: no cell is a number, except a 1 as the unit
/// of a plain number, while all rows after it have a number in some column; and in a column of
/// texts it is empty or has a text of its own.
void Table::skip_units() {
  CellReader ahead = in_;
  std::vector<std::string> first, cells;
  std::size_t line = 0, at = 0, rows = 0;
  try {
    if (!next_row(ahead, first, line, false) || first.size() != header.size()) return;
    if (all_empty(first, 0) || std::any_of(first.begin(), first.end(), [](const auto& cell) {
          return cell != "1" && looks_numeric(cell);
        }))
      return;
    std::vector<bool> numeric(header.size(), true);
    for (; rows < sampled_rows && next_row(ahead, cells, at, false); ++rows)
      for (std::size_t i = 0; i < header.size(); ++i) {
        const bool number = i < cells.size() && looks_numeric(cells[i]);
        numeric[i] = numeric[i] && number;
        if (!number && i < cells.size() && !first[i].empty() && cells[i] == first[i]) return;
        if (!number && first[i] == "1") return;
      }
    const NumberReader missing(dialect_);
    bool unit = false;
    for (std::size_t i = 0; i < header.size(); ++i)
      unit = unit || (numeric[i] && !looks_numeric(first[i]) && !missing.is_missing(first[i]));
    if (rows == 0 || !unit) return;
  } catch (const Error&) {
    return;  // told when the rows are read
  }
  units_ = line;
  next_row(in_, first, line, false);
}

bool Table::next_row(CellReader& in, std::vector<std::string>& cells, std::size_t& line,
                     bool checks) {
  for (;;) {
    const bool remark = auto_comments_ && in.at < in.text.size() && in.text[in.at] == '#';
    std::optional<CellReader> after;
    if (remark) after = in;
    try {
      if (!in.next(cells, line)) return false;
    } catch (const Error&) {
      if (!remark) throw;
      cells.clear();
    }
    while (has_header_ && cells.size() > header.size() && cells.back().empty())
      cells.pop_back(), empty_ends_ = true;
    if (!remark || cells.size() == header.size()) break;
    skip_line(*after);
    in = *after;
    ++in.comments;
  }
  if (checks && cells.size() != header.size())
    refuse("{}:{}: {} cells, but the header has {} columns; give one cell per column{}", file_,
           line, cells.size(), header.size(),
           in.separator == ',' ? "" : ", separated by " + separator_name(in.separator));
  return true;
}

bool Table::next(std::vector<std::string>& cells, std::size_t& line) {
  return next_row(in_, cells, line, has_header_);
}

NumberReader Table::numbers(std::span<const std::size_t> columns) {
  if (!dialect_.decimal.empty()) {
    decimal_ = dialect_.decimal == "," ? Decimal::comma : Decimal::grouped;
    return NumberReader(dialect_, decimal_, has_header_);
  }
  const bool commas = in_.separator == ',' ? in_.text.find('"') != in_.text.npos
                                           : in_.text.find(',') != in_.text.npos;
  if (!commas) return NumberReader(dialect_, Decimal::point, has_header_);
  struct Seen {
    std::size_t line = 0, column = 0;
    std::string cell;
    explicit operator bool() const { return line > 0; }
  } comma, grouped, either, point;
  CellReader ahead = in_;
  std::vector<std::string> cells;
  std::size_t line = 0;
  const auto judge = [&](std::size_t column) {
    const std::string& cell = cells[column];
    const auto see = [&](Seen& seen) {
      if (!seen) seen = {line, column, cell};
    };
    if (cell.find(',') == cell.npos) {
      if (cell.find('.') == cell.npos) return;
      if (parse_float(cell)) see(point);
      if (const auto many = ungrouped(cell, '.', ','); many && !parse_float(cell)) see(comma);
      return;
    }
    const bool with_comma = with_point(cell) || ungrouped(cell, '.', ','),
               with_groups = ungrouped(cell, ',', '.').has_value();
    if (with_comma && with_groups) see(either);
    if (with_comma && !with_groups) see(comma);
    if (with_groups && !with_comma) see(grouped);
  };
  while (next_row(ahead, cells, line, false)) {
    for (const std::size_t column : columns)
      if (column < cells.size()) judge(column);
    for (std::size_t i = 0; columns.empty() && i < cells.size(); ++i) judge(i);
  }
  const Seen& other = grouped ? grouped : point;
  const auto name = [&](std::size_t column) {
    return column < header.size() ? brief(header[column]) : std::to_string(column + 1);
  };
  if (comma && other && !ungrouped(other.cell, '.', ','))
    refuse(
        "{}:{}: {}: \"{}\" has a decimal comma, but \"{}\" in line {}, column {}, a decimal point; "
        "write all numbers in one way, or set data.decimal",
        file_, comma.line, name(comma.column), brief(comma.cell), brief(other.cell), other.line,
        name(other.column));
  if (either && !comma && !grouped && !point)
    refuse("{}:{}: {}: \"{}\" may be {} or {}; set data.decimal = \",\" or \".\"", file_,
           either.line, name(either.column), brief(either.cell),
           with_point(either.cell).value_or(""), ungrouped(either.cell, ',', '.').value_or(""));
  decimal_ = comma ? Decimal::comma : grouped || either ? Decimal::grouped : Decimal::point;
  return NumberReader(dialect_, decimal_, has_header_);
}

std::string Table::read_as() const {
  std::string text;
  const auto add = [&](const std::string& part) { add_remark(text, part); };
  if (found_separator_) add("separated by " + separator_name(in_.separator));
  if (dialect_.decimal.empty() && decimal_ == Decimal::comma) add("decimal comma");
  if (dialect_.decimal.empty() && decimal_ == Decimal::grouped) add("commas between thousands");
  if (windows_1252_) add("Windows-1252");
  if (carriage_returns_) add("lines end with CR");
  const std::size_t comments = comments_ + in_.comments;
  if (auto_comments_ && comments)
    add(fmt::format("{} line{} of comments passed over", comments, comments == 1 ? "" : "s"));
  if (header_in_comment_) add("the header in a comment");
  if (units_) add(fmt::format("line {} passed over as a line of units", units_));
  if (empty_ends_) add("empty cells at line ends passed over");
  if (empty_rows_) add("empty rows at the end passed over");
  return text;
}

}  // namespace sluice::tools
