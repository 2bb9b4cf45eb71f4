#include "calendar.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "../common/error.h"
#include "../common/print.h"
#include "../common/text.h"
#include "features.h"
#include "kernels/kernels.h"
#include "parse_number.h"

namespace sluice::tools {
namespace {

constexpr double day_seconds = 86400;

/// Takes `digits` digits from the front of a text as a number.
std::optional<int> take_digits(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, std::string_view one_of) {
  if (text.empty() || one_of.find(text[0]) == one_of.npos) return false;
  text.remove_prefix(1);
  return true;
}

/// Takes "2024-05-04" or, in the basic format, "20240504". Returns the days since 1970.
std::optional<double> take_date(std::string_view& text, bool basic) {
  const auto year = take_digits(text, 4);
  if (!year || (!basic && !take(text, "-/"))) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || (!basic && !take(text, "-/"))) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(unsigned(*month)),
                                         std::chrono::day(unsigned(*day))};
  if (!date.ok()) return std::nullopt;
  return double(std::chrono::sys_days(date).time_since_epoch().count());
}

/// Takes "23:00" or "23:00:00.25"; in the basic format "2300" or "230000.25". Returns seconds.
std::optional<double> take_clock(std::string_view& text, bool basic) {
  const auto hours = take_digits(text, 2);
  if (!hours || *hours > 24 || (!basic && !take(text, ":"))) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  double seconds = *hours * 3600.0 + *minutes * 60.0;
  const bool more = basic ? !text.empty() && text[0] >= '0' && text[0] <= '9' : take(text, ":");
  if (!more) return seconds;
  const auto whole = take_digits(text, 2);
  if (!whole || *whole > 60) return std::nullopt;
  seconds += *whole;
  if (!take(text, ".,")) return seconds;
  double unit = 0.1;
  std::size_t digits = 0;
  for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; unit /= 10, ++digits) {
    seconds += (text[0] - '0') * unit;
    text.remove_prefix(1);
  }
  return digits ? std::optional(seconds) : std::nullopt;
}

/// Takes "Z", "UTC" or "+02:00". Returns seconds to the east.
std::optional<double> take_zone(std::string_view& text) {
  while (take(text, " ")) {
  }
  if (text == "UTC" || text == "GMT") text = {};
  if (text.empty() || take(text, "Zz")) return 0;
  const double sign = text[0] == '-' ? -1 : 1;
  if (!take(text, "+-")) return std::nullopt;
  const auto hours = take_digits(text, 2);
  take(text, ":");
  const auto minutes = text.empty() ? std::optional(0) : take_digits(text, 2);
  if (!hours || !minutes) return std::nullopt;
  return sign * (*hours * 3600.0 + *minutes * 60.0);
}

std::optional<Time> parse_date(std::string_view text) {
  // Eight digits alone are a number.
  const bool basic = text.size() > 8 && (text[8] == 'T' || text[8] == 't') &&
                     text.find_first_not_of("0123456789") == 8;
  const auto days = take_date(text, basic);
  if (!days) return std::nullopt;
  Time time{*days * day_seconds, *days * day_seconds, true};
  if (text.empty()) return time;
  if (!take(text, "T t")) return std::nullopt;
  const auto clock = take_clock(text, basic);
  if (!clock) return std::nullopt;
  const auto east = take_zone(text);
  if (!east || !text.empty()) return std::nullopt;
  time.local += *clock;
  time.seconds = time.local - *east;
  return time;
}

/// Returns the share of a time's period that has passed, in [0, 1).
double share_of(const std::string& feature, const Time& time) {
  const double days = std::floor(time.local / day_seconds);
  if (feature == "hour") return time.local / day_seconds - days;
  const std::chrono::sys_days date{std::chrono::days(static_cast<long long>(days))};
  if (feature == "weekday") return double(std::chrono::weekday(date).iso_encoding() - 1) / 7;
  const std::chrono::year_month_day parts(date);
  const std::chrono::sys_days new_year(parts.year() / std::chrono::January / 1);
  return double((date - new_year).count()) / 365.25;
}

/// Returns cos(2 pi share).
double cosine_of_turn(double share) {
  share -= std::floor(share);
  return share <= 0.5 ? cos_pi(2 * share) : cos_pi(2 - 2 * share);
}

std::string line_of(const Rows& rows, std::size_t row) {
  return rows.line.empty() ? fmt::format("row {}", row) : fmt::format("line {}", rows.line[row]);
}

std::string shown_step(double seconds, bool calendar) {
  if (!calendar) return fmt::format("{:.6g}", seconds);
  if (seconds >= day_seconds) return fmt::format("{:.4g} d", seconds / day_seconds);
  if (seconds >= 3600) return fmt::format("{:.4g} h", seconds / 3600);
  return fmt::format("{:.4g} s", seconds);
}

/// Counts rows of one kind, and keeps the first.
struct Found {
  std::size_t count = 0, first = 0;
  void add(std::size_t row) {
    if (count++ == 0) first = row;
  }
};

/// Calls f(row) for each row that another one of its sequence comes before.
template <class F>
void each_step(const std::vector<std::size_t>& first, F f) {
  for (std::size_t s = 0; s + 1 < first.size(); ++s)
    for (std::size_t row = first[s] + 1; row < first[s + 1]; ++row) f(row);
}

/// Returns the median; 0 of no numbers.
double median_of(std::vector<double> numbers) {
  if (numbers.empty()) return 0;
  const auto middle = numbers.begin() + std::ptrdiff_t(numbers.size() / 2);
  std::nth_element(numbers.begin(), middle, numbers.end());
  return *middle;
}

