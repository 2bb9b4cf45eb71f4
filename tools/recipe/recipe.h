// A recipe: data, network and training, as a TOML file says them (tools/keys.h holds every key).
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "../data/data.h"
#include "keys.h"
#include "layers.h"
#include "space.h"

namespace sluice::tools {

constexpr std::int64_t all_at_once = -1;  ///< train.batch = "all"

/// The values of all keys, in the table's order. Files are as given until resolve_files().
struct Recipe {
  std::string train_file, test_file, format, sequence;
  std::vector<std::string> target;
  std::string target_type, target_per;
  std::vector<std::string> ignore, features;
  double validation = 0;
  std::string group;
  std::string thin;
  bool standardize = true, standardize_target = false, differences = false;
  std::string text, tokens;
  bool lower_case = false;
  std::int64_t vocabulary = 0, max_steps = 0;
  std::string cut;
  std::int64_t window = 0, stride = 1, horizon = 1;
  std::string windows_target, train_rows, validation_rows, test_rows;
  bool reach_back = false;

  std::vector<LayerSpec> layers;
  std::string init_from;
  std::vector<std::string> freeze;
  double dropout_input = 0, dropout_recurrent = 0, dropout_output = 0;
  std::string init_input, init_recurrent, init_output, init_bias;
  double init_forget_bias = 0, init_update_bias = 0;
  std::string batch_norm;

  std::string loss, class_weights, sampling;
  double huber_delta = 0, label_smoothing = 0;
  bool carry = false;
  std::int64_t truncate = 0;
  bool carries() const { return carry || truncate > 0; }  ///< states from piece to piece
  std::int64_t epochs = 0, stop_after = 0, batch = 0;  ///< batch: all_at_once for "all"
  std::int64_t last_epoch() const { return stop_after > 0 ? stop_after : epochs; }
  bool bucket = false;
  std::string optimizer;
  double learning_rate = 0, beta1 = 0, beta2 = 0, epsilon = 0;
  std::string schedule;
  double momentum = 0, alpha = 0, schedule_factor = 0;
  bool nesterov = false;
  std::int64_t schedule_every = 0, warmup = 0;
  GroupValues weight_decay, l1, l2, max_norm;
  double elastic = 0, l1_ratio = 0, clip_value = 0, clip_norm = 0;
  std::string embedding_rows;
  std::string l1_step;
  double prune = 0, prune_begin = 0, prune_end = 0;
  std::int64_t prune_every = 1;
  std::int64_t patience = 0, seed = 0, threads = 0;
  std::string monitor;
  double min_improvement = 0, diverged = 0;
  std::int64_t validate_every = 1, plateau_patience = 0, checkpoint_seconds = 0;

  bool quantize_aware = false;
  std::string quantize_type, quantize_ranges;

  // [device]: amounts as texts, empty or 0 for no limit
  std::string device_core, device_type, device_flash, device_ram, device_flash_total, device_ram_total;
  std::int64_t device_instructions = 0;

  std::string tune_method, tune_acquisition, tune_halving, tune_validation;
  std::int64_t tune_trials = 0, tune_eta = 0, tune_min_epochs = 0, tune_folds = 0, tune_repeats = 0, tune_seeds = 0, tune_seed = 0,
               tune_max_failures = 0;

  std::string file;                           ///< of the recipe, for messages
  std::map<std::string, std::string> origin;  ///< key -> where it was set: "recipe.toml:14: train.batch", "--seed"
};

/// A key given on the command line: `value` as a recipe would write it (text may go without quotes), `origin` for messages.
struct Override {
  std::string key, value, origin;
};

/// "train.batch=8" from --set; refused without a key or "=".
Override parse_override(const std::string& text);

/// The names of a recipe's [[variants]], in order; none where it has none. Refused where two are the same, or one will not do as a
/// folder's name.
std::vector<std::string> read_variants(const std::string& path);

/// Reads, overrides and checks a recipe; every layer's steps are resolved. Refused (exit code 2) with file, line and key.
/// @param variant  the one of its [[variants]] whose keys stand above the recipe's, and below the overrides; empty: none
Recipe read_recipe(const std::string& path, const std::vector<Override>& overrides, const std::string& variant = "");

/// The same from text; `file` stands in messages.
/// @param chosen  values for parameters of its search space, as TOML; the others have the recipe's own
Recipe parse_recipe(const std::string& text, const std::string& file, const std::vector<Override>& overrides,
                    const std::string& variant = "", const TrialValues& chosen = {});

/// The search space of a recipe (tune/space.h), but for what the overrides fix.
Space parse_space(const std::string& text, const std::string& file, const std::vector<Override>& overrides);

/// Fills in what a recipe leaves open, and refuses (exit code 2) what contradicts itself.
void check_recipe(Recipe& recipe);

/// Refuses (exit code 2) what looks at validation, where the recipe holds nothing out.
void check_validated(const Recipe& recipe);

/// Every key at its default; such a recipe is not checked, and lacks what has none.
Recipe default_recipe();

/// "recipe.toml:14: train.batch" for a key that was set, "recipe.toml: train.batch" for a default: how a message begins.
std::string where(const Recipe& recipe, const std::string& key);

/// File names made absolute: relative to `folder` where given, else to the recipe. A file from --set is relative to `folder`
/// or to the current directory.
void resolve_files(Recipe& recipe, const std::string& folder);

/// The recipe that a run's folder keeps, its files found in `data_folder` where given, else where they were.
Recipe recipe_of_run(const std::string& folder, const std::string& data_folder, const std::vector<Override>& overrides);

/// A key's value as a recipe writes it.
std::string value_text(const Recipe& recipe, const Key& key);

/// The recipe as TOML, every key written out; reading it gives the same recipe.
std::string recipe_toml(const Recipe& recipe);

/// What a blob says of its making, as JSON: version, data hash and the recipe without file names and without keys that never
/// change a result.
std::string made_json(const Recipe& recipe, std::uint64_t data_hash);

/// "0:8640" as rows; an empty text is none, anything else is refused; `place` begins the message.
RowRange parse_range(const std::string& place, const std::string& text);

/// How data is read: from a recipe, or from what a model says of its making (refused where it does not; `model` for messages).
Columns columns_of(const Recipe& recipe);
Recipe recipe_of_made(const std::string& made, const std::string& model);  ///< data and loss alone
Columns columns_of_made(const std::string& made, const std::string& model);

/// The sequences that a model's training held out of `data`, from what it says of its making; a fifth where it held out none.
Split split_of_made(const std::string& made, const DataSet& data);

/// What a model says of its making, and in which units its values were learned; what it says of them, empty where nothing.
std::string made_with_units(const std::string& made, const Units& units);
Units units_of_made(const std::string& made);

/// What a model says of its making, and from which weights it began: their hash.
std::string made_from(const std::string& made, std::uint64_t hash);

/// Whether a model says that it was trained for fixed point.
bool trained_for_fixed_point(const std::string& made);

/// Whether a model says that it was trained on this data.
bool trained_on(const std::string& made, std::uint64_t data_hash);

/// Whether a model's training held nothing out of this data: then all of it is data that the model has seen.
bool trained_on_all(const std::string& made, std::uint64_t data_hash);

/// What a model says of its making, and that it was quantized: `how` is added under "quantized".
std::string made_quantized(const std::string& made, const std::string& type, const std::string& ranges,
                           std::uint64_t data_hash);

}  // namespace sluice::tools
