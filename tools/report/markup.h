// Text and numbers as the page has them, and its frame. The page is well-formed XML too, so that a
// test can check it.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::tools {

/// Text for between tags and inside quotes. What is not UTF-8, or has no place in XML, becomes
/// U+FFFD.
std::string escaped(std::string_view text);

/// At most so many code points; of a longer text the beginning and an ellipsis.
std::string shortened(std::string_view text, std::size_t most);

/// A number with about four digits: "0.02241", "1,234", "3.1e-7"; "–" for one that is none.
std::string figure_text(double value);

/// "1 sequence", "1,234 sequences".
std::string counted(std::uint64_t n, std::string_view what);

/// The first row is the heading, all have as many cells; columns of numbers go to the right.
/// Scrolls in a box of its own where it is wide.
std::string html_table(const std::vector<std::vector<std::string>>& rows);

std::string paragraph(std::string_view text);
/// What is not on the page, and why.
std::string missing(std::string_view text);
/// One of the figures in boxes at a page's beginning, in a <dl class="facts">.
std::string fact(std::string_view name, std::string_view value, std::string_view more);
/// @param inside  markup
std::string section(std::string_view title, const std::string& inside);
/// Charts side by side where there is room.
std::string charts(const std::string& inside);
/// A chart with its title. @param legend, drawing  markup; @param note  what is to be said of it,
/// or nothing
std::string figure(std::string_view title, const std::string& legend, const std::string& drawing,
                   std::string_view note = "");

/// What begins a page: by it a report is known, and may be replaced by a newer one.
extern const char* const page_begin;

/// The whole page. @param body  markup
std::string html_page(std::string_view title, const std::string& body);

}  // namespace sluice::tools
