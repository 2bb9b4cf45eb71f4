// sluice report: writes an HTML page about a run, a comparison of runs, or a tuning study.
#include "../report/report.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "../common/error.h"
#include "../common/print.h"
#include "../common/safe_file.h"
#include "../report/markup.h"
#include "../train/run_folder.h"
#if SLUICE_WITH_TUNE
#include "../report/study.h"
#endif
#include "../tune/load.h"
#include "command.h"
#include "which_run.h"

namespace sluice::tools {
namespace {

namespace fs = std::filesystem;

/// Returns the folder itself if it is a run, else the runs inside it.
std::vector<std::string> runs_of(const std::string& folder) {
  std::error_code unknown;
  if (!fs::exists(folder, unknown))
    refuse("{}: no such folder; give one that \"sluice train --out\" made", folder);
  if (!fs::is_directory(folder, unknown))
    refuse("{}: is a file, but not a tuning study; give the folder of a run or a study file",
           folder);
  std::vector<std::string> runs = runs_in(folder);
  if (runs.empty())
    refuse(
        "{}: is not a run and holds none (no recipe.toml and log.jsonl); give a folder that "
        "\"sluice train --out\" made",
        folder);
  return runs;
}

/// Refuses to replace any file except an older report.
void check_replaceable(const std::string& path) {
  std::error_code none;
  if (!fs::exists(path, none)) return;
  if (fs::is_directory(path, none) || !read_file(path).starts_with(page_begin))
    refuse("{}: exists and is not a report; give another file with --out", path);
}

/// Whether a file is an SQLite database, as a study is.
bool is_database(const std::string& path) {
  constexpr std::string_view magic("SQLite format 3\0", 16);
  std::string begin(magic.size(), ' ');
  std::ifstream file(path, std::ios::binary);
  return file.read(begin.data(), std::streamsize(begin.size())) && begin == magic;
}

void write_page(const std::string& path, const std::string& page) {
  write_file(path, page);
  print("wrote {}, {} bytes\n", path, with_commas(page.size()));
}

void report_study(const ReportOptions& options, const std::string& file) {
  if (options.runs.size() > 1)
    refuse("{}: is a tuning study and gets a page of its own; give it alone", file);
  if (!options.sequences.empty())
    refuse("--sequence {}: works only for the report of one run; leave it out",
           options.sequences[0]);
  if (!options.data_folder.empty())
    refuse(
        "--data-dir {}: works only for reports of runs; a study's report needs no data; leave it "
        "out",
        options.data_folder);
  const std::string out =
      options.out.empty() ? fs::path(file).replace_extension(".html").string() : options.out;
  check_replaceable(out);
#if SLUICE_WITH_TUNE
  write_page(out, study_page(read_study(file)));
#else
  refuse(
      "{}: is a tuning study, but this sluice was built without SQLite; install libsqlite3-dev and "
      "build it again",
      file);
#endif
}

}  // namespace

void run_report(const ReportOptions& options) {
  for (const std::string& file : options.runs)
    if (is_database(file)) return report_study(options, file);
  std::vector<std::string> runs;
  for (const std::string& folder : options.runs)
    for (const std::string& run : runs_of(folder)) runs.push_back(run);
  const std::string home = options.runs.size() == 1 ? options.runs[0] : "";
  const std::string out =
      options.out.empty() ? (fs::path(home) / "report.html").string() : options.out;
  check_replaceable(out);
  if (runs.size() > 1 && !options.sequences.empty())
    refuse("--sequence {}: works only for the report of one run; leave it out",
           options.sequences[0]);
  std::string page;
  if (runs.size() == 1) page = run_page(read_run(runs[0], options.data_folder), options.sequences);
  std::vector<ComparedRun> beside;
  for (const std::string& run : runs)
    if (runs.size() > 1) beside.push_back(compared(read_run(run, options.data_folder)));
  if (runs.size() > 1) page = comparison_page(beside);
  write_page(out, page);
}

}  // namespace sluice::tools
