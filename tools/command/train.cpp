// sluice train: trains the network of a recipe and writes the folder of a run.
#include "../train/train.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>

#include "../common/error.h"
#include "../common/print.h"
#include "../common/progress.h"
#include "../common/ranks.h"
#include "../common/safe_file.h"
#include "../data/files.h"
#include "../data/outliers.h"
#include "../model/model_file.h"
#include "../model/pack.h"
#include "../recipe/check.h"
#include "../recipe/heads.h"
#include "../recipe/keys.h"
#include "../recipe/manual.h"
#include "../recipe/read.h"
#include "../recipe/write.h"
#include "../train/checkpoint.h"
#include "../train/input.h"
#include "../train/start.h"
#include "train_run.h"
#include "which_run.h"

namespace sluice::tools {
namespace {

/// Describes the imbalance of the classes in the training part: "; most frequent up (62.0 % of
/// 120), rarest down (38.0 %)".
std::string imbalance_text(const DataSet& data, const std::vector<std::size_t>& train) {
  if (!data.classes) return "";
  std::vector<std::uint64_t> count(data.labels.size());
  std::uint64_t all = 0;
  for (const std::size_t s : train)
    for (std::size_t i = data.target_begin(s); i < data.target_begin(s) + data.targets(s); ++i)
      if (data.target[i] >= 0) ++count[std::size_t(data.target[i])], ++all;
  const auto most = std::max_element(count.begin(), count.end()),
             least = std::min_element(count.begin(), count.end());
  const auto text = [&](auto at) {
    return fmt::format("{} ({})", data.labels[std::size_t(at - count.begin())],
                       percent(double(*at) / double(all)));
  };
  return fmt::format("; most frequent {}, rarest {} of {} targets", text(most), text(least),
                     with_commas(all));
}

/// "vad: binary, weight 0.5".
std::string head_text(const Head& head) {
  return fmt::format("{}: {}, weight {:g}", head.name, loss_word(head), head.weight);
}

/// Returns a line on the data that was read. It is printed before the work begins, since it shows a
/// column that should not be a feature.
std::string data_line(const Input& input) {
  const auto names = [](const std::vector<std::string>& list) {
    constexpr std::size_t shown = 12;
    std::string text;
    for (std::size_t i = 0; i < std::min(list.size(), shown); ++i)
      text += (i ? ", " : "") + list[i];
    return list.size() > shown ? fmt::format("{} and {} more", text, list.size() - shown) : text;
  };
  const DataSet& data = input.train;
  std::string text =
      fmt::format("{} {}, {} frames; ", with_commas(data.sequences()),
                  data.goes_on.empty() ? "sequences" : "pieces", with_commas(data.first.back()));
  if (data.cut)
    text +=
        fmt::format("{} of them cut to {} frames; ", with_commas(data.cut), input.recipe.max_steps);
  if (data.too_short && data.series.size() > 2)
    text +=
        fmt::format("{} parts of series are too short for a window; ", with_commas(data.too_short));
  if (data.is_text()) text += fmt::format("{} ids; ", with_commas(data.tokens.ids()));
  if (!data.is_text()) text += fmt::format("features: {}; ", names(data.feature_names));
  if (data.is_text() && data.per_row) return text + "the next one is the target";
  for (const Head& head : data.heads) text += head_text(head) + "; ";
  text += fmt::format("{}: {}",
                      data.classes         ? "classes"
                      : data.heads.empty() ? "values"
                                           : "targets",
                      names(data.labels));
  return printable(text + imbalance_text(data, input.split.train));
}

std::vector<RunFile> models_of(const Trained& trained) {
  std::vector<RunFile> files = {{"model.slu", bytes_of(trained.model)}};
  if (trained.real.blob.size) files.push_back({"model-f32.slu", bytes_of(trained.real)});
  return files;
}

std::string run_model(const std::string& folder) {
  return (std::filesystem::path(folder) / "model.slu").string();
}

void report_training(const Input& input, const Trained& trained, double seconds) {
  print("Trained {} epochs on {} {} in {}", trained.epochs.size(),
        with_commas(input.split.train.size()), input.train.goes_on.empty() ? "sequences" : "pieces",
        duration_text(seconds));
  if (trained.kept != int(trained.epochs.size()))
    print("; kept epoch {}, the best validation {}", trained.kept, word(input.recipe.monitor));
  print(".\n");
  const Epoch* better = nullptr;
  double least = std::numeric_limits<double>::infinity();
  for (const Epoch& epoch : trained.epochs)
    if (epoch.held_out && epoch.held_out->loss < least)
      better = &epoch, least = epoch.held_out->loss;
  constexpr double much = 0.9;  // share of the kept model's loss
  const auto& last = trained.epochs.back().held_out;
  if (input.recipe.patience == 0 && better && last && least < much * last->loss)
    print(
        "Epoch {} had a lower validation loss, {:#.4g}, but the last epoch is kept; with "
        "train.patience the best one is.\n",
        better->number, least);
}

/// Reports the zero blocks of each recurrent layer, and whether the blob stores them.
void report_zeros(const Network& network) {
  std::string text;
  for (const double share : zero_shares(network))
    text += (text.empty() ? "" : ", ") + percent(share);
  const bool sparse = std::any_of(network.layers.begin(), network.layers.end(),
                                  [](const Layer& l) { return l.sparse; });
  print("Zero blocks of 8 x 4 weights, by recurrent layers: {}; {}.\n", text,
        sparse
            ? "the blob does not store them"
            : "model.slu stores them still; in fixed point they are left out if that is smaller");
}

Evaluation report(const char* what, const Input& input, const Trained& trained, const DataSet& data,
                  const std::vector<std::size_t>& sequences) {
  const Evaluation evaluation =
      evaluate(trained.model.model, data, sequences, int(input.recipe.threads),
               {input.recipe.loss, input.recipe.huber_delta});
  print("{}, {} sequences: {}\n", what, with_commas(evaluation.sequences), summary(evaluation));
  return evaluation;
}

/// Prints the errors of each target, if there are several.
void report_targets(const Evaluation& evaluation) {
  for (const Evaluation& part : parts_of(evaluation))
    if (const std::string each = target_table(part); !each.empty())
      print("\n{}{}\n", part.name.empty() ? "" : part.name + ":\n", each);
}

void report_results(const Input& input, const Trained& trained) {
  const bool no_test = input.recipe.test_file.empty() && input.split.test.empty();
  if (!input.split.held_out.empty()) {
    const Evaluation held_out =
        report("Validation", input, trained, input.train, input.split.held_out);
    if (no_test) report_targets(held_out);
  }
  if (no_test) return;
  const Evaluation test =
      input.split.test.empty()
          ? report("Test", input, trained, input.test, all_sequences(input.test))
          : report("Test", input, trained, input.train, input.split.test);
  report_targets(test);
  for (const Evaluation& part : parts_of(test))
    if (!part.confusion.empty())
      print("\n{}{}\n", part.name.empty() ? "" : part.name + ":\n", confusion_table(part));
}

std::string kept_text(const Input& input, const Trained& trained) {
  if (trained.kept && !input.split.held_out.empty())
    return fmt::format("epoch {}, the best so far", trained.kept);
  if (trained.kept) return fmt::format("epoch {}", trained.kept);
  return trained.interrupted ? "the weights so far" : "the weights before training";
}

[[noreturn]] void stop_interrupted(const std::string& folder, const Input& input,
                                   const Trained& trained) {
  throw Error(
      130, fmt::format(
               "interrupted after {} of {} epochs: {} holds {}; to go on: sluice train --resume {}",
               trained.epochs.size(), input.recipe.last_epoch(), run_model(folder),
               kept_text(input, trained), folder));
}

[[noreturn]] void stop_diverged(const std::string& folder, const Input& input,
                                const Trained& trained) {
  throw Diverged(fmt::format(
      "training diverged in {}; {} holds {}; lower train.learning_rate, or set train.clip_norm",
      trained.diverged, run_model(folder), kept_text(input, trained)));
}

/// Returns the recipe of a new run, with resolved file names.
Recipe new_recipe(const TrainOptions& options) {
  if (options.recipe.empty())
    refuse("sluice train: no recipe; give sluice train RECIPE.toml --out DIR");
  if (options.out.empty()) refuse("sluice train: no output folder; give --out DIR");
  Recipe recipe = read_recipe(options.recipe, overrides_of(options));
  check_validated(recipe);
  resolve_files(recipe, options.data_folder);
  return recipe;
}

void explain(const TrainOptions& options) {
  if (options.recipe.empty())
    refuse("sluice train: no recipe; give sluice train RECIPE.toml --explain");
  print_lines(explained(read_recipe(options.recipe, overrides_of(options), options.variant)));
}

/// Returns the recipe of an existing run. Refuses options that would change its result.
Recipe resumed_recipe(const TrainOptions& options) {
  const auto alone = [&](const char* option, const std::string& value) {
    if (!value.empty())
      refuse("--resume {}: goes on by the run's own recipe; leave out {}", options.resume, option);
  };
  alone(options.recipe.c_str(), options.recipe), alone("--out", options.out),
      alone("--seed", options.seed);
  if (options.force) alone("--force", "given");
  const std::vector<Override> overrides = overrides_of(options);
  run_recipe(options.resume);  // refuses a folder that is not a run
  for (const Override& one : overrides)
    if (const Key* key = find_key(one.key); key && !key->never_changes_result)
      refuse(
          "{0}: changes the result, but a resumed run goes on as it began; leave it out, or start "
          "a "
          "new run from this one's weights: sluice train {1} --init {2} {0} --out DIR",
          one.origin, (std::filesystem::path(options.resume) / "recipe.toml").string(),
          options.resume);
  return recipe_of_run(options.resume, options.data_folder, overrides);
}

/// Returns the recipe as the folder stores it.
std::string recipe_text(const Recipe& recipe) {
  return "# The recipe as resolved. Data files by their full names: --resume, or another training "
         "by this recipe, must find "
         "them\n"
         "# from here. A blob names no files.\n" +
         recipe_toml(recipe);
}

/// Reports the end of a complete training.
void report_end(const std::string& folder, const Input& input, const Trained& trained,
                double seconds) {
  report_training(input, trained, seconds);
  if (input.recipe.prune > 0) report_zeros(read_network(trained.model.model));
  report_results(input, trained);
  print("{}: {}, {} bytes, hash {:016x}{}\n", run_model(folder),
        sluice_format_name(trained.model.info().format), with_commas(trained.model.blob.size),
        sluice_hash(&trained.model.model),
        input.recipe.quantize_aware
            ? "; model-f32.slu beside it has the float weights it was made of"
            : "");
  if (const std::string verdict = device_verdict(input.recipe, read_network(trained.model.model));
      !verdict.empty())
    print("{}\n", verdict);
  if (!input.recipe.device_core.empty() && trained.model.info().format == SLUICE_F32 &&
      input.recipe.device_type != SLUICE_F32)
    print("make it {} with: sluice quantize {} --type {} --calibrate {}\n",
          word(input.recipe.device_type), folder, word(input.recipe.device_type),
          shown_files(input.recipe.train_file));
  for (const std::string& warning : trained.warnings)
    write_stderr(printable("warning: " + warning) + "\n");
}

}  // namespace

std::vector<Override> overrides_of(const TrainOptions& options) {
  std::vector<Override> overrides;
  for (const std::string& text : options.set) overrides.push_back(parse_override(text));
  if (!options.seed.empty())
    overrides.push_back({"train.seed", options.seed, "--seed " + options.seed});
  if (!options.threads.empty())
    overrides.push_back({"train.threads", options.threads, "--threads " + options.threads});
  if (!options.init.empty())
    overrides.push_back({"model.init_from", std::filesystem::absolute(options.init).string(),
                         "--init " + options.init});
  std::string layers;
  for (const std::string& layer : options.freeze)
    layers += fmt::format("{}\"{}\"", layers.empty() ? "" : ", ", layer);
  if (!layers.empty()) overrides.push_back({"model.freeze", "[" + layers + "]", "--freeze"});
  return overrides;
}

namespace {

struct Run {
  Input input;
  Trained trained;
  double seconds = 0;
};

// Messages of rank 0 to the others. They need no files except those that the recipe names.
constexpr int recipe_tag = 0, made_tag = 1, checkpoint_tag = 2;

void tell_ranks(int tag, const std::string& bytes) {
  for (int rank = 1; rank < ranks().count; ++rank) send_to(rank, tag, bytes);
}

/// Waits until the other ranks have read the data.
void wait_for_ranks(const std::string& made) {
  for (int rank = 1; rank < ranks().count; ++rank)
    if (receive_from(rank, made_tag) != made)
      refuse(
          "rank {}: reads other data than rank 0, or is of another version of sluice; give every "
          "machine the same",
          rank);
}

/// Takes part in the trainings of rank 0. When rank 0 ends, receive_from() throws.
[[noreturn]] void train_for_rank_0() {
  for (;;) {
    const Recipe recipe = parse_recipe(receive_from(0, recipe_tag), "recipe.toml", {});
    const Input input = read_input(recipe);
    const Network start = checked_start(recipe, input);
    send_to(0, made_tag, start.made);
    const std::string checkpoint = receive_from(0, checkpoint_tag);
    std::optional<TrainState> state;
    if (!checkpoint.empty()) state = read_checkpoint(checkpoint, start.made, checkpoint_file);
    train(recipe, input.train, input.split, start, nullptr, state ? &*state : nullptr, ranks());
  }
}

/// Trains in a folder that has been checked.
Run train_in(const std::string& name, const Recipe& recipe, bool resumes) {
  namespace fs = std::filesystem;
  if (!recipe.init_from.empty() && fs::weakly_canonical(recipe.init_from).parent_path() ==
                                       fs::weakly_canonical(fs::absolute(name) / ""))
    refuse("{}: {} lies in the run's own folder, which replaces it; give another --out",
           where(recipe, "model.init_from"), recipe.init_from);
  Run run;
  Input& input = run.input;
  tell_ranks(recipe_tag, recipe_text(recipe));
  input = read_input(recipe);
  const Network start = checked_start(recipe, input);
  const RunFolder folder(name);
  // Empty if the run was stopped before its first checkpoint.
  const std::optional<std::string> checkpoint = resumes ? load_checkpoint(folder) : std::nullopt;
  std::optional<TrainState> state;
  if (checkpoint) state = read_checkpoint(*checkpoint, start.made, folder.path(checkpoint_file));
  const RunStorage storage{folder, recipe_text(recipe), state ? &*state : nullptr};
  wait_for_ranks(start.made);
  tell_ranks(checkpoint_tag, checkpoint.value_or(""));

  tell_outliers(input.train, input.split.train);
  write_stderr(data_line(input) + "\n");
  if (const std::string warning = batch_norm_warning(recipe, input.train, input.split, start);
      !warning.empty())
    write_stderr(printable("warning: " + warning) + "\n");
  const Progress clock = start_progress(1);
  try {
    run.trained = train(recipe, input.train, input.split, start, &storage, nullptr, ranks());
  } catch (const RankLost& lost) {
    throw Error(lost.exit_code,
                fmt::format("{}; to go on: sluice train --resume {}", lost.what(), name));
  }
  Trained& trained = run.trained;
  in_data_units(recipe, input, trained);
  const bool stopped = trained.interrupted || !trained.diverged.empty();
  run.seconds = seconds_since_start(clock);
  write_models(folder, models_of(trained), !stopped);
  if (trained.interrupted) stop_interrupted(name, input, trained);
  if (stopped) stop_diverged(name, input, trained);
  return run;
}

/// Returns whether the folder is not a run but holds folders of runs.
bool is_study(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code unknown;
  if (fs::exists(fs::path(folder) / "recipe.toml", unknown)) return false;
  for (fs::recursive_directory_iterator at(folder, unknown), end; at != end; at.increment(unknown))
    if (at->path().filename() == "recipe.toml") return true;
  return false;
}

/// Returns whether the folder holds a training of this recipe, complete or not.
bool is_of(const std::string& folder, const Recipe& recipe) {
  std::error_code unknown;
  const bool there =
      is_beginning(folder) ||
      std::filesystem::exists(std::filesystem::path(folder) / "recipe.toml", unknown);
  return there && run_recipe(folder) == recipe_text(recipe);
}

double zero_share(const Network& network) {
  double zeros = 0, all = 0;
  for (const Layer& layer : network.layers)
    for (const Array& array : layer.arrays) {
      if (!array.is_matrix() || array.cols == 1) continue;
      zeros += double(std::count(array.values.begin(), array.values.end(), 0.0f));
      all += double(array.values.size());
    }
  return all > 0 ? zeros / all : 0;
}

}  // namespace

void check_run(const Recipe& recipe) {
  check_validated(recipe);
  checked_start(recipe, read_input(recipe));
}

RunResult run_recipe(const Recipe& recipe, const std::string& folder, bool force) {
  const bool same = !force && is_of(folder, recipe), complete = same && is_complete(folder);
  Run run;
  if (complete) {
    run.input = read_input(recipe);
    restore_targets(run.input.train);
    run.trained.model = load_model(run_model(folder));
  } else {
    if (!same) check_run_folder(folder, force);
    run = train_in(folder, recipe, same);
  }
  const Input& input = run.input;
  const auto measure = [&](const DataSet& data, const std::vector<std::size_t>& sequences) {
    if (sequences.empty()) return Evaluation{};
    return evaluate(run.trained.model.model, data, sequences, int(recipe.threads),
                    {recipe.loss, recipe.huber_delta});
  };
  RunResult result;
  result.train = measure(input.train, input.split.train);
  result.held_out = measure(input.train, input.split.held_out);
  result.test = recipe.test_file.empty() ? measure(input.train, input.split.test)
                                         : measure(input.test, all_sequences(input.test));
  if (run.trained.model.info().format == SLUICE_F32)
    result.zeros = zero_share(read_network(run.trained.model.model));
  return result;
}

void run_train(const TrainOptions& given) {
  if (ranks().rank > 0) train_for_rank_0();
  TrainOptions options = given;
  if (options.list_keys) return print_text(key_manual());
  if (options.explain) return explain(options);
  wanted_isa();  // refuses an unknown instruction set before data is read
  if (!options.init.empty())
    options.init = chosen_model(
        given.init, "",
        fmt::format("--init {}", (std::filesystem::path(given.init) / "RUN").string()));
  const bool resumes = !options.resume.empty();
  if (!resumes && !options.recipe.empty() &&
      (!options.seeds.empty() || !read_variants(options.recipe).empty()))
    return run_variants(options);
  const std::string& name = resumes ? options.resume : options.out;
  if (resumes && is_study(name))
    refuse("--resume {}: holds a study; give the command that began it again, and it goes on",
           name);
  const Recipe recipe = resumes ? resumed_recipe(options) : new_recipe(options);
  if (resumes && is_complete(name) && holds_file(name, "model.slu"))
    return print(
        "{0}: is complete; nothing is left to resume. To train on from its weights: sluice train "
        "{1} --init {0} --set train.epochs=N --out DIR\n",
        name, (std::filesystem::path(name) / "recipe.toml").string());
  if (resumes)
    check_run_files("--resume", name);
  else
    check_run_folder(name, options.force);
  const Run run = train_in(name, recipe, resumes);
  report_end(name, run.input, run.trained, run.seconds);
}

}  // namespace sluice::tools
