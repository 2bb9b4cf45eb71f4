#include "sequence_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "../common/error.h"
#include "../common/print.h"
#include "features.h"

namespace sluice::tools {

void drop_empty_end(SequenceRow& row) {
  std::size_t kept = 0;
  for (const std::vector<Step>& feature : row.features)
    for (std::size_t step = kept; step < feature.size(); ++step)
      if (!std::isnan(feature[step].number)) kept = step + 1;
  for (std::vector<Step>& feature : row.features) feature.resize(std::min(kept, feature.size()));
}

Step step_number(const std::string& cell, const NumberReader& numbers, const std::string& file,
                 std::size_t line, const std::string& column) {
  return {numbers.target(cell, file, line, column), numbers.exact(cell)};
}

void add_sequence(Rows& rows, const SequenceRow& row, std::size_t number,
                  const std::vector<std::size_t>& picked, const Columns& columns,
                  const Expected& expected, const NumberReader& numbers) {
  const std::size_t steps = row.features.empty() ? 0 : row.features[0].size();
  if (steps == 0) refuse("{}:{}: a sequence without steps; leave the row out", rows.file, row.line);
  for (const std::vector<Step>& feature : row.features)
    if (feature.size() != steps)
      refuse("{}:{}: {} steps of one feature and {} of another; give all the same number",
             rows.file, row.line, steps, feature.size());
  const std::string name = row.name.empty() ? std::to_string(number) : row.name;
  std::vector<Step> values;
  for (std::size_t k = 0; k < row.targets.size() && expected.targets && !columns.classes; ++k)
    values.push_back(step_number(row.targets[k], numbers, rows.file, row.line, columns.target[k]));
  for (std::size_t step = 0; step < steps; ++step) {
    for (std::size_t i = 0; i < picked.size(); ++i) {
      const Step& value = row.features[picked[i]][step];
      if (std::isnan(value.number) && columns.dialect.fill == Fill::refuse)
        refuse("{}:{}: {}: no value in step {}, counted from 0; give a number, or set data.fill",
               rows.file, row.line, brief(rows.feature_names[i]), step);
      rows.add_number(value.number, value.exact);
    }
    if (expected.targets && columns.classes) rows.label.push_back(numbers.label(row.targets.at(0)));
    for (const Step& value : values) rows.add_value(value.number, value.exact);
    rows.sequence.push_back(name);
    if (!row.group.empty()) rows.group.push_back(row.group);
    rows.line.push_back(row.line);
    ++rows.rows;
  }
  add_beside(rows, row, steps, columns, numbers);
}

void add_beside(Rows& rows, const SequenceRow& row, std::size_t steps, const Columns& columns,
                const NumberReader& numbers) {
  rows.beside.resize(columns.beside.size());
  const auto add = [&](std::size_t i, const std::string& cell) {
    rows.beside[i].insert(rows.beside[i].end(), steps, beside_text(columns, i, cell, numbers));
  };
  for (std::size_t i = 0; i < row.beside.size(); ++i)
    if (const std::optional<std::string>& cell = row.beside[i]) add(i, *cell);
  if (!row.beside.empty() || row.targets.size() != columns.target.size()) return;
  for (std::size_t i = 0; i < columns.beside.size(); ++i)
    for (std::size_t k = 0; k < row.targets.size(); ++k)
      if (columns.beside[i] == columns.target[k]) add(i, row.targets[k]);
}

std::vector<std::string> numbered_features(std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back(fmt::format("x{}", i));
  return names;
}

namespace {

/// Adds a column to the feature of this name, which may be new.
void add_step(WideRoles& roles, const std::string& name, std::size_t column) {
  const auto at =
      std::size_t(std::find(roles.names.begin(), roles.names.end(), name) - roles.names.begin());
  if (at == roles.names.size()) roles.names.push_back(name), roles.steps.emplace_back();
  roles.steps[at].push_back(column);
}

/// Puts the columns that have no other use into features by their names.
void find_steps(WideRoles& roles, const std::vector<std::string>& header,
                const std::vector<bool>& used, const Columns& columns, const Expected& expected,
                const std::string& place) {
  std::vector<std::size_t> left, without_number;
  for (std::size_t i = 0; i < header.size(); ++i)
    if (!used[i]) left.push_back(i);
  for (const std::size_t i : left)
    if (!numbered_name(header[i])) without_number.push_back(i);
  const bool none_numbered = without_number.size() == left.size();
  if (!without_number.empty() && !none_numbered && expected.learning() && columns.features.empty())
    refuse(
        "{}: {}: has no number of a step, as {} has; list the column in data.ignore, or give it "
        "another use",
        place, brief(header[without_number[0]]),
        brief(header[*std::find_if(left.begin(), left.end(),
                                   [&](std::size_t i) { return numbered_name(header[i]); })]));
  for (const std::size_t i : left) {
    const auto numbered = numbered_name(header[i]);
    if (!numbered && !none_numbered) continue;
    add_step(roles, !numbered || numbered->name.empty() ? "x0" : numbered->name, i);
  }
}

/// Puts the steps of each feature in the order of their numbers. Returns a remark on those that
/// have another order in the file, and on numbers that are left out.
std::string order_steps(WideRoles& roles, const std::vector<std::string>& header) {
  std::vector<std::string> ordered;
  std::string gap, remark;
  std::size_t gaps = 0;
  for (const std::size_t f : roles.picked) {
    std::vector<std::size_t>& steps = roles.steps[f];
    const auto number = [&](std::size_t column) {
      const auto numbered = numbered_name(header[column]);
      return numbered ? numbered->number : 0;
    };
    const std::vector<std::size_t> before = steps;
    std::stable_sort(steps.begin(), steps.end(),
                     [&](std::size_t a, std::size_t b) { return number(a) < number(b); });
    if (steps != before) ordered.push_back(roles.names[f]);
    std::size_t usual = 0;  // the least distance of two numbers
    for (std::size_t i = 1; i < steps.size(); ++i)
      if (const std::size_t d = number(steps[i]) - number(steps[i - 1]); d && (!usual || d < usual))
        usual = d;
    for (std::size_t i = 1; i < steps.size(); ++i)
      if (number(steps[i]) - number(steps[i - 1]) > usual && gaps++ == 0)
        gap = fmt::format("{} follows {}", brief(header[steps[i]], 40),
                          brief(header[steps[i - 1]], 40));
  }
  if (!ordered.empty())
    add_remark(remark, fmt::format("the columns of {} in the order of their numbers, which is not "
                                   "that of the file",
                                   list_names(ordered)));
  if (gaps)
    add_remark(remark, fmt::format("{} gap{} in the numbers of columns ({})", gaps,
                                   gaps == 1 ? "" : "s", gap));
  return remark;
}

}  // namespace

WideRoles wide_roles(const std::vector<std::string>& header, const Columns& columns,
                     const Expected& expected, const std::string& place) {
  const bool learning = expected.learning();
  WideRoles roles;
  std::vector<bool> used(header.size());
  const auto find = [&](const std::string& name, const char* key, bool must) {
    const std::size_t column = must ? need_column(header, name, learning ? key : nullptr, place)
                                    : find_column(header, name);
    if (column != no_column) used[column] = true;
    return column;
  };
  // The default name of a column of sequences need not be there: a row is a sequence anyway.
  roles.sequence = find(columns.sequence, "sequence",
                        !columns.sequence.empty() && columns.sequence != "sequence");
  for (const std::string& name : columns.target)
    roles.targets.push_back(find(name, "target", expected.targets));
  roles.group = find(columns.group, "group", learning && !columns.group.empty());
  for (const std::string& name : columns.ignore) {
    const bool feature = std::any_of(header.begin(), header.end(), [&](const std::string& column) {
      const auto numbered = numbered_name(column);
      return numbered && numbered->name == name;
    });
    find(name, "ignore", learning && !feature);
  }
  for (const std::string& name : columns.beside) roles.beside.push_back(find_column(header, name));
  find_steps(roles, header, used, columns, expected, place);

  std::vector<std::string> names;
  std::vector<std::size_t> positions;
  for (const std::string& name : columns.features)
    need_column(roles.names, name, "features", place);
  for (std::size_t f = 0; f < roles.names.size(); ++f)
    if (is_feature(roles.names[f], columns))
      names.push_back(roles.names[f]), positions.push_back(f);
  for (const std::size_t i : pick_features(names, expected, place))
    roles.picked.push_back(positions[i]);
  for (const std::size_t f : roles.picked)
    if (roles.steps[f].size() != roles.steps[roles.picked[0]].size())
      refuse(
          "{}: {} columns of {}, but {} of {}; give each feature the same number of steps, or list "
          "columns in data.ignore",
          place, roles.steps[f].size(), brief(roles.names[f]), roles.steps[roles.picked[0]].size(),
          brief(roles.names[roles.picked[0]]));
  roles.read_as = order_steps(roles, header);
  return roles;
}

SequenceRow wide_row(const std::vector<std::string>& cells, const std::vector<std::string>& header,
                     const WideRoles& roles, const NumberReader& numbers, const std::string& file,
                     std::size_t line) {
  SequenceRow row;
  row.line = line;
  for (const std::size_t f : roles.picked) {
    std::vector<Step>& steps = row.features.emplace_back();
    for (const std::size_t column : roles.steps[f])
      steps.push_back(step_number(cells[column], numbers, file, line, header[column]));
  }
  for (const std::size_t column : roles.targets)
    if (column != no_column) row.targets.push_back(cells[column]);
  for (const std::size_t column : roles.beside)
    row.beside.push_back(column == no_column ? std::optional<std::string>() : cells[column]);
  if (roles.sequence != no_column) row.name = cells[roles.sequence];
  if (roles.group != no_column) row.group = cells[roles.group];
  drop_empty_end(row);
  return row;
}

}  // namespace sluice::tools
