#include "input.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "../common/error.h"
#include "../data/features.h"
#include "../data/files.h"
#include "../data/parse_number.h"
#include "../recipe/check.h"
#include "../recipe/columns.h"
#include "init_from.h"

namespace sluice::tools {
namespace {

std::size_t with_target(const DataSet& data, std::span<const std::size_t> sequences) {
  return std::size_t(std::count_if(sequences.begin(), sequences.end(), [&](std::size_t s) {
    return has_target(data, std::vector<std::size_t>{s});
  }));
}

/// "rows 0:500 of it", the rows between the first target and the last.
std::string place_of_targets(const DataSet& data) {
  std::size_t first = 0, end = 0, row = 0;
  for (std::size_t s = 0; s < data.sequences(); ++s)
    for (std::size_t t = 0; t < data.steps(s); ++t, ++row) {
      const std::size_t target = data.target_begin(s) + (data.per_row ? t : 0);
      bool there = data.classes && data.target[target] >= 0;
      for (std::size_t k = 0; !data.classes && k < data.outputs(); ++k)
        there = there || !std::isnan(data.value_at(target, k));
      if (there && end == 0) first = row;
      if (there) end = row + 1;
    }
  return fmt::format("rows {}:{}", first, end);
}

/// Refuses parts without targets.
void check_parts(const Recipe& recipe, const DataSet& data, const Split& split) {
  const bool ranges = !recipe.train_rows.empty();
  const auto check = [&](const std::vector<std::size_t>& part, const char* name, const char* key) {
    if (has_target(data, part)) return;
    refuse("{}: the {} part has no target; the targets of {} are in {} of the rows used; {}",
           where(recipe, key), name, shown_files(recipe.train_file), place_of_targets(data),
           ranges ? "give other ranges" : "give data.train_rows and data.validation_rows");
  };
  check(split.train, "training", ranges ? "data.train_rows" : "data.validation");
  if (holds_out(recipe))
    check(split.held_out, "validation", ranges ? "data.validation_rows" : "data.validation");
  if (!recipe.test_rows.empty()) check(split.test, "test", "data.test_rows");
}

Split split_of(const Recipe& recipe, const DataSet& data) {
  const std::vector<std::size_t> all = all_sequences(data);
  const std::size_t known = with_target(data, all);
  if (known == 0)
    refuse("{}: {}: no row has a target; fill in the column", shown_files(recipe.train_file),
           recipe.target[0]);
  if (!data.part.empty()) {
    Split result = split(data, recipe.validation, std::uint64_t(recipe.seed));
    if (recipe.validation_file.empty() && !data.is_text()) check_parts(recipe, data, result);
    return result;
  }
  if (recipe.validation == 0) return {all, {}};
  const std::string place = where(recipe, "data.validation");
  if (known == 1)
    refuse(
        "{}: {} be both held out and trained on; {}give a data.validation_file, or 0", place,
        data.sequences() == 1
            ? "one sequence cannot"
            : fmt::format("only one of {} sequences has a target, and it cannot", data.sequences()),
        data.per_row ? "set data.validation_order = \"time\" to hold out its last rows, " : "");
  Split result = split(data, recipe.validation, std::uint64_t(recipe.seed));
  if (has_target(data, result.held_out)) return result;
  const std::size_t groups = groups_of(data).size();
  if (!data.group.empty() && groups == 1)
    refuse(
        "{}: all sequences are of one group, \"{}\", which stays together; give another "
        "data.group, or 0",
        place, data.group[0]);
  const std::string what =
      data.group.empty() ? fmt::format("{} sequences with a target", known)
                         : fmt::format("{} sequences with a target in {} groups", known, groups);
  const bool by_class = data.classes && !data.per_row;
  if (by_class && 2 * data.labels.size() > known &&
      std::all_of(data.labels.begin(), data.labels.end(),
                  [](const std::string& label) { return parse_double(label).has_value(); }))
    refuse(
        "{}: a share of {} of {} holds out none of them, since most have a number of their own as "
        "their class; if the targets are values, set data.target_type = \"value\"; else give a "
        "data.validation_file, or 0",
        place, recipe.validation, what);
  refuse(
      "{}: a share of {} of {}{} holds out none of them; give another share, a "
      "data.validation_file, or 0",
      place, recipe.validation, what,
      by_class ? ", with at least one left for training in each class," : "");
}

/// Removes sequences of one class from the training part, as data.thin requires.
void thin_out(const Recipe& recipe, const DataSet& data, std::vector<std::size_t>& train) {
  if (recipe.thin.empty()) return;
  const std::string place = where(recipe, "data.thin");
  const std::size_t colon = recipe.thin.rfind(':');
  const auto share = colon == recipe.thin.npos
                         ? std::nullopt
                         : parse_float(std::string_view(recipe.thin).substr(colon + 1));
  if (!share || !(*share > 0 && *share <= 1))
    refuse("{}: \"{}\" is not a class and a share above 0 and up to 1, such as \"7:0.1\"", place,
           recipe.thin);
  const std::string label = recipe.thin.substr(0, colon);
  const auto at = std::find(data.labels.begin(), data.labels.end(), label);
  if (at == data.labels.end()) refuse("{}: there is no class \"{}\"", place, label);
  const auto rare = std::int32_t(at - data.labels.begin());
  std::size_t seen = 0;
  std::erase_if(train, [&](std::size_t s) {
    if (data.target[data.target_begin(s)] != rare) return false;
    ++seen;
    return std::floor(double(seen) * double(*share)) ==
           std::floor(double(seen - 1) * double(*share));
  });
}

/// Puts means over the training part in the place of missing values.
void fill_missing(Input& input) {
  if (input.recipe.fill == Fill::refuse) return;
  input.train.fill_means =
      present_means(input.train, input.split.train, shown_files(input.recipe.train_file));
  fill_means(input.train, input.train.fill_means);
}

/// Refuses a watched measure that the validation part does not define.
void check_monitor(const Recipe& recipe, const DataSet& data, const Split& split) {
  if (!data.classes || split.held_out.empty() || recipe.monitor == Monitor::loss ||
      recipe.monitor == Monitor::accuracy)
    return;
  std::vector<std::size_t> count(data.labels.size());
  for (const std::size_t s : split.held_out)
    for (std::size_t i = data.target_begin(s); i < data.target_begin(s) + data.targets(s); ++i)
      if (data.target[i] >= 0) ++count[std::size_t(data.target[i])];
  std::vector<std::string> missing;
  for (std::size_t c = 0; c < count.size(); ++c)
    if (count[c] == 0) missing.push_back(data.labels[c]);
  if (missing.empty()) return;
  refuse(
      "{}: \"{}\" needs every class in the validation part, but that has no target of class {}; "
      "hold out others (data.validation, data.validation_rows, train.seed), or give \"loss\" or "
      "\"accuracy\"",
      where(recipe, "train.monitor"), word(recipe.monitor), list_names(missing));
}

/// Reads a file beside the training file, by that one's features, classes and vocabulary.
DataSet read_beside(const std::string& file, const Recipe& recipe, const DataSet& train) {
  if (file.empty()) return {};
  Columns columns = columns_of(recipe);
  columns.fill_means = train.fill_means, columns.file_is_sequence = train.file_is_sequence;
  DataSet data = read_data(file, columns, {train.feature_names, train.labels, true, train.tokens});
  data.units = train.units;
  if (!has_target(data, all_sequences(data)))
    refuse("{}: {}: no row has a target; fill in the column", shown_files(file), recipe.target[0]);
  return data;
}

}  // namespace

Input read_input(const Recipe& recipe) {
  DataSet train = read_data(recipe.train_file, columns_of(recipe));
  Split split = split_of(recipe, train);
  return input_of(recipe, std::move(train), std::move(split));
}

Input input_of(const Recipe& recipe, DataSet train, Split split) {
  Input input;
  input.recipe = recipe;
  input.train = std::move(train);
  input.split = std::move(split);
  DataSet& data = input.train;
  match_to_start(recipe, data);
  thin_out(recipe, data, input.split.train);
  fill_missing(input);
  if (data.is_text())
    learn_vocabulary(data, input.split.train, std::size_t(recipe.vocabulary),
                     shown_files(recipe.train_file));
  if (data.fit.empty()) fit_series(data, input.split.train);
  if (!recipe.validation_file.empty())
    append_validation(data, input.split, read_beside(recipe.validation_file, recipe, data));
  if (recipe.format == Format::text) cut_pieces(data, input.split, std::size_t(recipe.window));
  if (recipe.truncate > 0) cut_pieces(data, input.split, std::size_t(recipe.truncate));
  check_monitor(recipe, data, input.split);
  if (recipe.standardize_target)
    standardize_targets(data, input.split.train, units_of_start(recipe));
  input.test = read_beside(recipe.test_file, recipe, data);
  return input;
}

}  // namespace sluice::tools
