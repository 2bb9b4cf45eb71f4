// A recipe: the values of all keys (keys.h). A TOML file gives them for data, network, training and
// search.
#pragma once
#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "layers.h"
#include "sluice_train.h"
#include "words.h"

namespace sluice::tools {

/// The kinds of weights, in the order of sluice_weight_group.
constexpr const char* weight_groups[] = {"input", "recurrent", "bias", "output", "embedding"};
constexpr int weight_group_count = SLUICE_GROUP_COUNT;
static_assert(std::size(weight_groups) == weight_group_count);

/// A number for each kind of weights: `1e-4` for all except biases, or `{ recurrent = 1e-4, bias =
/// 1e-5 }`.
struct GroupValues {
  double of[weight_group_count] = {};
  bool operator==(const GroupValues&) const = default;
  bool any() const { return *this != GroupValues{}; }
};

/// The weights of classes, as the recipe gives them.
struct ClassWeights {
  ClassWeighting kind = ClassWeighting::none;
  std::string numbers = {};  ///< if kind is `given`: "1, 2.5"
};

constexpr std::int64_t all_at_once = -1;  ///< train.batch = "all"

/// The values of all keys, in the table's order. File names are as given until resolve_files().
struct Recipe {
  /// names or patterns of files, one a line (data/files.h)
  std::string train_file, validation_file, test_file;
  Format format = {};
  std::string separator, comment;
  DecimalMark decimal = {};
  std::int64_t skip_rows = 0;
  std::vector<std::string> missing;
  Fill fill = {};
  TargetFrom target_from = {};
  std::string time;
  std::vector<std::string> time_features;
  std::string sequence;
  std::vector<std::string> target;
  TargetType target_type = {};
  TargetPer target_per = {};
  std::vector<std::string> ignore, features;
  double validation = 0;
  ValidationOrder validation_order = {};
  std::string group;
  std::string thin;
  bool standardize = true, standardize_target = false, differences = false;
  std::string text;
  TokenKind tokens = {};
  bool lower_case = false;
  std::int64_t vocabulary = 0, max_steps = 0;
  Cut cut = {};
  std::int64_t window = 0, stride = 1, horizon = 1;
  WindowsTarget windows_target = {};
  WindowClass window_class = {};
  std::string train_rows, validation_rows, test_rows;
  bool reach_back = false;

  std::vector<LayerSpec> layers;
  std::string init_from;
  std::vector<std::string> freeze;
  double dropout_input = 0, dropout_recurrent = 0, dropout_output = 0;
  Initializer init_input = {}, init_recurrent = {}, init_output = {}, init_bias = {};
  double init_forget_bias = 0, init_update_bias = 0;
  BatchNorm batch_norm = {};

  LossKind loss = {};
  ClassWeights class_weights;
  Sampling sampling = {};
  double huber_delta = 0, label_smoothing = 0;
  bool carry = false;
  std::int64_t truncate = 0;
  /// whether a piece starts from the state of the one before
  bool carries() const { return carry || truncate > 0; }
  std::int64_t epochs = 0, stop_after = 0, batch = 0;  ///< batch: all_at_once for "all"
  std::int64_t last_epoch() const { return stop_after > 0 ? stop_after : epochs; }
  bool bucket = false;
  Optimizer optimizer = {};
  double learning_rate = 0, beta1 = 0, beta2 = 0, epsilon = 0;
  Schedule schedule = {};
  double momentum = 0, alpha = 0, schedule_factor = 0;
  bool nesterov = false;
  std::int64_t schedule_every = 0, warmup = 0;
  GroupValues weight_decay, l1, l2, max_norm;
  double elastic = 0, l1_ratio = 0, clip_value = 0, clip_norm = 0;
  EmbeddingRows embedding_rows = {};
  L1Step l1_step = {};
  double prune = 0, prune_begin = 0, prune_end = 0;
  std::int64_t prune_every = 1;
  std::int64_t patience = 0, seed = 0, threads = 0;
  Monitor monitor = {};
  double min_improvement = 0, diverged = 0;
  std::int64_t validate_every = 1, plateau_patience = 0, checkpoint_seconds = 0;

  bool quantize_aware = false;
  sluice_format quantize_type = {};
  RangeChoice quantize_ranges = {};

  // [device]: amounts as texts; empty or 0: no limit
  std::string device_core, device_flash, device_ram, device_flash_total, device_ram_total;
  sluice_format device_type = {};
  std::int64_t device_instructions = 0;

  SearchMethod tune_method = {};
  Acquisition tune_acquisition = {};
  Halving tune_halving = {};
  TuneValidation tune_validation = {};
  std::int64_t tune_trials = 0, tune_eta = 0, tune_min_epochs = 0, tune_folds = 0, tune_repeats = 0,
               tune_seeds = 0, tune_seed = 0, tune_max_failures = 0;

  std::string file;  ///< file name of the recipe, for messages
  /// key -> the place where it was set: "recipe.toml:14: train.batch", "--seed"
  std::map<std::string, std::string> origin;
};

/// Returns how a message about a key begins: "recipe.toml:14: train.batch" if the key was set,
/// "recipe.toml: train.batch" for a default.
std::string where(const Recipe& recipe, const std::string& key);

}  // namespace sluice::tools
