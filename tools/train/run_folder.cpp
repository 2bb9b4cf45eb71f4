#include "run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "../common/error.h"
#include "../common/safe_file.h"
#include "../data/files.h"
#include "../data/parse_number.h"

namespace sluice::tools {
namespace {

namespace fs = std::filesystem;

constexpr const char *recipe_file = "recipe.toml", *log_file = "log.jsonl";
constexpr const char* model_files[] = {"model.slu", "model-f32.slu"};
constexpr const char* made_of_models[] = {"model-int8.slu", "model-w8a16.slu",
                                          /// written by other commands under these names
                                          "report.html"};
/// A training that replaces a run first writes its recipe and its first checkpoint into this one
/// file, which appears by a single rename. While the file exists, it is the run, and the other
/// files are not. It is removed when they are in place.
constexpr const char* begin_file = "begin.slc";
constexpr const char* run_files[] = {model_files[0], model_files[1],  recipe_file,
                                     log_file,       checkpoint_file, begin_file};

std::string file_in(const std::string& folder, const char* file) {
  return (fs::path(folder) / file).string();
}

bool holds(const std::string& folder, const char* file) {
  std::error_code unknown;
  return fs::exists(fs::path(folder) / file, unknown);
}

struct Begin {
  std::string recipe, checkpoint;
};

constexpr std::string_view begin_magic = "sluice run\n";

/// Returns the magic, the size of the recipe and a newline, the recipe, and the checkpoint.
std::string packed(const Begin& begin) {
  return fmt::format("{}{}\n{}{}", begin_magic, begin.recipe.size(), begin.recipe,
                     begin.checkpoint);
}

/// Returns nothing if no training was stopped while it replaced the folder's run.
std::optional<Begin> read_begin(const std::string& folder) {
  if (!holds(folder, begin_file)) return std::nullopt;
  const std::string file = file_in(folder, begin_file), bytes = read_file(file);
  const std::size_t end =
      bytes.starts_with(begin_magic) ? bytes.find('\n', begin_magic.size()) : bytes.npos;
  const auto size = end == bytes.npos
                        ? std::nullopt
                        : parse_integer(bytes.substr(begin_magic.size(), end - begin_magic.size()));
  if (!size || *size < 0 || std::size_t(*size) > bytes.size() - end - 1)
    refuse("{}: is damaged; train from the start, with --force", file);
  return Begin{bytes.substr(end + 1, std::size_t(*size)),
               bytes.substr(end + 1 + std::size_t(*size))};
}

/// Puts the files of a new training in the place of those of the previous run, if there was one.
void put_in_place(const RunFolder& folder, const Begin& begin) {
  std::error_code ignored;
  for (const char* name : model_files) fs::remove(folder.path(name), ignored);
  for (const char* name : made_of_models) fs::remove(folder.path(name), ignored);
  write_files({{folder.path(recipe_file), begin.recipe},
               {folder.path(checkpoint_file), begin.checkpoint},
               {folder.path(log_file), ""}});
  remove_file(folder.path(begin_file));
}

/// Returns whether a name is that of a temporary file of safe_file.h: "log.jsonl.x7Gq2a".
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
    refuse("{}: another training uses this folder; wait for it, or give another folder",
           folder.name);
}

void leave_folder(RunFolder& folder) {
  if (folder.lock >= 0) close(folder.lock);
  std::error_code ignored;
  // Does not remove a folder that is not empty.
  for (const std::string& path : folder.made) fs::remove(path, ignored);
}

/// Runs `write`. If it fails because the run's files are gone, reports that.
template <class Write>
void in_run(const RunFolder& folder, Write write) {
  try {
    write();
  } catch (const Error&) {
    if (!holds(folder.name, recipe_file))
      fail("{}: the run's files are gone; do not remove them during a training", folder.name);
    throw;
  }
}

}  // namespace

