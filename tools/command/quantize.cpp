// sluice quantize: converts a float model to fixed point, with ranges from data, and reports where
// the error arises.
#include "../convert/quantize.h"

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "../common/error.h"
#include "../common/json.h"
#include "../common/print.h"
#include "../common/safe_file.h"
#include "../convert/analyze.h"
#include "../convert/saturation.h"
#include "../data/files.h"
#include "../data/outliers.h"
#include "../evaluate/evaluate.h"
#include "../evaluate/measures.h"
#include "../evaluate/output_losses.h"
#include "../evaluate/range_trials.h"
#include "../model/graph.h"
#include "../model/model_file.h"
#include "../model/pack.h"
#include "../model/vocabulary.h"
#include "../recipe/made.h"
#include "../recipe/read.h"
#include "command.h"

namespace sluice::tools {
namespace {

namespace fs = std::filesystem;

// About this many; the analysis computes every step in double.
constexpr std::size_t analyzed_frames = 4096;

/// The inputs of the command, read and checked.
struct Input {
  std::string path;  ///< of the float model
  OwnedModel model;
  Network network;
  DataSet data;
  Split split;  ///< ranges come from `train`, the choice between them from `held_out`
};

std::string out_path(const QuantizeOptions& options, const std::string& model) {
  if (!options.out.empty()) return options.out;
  const fs::path path(model);
  return (path.parent_path() / (path.stem().string() + "-" + options.type + ".slu")).string();
}

/// Returns the one choice of ranges that was requested; nothing if the best one is to be found.
std::optional<RangeChoice> ranges_of(const QuantizeOptions& options) {
  return value_of_word<RangeChoice>(options.ranges);
}

sluice_format format_of(const QuantizeOptions& options) {
  return value_of_word<sluice_format>(options.type).value_or(SLUICE_INT8);
}

bool splits(const Input& input) {
  return has_target(input.data, input.split.held_out) && has_target(input.data, input.split.train);
}

/// Reads calibration data. Their rows are divided as the recipe in the model divides those of its
/// training file, so that neither ranges nor their choice rest on test rows. A file that cannot be
/// divided so, which is another one, is read whole.
DataSet read_calibration(const std::string& path, const Columns& columns, Expected expected) {
  expected.divide = true;
  try {
    return read_data(path, columns, expected);
  } catch (const Error&) {
    expected.divide = false;
    return read_data(path, columns, expected);
  }
}

/// Returns the validation file of a model that was trained with one: that of --validation, else the
/// one that the recipe in the run's folder names. Tells if neither is there.
std::string validation_file_of(const QuantizeOptions& options, const std::string& model,
                               const std::string& made) {
  if (!options.validation.empty() || !had_validation_file(made)) return options.validation;
  const fs::path recipe = fs::path(model).parent_path() / "recipe.toml";
  std::error_code none;
  if (fs::exists(recipe, none)) {
    Recipe own = read_recipe(recipe.string(), {});
    resolve_files(own, recipe.parent_path().string());
    if (!own.validation_file.empty() && missing_file(own.validation_file).empty())
      return own.validation_file;
  }
  tell_once(
      "the model was trained with a data.validation_file, which is not here; give it by "
      "--validation. Some of the calibration data are held out in its place");
  return "";
}

Input read_input(const QuantizeOptions& options) {
  Input input;
  input.path = model_path(options.model);
  input.model = load_model(input.path);
  if (input.model.info().format != SLUICE_F32)
    refuse("{}: is {} already{}", input.path, sluice_format_name(input.model.info().format),
           trained_for_fixed_point(input.model.made())
               ? ", by its training (quantize.aware): there is nothing to quantize"
               : "; give the float model that it was made of");
  const Network network = read_network(input.model.model);
  check_quantizable(network);
  input.network = with_integer_form(network, format_of(options));
  const Columns columns = columns_of_made(input.model.made(), input.path);
  const bool reads = input.model.info().vocabulary != 0;
  const Expected expected{input.model.inputs(), input.model.classes(), true,
                          tokens_of(input.model.model)};
  if (reads ? expected.tokens.texts.empty()
            : input.network.inputs.empty() || input.network.labels.empty())
    refuse("{}: does not name its inputs and answers; use a model as \"sluice train\" writes it",
           input.path);
  input.data = read_calibration(options.calibrate, columns, expected);
  check_data(input.model.model, input.data, input.path);
  const std::string validation = validation_file_of(options, input.path, input.model.made());
  if (validation.empty()) {
    input.split = split_of_made(input.model.made(), input.data);
  } else {
    for (const std::size_t s : all_sequences(input.data))
      if (input.data.part.empty() || input.data.part[s] == 0) input.split.train.push_back(s);
    append_validation(input.data, input.split, read_data(validation, columns, expected));
    check_data(input.model.model, input.data, input.path);
  }
  const bool no_ranges = reads || ranges_of(options);  // ids have none
  if (no_ranges && !splits(input))
    input.split = {all_sequences(input.data), all_sequences(input.data)};
  if (!splits(input))
    refuse(
        "{}: too few sequences to take ranges from some and to try these on others: {}; say which "
        "ranges with --ranges min-max",
        options.calibrate, input.data.sequences());
  tell_outliers(input.data, input.split.train);
  return input;
}

/// Held out sequences, as many as the report goes through.
std::vector<std::size_t> analyzed(const Input& input) {
  std::vector<std::size_t> sequences;
  std::size_t frames = 0;
  for (const std::size_t s : input.split.held_out) {
    if (frames && frames + input.data.steps(s) > analyzed_frames) break;
    sequences.push_back(s);
    frames += input.data.steps(s);
  }
  return sequences;
}

std::string score(const Evaluation& e) {
  return e.classes ? percent(e.accuracy()) : fmt::format("{:#.4g}", e.absolute_error);
}

/// "vad accuracy", of each head; of one answer "accuracy" or "mean absolute error".
std::vector<std::string> score_names(const Evaluation& e) {
  if (e.heads.empty()) return {e.classes ? "accuracy" : "mean absolute error"};
  std::vector<std::string> names;
  for (const Evaluation& head : e.heads)
    names.push_back(fmt::format("{} {}", head.name, short_measure(head).name));
  return names;
}

std::vector<std::string> scores(const Evaluation& e) {
  if (e.heads.empty()) return {score(e)};
  std::vector<std::string> texts;
  for (const Evaluation& head : e.heads) texts.push_back(measure_text(short_measure(head)));
  return texts;
}

std::string choice_table(const Evaluation& before, const std::vector<RangeTrial>& candidates,
                         const RangeTrial& best) {
  std::vector<std::vector<std::string>> rows;
  const auto add = [&](const std::string& what, const std::string& loss,
                       const std::vector<std::string>& texts, const char* remark) {
    rows.push_back({what, loss});
    rows.back().insert(rows.back().end(), texts.begin(), texts.end());
    rows.back().push_back(remark);
  };
  add("inputs' ranges", "validation loss", score_names(before), "");
  add("(float)", fmt::format("{:#.4g}", before.loss), scores(before), "");
  for (const RangeTrial& c : candidates)
    add(std::string(word(c.choice)), fmt::format("{:#.4g}", c.held_out.loss), scores(c.held_out),
        &c == &best ? "chosen" : "");
  return table(rows);
}

std::string size_table(const OwnedModel& before, const OwnedModel& after, const std::string& type) {
  const sluice_need was = sluice_needs(&before.model, {1, 1}),
                    is = sluice_needs(&after.model, {1, 1});
  return table({{"bytes", "float", type},
                {"model", with_commas(before.info().bytes), with_commas(after.info().bytes)},
                {"state of each stream", with_commas(was.state), with_commas(is.state)},
                {"scratch", with_commas(was.scratch), with_commas(is.scratch)}});
}

/// Describes the layers whose matrices are stored sparse, and the bytes that this saves.
std::string sparse_text(const OwnedModel& model, Network whole) {
  for (Layer& layer : whole.layers) layer.sparse = false;
  const OwnedModel dense = open_model(write_blob(whole), "the model with all its blocks");
  std::string text;
  for (std::uint32_t l = 0; l < model.info().layers; ++l) {
    const sluice_layer_info layer = sluice_describe_layer(&model.model, l);
    if (layer.stored_blocks < layer.blocks)
      text += fmt::format(
          "layer {} ({}) is stored sparse, for {} of its blocks of 8 x 4 weights are empty: {} "
          "bytes in place of {}\n",
          l + 1, sluice_layer_name(layer.kind),
          percent(1 - double(layer.stored_blocks) / double(layer.blocks)),
          with_commas(layer.weight_bytes),
          with_commas(sluice_describe_layer(&dense.model, l).weight_bytes));
  }
  return text;
}

OrderedJson snr_json(double snr) {
  return std::isinf(snr) ? OrderedJson() : OrderedJson(snr);
}  // null: exact

std::string report_json(const Input& input, const QuantizeOptions& options,
                        const Evaluation& before, const std::vector<RangeTrial>& candidates,
                        const RangeTrial& best, const std::vector<ValueError>& errors,
                        const std::vector<OutputLoss>& losses,
                        const std::vector<InputSaturation>& saturated) {
  OrderedJson json = {{"type", options.type},
                      {"ranges", word(best.choice)},
                      {"validation_sequences", input.split.held_out.size()}};
  const auto evaluated = [](const Evaluation& e) {
    OrderedJson result = {{"loss", e.loss}};
    for (const Evaluation& head : e.heads) {
      const Measure measure = short_measure(head);
      result["heads"][head.name] = {{"loss", head.loss}, {json_name(measure.name), measure.value}};
    }
    if (!e.heads.empty()) return result;
    if (e.classes) result["accuracy"] = e.accuracy();
    if (!e.classes) result["mean_absolute_error"] = e.absolute_error;
    return result;
  };
  json["float"] = evaluated(before);
  for (const RangeTrial& c : candidates)
    json["choices"][std::string(word(c.choice))] = evaluated(c.held_out);
  json["values"] = OrderedJson::array();
  for (const ValueError& v : errors)
    json["values"].push_back({{"layer", v.layer},
                              {"kind", v.kind},
                              {"value", v.name},
                              {"snr_db", snr_json(v.snr())},
                              {"saturated", v.count ? double(v.saturated) / double(v.count) : 0},
                              {"worst",
                               {{"error", v.worst},
                                {"sequence", input.data.names[v.worst_sequence]},
                                {"step", v.worst_step}}}});
  json["saturated_inputs"] = OrderedJson::object();
  for (const InputSaturation& s : saturated) json["saturated_inputs"][s.name] = s.share;
  json["losses"] = OrderedJson::array();
  for (const OutputLoss& loss : losses)
    json["losses"].push_back({{"output", loss.output},
                              {"measure", loss.measure},
                              {"float", loss.before},
                              {options.type, loss.after},
                              {"cause", loss.cause}});
  for (const Layer& layer : best.quantized.network.layers) json["sparse"].push_back(layer.sparse);
  json["warnings"] = best.quantized.warnings;
  json["bytes"] = {{"float", input.model.info().bytes}, {options.type, best.model.info().bytes}};
  return json_text(json, 2) + "\n";
}

void warn(const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) write_stderr(printable("warning: " + warning) + "\n");
}

void check_paths(const QuantizeOptions& options, const std::string& model, const std::string& out) {
  check_output("--out", out, {model, options.calibrate, options.validation});
  check_output("--report", options.report, {model, options.calibrate, options.validation, out});
  check_no_model("--report", options.report);
  std::error_code none;
  if (fs::exists(out, none) && !fs::is_regular_file(out, none) && !fs::is_directory(out, none))
    refuse("--out {}: is not a file; name one", out);
}

void check_replaceable(const std::string& path, const std::string& bytes) {
  std::error_code none;
  if (!fs::exists(path, none)) return;
  if (fs::is_directory(path, none) || read_file(path) != bytes)
    refuse("{}: exists and holds something else; give another --out, or replace it with --force",
           path);
}

}  // namespace

