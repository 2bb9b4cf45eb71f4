// The folder of a run: refused early where it will not do, written whole or not at all.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "../common/error.h"
#include "../common/safe_file.h"
#include "train.h"

namespace sluice::tools {
namespace {

namespace fs = std::filesystem;

constexpr const char* run_files[] = {"model.slu", "model-f32.slu", "recipe.toml", "log.jsonl"};

/// A hidden folder inside the run's, for files on their way. Takes itself away, and with it every folder made for its sake that
/// is still empty.
struct Staging {
  fs::path folder;
  std::vector<fs::path> made;  ///< outermost last
  std::string staging;

  explicit Staging(const std::string& name) : folder(fs::absolute(name).lexically_normal()) {
    std::error_code unknown;
    for (fs::path p = folder; !p.empty() && !fs::exists(p, unknown) && p != p.parent_path(); p = p.parent_path())
      made.push_back(p);
    try {
      make_directory(folder.string());
    } catch (...) {
      clean();
      throw;
    }
    staging = (folder / ".sluice-XXXXXX").string();
    if (mkdtemp(staging.data())) return;
    const int error = errno;
    staging.clear();
    clean();
    fail("{}: cannot be written: {}; choose a folder that can be written", name, std::strerror(error));
  }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  ~Staging() { clean(); }

  void clean() {
    std::error_code ignored;
    if (!staging.empty()) fs::remove_all(staging, ignored);
    for (const fs::path& p : made) fs::remove(p, ignored);  // leaves a folder that is not empty
  }
};

}  // namespace

void check_run_folder(const std::string& folder, bool force) {
  std::error_code unknown;
  if (fs::exists(folder, unknown) && !fs::is_directory(folder, unknown)) refuse("--out {}: is a file; give a folder", folder);
  for (const char* file : run_files) {
    const fs::path path = fs::path(folder) / file;
    if (fs::is_directory(path, unknown)) refuse("--out {}: holds a folder named {}; choose another", folder, file);
    if (!force && fs::exists(path, unknown))
      refuse("--out {}: holds another run ({}); give --force to replace it, or another folder", folder, file);
  }
  Staging probe(folder);
}

void write_run(const std::string& folder, const std::vector<RunFile>& files) {
  Staging staging(folder);
  try {
    for (const RunFile& file : files) write_file((fs::path(staging.staging) / file.name).string(), file.bytes);
  } catch (const Error& error) {
    std::string text = error.what();  // names the hidden folder, which means nothing to the reader
    const std::size_t found = text.find(staging.staging);
    if (found != text.npos) text.replace(found, staging.staging.size(), folder);
    throw Error(error.exit_code, text);
  }
  for (const RunFile& file : files) {
    std::error_code error;
    fs::rename(fs::path(staging.staging) / file.name, staging.folder / file.name, error);
    if (error) fail("{}/{}: cannot be written: {}", folder, file.name, error.message());
  }
  for (const char* name : run_files) {  // of the run that was here
    const bool written = std::any_of(files.begin(), files.end(), [&](const RunFile& file) { return file.name == name; });
    std::error_code ignored;
    if (!written) fs::remove(staging.folder / name, ignored);
  }
}

}  // namespace sluice::tools
