// sluice quantize: a float model and data in, a model in fixed point out.
#include "../convert/quantize.h"

#include <filesystem>

#include "../common/error.h"
#include "../common/model_file.h"
#include "../common/print.h"
#include "../common/safe_file.h"
#include "../recipe.h"
#include "../train/evaluate.h"
#include "command.h"

namespace sluice::tools {
namespace {

namespace fs = std::filesystem;

/// A run's folder stands for its model.
std::string model_path_of(const std::string& given) {
  std::error_code unknown;
  return fs::is_directory(given, unknown) ? (fs::path(given) / "model.slu").string() : given;
}

struct Candidate {
  RangeChoice choice;
  Quantized quantized;
  OwnedModel model;
  Evaluation held_out;
};

}  // namespace

void run_quantize(const QuantizeOptions& options) {
  const std::string path = model_path_of(options.model);
  const OwnedModel real = load_model(path);
  const Network network = read_network(real.model);
  const Columns columns = columns_of_made(real.made(), path);
  const DataSet data = read_data(options.calibrate, columns, {real.inputs(), real.labels()});
  const Split parts = split(data, 0.2, 1);
  const sluice_format format = options.type == "w8a16" ? SLUICE_W8A16 : SLUICE_INT8;
  const Calibration calibration = calibrate(network, data, parts.train);
  const Evaluation before = evaluate(real.model, data, parts.held_out, 0);
  print("f32: {}\n", summary(before));
  std::vector<Candidate> candidates;
  for (const RangeChoice choice : range_choices) {
    Quantized quantized = quantize(network, format, choose_ranges(calibration, choice));
    OwnedModel model = open_model(write_blob(quantized.network), "the quantized model");
    Evaluation evaluation = evaluate(model.model, data, parts.held_out, 0);
    print("{}: {}\n", range_name(choice), summary(evaluation));
    candidates.push_back({choice, std::move(quantized), std::move(model), evaluation});
  }
  const Candidate* best = &candidates.front();
  for (const Candidate& candidate : candidates)
    if (candidate.held_out.loss < best->held_out.loss) best = &candidate;
  for (const std::string& warning : best->quantized.warnings) tell(warning + "\n");
  write_file(options.out, write_blob(best->quantized.network));
}

}  // namespace sluice::tools
