#include "markup.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>

#include "../common/print.h"
#include "runtime/tokens.h"
#include "style.h"

namespace sluice::tools {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

const std::uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

/// Returns whether XML 1.0 allows a character.
bool is_character(std::uint32_t c) {
  return c != malformed && (c >= 0x20 || c == '\t' || c == '\n' || c == '\r') && c != 0xFFFE &&
         c != 0xFFFF;
}

/// Returns whether all cells of a column are numbers or placeholders for missing ones.
bool goes_right(const std::vector<std::vector<std::string>>& rows, std::size_t column) {
  bool any = false;
  for (std::size_t r = 1; r < rows.size(); ++r) {
    const std::string& cell = rows[r][column];
    const std::size_t at = cell.starts_with("-") ? 1 : 0;
    const bool number = cell.size() > at && cell[at] >= '0' && cell[at] <= '9';
    if (!number && !cell.empty() && cell != "-" && cell != "\u2013") return false;
    any = any || number;
  }
  return any;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  for (std::size_t at = 0, begin = 0; at < text.size(); begin = at) {
    const std::uint32_t c = next_code_point(bytes_of(text), text.size(), &at);
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += is_character(c) ? text.substr(begin, at - begin) : replacement;
    }
  }
  return result;
}

std::string shortened(std::string_view text, std::size_t most) {
  std::size_t at = 0, kept = 0;
  for (std::size_t count = 0; at < text.size(); ++count) {
    if (count + 1 == most) kept = at;
    if (count == most) return std::string(text.substr(0, kept)) + "\u2026";
    next_code_point(bytes_of(text), text.size(), &at);
  }
  return std::string(text);
}

std::string figure_text(double value) {
  if (!std::isfinite(value)) return "\u2013";
  const double size = std::fabs(value);
  if (value == 0) return "0";
  if (size >= 1000 && size < 1e7)
    return (value < 0 ? "-" : "") + with_commas(std::uint64_t(std::floor(size + 0.5)));
  std::string text =
      size >= 1e-4 && size < 1000 ? fmt::format("{:.4g}", value) : fmt::format("{:.3g}", value);
  if (const std::size_t e = text.find('e'); e != text.npos) {  // 1e-05
    if (text[e + 1] == '+') text.erase(e + 1, 1);
    const std::size_t digits = text[e + 1] == '-' ? e + 2 : e + 1;
    while (text[digits] == '0' && digits + 1 < text.size()) text.erase(digits, 1);
  }
  return text;
}

std::string counted(std::uint64_t n, std::string_view what) {
  return fmt::format("{} {}{}", with_commas(n), what, n == 1 ? "" : "s");
}

std::string html_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<bool> right;
  for (std::size_t i = 0; i < rows[0].size(); ++i) right.push_back(goes_right(rows, i));
  const auto cells = [&](const std::vector<std::string>& row, const char* tag) {
    std::string html;
    for (std::size_t i = 0; i < row.size(); ++i)
      html +=
          fmt::format("<{}{}>{}</{}>", tag, right[i] ? " class=\"n\"" : "", escaped(row[i]), tag);
    return html;
  };
  std::string html = fmt::format("<div class=\"wide\"><table>\n<thead><tr>{}</tr></thead><tbody>\n",
                                 cells(rows[0], "th"));
  for (std::size_t r = 1; r < rows.size(); ++r)
    html += fmt::format("<tr>{}</tr>\n", cells(rows[r], "td"));
  return html + "</tbody></table></div>\n";
}

std::string paragraph(std::string_view text) { return fmt::format("<p>{}</p>\n", escaped(text)); }

std::string missing(std::string_view text) {
  return fmt::format("<p class=\"missing\">{}</p>\n", escaped(text));
}

std::string fact(std::string_view name, std::string_view value, std::string_view more) {
  return fmt::format("<div><dt>{}</dt><dd>{}<small>{}</small></dd></div>\n", escaped(name),
                     escaped(value), escaped(more));
}

std::string section(std::string_view title, const std::string& inside) {
  return fmt::format("<section>\n<h2>{}</h2>\n{}</section>\n", escaped(title), inside);
}

std::string charts(const std::string& inside) {
  return fmt::format("<div class=\"charts\">\n{}</div>\n", inside);
}

std::string figure(std::string_view title, const std::string& legend, const std::string& drawing,
                   std::string_view note) {
  return fmt::format("<figure>\n<figcaption>{}</figcaption>\n{}{}{}</figure>\n", escaped(title),
                     legend, drawing,
                     note.empty() ? "" : fmt::format("<p class=\"note\">{}</p>\n", escaped(note)));
}

const char* const page_begin =
    "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n<meta "
    "charset=\"utf-8\"/>\n"
    "<meta name=\"generator\" content=\"sluice report\"/>\n";

std::string html_page(std::string_view title, const std::string& body) {
  return fmt::format(
      "{}<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
      "<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n{}</main>\n</body>\n</"
      "html>\n",
      page_begin, escaped(title), style_sheet(), body);
}

}  // namespace sluice::tools
