#include "run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "../common/error.h"
#include "../common/safe_file.h"

namespace sluice::tools {
namespace {

namespace fs = std::filesystem;

constexpr const char *recipe_file = "recipe.toml", *log_file = "log.jsonl";
constexpr const char* model_files[] = {"model.slu", "model-f32.slu"};
constexpr const char* made_of_models[] = {"model-int8.slu", "model-w8a16.slu", "report.html"};  ///< by other commands, under these names
constexpr const char* run_files[] = {model_files[0], model_files[1], recipe_file, log_file, checkpoint_file};

bool holds(const std::string& folder, const char* file) {
  std::error_code unknown;
  return fs::exists(fs::path(folder) / file, unknown);
}

/// "log.jsonl.x7Gq2a": what safe_file.h calls a file on its way.
bool is_half_written(const std::string& name) {
  constexpr std::size_t suffix = 7;
  return std::any_of(std::begin(run_files), std::end(run_files), [&](const std::string& file) {
    return name.size() == file.size() + suffix && name.starts_with(file + ".");
  });
}

void clear_half_written(const std::string& folder) {
  std::error_code ignored;
  std::vector<fs::path> left;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (is_half_written(entry.path().filename().string())) left.push_back(entry.path());
  for (const fs::path& path : left) fs::remove(path, ignored);
}

void lock_folder(RunFolder& folder) {
  folder.lock = open(folder.name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder.lock >= 0 && flock(folder.lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
    refuse("{}: another training works in this folder; wait for it, or give another folder", folder.name);
}

void leave_folder(RunFolder& folder) {
  if (folder.lock >= 0) close(folder.lock);
  std::error_code ignored;
  for (const std::string& path : folder.made) fs::remove(path, ignored);  // leaves a folder that is not empty
}

/// Runs `write`; where the run's files are no longer there, that is what is told.
template <class Write>
void in_run(const RunFolder& folder, Write write) {
  try {
    write();
  } catch (const Error&) {
    if (!holds(folder.name, recipe_file))
      fail("{}: the run's files have gone; leave them in place while a training works on them", folder.name);
    throw;
  }
}

}  // namespace

void check_run_folder(const std::string& folder, bool force) {
  std::error_code unknown;
  if (fs::exists(folder, unknown) && !fs::is_directory(folder, unknown)) refuse("--out {}: is a file; give a folder", folder);
  for (const char* file : run_files) {
    if (fs::is_directory(fs::path(folder) / file, unknown))
      refuse("--out {}: holds a folder named {}; choose another", folder, file);
    if (!force && holds(folder, file))
      refuse("--out {}: holds another run ({}); give --force to replace it, {}or another folder", folder, file,
             holds(folder, checkpoint_file) ? "--resume to go on with it, " : "");
  }
}

bool is_complete(const std::string& folder) { return holds(folder, model_files[0]) && !holds(folder, checkpoint_file); }

RunFolder::RunFolder(const std::string& given) : name(given) {
  std::error_code unknown;
  const fs::path folder = fs::absolute(name).lexically_normal();
  for (fs::path p = folder; !p.empty() && !fs::exists(p, unknown) && p != p.parent_path(); p = p.parent_path())
    made.push_back(p.string());
  try {
    make_directory(folder.string());
    lock_folder(*this);
  } catch (...) {
    leave_folder(*this);
    throw;
  }
  clear_half_written(folder.string());
}

RunFolder::~RunFolder() { leave_folder(*this); }

std::string RunFolder::path(const std::string& file) const { return (fs::path(name) / file).string(); }

void begin_run(const RunFolder& folder, const std::string& recipe, const std::string& checkpoint) {
  std::vector<NamedBytes> files = {
      {folder.path(recipe_file), recipe}, {folder.path(checkpoint_file), checkpoint}, {folder.path(log_file), ""}};
  // A kill between two renames must not make an older run's model look like this one's.
  if (holds(folder.name, model_files[0])) std::swap(files[0], files[1]);
  write_files(files);
  std::error_code ignored;
  for (const char* name : model_files) fs::remove(folder.path(name), ignored);
  for (const char* name : made_of_models) fs::remove(folder.path(name), ignored);
}

void save_checkpoint(const RunFolder& folder, const std::string& bytes) {
  in_run(folder, [&] { write_file(folder.path(checkpoint_file), bytes); });
}

std::optional<std::string> load_checkpoint(const RunFolder& folder) {
  if (!holds(folder.name, checkpoint_file)) return std::nullopt;
  return read_file(folder.path(checkpoint_file));
}

void restore_log(const RunFolder& folder, const std::string& lines) {
  in_run(folder, [&] { write_file(folder.path(log_file), lines); });
}

void add_to_log(const RunFolder& folder, const std::string& line) {
  in_run(folder, [&] { append_file(folder.path(log_file), line); });
}

void write_models(const RunFolder& folder, const std::vector<RunFile>& models, bool complete) {
  std::vector<NamedBytes> files;
  for (const RunFile& model : models) files.push_back({folder.path(model.name), model.bytes});
  in_run(folder, [&] { write_files(files); });
  std::error_code ignored;
  for (const char* name : model_files)  // of the run that was here
    if (std::none_of(models.begin(), models.end(), [&](const RunFile& model) { return model.name == name; }))
      fs::remove(folder.path(name), ignored);
  if (complete) fs::remove(folder.path(checkpoint_file), ignored);
}

}  // namespace sluice::tools
