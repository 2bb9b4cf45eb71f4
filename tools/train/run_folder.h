// The folder of a run. recipe.toml and log.jsonl stand in it from the start; with them
// checkpoint.slc while the training is under way, or stopped, and model.slu once it ended or was
// interrupted. So a folder with a model and no checkpoint is a complete run. While a training
// replaces a run, begin.slc is there too, and is all of the new run.
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

/// Refuses a folder that is not one, or that holds a run when not `force`.
void check_run_folder(const std::string& folder, bool force);

/// Refuses a folder of a run that holds folders under the names of its files; `option` stands
/// before it in the message.
void check_run_files(const std::string& option, const std::string& folder);

/// Whether a folder holds a run.
bool is_run(const std::string& folder);

/// Whether a folder holds one of a run's files; one that is there but is no regular file is
/// refused.
bool holds_file(const std::string& folder, const char* file);

/// Whether a training was stopped while it replaced the folder's run: what the other files say is
/// of neither the old nor the new one. load_checkpoint() puts that right.
bool is_beginning(const std::string& folder);

/// Whether a folder holds a run of which nothing is left to do.
bool is_complete(const std::string& folder);

/// The text of a run's recipe.
std::string run_recipe(const std::string& folder);

/// The recipe that a run's folder keeps, its files found in `data_folder` where given, else where
/// they were.
Recipe recipe_of_run(const std::string& folder, const std::string& data_folder,
                     const std::vector<Override>& overrides);

/// A run's folder while a training works in it, and no other one.
struct RunFolder {
  std::string name;               ///< as given
  int lock = -1;                  ///< the folder, open and locked
  std::vector<std::string> made;  ///< folders made for its sake, outermost last

  /// Makes the folder, locks it, and clears away what a training that was killed has left half
  /// written. Fails where the folder cannot be made, refuses one that another training works in.
  explicit RunFolder(const std::string& name);
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;
  ~RunFolder();  ///< takes away the folders that it made and that are still empty

  /// Path of one of its files.
  std::string path(const std::string& file) const;
};

/// Writes the files of a training that begins. At every moment the folder holds the run that was
/// there before, or the new one.
void begin_run(const RunFolder& folder, const std::string& recipe, const std::string& checkpoint);

/// Replaces the checkpoint, or nothing where that fails.
void save_checkpoint(const RunFolder& folder, const std::string& bytes);

/// The checkpoint to go on from; none if the training was stopped before its first one. If the
/// training was stopped while it replaced another run, its files are put in place first.
std::optional<std::string> load_checkpoint(const RunFolder& folder);

/// Makes the log what it was when the checkpoint was made.
void restore_log(const RunFolder& folder, const std::string& lines);
void add_to_log(const RunFolder& folder, const std::string& line);

/// Writes the models, all of them to disk before the first of them appears; those of a run that was
/// here before are gone.
/// @param complete  nothing is left to do: the checkpoint goes
void write_models(const RunFolder& folder, const std::vector<RunFile>& models, bool complete);

}  // namespace sluice::tools
