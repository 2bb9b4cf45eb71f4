// Missing values: how many there are, and what stands in their place.
#include <fmt/format.h>

#include <cmath>
#include <cstdint>

#include "../common/error.h"
#include "../common/print.h"
#include "data.h"

namespace sluice::tools {

void tell_missing(const Rows& rows, const Columns& columns) {
  const std::size_t width = rows.feature_names.size();
  std::vector<std::size_t> missing(width);
  for (std::size_t i = 0; i < rows.x.size(); ++i) missing[i % width] += std::isnan(rows.x[i]);
  std::string list;
  std::size_t listed = 0, more = 0;
  constexpr std::size_t most_listed = 10;
  for (std::size_t f = 0; f < width; ++f) {
    if (missing[f] == 0) continue;
    if (listed == most_listed) {
      ++more;
      continue;
    }
    list += fmt::format("{}{} {:.2g} %", listed++ ? ", " : "", brief(rows.feature_names[f], 40),
                        100.0 * double(missing[f]) / double(rows.rows));
  }
  if (list.empty()) return;
  if (more) list += fmt::format(" and {} more features", more);
  tell_once(
      fmt::format("{}: missing values: {} of the rows; filled with {}", rows.file, list,
                  columns.dialect.fill == Fill::previous
                      ? "the value before, or the mean of the training rows where there is none"
                      : "the mean of the training rows"));
}

void fill_previous(DataSet& data) {
  const std::size_t width = data.features();
  for (std::size_t s = 0; s < data.sequences(); ++s)
    for (std::size_t i = (data.first[s] + 1) * width; i < data.first[s + 1] * width; ++i)
      if (std::isnan(data.x[i])) data.x[i] = data.x[i - width];
}

std::vector<float> present_means(const DataSet& data, std::span<const std::size_t> train,
                                 const std::string& file) {
  const std::size_t width = data.features();
  std::vector<double> sum(width), count(width);
  std::vector<std::uint8_t> seen(data.first.empty() ? 0 : data.x.size() / width);
  for (const std::size_t s : train)
    for (std::size_t row = data.first[s]; row < data.first[s] + data.steps(s); ++row) {
      if (seen[row]) continue;  // windows share rows
      seen[row] = 1;
      for (std::size_t f = 0; f < width; ++f)
        if (const float x = data.x[row * width + f]; !std::isnan(x))
          sum[f] += double(x), ++count[f];
    }
  std::vector<float> means;
  for (std::size_t f = 0; f < width; ++f) {
    if (count[f] == 0)
      refuse("{}: {}: has no value in the training rows; list the column in data.ignore", file,
             brief(data.feature_names[f]));
    means.push_back(float(sum[f] / count[f]));
  }
  return means;
}

void fill_means(DataSet& data, const std::vector<float>& means) {
  if (means.empty() || data.is_text()) return;
  if (means.size() != data.features())
    refuse("the model's record has {} means for missing values, but {} features; train it again",
           means.size(), data.features());
  for (std::size_t i = 0; i < data.x.size(); ++i)
    if (std::isnan(data.x[i])) data.x[i] = means[i % means.size()];
}

}  // namespace sluice::tools