void check_run_folder(const std::string& folder, bool force) {
  std::error_code unknown;
  if (fs::exists(folder, unknown) && !fs::is_directory(folder, unknown))
    refuse("--out {}: is a file; give a folder", folder);
  check_run_files("--out", folder);
  for (const char* file : run_files)
    if (!force && holds(folder, file))
      refuse("--out {}: holds another run ({}); give --force to replace it, {}or another folder",
             folder, file,
             holds(folder, checkpoint_file) || holds(folder, begin_file)
                 ? "--resume to continue it,  "
                 : "");
}

void check_run_files(const std::string& option, const std::string& folder) {
  std::error_code unknown;
  for (const char* file : run_files)
    if (fs::is_directory(fs::path(folder) / file, unknown))
      refuse("{} {}: contains a folder named {}; give another folder", option, folder, file);
}

bool holds_file(const std::string& folder, const char* file) {
  std::error_code unknown;
  const fs::path path = fs::path(folder) / file;
  if (!fs::exists(path, unknown)) return false;
  if (!fs::is_regular_file(path, unknown))
    refuse("{}: is not a file; give the folder of a run as \"sluice train\" wrote it",
           path.string());
  return true;
}

bool is_run(const std::string& folder) {
  return holds(folder, begin_file) || (holds(folder, recipe_file) && holds(folder, log_file));
}

bool is_beginning(const std::string& folder) { return holds(folder, begin_file); }

bool is_complete(const std::string& folder) {
  return holds(folder, model_files[0]) && !holds(folder, checkpoint_file) &&
         !holds(folder, begin_file);
}

std::string run_recipe(const std::string& folder) {
  if (const std::optional<Begin> begin = read_begin(folder)) return begin->recipe;
  return read_file(file_in(folder, recipe_file));
}

Recipe recipe_of_run(const std::string& folder, const std::string& data_folder,
                     const std::vector<Override>& overrides) {
  Recipe recipe = parse_recipe(run_recipe(folder), file_in(folder, recipe_file), overrides);
  if (!data_folder.empty())
    for (std::string* file : {&recipe.train_file, &recipe.validation_file, &recipe.test_file})
      *file = without_folder(*file);
  resolve_files(recipe, data_folder);
  return recipe;
}

RunFolder::RunFolder(const std::string& given) : name(given), made(make_directory(given)) {
  try {
    lock_folder(*this);
  } catch (...) {
    leave_folder(*this);
    throw;
  }
  clear_half_written(name);
}

RunFolder::~RunFolder() { leave_folder(*this); }

std::string RunFolder::path(const std::string& file) const {
  return (fs::path(name) / file).string();
}

void begin_run(const RunFolder& folder, const std::string& recipe, const std::string& checkpoint) {
  const Begin begin{recipe, checkpoint};
  const bool replaces = std::any_of(std::begin(run_files), std::end(run_files),
                                    [&](const char* file) { return holds(folder.name, file); });
  if (replaces)
    write_file(folder.path(begin_file),
               packed(begin));  // from here on, the folder holds the new run instead of the old one
  put_in_place(folder, begin);
}

void save_checkpoint(const RunFolder& folder, const std::string& bytes) {
  in_run(folder, [&] { write_file(folder.path(checkpoint_file), bytes); });
}

std::optional<std::string> load_checkpoint(const RunFolder& folder) {
  if (const std::optional<Begin> begin = read_begin(folder.name)) put_in_place(folder, *begin);
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
  in_run(folder, [&] {
    write_files(files);
    // Without the checkpoint nothing could restore the log's lines.
    if (complete) sync_file(folder.path(log_file));
  });
  std::error_code ignored;
  for (const char* name : model_files)  // of the previous run
    if (std::none_of(models.begin(), models.end(),
                     [&](const RunFile& model) { return model.name == name; }))
      fs::remove(folder.path(name), ignored);
  if (complete) remove_file(folder.path(checkpoint_file));
}

}  // namespace sluice::tools