void run_quantize(const QuantizeOptions& options) {
  check_paths(options, model_path(options.model), out_path(options, model_path(options.model)));
  const Input input = read_input(options);
  const Evaluation before = evaluate(input.model.model, input.data, input.split.held_out, 0);
  const sluice_format format = format_of(options);
  RangeTrials tried =
      try_ranges(input.network, format, ranges_of(options), input.data, input.split);
  warn(tried.warnings);
  const std::vector<RangeTrial>& candidates = tried.trials;
  const RangeTrial& best = tried.best();
  const std::string blob = write_blob(best.quantized.network), path = out_path(options, input.path);
  if (!options.force) check_replaceable(path, blob);
  // A table's sequences are gone through whole; a text is one long one.
  const std::size_t most_frames = input.data.is_text() ? analyzed_frames : SIZE_MAX;
  const std::vector<ValueError> errors =
      analyze(input.network, best.quantized, input.data, analyzed(input), most_frames);
  const std::vector<InputSaturation> saturated =
      saturated_inputs(best.model, input.data, input.split.held_out);
  const std::vector<OutputLoss> losses = output_losses(before, best, errors, saturated);
  std::vector<NamedBytes> files = {{path, blob}};
  if (!options.report.empty())
    files.push_back({options.report, report_json(input, options, before, candidates, best, errors,
                                                 losses, saturated)});
  write_files(files, [&] {
    warn(best.quantized.warnings);
    warn_saturated(saturated, "validation");
    warn(loss_texts(losses, options.type));
  });

  print("ranges from {} sequences, tried on {}{}:\n{}\n", with_commas(input.split.train.size()),
        input.split.held_out == input.split.train
            ? "the same"
            : with_commas(input.split.held_out.size()) + " others",
        trained_on_all(input.model.made(), data_hash(input.data))
            ? ", all of which the model was trained on"
            : "",
        choice_table(before, candidates, best));
  print("where the error arises:\n{}\n", error_table(errors, input.data));
  print("{}{}\n", size_table(input.model, best.model, options.type),
        sparse_text(best.model, best.quantized.network));
  print("wrote {}, hash {:016x}\n", path, sluice_hash(&best.model.model));
}

}  // namespace sluice::tools
