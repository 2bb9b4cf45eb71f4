// sluice eval: measures a model on labeled data.
#include <fmt/format.h>

#include <cstdint>

#include "../common/error.h"
#include "../common/print.h"
#include "../convert/saturation.h"
#include "../evaluate/evaluate.h"
#include "../model/graph.h"
#include "../model/model_file.h"
#include "../model/pack.h"
#include "../model/vocabulary.h"
#include "../recipe/columns.h"
#include "../recipe/made.h"
#include "command.h"

namespace sluice::tools {
namespace {

/// Returns the inputs and labels that the data must have, as the model names them.
Expected expected_of(const OwnedModel& model, const std::string& path) {
  Expected expected{model.inputs(), model.classes(), true, tokens_of(model.model)};
  if (model.info().format == SLUICE_F32 && !model.info().vocabulary)
    expected.scales = frame_scales(read_network(model.model));
  // a sigmoid: its one output is the probability of the second label
  const bool one_of_two = model.info().outputs == 1 && expected.labels.size() == 2;
  if (expected.labels.size() != model.info().outputs && !one_of_two)
    refuse("{}: does not name its classes or values; use a model that \"sluice train\" wrote",
           path);
  if (expected.features.size() == model.info().inputs) return expected;
  expected.features.clear();  // the names are unknown, so only the number of columns can be checked
  for (std::uint32_t i = 0; i < model.info().inputs; ++i)
    expected.features.push_back(fmt::format("x{}", i));
  return expected;
}

void print_report(const Evaluation& evaluation) {
  print("{} sequences, {} frames: {}\n", with_commas(evaluation.sequences),
        with_commas(evaluation.frames), summary(evaluation));
  for (const Evaluation& part : parts_of(evaluation)) {
    if (!part.name.empty()) print("\n{}, weight {:g}:\n", part.name, part.weight);
    print("\n{}", measure_table(part));
    if (const std::string each = target_table(part); !each.empty()) print("\n{}", each);
    if (!part.confusion.empty()) print("\n{}\n{}", class_table(part), confusion_table(part));
  }
}

}  // namespace

void run_eval(const EvalOptions& options) {
  const OwnedModel model = load_model(options.model);
  const Recipe recipe = recipe_of_made(model.made(), options.model);
  Columns columns = columns_of_made(model.made(), options.model);
  columns.windows.only = parse_range("--rows " + options.rows, options.rows);
  if (!columns.windows.only.empty() && columns.format == Format::tsv)
    refuse("--rows {}: works for tables and for text; leave it out", options.rows);
  DataSet data = read_data(options.data, columns, expected_of(model, options.model));
  check_data(model.model, data, options.model);
  data.units = units_of_made(model.made());
  if (data.units.deviation.size() != data.outputs()) data.units = {};
  const std::vector<std::size_t> all = all_sequences(data);
  if (!has_target(data, all))
    refuse("{}: {}: no row has a target; fill in the column", options.data, columns.target[0]);
  const Evaluation evaluation =
      evaluate(model.model, data, all, 0, {recipe.loss, recipe.huber_delta});
  warn_saturated(saturated_inputs(model, data, all), options.data);
  if (options.json) return print_text(json_text(evaluation) + "\n");
  print_report(evaluation);
}

}  // namespace sluice::tools
