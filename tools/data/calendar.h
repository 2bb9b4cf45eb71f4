// Times of frames: read, checked for their order, and as features.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data.h"

namespace sluice::tools {

/// A point in time.
struct Time {
  double seconds = 0;     ///< since 1970 in UTC, or a number as it is in the file
  double local = 0;       ///< since 1970 on the clock of the place; the number again
  bool calendar = false;  ///< it was a date; else a number
  /// The unit of a number that was converted to seconds: "milliseconds"; empty: it was not.
  const char* unit = "";
};

/// Reads a time in ISO 8601 ("2024-05-04 23:00", "2024-05-04T23:00:00.5+02:00", "2024-05-04",
/// "20240504T230000"; '/' may stand for '-'), or a number. A number too large for seconds since
/// 1970 counts as milliseconds, microseconds or nanoseconds if these are before the year 2200.
/// Returns nothing for any other text.
std::optional<Time> parse_time(std::string_view text);

/// Reads a cell as a time. Refuses any other text with file, line and column.
Time cell_time(const std::string& cell, const std::string& file, std::size_t line,
               const std::string& column);

/// Returns "hour_sin", "hour_cos", ...: the names of the features that data.time_features adds.
std::vector<std::string> time_feature_names(const std::vector<std::string>& time_features);

/// Returns one of these features: sine (even numbers) or cosine (odd) of 2 pi times the share of
/// the period. hour: the time of the day / 24 h; weekday: days since Monday / 7; yearday: days
/// since the first of January / 365.25. A number is a time since 1970.
float time_feature(const std::vector<std::string>& time_features, std::size_t number,
                   const Time& time);

/// Says in one line if the times of the rows are not in order, are there twice or have gaps.
/// @param first  [sequences + 1] first row of each sequence
void tell_times(const Rows& rows, const std::vector<std::size_t>& first);

/// Says in one line which features of a table seem to be times or counters: their names say so, or
/// they rise, or fall by equal steps, from frame to frame in every sequence.
/// @param computed  features that are computed from times, of which nothing is said
void tell_counters(const Rows& rows, const std::vector<std::size_t>& first,
                   const std::vector<std::string>& computed = {});

}  // namespace sluice::tools
