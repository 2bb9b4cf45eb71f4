#include "input.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "../common/error.h"
#include "../data/parse_number.h"
#include "../recipe/columns.h"
#include "init_from.h"

namespace sluice::tools {
namespace {

Split split_of(const Recipe& recipe, const DataSet& data) {
  const bool in_time_order = !data.part.empty();
  if (recipe.validation == 0 && !in_time_order) return {all_sequences(data), {}};
  Split result = split(data, recipe.validation, std::uint64_t(recipe.seed));
  if (in_time_order) return result;
  if (data.sequences() == 1)
    refuse(
        "{}: one sequence cannot be both held out and trained on; set 0, or put a part of it into "
        "a file of its own (data.test)",
        where(recipe, "data.validation"));
  if (!has_target(data, result.held_out) || !has_target(data, result.train))
    refuse(
        "{}: a share of {} of {} sequences leaves training or validation without targets; give "
        "another share, or 0",
        where(recipe, "data.validation"), recipe.validation, data.sequences());
  return result;
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

DataSet read_test(const Recipe& recipe, const DataSet& train) {
  if (recipe.test_file.empty()) return {};
  Columns columns = columns_of(recipe);
  columns.fill_means = train.fill_means;
  DataSet test =
      read_data(recipe.test_file, columns, {train.feature_names, train.labels, true, train.tokens});
  test.units = train.units;
  if (!has_target(test, all_sequences(test)))
    refuse("{}: {}: no row has a target; fill in the column", recipe.test_file, recipe.target[0]);
  return test;
}

/// Puts means over the training part in the place of missing values.
void fill_missing(Input& input) {
  if (input.recipe.fill == Fill::refuse) return;
  input.train.fill_means = present_means(input.train, input.split.train, input.recipe.train_file);
  fill_means(input.train, input.train.fill_means);
}

/// Numbers the ids by the training part alone, and cuts a stream into pieces.
void finish_text(Input& input) {
  if (!input.train.is_text()) return;
  learn_vocabulary(input.train, input.split.train, std::size_t(input.recipe.vocabulary),
                   input.recipe.train_file);
  if (input.recipe.format == Format::text)
    cut_pieces(input.train, input.split, std::size_t(input.recipe.window));
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
  match_to_start(recipe, input.train);
  thin_out(recipe, input.train, input.split.train);
  fill_missing(input);
  finish_text(input);
  if (recipe.truncate > 0) cut_pieces(input.train, input.split, std::size_t(recipe.truncate));
  if (recipe.standardize_target)
    standardize_targets(input.train, input.split.train, units_of_start(recipe));
  input.test = read_test(recipe, input.train);
  return input;
}

}  // namespace sluice::tools
