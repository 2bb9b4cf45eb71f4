#include "predictions.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "../common/hex.h"
#include "../data/parse_number.h"
#include "sluice.h"

namespace sluice::tools {
namespace {

constexpr std::size_t no_target = std::size_t(-1);

/// Returns the label that a cell spells; the cell itself if there is none. "1.0" spells the label
/// "1".
std::string label_of(const std::string& cell, const std::vector<std::string>& labels) {
  const std::optional<float> number = parse_float(cell);
  const std::string* same = nullptr;
  for (const std::string& label : labels) {
    if (label == cell) return cell;
    if (number && !same && parse_float(label) == number) same = &label;
  }
  return same ? *same : cell;
}

/// Returns the class of a window whose rows have these cells; empty if they have none.
std::string majority_of(std::span<const std::string> cells,
                        const std::vector<std::string>& labels) {
  std::vector<std::int32_t> classes;
  for (const std::string& cell : cells) {
    const auto label = std::find(labels.begin(), labels.end(), label_of(cell, labels));
    classes.push_back(label == labels.end() ? -1 : std::int32_t(label - labels.begin()));
  }
  const std::int32_t most = class_of_window(classes, WindowClass::majority, labels.size());
  return most < 0 ? "" : labels[std::size_t(most)];
}

/// Returns a cell as a value in the form of the answers; a cell that is no number as it is.
std::string value_of(const std::string& cell) {
  const std::optional<float> number = parse_float(cell);
  if (!number) return cell;
  return std::isnan(*number) ? "" : decimal(*number);
}

/// Returns where a row's cell is: texts have one row for a sequence.
std::size_t row_of(const DataSet& data, std::size_t sequence, std::size_t step) {
  return data.is_text() ? sequence : data.first[sequence] + step;
}

std::vector<std::string> numbers_below(std::size_t n) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < n; ++i) names.push_back(std::to_string(i));
  return names;
}

/// Returns the predictions of a head: a class, or a value of each output.
void add_head(const Head& head, const std::vector<std::string>& targets, std::size_t output,
              std::size_t column, std::vector<Prediction>& each) {
  if (head.loss == SLUICE_CROSS_ENTROPY || (head.loss == SLUICE_BINARY && head.outputs == 1)) {
    each.push_back({.name = head.name,
                    .labels = numbers_below(head.outputs == 1 ? 2 : head.outputs),
                    .first = output,
                    .outputs = head.outputs,
                    .column = column});
    return;
  }
  for (std::size_t i = 0; i < head.outputs; ++i)
    each.push_back({.name = head.outputs == 1 ? head.name : head.name + "." + targets[column + i],
                    .first = output + i,
                    .column = column + i});
}

/// Returns whether the answer is a class, of a model that does not say how it was made.
bool ends_in_softmax(const sluice_model& model) {
  const std::uint32_t last = sluice_describe(&model).layers - 1;
  return sluice_describe_layer(&model, last).activation == SLUICE_SOFTMAX;
}

}  // namespace

std::string Prediction::predicted(const float* y) const {
  y += first;
  if (labels.empty()) return decimal(*y);
  if (outputs == 1) return std::isnan(*y) ? "" : labels[1.0f - *y >= *y ? 0 : 1];
  const std::size_t best = std::size_t(sluice_argmax(y, outputs));
  return std::isnan(y[best]) ? "" : labels[best];
}

Predictions predictions_of(const OwnedModel& model, const Columns& columns,
                           const std::vector<std::string>& with) {
  Predictions all;
  all.with = with;
  const sluice_info info = model.info();
  all.next_token = columns.format == Format::text;
  all.window_class = columns.windows.window_class;
  if (!columns.heads.empty()) {
    std::size_t output = 0, column = 0;
    for (const Head& head : columns.heads) {
      add_head(head, columns.target, output, column, all.each);
      output += head.outputs, column += head.columns();
    }
    return all;
  }
  std::vector<std::string> labels = model.classes();
  const bool classes = model.made().empty() ? ends_in_softmax(model.model) : columns.classes;
  if (classes) {
    for (std::uint32_t i = 0; labels.size() < info.outputs; ++i)
      labels.push_back(fmt::format("y{}", i));
    all.each.push_back({.labels = std::move(labels), .outputs = info.outputs});
    return all;
  }
  // Of windows the targets are columns, which are answered at each row of the horizon.
  const std::size_t targets =
      columns.windows.length ? columns.target.size() : columns.beside.size() - with.size();
  for (std::uint32_t i = 0; i < info.outputs; ++i)
    all.each.push_back(
        {.name = info.outputs == 1   ? ""
                 : i < labels.size() ? labels[i]
                                     : fmt::format("y{}", i),
         .first = i,
         .column = targets > 0 && (columns.windows.length || i < targets) ? i % targets : no_target,
         .ahead = targets > 0 ? i / targets + 1 : 1});
  return all;
}

bool Predictions::is_known(const Prediction& prediction, const DataSet& data) const {
  return next_token ||
         (prediction.column < data.beside.size() && !data.beside[prediction.column].empty());
}

std::string Predictions::truth(const Prediction& prediction, const DataSet& data,
                               std::size_t sequence, std::size_t step, bool every_step) const {
  const std::size_t first = data.first[sequence];
  if (next_token) {
    const std::size_t row = first + step + 1;
    return row < data.first[sequence + 1] ? prediction.labels[std::size_t(data.ids[row])] : "";
  }
  const std::vector<std::string>& cells = data.beside[prediction.column];
  std::string cell;
  if (data.window && !prediction.labels.empty() && window_class == WindowClass::majority)
    return majority_of({&cells[first], data.window}, prediction.labels);
  if (data.window) {
    const std::size_t row = first + data.window - 1 + prediction.ahead;
    const auto end = std::upper_bound(data.series.begin(), data.series.end(), first);
    if (row < (end == data.series.end() ? cells.size() : *end)) cell = cells[row];
  } else if (data.is_text() || (data.per_row && every_step)) {
    cell = cells[row_of(data, sequence, step)];
  } else {  // the target of a sequence may stand in any of its rows
    for (std::size_t t = 0; t < data.steps(sequence) && cell.empty(); ++t) cell = cells[first + t];
  }
  if (cell.empty()) return cell;
  return prediction.labels.empty() ? value_of(cell) : label_of(cell, prediction.labels);
}

std::vector<std::string> Predictions::cells(const DataSet& data, std::size_t sequence,
                                            std::size_t step) const {
  std::vector<std::string> cells;
  for (std::size_t i = data.beside.size() - with.size(); i < data.beside.size(); ++i)
    cells.push_back(data.beside[i][row_of(data, sequence, step)]);
  return cells;
}

}  // namespace sluice::tools
