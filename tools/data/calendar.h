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
};

/// Reads a time in ISO 8601 ("2024-05-04 23:00", "2024-05-04T23:00:00.5+02:00", "2024-05-04"; '/'
/// may stand for '-'), or a number. Returns nothing for any other text.
std::optional<Time> parse_time(std::string_view text);

/// Reads a cell as a time. Refuses any other text with file, line and column.
Time cell_time(const std::string& cell, const std::string& file, std::size_t line,
               const std::string& column);

/// Returns "hour_sin", "hour_cos", ...: the names of the features that data.time_features adds.
std::vector<std::string> time_feature_names(const std::vector<std::string>& time_features);

/// Returns one of these features: sine (even numbers) or cosine (odd) of 2 pi times the share of
/// the period. hour: the time of the day / 24 h; weekday: days since Monday / 7; yearday: days
/// since the first of January / 365.25. A number counts as seconds since 1970.
float time_feature(const std::vector<std::string>& time_features, std::size_t number,
                   const Time& time);

/// Says in one line if the times of the rows are not in order, are there twice or have gaps.
/// @param first  [sequences + 1] first row of each sequence
void tell_times(const Rows& rows, const std::vector<std::size_t>& first);

/// Says in one line which features of a table seem to be times or counters: their names say so, or
/// they rise from frame to frame in every sequence.
void tell_counters(const Rows& rows, const std::vector<std::size_t>& first);

}  // namespace sluice::tools
