// Statistics of the features, in double, by plain sums in the order of the frames, so that they
// have the same bits everywhere.
#include <cmath>
#include <limits>

#include "data.h"

namespace sluice::tools {
namespace {

/// Calls f(x) with every frame's value of one feature, or with its difference from the frame
/// before.
template <class F>
void each(const DataSet& data, std::span<const std::size_t> sequences, std::size_t feature,
          bool differences, F f) {
  const auto run = [&](std::size_t first, std::size_t end) {
    const float* const x = data.x.data() + feature;
    const std::size_t n = data.features();
    for (std::size_t row = first; row < end; ++row)
      f(!differences ? x[row * n] : row > first ? x[row * n] - x[(row - 1) * n] : 0.0f);
  };
  if (data.window) {  // windows share their rows
    for (const RowRange& rows : data.fit) run(rows.first, rows.end);
    return;
  }
  for (std::size_t s : sequences) run(data.first[s], data.first[s + 1]);
}

}  // namespace

Standardization standardization(const DataSet& data, std::span<const std::size_t> sequences,
                                bool differences) {
  Standardization result;
  for (std::size_t feature = 0; feature < data.features(); ++feature) {
    double n = 0, sum = 0, squares = 0;
    float least = std::numeric_limits<float>::infinity(), most = -least;
    each(data, sequences, feature, differences, [&](float x) {
      n += 1, sum += x;
      least = x < least ? x : least, most = x > most ? x : most;
    });
    const double mean = sum / n;
    each(data, sequences, feature, differences,
         [&](float x) { squares += (x - mean) * (x - mean); });
    const float scale = float(1.0 / std::sqrt(squares / n));
    // Rounding gives a constant feature a deviation of almost 0, which must not become a huge
    // scale.
    const bool constant = least == most || !std::isfinite(scale);
    result.mean.push_back(least == most ? least : float(mean));
    result.scale.push_back(constant ? 1.0f : scale);
  }
  return result;
}

namespace {

/// Returns mean and population deviation of every value over the valid targets of these sequences;
/// 0 and 1 if there are none.
Units units_of(const DataSet& data, std::span<const std::size_t> sequences) {
  const std::size_t outputs = data.outputs();
  std::vector<double> count(outputs), squares(outputs);
  Units units{std::vector<double>(outputs), std::vector<double>(outputs, 1.0)};
  const auto each_value = [&](auto f) {
    for (const std::size_t s : sequences)
      for (std::size_t i = data.target_begin(s) * outputs;
           i < (data.target_begin(s) + data.targets(s)) * outputs; ++i)
        if (!std::isnan(data.value[i])) f(i % outputs, double(data.value[i]));
  };
  each_value([&](std::size_t k, double v) { units.mean[k] += v, count[k] += 1; });
  for (std::size_t k = 0; k < outputs; ++k)
    units.mean[k] = count[k] > 0 ? units.mean[k] / count[k] : 0;
  each_value(
      [&](std::size_t k, double v) { squares[k] += (v - units.mean[k]) * (v - units.mean[k]); });
  for (std::size_t k = 0; k < outputs; ++k)
    if (squares[k] > 0) units.deviation[k] = std::sqrt(squares[k] / count[k]);
  return units;
}

}  // namespace

void standardize_targets(DataSet& data, std::span<const std::size_t> train, const Units& given) {
  if (given.deviation.size() == data.outputs())
    data.units = given;
  else if (!data.window)
    data.units = units_of(data, train);
  data.standardized = data.difference;
  if (data.difference) return;  // value_at() computes each difference and standardizes it
  data.own = data.value;
  const std::size_t columns = data.value_columns();
  for (std::size_t i = 0; i < data.own.size(); ++i)
    data.value[i] = float((double(data.own[i]) - data.units.mean[i % columns]) /
                          data.units.deviation[i % columns]);
}

void restore_targets(DataSet& data) {
  if (!data.own.empty()) data.value = std::move(data.own);
  data.own.clear();
  data.standardized = false;
}

}  // namespace sluice::tools