bool named_as_counter(const std::string& name) {
  constexpr std::array names = {"time",  "timestamp", "date",       "datetime", "index",
                                "id",    "row",       "row_number", "frame",    "epoch",
                                "clock", "rownum",    "unnamed: 0", "time_ms",  "time_s"};
  const std::string lower = ascii_lower(name);
  return std::find(names.begin(), names.end(), lower) != names.end();
}

}  // namespace

std::optional<Time> parse_time(std::string_view text) {
  if (const auto date = parse_date(trimmed(text))) return date;
  const auto number = parse_double(text);
  if (!number || !std::isfinite(*number)) return std::nullopt;
  constexpr double year_2200 = 7258118400;  // in seconds
  constexpr struct {
    double each_second;
    const char* name;
  } units[] = {{1e3, "milliseconds"}, {1e6, "microseconds"}, {1e9, "nanoseconds"}};
  for (const auto& unit : units)
    if (*number > 1e8 * unit.each_second && *number < year_2200 * unit.each_second) {
      const double seconds = *number / unit.each_second;
      return Time{seconds, seconds, false, unit.name};
    }
  return Time{*number, *number, false};
}

Time cell_time(const std::string& cell, const std::string& file, std::size_t line,
               const std::string& column) {
  const auto time = parse_time(cell);
  if (!time)
    refuse(
        "{}:{}: {}: \"{}\" is no time; give one such as 2024-05-04 23:00:00, or a number; or list "
        "the column in data.ignore, and leave data.time out",
        file, line, brief(column), brief(cell));
  return *time;
}

std::vector<std::string> time_feature_names(const std::vector<std::string>& time_features) {
  std::vector<std::string> names;
  for (const std::string& feature : time_features)
    for (const char* wave : {"_sin", "_cos"}) names.push_back(feature + wave);
  return names;
}

float time_feature(const std::vector<std::string>& time_features, std::size_t number,
                   const Time& time) {
  const double share = share_of(time_features[number / 2], time);
  return float(cosine_of_turn(number % 2 ? share : share - 0.25));
}

void tell_times(const Rows& rows, const std::vector<std::size_t>& first) {
  if (rows.time.empty()) return;
  Found earlier, same, gaps;
  std::vector<double> steps;
  const auto step = [&](std::size_t row) { return rows.time[row] - rows.time[row - 1]; };
  std::size_t all = 0;
  each_step(first, [&](std::size_t row) {
    ++all;
    const double d = step(row);
    if (d < 0) earlier.add(row);
    if (d == 0) same.add(row);
    if (d > 0) steps.push_back(d);
  });
  const std::string head = fmt::format("{}: {}: ", rows.file, brief(rows.time_column));
  if (all > 0 && earlier.count + same.count == all && earlier.count > 0) {
    tell_once(head + "the times go backwards, the newest first; turn the order of the rows around");
    return;
  }
  // Each sequence has a step of its own; a short one takes the file's.
  constexpr std::size_t enough = 8;
  const double of_file = median_of(std::move(steps));
  double widest = 0, usual_there = of_file;
  for (std::size_t s = 0; s + 1 < first.size() && !earlier.count; ++s) {
    std::vector<double> own;
    for (std::size_t row = first[s] + 1; row < first[s + 1]; ++row)
      if (step(row) > 0) own.push_back(step(row));
    const double usual = own.size() < enough ? of_file : median_of(std::move(own));
    for (std::size_t row = first[s] + 1; row < first[s + 1]; ++row) {
      if (step(row) <= 1.5 * usual) continue;
      gaps.add(row);
      if (step(row) > widest) widest = step(row), usual_there = usual;
    }
  }
  std::string list;
  const auto add = [&](const Found& found, const std::string& text) {
    if (found.count)
      list += fmt::format("{}{} {} {} (first in {})", list.empty() ? "" : ", ", found.count,
                          found.count == 1 ? "row" : "rows", text, line_of(rows, found.first));
  };
  add(earlier, "earlier than the row before, so the rows are not in order");
  add(same, "with the time of the row before");
  add(gaps, fmt::format("after a gap of up to {}, where the usual step is {}",
                        shown_step(widest, rows.calendar), shown_step(usual_there, rows.calendar)));
  if (!list.empty()) tell_once(head + list);
}

void tell_counters(const Rows& rows, const std::vector<std::size_t>& first,
                   const std::vector<std::string>& computed) {
  constexpr std::size_t enough = 8;
  const std::size_t width = rows.feature_names.size();
  std::vector<bool> rises(width, true), falls(width, true);
  std::vector<float> fall(width);  // the first step of each; a counter falls by equal steps
  std::size_t steps = 0;
  each_step(first, [&](std::size_t row) {
    ++steps;
    for (std::size_t f = 0; f < width; ++f) {
      const float before = rows.x[(row - 1) * width + f], here = rows.x[row * width + f];
      if (steps == 1) fall[f] = here - before;
      rises[f] = rises[f] && here > before;
      falls[f] = falls[f] && here < before && here - before == fall[f];
    }
  });
  std::vector<std::string> found;
  for (std::size_t f = 0; f < width; ++f) {
    const std::string& name = rows.feature_names[f];
    if (std::find(computed.begin(), computed.end(), name) != computed.end()) continue;
    if (((rises[f] || falls[f]) && steps >= enough) || named_as_counter(name))
      found.push_back(name);
  }
  if (found.empty()) return;
  tell_once(fmt::format(
      "{}: {} {} a time or a counter, and became {}; name the column in data.time, or list it in "
      "data.ignore",
      rows.file, list_names(found), found.size() == 1 ? "seems to be" : "seem to be",
      found.size() == 1 ? "a feature" : "features"));
}

}  // namespace sluice::tools
