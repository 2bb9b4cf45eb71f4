// Targets of an answer in several parts: columns of values, side by side.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "../common/error.h"
#include "data.h"

namespace sluice::tools {
namespace {

bool is_class_number(float value, const Head& head) {
  return value >= 0 && value < float(head.outputs) && value == std::floor(value);
}

/// Whether the targets of a head can be counted as right and wrong.
bool are_classes(const Head& head, const std::vector<float>& values) {
  if (head.loss == SLUICE_CROSS_ENTROPY) return true;
  return head.loss == SLUICE_BINARY && head.outputs == 1 &&
         std::all_of(values.begin(), values.end(),
                     [](float v) { return std::isnan(v) || v == 0 || v == 1; });
}

std::vector<std::string> class_numbers(std::size_t classes) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < classes; ++i) names.push_back(std::to_string(i));
  return names;
}

}  // namespace

void check_heads(const Rows& rows, const Columns& columns) {
  const std::size_t width = columns.target.size();
  for (std::size_t row = 0; row < rows.rows; ++row) {
    std::size_t column = 0;
    for (const Head& head : columns.heads)
      for (std::size_t i = 0; i < head.columns(); ++i, ++column) {
        const float value = rows.value[row * width + column];
        if (std::isnan(value)) continue;
        if (head.loss == SLUICE_CROSS_ENTROPY && !is_class_number(value, head))
          refuse("{}: {}: {} is not a class of \"{}\"; give a whole number from 0 to {}",
                 place(rows, row), columns.target[column], value, head.name, head.outputs - 1);
        if (head.loss == SLUICE_BINARY && !(value >= 0 && value <= 1))
          refuse("{}: {}: {} is not a target of \"{}\", whose loss is binary; give 0 to 1",
                 place(rows, row), columns.target[column], value, head.name);
      }
  }
}

DataSet head_targets(const DataSet& data, std::size_t number) {
  const Head& head = data.heads[number];
  std::size_t first = 0;
  for (std::size_t i = 0; i < number; ++i) first += data.heads[i].columns();
  const std::size_t columns = head.columns();
  DataSet one;
  one.per_row = data.per_row, one.first = data.first, one.group = data.group,
  one.goes_on = data.goes_on;
  for (std::size_t at = first; at < data.value.size(); at += data.outputs())
    one.value.insert(one.value.end(), data.value.begin() + std::ptrdiff_t(at),
                     data.value.begin() + std::ptrdiff_t(at + columns));
  one.classes = are_classes(head, one.value);
  if (!one.classes) {
    one.labels.assign(data.labels.begin() + std::ptrdiff_t(first),
                      data.labels.begin() + std::ptrdiff_t(first + columns));
    return one;
  }
  for (const float value : one.value)
    one.target.push_back(std::isnan(value) ? -1 : std::int32_t(value));
  one.value.clear();
  one.labels = class_numbers(head.loss == SLUICE_CROSS_ENTROPY ? head.outputs : 2);
  return one;
}

std::vector<std::string> output_names(const DataSet& data) {
  if (data.heads.empty()) return data.labels;
  std::vector<std::string> names;
  auto label = data.labels.begin();
  for (const Head& head : data.heads) {
    const bool classes = head.loss == SLUICE_CROSS_ENTROPY;
    for (std::size_t i = 0; i < head.outputs; ++i)
      names.push_back(head.outputs == 1 ? head.name
                      : classes         ? fmt::format("{}.{}", head.name, i)
                                : fmt::format("{}.{}", head.name, label[std::ptrdiff_t(i)]));
    label += std::ptrdiff_t(head.columns());
  }
  return names;
}

}  // namespace sluice::tools
