// Text, numbers and the frame of a page. Pages are well-formed XML, so that tests can check them.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::tools {

/// Returns text for use between tags and inside quotes. Bytes that are not UTF-8 and characters
/// that XML does not allow become U+FFFD.
std::string escaped(std::string_view text);

/// Returns at most `most` code points; a longer text ends with an ellipsis.
std::string shortened(std::string_view text, std::size_t most);

/// Returns a number with about four digits: "0.02241", "1,234", "3.1e-7"; "–" if it is not finite.
std::string figure_text(double value);

/// Returns "1 sequence" or "1,234 sequences".
std::string counted(std::uint64_t n, std::string_view what);

/// Returns a table. The first row is the heading; all rows have the same number of cells. Columns
/// of numbers are aligned to the right. A wide table scrolls in its own box.
std::string html_table(const std::vector<std::vector<std::string>>& rows);

std::string paragraph(std::string_view text);
/// Returns a note on a part that is missing on the page, and why.
std::string missing(std::string_view text);
/// Returns one of the facts in boxes at the top of a page, for a <dl class="facts">.
std::string fact(std::string_view name, std::string_view value, std::string_view more);
/// @param inside  markup
std::string section(std::string_view title, const std::string& inside);
/// Returns charts, side by side if there is room.
std::string charts(const std::string& inside);
/// Returns a chart with its title.
/// @param legend, drawing  markup
/// @param note  text below the chart; may be empty
std::string figure(std::string_view title, const std::string& legend, const std::string& drawing,
                   std::string_view note = "");

/// The begin of every page. It identifies a report, which a newer one may replace.
extern const char* const page_begin;

/// Returns the whole page.
/// @param body  markup
std::string html_page(std::string_view title, const std::string& body);

}  // namespace sluice::tools
