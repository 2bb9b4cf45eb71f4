// sluice train: a recipe and data in, a run's folder out.
#include "../train/train.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "../common/error.h"
#include "../common/model_file.h"
#include "../common/print.h"
#include "../common/progress.h"
#include "../keys.h"
#include "../recipe.h"
#include "command.h"

namespace sluice::tools {
namespace {

std::vector<Override> overrides_of(const TrainOptions& options) {
  std::vector<Override> overrides;
  for (const std::string& text : options.set) overrides.push_back(parse_override(text));
  if (!options.seed.empty()) overrides.push_back({"train.seed", options.seed, "--seed " + options.seed});
  if (!options.threads.empty()) overrides.push_back({"train.threads", options.threads, "--threads " + options.threads});
  return overrides;
}

/// What a run works on, read and checked.
struct Input {
  Recipe recipe;
  DataSet train, test;
  Split split;
};

Split split_of(const Recipe& recipe, const DataSet& data) {
  if (recipe.validation == 0) return {all_sequences(data), {}};
  Split result = split(data, recipe.validation, std::uint64_t(recipe.seed));
  if (!has_target(data, result.held_out) || !has_target(data, result.train))
    refuse("{}: {} of {} sequences cannot be held out with targets on both sides; give another share, or 0",
           where(recipe, "data.validation"), recipe.validation, data.sequences());
  return result;
}

DataSet read_test(const Recipe& recipe, const DataSet& train) {
  if (recipe.test_file.empty()) return {};
  DataSet test = read_data(recipe.test_file, columns_of(recipe), {train.feature_names, train.labels});
  if (!has_target(test, all_sequences(test)))
    refuse("{}: {}: no row has a target; fill in the column", recipe.test_file, recipe.target[0]);
  return test;
}

Input read_input(const TrainOptions& options) {
  Input input;
  input.recipe = read_recipe(options.recipe, overrides_of(options));
  resolve_files(input.recipe, options.data_folder);
  input.train = read_data(input.recipe.train_file, columns_of(input.recipe));
  input.split = split_of(input.recipe, input.train);
  input.test = read_test(input.recipe, input.train);
  return input;
}

/// What was read, before the work begins: a column that should not be a feature is seen here.
std::string data_line(const Input& input) {
  const auto names = [](const std::vector<std::string>& list) {
    constexpr std::size_t shown = 12;
    std::string text;
    for (std::size_t i = 0; i < std::min(list.size(), shown); ++i) text += (i ? ", " : "") + list[i];
    return list.size() > shown ? fmt::format("{} and {} more", text, list.size() - shown) : text;
  };
  return printable(fmt::format("{} sequences, {} frames; features: {}; {}: {}", with_commas(input.train.sequences()),
                               with_commas(input.train.first.back()), names(input.train.feature_names),
                               input.train.classes ? "classes" : "values", names(input.train.labels)));
}

std::string bytes_of(const OwnedModel& model) {
  return {reinterpret_cast<const char*>(model.blob.data.get()), model.blob.size};
}

void write_files(const std::string& folder, const Recipe& recipe, const Trained& trained) {
  std::vector<RunFile> files = {{"recipe.toml", recipe_toml(recipe)},
                                {"log.jsonl", log_lines(trained.epochs, recipe.target_type == "class")},
                                {"model.slu", bytes_of(trained.model)}};
  if (recipe.quantize_aware) files.push_back({"model-f32.slu", bytes_of(trained.real)});
  write_run(folder, files);
}

std::string run_model(const std::string& folder) { return (std::filesystem::path(folder) / "model.slu").string(); }

void report_training(const Input& input, const Trained& trained, double seconds) {
  print("Trained {} epochs on {} sequences in {}", trained.epochs.size(), with_commas(input.split.train.size()),
        duration_text(seconds));
  if (trained.kept != int(trained.epochs.size())) print("; kept epoch {}, the lowest validation loss", trained.kept);
  print(".\n");
  const auto better = std::min_element(trained.epochs.begin(), trained.epochs.end(), [](const Epoch& a, const Epoch& b) {
    return a.held_out && b.held_out && a.held_out->loss < b.held_out->loss;
  });
  constexpr double much = 0.9;  // of the loss of what is kept
  if (input.recipe.patience == 0 && better != trained.epochs.end() && better->held_out &&
      better->held_out->loss < much * trained.epochs.back().held_out->loss)
    print("Epoch {} had a lower validation loss, {:#.4g}; train.patience stops there and keeps it.\n", better->number,
          better->held_out->loss);
}

Evaluation report(const char* what, const Input& input, const Trained& trained, const DataSet& data,
                  const std::vector<std::size_t>& sequences) {
  const Evaluation evaluation = evaluate(trained.model.model, data, sequences, int(input.recipe.threads));
  print("{}, {} sequences: {}\n", what, with_commas(evaluation.sequences), summary(evaluation));
  return evaluation;
}

void report_results(const Input& input, const Trained& trained) {
  if (!input.split.held_out.empty()) report("Validation", input, trained, input.train, input.split.held_out);
  if (input.recipe.test_file.empty()) return;
  const Evaluation test = report("Test", input, trained, input.test, all_sequences(input.test));
  if (test.classes) print("\n{}\n", confusion_table(test));
}

[[noreturn]] void stop_interrupted(const TrainOptions& options, const Input& input, const Trained& trained) {
  const std::string kept = trained.kept ? fmt::format("epoch {}, the best so far", trained.kept) : "the weights so far";
  throw Error(130, fmt::format("interrupted after {} of {} epochs: {} holds {}; to train again from the start, give the same "
                               "command with --force",
                               trained.epochs.size(), input.recipe.epochs, run_model(options.out), kept));
}

}  // namespace

void run_train(const TrainOptions& options) {
  if (options.list_keys) return print_text(key_manual());
  if (options.recipe.empty()) refuse("sluice train: no recipe; give sluice train RECIPE.toml --out DIR");
  if (options.out.empty()) refuse("sluice train: no output folder; give --out DIR");
  wanted_isa();  // an unknown one is refused before data is read
  const Input input = read_input(options);
  const Network start = make_network(input.recipe, input.train, input.split);
  check_device(input.recipe, start);
  check_aware(input.recipe, start);
  check_run_folder(options.out, options.force);

  tell(data_line(input) + "\n");
  const Progress clock = start_progress(1);
  const Trained trained = train(input.recipe, input.train, input.split, start);
  const double seconds = seconds_since_start(clock);
  write_files(options.out, input.recipe, trained);
  if (trained.interrupted) stop_interrupted(options, input, trained);
  report_training(input, trained, seconds);
  report_results(input, trained);
  print("{}: {}, {} bytes, hash {:016x}{}\n", run_model(options.out), sluice_format_name(trained.model.info().format),
        with_commas(trained.model.blob.size), sluice_hash(&trained.model.model),
        input.recipe.quantize_aware ? "; model-f32.slu beside it has the float weights it was made of" : "");
  if (const std::string verdict = device_verdict(input.recipe, read_network(trained.model.model)); !verdict.empty())
    print("{}\n", verdict);
  if (!input.recipe.device_core.empty() && trained.model.info().format == SLUICE_F32 && input.recipe.device_type != "f32")
    print("make it {} with: sluice quantize {} --type {} --calibrate {}\n", input.recipe.device_type, options.out,
          input.recipe.device_type, input.recipe.train_file);
  for (const std::string& warning : trained.warnings) tell(printable("warning: " + warning) + "\n");
}

}  // namespace sluice::tools
