#include "run.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "../common/error.h"
#include "../common/json.h"
#include "../common/print.h"
#include "../common/safe_file.h"
#include "../data/files.h"
#include "../recipe/made.h"
#include "../train/run_folder.h"

namespace sluice::tools {
namespace {

namespace fs = std::filesystem;

std::string file_of(const std::string& folder, const char* name) {
  return (fs::path(folder) / name).string();
}

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

constexpr const char* heads_prefix = "validation_heads.";

/// The numbers of an epoch; those of an object inside as "weight_norm.input", of a list as
/// "zero_blocks.0", of an object in that one as "validation_heads.vad.loss".
void add_numbers(const Json& object, const std::string& prefix, std::size_t epoch, Log& log,
                 const std::string& place) {
  for (const auto& [key, value] : object.items()) {
    const std::string name = prefix + key;
    if (value.is_structured() && (prefix.empty() || prefix == heads_prefix)) {
      add_numbers(value, name + ".", epoch, log, place);
      continue;
    }
    if (!value.is_number() && !value.is_null())
      refuse(
          "{}: {}: is not a number; restore the log as \"sluice train\" wrote it, or train again",
          place, name);
    if (name == "epoch") continue;
    const auto is_it = [&](const LogColumn& column) { return column.name == name; };
    auto column = std::find_if(log.columns.begin(), log.columns.end(), is_it);
    if (column == log.columns.end()) column = log.columns.insert(column, {name, {}});
    column->values.resize(epoch, nothing);
    column->values.push_back(value.is_null() ? nothing : value.get<double>());
  }
}

void add_line(std::string_view line, const std::string& place, Log& log) {
  const Json object = parse_json(line);
  if (!object.is_object() || !object.contains("epoch") || !object["epoch"].is_number_integer())
    refuse("{}: is not a line of a run's log, {{\"epoch\":...}}; remove the line, or train again",
           place);
  const double epoch = object["epoch"];
  if (!log.epochs.empty() && epoch <= log.epochs.back())
    refuse("{}: epoch {} follows epoch {}; remove the line, or train again", place, epoch,
           log.epochs.back());
  add_numbers(object, "", log.epochs.size(), log, place);
  log.epochs.push_back(epoch);
}

/// Adds the data, if they are those that the model was trained on.
void add_input(ReportedRun& run) {
  for (const std::string& file :
       {run.recipe.train_file, run.recipe.validation_file, run.recipe.test_file})
    if (const std::string missing = missing_file(file); !missing.empty()) {
      run.no_input =
          fmt::format("The file {} is missing; give the folder of the data with --data-dir.",
                      fs::path(missing).filename().string());
      return;
    }
  try {
    Input input = read_input(run.recipe);
    if (run.model && !trained_on(run.model->made(), data_hash(input.train)))
      run.no_input = fmt::format(
          "{} has changed since the training, so measurements on it would not describe this run.",
          fs::path(shown_files(run.recipe.train_file)).filename().string());
    if (run.model) check_data(run.model->model, input.train, file_of(run.folder, "model.slu"));
    if (run.of_floats)
      check_data(run.of_floats->model, input.train, file_of(run.folder, "model-f32.slu"));
    restore_targets(input.train);
    if (run.no_input.empty()) run.input = std::move(input);
  } catch (const Error& error) {
    if (error.exit_code != 2) throw;
    run.no_input = "The run's data cannot be read any more; standard error says why.";
    write_stderr(printable(fmt::format("warning: {}", error.what())) + "\n");
  }
}

}  // namespace

const LogColumn* Log::find(std::string_view name) const {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const LogColumn& column) { return column.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

Log read_log(std::string_view text, const std::string& file) {
  Log log;
  for (std::size_t begin = 0, number = 1; begin < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    add_line(text.substr(begin, end - begin), fmt::format("{}:{}", file, number), log);
    begin = end + 1;
  }
  for (LogColumn& column : log.columns) column.values.resize(log.epochs.size(), nothing);
  return log;
}

const OwnedModel* ReportedRun::real() const {
  if (of_floats) return &*of_floats;
  return model && model->info().format == SLUICE_F32 ? &*model : nullptr;
}

std::vector<Part> ReportedRun::parts() const {
  std::vector<Part> parts;
  if (!input) return parts;
  const auto add = [&](const char* name, const DataSet& data,
                       const std::vector<std::size_t>& sequences) {
    if (has_target(data, sequences)) parts.push_back({name, &data, sequences});
  };
  if (input->test.sequences()) add("test", input->test, all_sequences(input->test));
  if (!input->test.sequences()) add("test", input->train, input->split.test);
  add("validation", input->train, input->split.held_out);
  if (parts.empty()) add("training", input->train, input->split.train);
  return parts;
}

Evaluation ReportedRun::evaluated(const OwnedModel& of, const Part& part) const {
  return evaluate(of.model, *part.data, part.sequences, int(recipe.threads),
                  {recipe.loss, recipe.huber_delta});
}

ReportedRun read_run(const std::string& folder, const std::string& data_folder) {
  ReportedRun run;
  run.folder = run.name = folder;
  while (run.name.size() > 1 && run.name.ends_with("/")) run.name.pop_back();
  run.recipe = recipe_of_run(folder, data_folder, {});
  if (!is_beginning(folder)) {  // otherwise the files belong to the run that is being replaced
    run.log = read_log(read_file(file_of(folder, "log.jsonl")), file_of(folder, "log.jsonl"));
    if (holds_file(folder, "model.slu")) run.model = load_model(file_of(folder, "model.slu"));
    if (run.model && holds_file(folder, "model-f32.slu"))
      run.of_floats = load_model(file_of(folder, "model-f32.slu"));
  }
  // in this order, since a training may remove files meanwhile
  run.complete = run.model && is_complete(folder);
  add_input(run);
  return run;
}

}  // namespace sluice::tools
