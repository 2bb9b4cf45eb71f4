// The folder of a run. recipe.toml and log.jsonl are in it from the start; checkpoint.slc while the
// training runs or is stopped; model.slu once it has ended or was interrupted. Thus a folder with a
// model and without a checkpoint is a complete run. While a training replaces a run, begin.slc is
// there and is the whole new run.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "../recipe/read.h"

namespace sluice::tools {

inline constexpr const char* checkpoint_file = "checkpoint.slc";

struct RunFile {
  std::string name, bytes;
};

/// Refuses a path that is not a folder, or a folder with a run unless `force`.
void check_run_folder(const std::string& folder, bool force);

/// Refuses a folder of a run that contains folders under the names of its files; `option` begins
/// the message.
void check_run_files(const std::string& option, const std::string& folder);

/// Returns whether a folder holds a run.
bool is_run(const std::string& folder);

/// Returns whether a folder has one of a run's files. Refuses one that is not a regular file.
bool holds_file(const std::string& folder, const char* file);

/// Returns whether a training was stopped while it replaced the folder's run. The other files then
/// describe neither the old nor the new one; load_checkpoint() repairs that.
bool is_beginning(const std::string& folder);

/// Returns whether a folder holds a complete run.
bool is_complete(const std::string& folder);

/// Returns the text of a run's recipe.
std::string run_recipe(const std::string& folder);

/// Returns the recipe of a run's folder, with files in `data_folder` if that is given, else at
/// their original places.
Recipe recipe_of_run(const std::string& folder, const std::string& data_folder,
                     const std::vector<Override>& overrides);

/// The folder of a run, locked for one training.
struct RunFolder {
  std::string name;               ///< as given
  int lock = -1;                  ///< file descriptor of the folder, which is locked
  std::vector<std::string> made;  ///< folders created for it, outermost last

  /// Creates and locks the folder, and removes temporary files that a killed training has left.
  /// Fails if the folder cannot be created; refuses one that another training uses.
  explicit RunFolder(const std::string& name);
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;
  ~RunFolder();  ///< removes the folders that it created and that are still empty

  /// Returns the path of one of its files.
  std::string path(const std::string& file) const;
};

/// Writes the files of a new training. At every moment the folder holds either the previous run or
/// the new one.
void begin_run(const RunFolder& folder, const std::string& recipe, const std::string& checkpoint);

/// Replaces the checkpoint; leaves the old one on failure.
void save_checkpoint(const RunFolder& folder, const std::string& bytes);

/// Returns the checkpoint to continue from; nothing if the training was stopped before its first
/// one. If the training was stopped while it replaced another run, first puts its files in place.
std::optional<std::string> load_checkpoint(const RunFolder& folder);

/// Restores the log to its lines at the time of the checkpoint.
void restore_log(const RunFolder& folder, const std::string& lines);
void add_to_log(const RunFolder& folder, const std::string& line);

/// Writes the models. All are on disk before the first one appears. Removes the models of a
/// previous run.
/// @param complete  whether the run is complete, which removes the checkpoint
void write_models(const RunFolder& folder, const std::vector<RunFile>& models, bool complete);

}  // namespace sluice::tools
