// Options and functions of the commands. main.cpp fills in the options from the command line.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "sluice.h"

namespace sluice::tools {

struct TrainOptions {
  std::string recipe, out, data_folder, seed, seeds, variant, threads,
      resume;  ///< as given; empty if not given
  std::string init;
  std::vector<std::string> set, freeze;
  bool force = false, list_keys = false, explain = false;
};

struct EvalOptions {
  std::string model, data, rows;
  bool json = false;
  std::string run = {};
};

struct RunOptions {
  std::string model, input, output, trace, run;
  std::string text;                                        ///< of --text
  std::string generate, temperature, top_k, seed, prompt;  ///< as given; empty if not given
  std::vector<std::string> with;                           ///< columns
  bool text_given = false;
  bool every_step = false, hex = false, json = false;
};

struct ImportOptions {
  std::string file, layers, out, tolerance, standardize, reset, frame;
  std::vector<std::string> check;            ///< empty, or the files of x and y
  std::vector<std::string> inputs, outputs;  ///< names
  std::vector<std::string> set;
  bool explain = false, force = false;
};

struct InspectOptions {
  std::string model, core, mhz, run;
  std::optional<std::string> fits;
  bool json = false;
};

struct BenchOptions {
  std::string model, run;
  bool json = false;
};

struct ExportOptions {
  std::string model, format = "c", out, core, run;
  int self_test = 0;
  bool strip = false, force = false;
};

struct QuantizeOptions {
  std::string model, calibrate, validation, out, report, run, type = "int8", ranges = "best";
  bool force = false;
};

struct TuneOptions {
  std::string recipe, study, data_folder, method, trials, halving, jobs, time, max_failures,
      threads, seeds;  ///< as given; empty if not given
  std::string show, recipe_number, export_number, out;
  std::vector<std::string> set, enqueue;
  bool list = false, best = false, json = false, yes = false, force = false;
};

struct ReportOptions {
  std::vector<std::string> runs, sequences;
  std::string out, data_folder;
};

/// Returns when a model answers: "every step", "every 4 steps, from step 3 on", "with the last
/// step".
std::string answers_when(const sluice_info& info);

// Each returns when the work is done, and throws Error (common/error.h) when it cannot be.
void run_train(const TrainOptions& options);
void run_eval(const EvalOptions& options);
void run_run(const RunOptions& options);
void run_import(const ImportOptions& options);
void run_inspect(const InspectOptions& options);
void run_bench(const BenchOptions& options);
void run_export(const ExportOptions& options);
void run_quantize(const QuantizeOptions& options);
void run_tune(const TuneOptions& options);
void run_report(const ReportOptions& options);

}  // namespace sluice::tools
