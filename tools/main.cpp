// The sluice command: reads the options, calls the command's function, and turns an error into one
// line and an exit code. No other file includes CLI11, which takes longer to compile than all else.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <memory>
#include <new>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "command/command.h"
#include "command/which_run.h"
#include "common/ending.h"
#include "common/error.h"
#include "common/print.h"
#include "common/ranks.h"
#include "import/read.h"
#include "kernels/kernels.h"
#include "sluice.h"

namespace sluice::tools {
namespace {

constexpr int work_failed = 1, wrong_request = 2;

constexpr const char* overview =
    "Train a GRU on your desk; run it, bit for bit, on anything from a microcontroller to a server "
    "core.";

constexpr const char* examples = R"(Examples:
  sluice train recipe.toml --out run          trains and writes run/model.slu
  sluice eval run/model.slu --data test.csv   accuracy, confusion matrix, loss
  sluice run run/model.slu --input new.csv    the model's answers as CSV
  sluice import net.safetensors --layers net.toml --out net.slu
  sluice inspect run/model.slu                its layers and the memory it needs
  sluice export run/model.slu --format c --out firmware
  sluice tune recipe.toml --study my.db       searches for the best settings
  sluice report run                           writes run/report.html: curves,
                                              confusion, cost on boards, values
                                              inside the network

Every command has its own help, such as sluice train --help.
The environment variable SLUICE_ISA forces an instruction set. The answers have
the same bits on all of them. This build has
)";

/// The examples, and the names of the instruction sets of this build.
std::string main_footer() {
  int count = 0;
  const Kernels* const* const tables = kernel_tables(&count);
  std::string names;
  for (int i = 0; i < count; ++i) names += fmt::format("{}{}", i ? ", " : "", tables[i]->name);
  return examples + names + ".";
}

constexpr const char* tune_examples =
    R"(The recipe lists the values to try (the end of sluice train --keys shows every
form), and [tune] says how trials are judged:
  [model]
  layers = [ { gru = { value = 32, low = 8, high = 64 } },
             { dense = 9, activation = "softmax" } ]
  [train]
  learning_rate = { value = 5e-3, low = 1e-3, high = 1e-1, log = true }
  [tune]
  validation = "k-fold"

Examples:
  sluice tune recipe.toml --study study.db --trials 60 --jobs 2
  sluice tune recipe.toml --study m4.db --set device.core=cortex-m4 \
      --set "device.flash=8 KiB" --set "device.ram=2 KiB"
  sluice tune --study m4.db --best
  sluice tune --study m4.db --export best --out model.slu
  sluice report study.db

device.flash and device.ram limit the model alone; device.flash_total and
device.ram_total limit it together with the runtime's code and stack.)";

/// The columns of a help text: the terminal's width, if that is readable.
std::size_t help_width() { return std::size_t(std::clamp(terminal_width(STDOUT_FILENO), 60, 100)); }

/// The text with newlines in place of blanks, so that no line is wider than `width`.
std::string wrapped(const std::string& text, std::size_t width) {
  std::string result, line;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (!line.empty() && line.size() + 1 + word.size() > width) {
      result += line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return result + line;
}

/// CLI11's layout, with every description wrapped in its column.
struct Layout : CLI::Formatter {
  std::size_t room() const { return help_width() - get_column_width(); }
  std::string make_option_desc(const CLI::Option* option) const override {
    return wrapped(option->get_description(), room());
  }
  std::string make_description(const CLI::App* app) const override {
    return wrapped(app->get_description(), help_width()) + "\n\n";
  }
  std::string make_subcommand(const CLI::App* command) const override {
    const std::string indent(get_column_width(), ' ');
    std::string text = wrapped(command->get_description(), room());
    for (std::size_t at = 0; (at = text.find('\n', at)) != text.npos; ++at)
      text.insert(at + 1, indent);
    return fmt::format("  {:<{}}{}\n", command->get_name(), get_column_width() - 2, text);
  }
};

void add_train(CLI::App& app, TrainOptions& o) {
  CLI::App* command = app.add_subcommand(
      "train",
      "Train the network that a recipe describes; writes model.slu, log.jsonl and recipe.toml");
  command->add_option("recipe", o.recipe, "The recipe, a TOML file; --keys lists its keys")
      ->type_name("RECIPE");
  command->add_option("--out", o.out, "Folder for the files of this run; created if missing")
      ->type_name("DIR");
  command
      ->add_option("--data-dir", o.data_folder,
                   "Folder of the recipe's data files; default the folder of the recipe")
      ->type_name("FOLDER");
  command->add_option("--seed", o.seed, "Seed of all random numbers; overrides train.seed")
      ->type_name("N");
  command
      ->add_option("--seeds", o.seeds,
                   "Train once with each of these seeds and compare the runs: a range such as "
                   "1..5, or a list such as 1,3,7")
      ->type_name("LIST");
  command
      ->add_option("--variant", o.variant,
                   "Train only this one of the recipe's [[variants]]. By default all are trained "
                   "and compared")
      ->type_name("NAME");
  command
      ->add_option("--threads", o.threads,
                   "Number of threads; overrides train.threads. It never changes the result")
      ->type_name("N");
  command
      ->add_option("--set", o.set,
                   "Override a key of the recipe, such as train.epochs=20; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command
      ->add_option("--resume", o.resume,
                   "Continue the interrupted run in this folder. The result has the same bytes as "
                   "that of a run without a break")
      ->type_name("DIR");
  command->add_flag("--force", o.force, "Replace the run in the folder of --out");
  command
      ->add_option("--init", o.init,
                   "Start from the weights of this float model, or of the best run in a folder of "
                   "variants or seeds; overrides model.init_from")
      ->type_name("MODEL|RUN");
  command
      ->add_option(
          "--freeze", o.freeze,
          "Do not train this layer, counted from 1; may be repeated. Overrides model.freeze")
      ->type_name("LAYER");
  command->add_flag(
      "--explain", o.explain,
      "Print every key with its value in this recipe, its range, meaning and source, and exit");
  command->add_flag("--keys", o.list_keys,
                    "List all keys of recipes with their defaults and ranges, and exit");
  command->callback([&o] { run_train(o); });
}

/// Gives a command on one model the option --run, which chooses among the runs of a folder.
template <class Options>
void answer_one_model(CLI::App* command, Options& o, void (*run)(const Options&)) {
  command
      ->add_option("--run", o.run,
                   "If MODEL is a folder of variants or seeds, the run that is meant, such as "
                   "VARIANT/seed-1; default the best one by validation")
      ->type_name("NAME");
  command->callback([&o, run] {
    o.model = chosen_model(o.model, o.run);
    run(o);
  });
}

void add_eval(CLI::App& app, EvalOptions& o) {
  CLI::App* command = app.add_subcommand(
      "eval", "Measure a model on labeled data; naive answers are measured for comparison");
  command
      ->add_option("model", o.model, "The model: a .slu file, or the folder of a run or of several")
      ->required()
      ->type_name("MODEL|RUN");
  command
      ->add_option(
          "--data", o.data,
          "Labeled data, in the format of the training data: a file, or a pattern of several")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--rows", o.rows,
                   "Use only these rows of a time series, or tokens of a text; counted from 0, END "
                   "not included")
      ->type_name("FIRST:END");
  command->add_flag("--json", o.json, "Print JSON");
  answer_one_model(command, o, run_eval);
}

void add_run(CLI::App& app, RunOptions& o) {
  CLI::App* command = app.add_subcommand(
      "run", "Run a model on the sequences in a file or on a text, or generate a text with it");
  command
      ->add_option("model", o.model, "The model: a .slu file, or the folder of a run or of several")
      ->required()
      ->type_name("MODEL|RUN");
  command
      ->add_option(
          "--input", o.input,
          "Data to run on, in the format of the training data. Columns are found by the "
          "names of the model's inputs; other columns are ignored. If the sequence column "
          "of the training data is missing, the file is one sequence. A pattern in quotes, "
          "such as \"new/*.csv\", gives several files. An answer is the "
          "model's outputs, then \"predicted\" (a class or a value) and, if the file has "
          "the target, \"true\"; of several targets \"predicted_NAME\" and "
          "\"true_NAME\"")
      ->type_name("FILE");
  command
      ->add_option("--with", o.with,
                   "Columns of the input to write beside the answers, as a,b. Beside the answer to "
                   "a whole sequence or window stands the cell of its last row")
      ->type_name("COLUMNS")
      ->delimiter(',')
      ->allow_extra_args(false);
  command
      ->add_option_function<std::string>(
          "--text", [&o](const std::string& text) { o.text = text, o.text_given = true; },
          "Answer this text in place of --input, with a model of text")
      ->type_name("TEXT");
  command->add_option("--output", o.output, "File for the answers; default standard output")
      ->type_name("FILE");
  command
      ->add_option("--trace", o.trace,
                   "File for a trace: the values of every layer at every step, a line each, as "
                   "sluice_trace_line writes them on a board. Compare two traces with diff")
      ->type_name("FILE");
  command->add_flag("--every-step", o.every_step,
                    "Answer every frame, not only the last one of each sequence");
  command->add_flag(
      "--hex", o.hex,
      "Print each output as the 8 hexadecimal digits of its bits, for comparison with a board; "
      "every NaN is 7fc00000. \"predicted\" and \"true\" are left out");
  command->add_flag("--json", o.json, "Print JSON instead of CSV");
  command
      ->add_option("--generate", o.generate,
                   "Generate a text in place of --input: this many characters (or words) that "
                   "follow the prompt")
      ->type_name("N");
  command->add_option("--prompt", o.prompt, "Beginning of the generated text; default none")
      ->type_name("TEXT");
  command
      ->add_option("--temperature", o.temperature,
                   "Draw tokens by their probabilities to the power of 1/T: below 1 safer, above 1 "
                   "bolder, 0 always the likeliest; default 1")
      ->type_name("T");
  command->add_option("--top-k", o.top_k, "Draw only from the K likeliest tokens; default all")
      ->type_name("K");
  command
      ->add_option("--seed", o.seed,
                   "Seed of the draws; default 0. The text is the same on every machine")
      ->type_name("N");
  answer_one_model(command, o, run_run);
}

void add_import(CLI::App& app, ImportOptions& o) {
  CLI::App* command = app.add_subcommand(
      "import", "Read a model that another program trained, and write it as a .slu file");
  command->add_option("file", o.file, std::string("The model: ") + foreign_formats)
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--layers", o.layers,
                   "For files that hold weights alone: a TOML file with the list of layers, as "
                   "model.layers of a recipe. A layer may give the beginning of its tensors' names "
                   "by prefix; if it does not, its tensors must be the only ones that fit")
      ->type_name("LAYERS.toml");
  command->add_option("--out", o.out, "File for the model")->type_name("MODEL.slu");
  command
      ->add_option("--check", o.check,
                   "Run the model on the frames in X.npy, [sequences][steps][features] or "
                   "[steps][features], and compare with the answers in Y.npy, of every step or of "
                   "the last one. If they differ by more than --tolerance, no model is written and "
                   "the exit code is 1")
      ->type_name("X.npy Y.npy")
      ->expected(2);
  command
      ->add_option("--tolerance", o.tolerance,
                   "The largest difference that --check and a file's own tests allow, as a share "
                   "of the largest answer; default 2e-6")
      ->type_name("SHARE");
  command
      ->add_option("--inputs", o.inputs,
                   "Names of the model's inputs, as a,b: the columns of data that they are. "
                   "Default those of the file, else x0,x1,...")
      ->type_name("NAMES")
      ->delimiter(',')
      ->allow_extra_args(false);
  command
      ->add_option("--outputs", o.outputs,
                   "Names of the classes, or of the columns of values; two names for one sigmoid "
                   "between two classes. Default those of the file, else y0,y1,...")
      ->type_name("NAMES")
      ->delimiter(',')
      ->allow_extra_args(false);
  command
      ->add_option("--standardize", o.standardize,
                   "A file with a line \"feature,mean,deviation\" for each input, if the model was "
                   "trained on standardized numbers: the new model reads numbers as data have them")
      ->type_name("FILE.csv");
  command
      ->add_option(
          "--reset", o.reset,
          "after or before: where the reset gate acts in an ONNX GRU of PyTorch that lacks "
          "linear_before_reset. PyTorch's own is after")
      ->check(CLI::IsMember({"after", "before"}))
      ->option_text("after|before");
  command
      ->add_option("--frame", o.frame,
                   "The numbers in a frame, for an ONNX file that does not say, such as 576")
      ->type_name("N");
  command
      ->add_option("--set", o.set,
                   "Say a key of data, such as data.sequence=run or data.target=label, for sluice "
                   "eval, run and quantize. May be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command->add_flag("--explain", o.explain,
                    "Print the part of the model that each tensor and node became");
  command->add_flag("--force", o.force, "Replace the file of --out");
  command->callback([&o] { run_import(o); });
}

void add_inspect(CLI::App& app, InspectOptions& o) {
  CLI::App* command = app.add_subcommand(
      "inspect", "Show a model's layers, the memory that it needs, and how it was made");
  command
      ->add_option("model", o.model, "The model: a .slu file, or the folder of a run or of several")
      ->required()
      ->type_name("MODEL|RUN");
  command
      ->add_option("--core", o.core,
                   "Show the cost on this core instead: flash, RAM, stack, instructions per step. "
                   "Cores: cortex-m0 to cortex-m85")
      ->type_name("CORE");
  command
      ->add_option("--mhz", o.mhz,
                   "Clock of the core in MHz, to estimate the time of a step; needs --core")
      ->type_name("MHZ");
  command
      ->add_option(
          "--fits", o.fits,
          "Check the cost against a budget such as \"flash=16KiB,ram=4KiB,instructions=200000\"; "
          "needs --core. flash_total and ram_total include code and stack. Exit code 0: it fits; "
          "1: it does not, and the excess is printed")
      ->type_name("BUDGET");
  command->add_flag("--json", o.json, "Print JSON");
  answer_one_model(command, o, run_inspect);
}

void add_bench(CLI::App& app, BenchOptions& o) {
  CLI::App* command =
      app.add_subcommand("bench", "Time a model on every instruction set of this CPU");
  command
      ->add_option("model", o.model, "The model: a .slu file, or the folder of a run or of several")
      ->required()
      ->type_name("MODEL|RUN");
  command->add_flag("--json", o.json, "Print JSON");
  answer_one_model(command, o, run_bench);
}

void add_export(CLI::App& app, ExportOptions& o) {
  CLI::App* command =
      app.add_subcommand("export", "Write a model as C source for a device, or as a smaller blob");
  command
      ->add_option("model", o.model, "The model: a .slu file, or the folder of a run or of several")
      ->required()
      ->type_name("MODEL|RUN");
  command
      ->add_option(
          "--format", o.format,
          "c, the default, writes model.h and model.c; slu writes model.slu. For other "
          "programs and float models, onnx writes model.onnx, keras writes model.keras, and "
          "safetensors writes model.safetensors with PyTorch's names of tensors, and "
          "layers.toml")
      ->check(CLI::IsMember({"c", "slu", "onnx", "keras", "safetensors"}))
      ->option_text("c|slu|onnx|keras|safetensors");
  command->add_option("--out", o.out, "Folder to write to; created if missing")
      ->required()
      ->type_name("DIR");
  command
      ->add_option(
          "--core", o.core,
          "Order the weights of a fixed-point model for this core, cortex-m0 to cortex-m85. Cores "
          "that read another order refuse the file; sluice itself reads every order")
      ->type_name("CORE");
  command
      ->add_option("--self-test", o.self_test,
                   "Add this many short sequences, at most 1,000, and the bits of their answers to "
                   "the model, so "
                   "that sluice_selftest on the board can check that it computes the same bits")
      ->check(CLI::Range(0, 1000))
      ->option_text("N");
  command->add_flag("--strip", o.strip,
                    "Leave out names, labels and the record of how the model was made");
  command->add_flag("--force", o.force, "Replace existing files, whatever they hold");
  answer_one_model(command, o, run_export);
}

void add_quantize(CLI::App& app, QuantizeOptions& o) {
  CLI::App* command = app.add_subcommand(
      "quantize", "Convert a float model to fixed point, with ranges measured on real data");
  command
      ->add_option("model", o.model,
                   "The float model: a .slu file, or the folder of a run or of several")
      ->required()
      ->type_name("MODEL|RUN");
  command
      ->add_option("--calibrate", o.calibrate,
                   "Data to measure the ranges on, in the format of the training data. Its rows "
                   "are divided as the recipe divided those of the training data")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--validation", o.validation,
                   "Data to try the ranges on, in place of a part of --calibrate; default the "
                   "data.validation_file of the run")
      ->type_name("FILE");
  command
      ->add_option("--type", o.type,
                   "int8, the default: 8-bit weights and activations; w8a16: 8-bit weights, 16-bit "
                   "activations")
      ->check(CLI::IsMember({sluice_format_name(SLUICE_INT8), sluice_format_name(SLUICE_W8A16)}))
      ->option_text("int8|w8a16");
  command
      ->add_option("--ranges", o.ranges,
                   "How to choose the ranges of the inputs. min-max: all values; percentile: "
                   "without the 0.05 % at either end; min-error: with the least squared error; "
                   "best, the default: the one of these with the lowest validation loss")
      ->check(CLI::IsMember({"best", "min-max", "percentile", "min-error"}))
      ->option_text("CHOICE");
  command
      ->add_option("--out", o.out,
                   "File for the model; default beside the float model, such as model-int8.slu")
      ->type_name("FILE");
  command
      ->add_option("--report", o.report,
                   "File for a JSON report: the error of every value, and saturation")
      ->type_name("FILE");
  command->add_flag("--force", o.force, "Replace the file if it holds another model");
  answer_one_model(command, o, run_quantize);
}

#if SLUICE_WITH_TUNE
void add_tune(CLI::App& app, TuneOptions& o) {
  CLI::App* command =
      app.add_subcommand("tune",
                         "Search for the best values of a recipe that gives ranges, such as "
                         "learning_rate = { value = 1e-3, low = 1e-4, high = 1e-1, log = true }");
  // CLI11 2.4 and newer refuse an argument with the name of an option, and there is --recipe.
  command
      ->add_option(
          "recipe.toml", o.recipe,
          "The recipe with its search space; default the recipe that the study was begun with")
      ->type_name("");
  command
      ->add_option("--study", o.study,
                   "File of the study, an SQLite database. If it exists, the study is continued, "
                   "also with a recipe whose ranges or choices are wider. "
                   "Several processes may share it")
      ->type_name("FILE.db");
  command
      ->add_option("--method", o.method,
                   "Search method: grid, random, sobol, gaussian, forest, tpe or genetic; "
                   "overrides tune.method")
      ->type_name("METHOD");
  command
      ->add_option(
          "--halving", o.halving,
          "Early stopping of weak trials: none, halving or hyperband; overrides tune.halving")
      ->type_name("KIND");
  command
      ->add_option("--trials", o.trials,
                   "Number of trials of the whole study; overrides tune.trials. The first trial "
                   "has the recipe's own values")
      ->type_name("N");
  command
      ->add_option("--jobs", o.jobs, "Number of trials at a time; they share the cores. Default 1")
      ->type_name("N");
  command
      ->add_option(
          "--time", o.time,
          "Begin no trial after this time, such as 90s, 30m or 2h. The winner is still trained")
      ->type_name("TIME");
  command
      ->add_option(
          "--enqueue", o.enqueue,
          "Values to try next, such as \"train.learning_rate=0.01,model.layers.1.gru=16\"; other "
          "parameters have the recipe's own values. May be repeated")
      ->type_name("POINT")
      ->allow_extra_args(false);
  command
      ->add_option("--seeds", o.seeds,
                   "Train the winner on all training data with each of these seeds, and test it; "
                   "default 1..5")
      ->type_name("LIST");
  command
      ->add_option("--max-failures", o.max_failures,
                   "Stop when more than N trials have failed; overrides tune.max_failures")
      ->type_name("N");
  command
      ->add_option("--threads", o.threads,
                   "Number of threads of each trial; overrides train.threads. By default the jobs "
                   "share all cores")
      ->type_name("N");
  command
      ->add_option("--data-dir", o.data_folder,
                   "Folder of the recipe's data files; default the folder of the recipe")
      ->type_name("FOLDER");
  command
      ->add_option(
          "--set", o.set,
          "Override a key of the recipe; if the key is searched, this fixes it. May be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command->add_flag("--yes", o.yes, "Allow a grid of more than 100,000 points");
  command->add_flag("--list", o.list, "List all trials, and exit");
  command->add_option("--show", o.show, "Show everything about one trial, and exit")
      ->type_name("N");
  command->add_flag("--best", o.best,
                    "Show the winner and, if the recipe has a device, the front of quality against "
                    "cost, and exit");
  command->add_flag("--json", o.json,
                    "Print the study as JSON, or what --list, --show or --best asks for, and exit");
  command
      ->add_option("--recipe", o.recipe_number,
                   "Write the recipe of trial N, for sluice train, to standard output or to the "
                   "file of --out, and exit; \"best\" is the winner")
      ->type_name("N");
  command
      ->add_option("--export", o.export_number,
                   "Write the model of trial N, trained on all training data, and exit; \"best\" "
                   "is the winner")
      ->type_name("N");
  command->add_option("--out", o.out, "With --export or --recipe: the file to write")
      ->type_name("FILE");
  command->add_flag("--force", o.force, "With --export or --recipe: replace an existing file");
  command->callback([&o] { run_tune(o); });
}
#endif

void add_report(CLI::App& app, ReportOptions& o) {
  CLI::App* command = app.add_subcommand(
      "report",
      "Write an HTML page, readable offline, about a run, a comparison of runs, or a tuning study");
  command
      ->add_option("runs", o.runs,
                   "Folders of runs, or a folder with the runs of a recipe's variants and seeds; "
                   "or the file of a study")
      ->required()
      ->type_name("DIR");
  command
      ->add_option("--out", o.out,
                   "File for the page. Default: report.html in the run's folder; for several "
                   "folders, report.html in the current one; for a study, a file beside it")
      ->type_name("FILE");
  command
      ->add_option(
          "--sequence", o.sequences,
          "Show this sequence in detail, by its name or its number from 1; may be repeated. "
          "Default: the first, the one with the highest loss, and the least certain one")
      ->type_name("NAME")
      ->allow_extra_args(false);
  command
      ->add_option("--data-dir", o.data_folder,
                   "Folder of the runs' data files, if they have moved")
      ->type_name("FOLDER");
  command->callback([&o] { run_report(o); });
}

std::string version_text() {
  const std::uint32_t version = sluice_version();
  return fmt::format("sluice {}.{}.{} (blob format {}.{})", version >> 16, version >> 8 & 0xff,
                     version & 0xff, SLUICE_BLOB_MAJOR, SLUICE_BLOB_MINOR);
}

std::string last_line;  ///< the error message of this process; empty: none

/// Prints one line on standard error, whatever names and cells the message quotes.
void print_error(const std::string& line) {
  last_line = printable(line);
  write_stderr(last_line + "\n");
}

/// Prints the fault of the command line, and names the help to read. Returns the exit code.
int print_request_error(const CLI::App& app, const CLI::ParseError& error,
                        const std::string& first) {
  if (app.get_subcommands().empty()) {
    print_error(fmt::format("sluice: {} is not {}; see sluice --help", first,
                            first[0] == '-' ? "an option" : "a command"));
    return wrong_request;
  }
  std::string command = "sluice";
  for (const CLI::App* used : app.get_subcommands()) command += " " + used->get_name();
  std::string what = error.what();
  what = what.substr(0, what.find_last_not_of(" \n") + 1);
  print_error(fmt::format("{}: {}; see {} --help", command, what, command));
  return wrong_request;
}

struct Options {
  TrainOptions train;
  EvalOptions eval;
  RunOptions run;
  ImportOptions import;
  InspectOptions inspect;
  BenchOptions bench;
  ExportOptions export_;
  QuantizeOptions quantize;
  TuneOptions tune;
  ReportOptions report;
};

/// Whether the processes that mpirun started share the work of this command. Each of them does all
/// of the work of any other command.
bool is_shared(std::string_view command) { return command == "train" || command == "tune"; }

int run(int argc, char** argv) {
  if (argc > 1 && is_shared(argv[1])) join_ranks();
  Options options;
  CLI::App app(overview, "sluice");
  app.formatter(std::make_shared<Layout>());
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.set_version_flag("--version", version_text, "Print the version and exit");
  app.footer(main_footer());
  app.require_subcommand(1);
  add_train(app, options.train);
  add_eval(app, options.eval);
  add_run(app, options.run);
  add_import(app, options.import);
  add_inspect(app, options.inspect);
  add_bench(app, options.bench);
  add_export(app, options.export_);
  add_quantize(app, options.quantize);
#if SLUICE_WITH_TUNE
  add_tune(app, options.tune);
#endif
  add_report(app, options.report);
  for (CLI::App* command : app.get_subcommands(nullptr))
    command->footer(command->get_name() == "tune" ? tune_examples : "");  // not the overview's
  if (argc < 2) {
    write_stderr(app.help());
    return wrong_request;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked_for) {
    app.exit(asked_for);  // help or version, on standard output
  } catch (const CLI::ParseError& error) {
    return print_request_error(app, error, argv[1]);
  }
  flush_output();
  write_stderr("");  // lines of advice that nothing else came after
  return 0;
}

/// Runs the command and turns every exception into a message and an exit code.
int guarded(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const Error& error) {
    if (error.exit_code == wrong_request) drop_untold();
    if (*error.what()) print_error(error.what());
    return error.exit_code;
  } catch (const std::bad_alloc&) {
    print_error("sluice: out of memory");
  } catch (const std::length_error&) {  // a size that no memory could hold
    print_error("sluice: out of memory");
  } catch (const std::filesystem::filesystem_error& error) {
    print_error(fmt::format("{}: {}", error.path1().string(), error.code().message()));
  } catch (const std::system_error& error) {
    print_error(fmt::format("sluice: {}", error.code().message()));
  } catch (const std::exception&) {
    print_error("sluice: stopped by an internal error; please report it with the command line");
  }
  return work_failed;
}

/// Runs before the constructors of all other static objects, which may fail to allocate memory.
[[gnu::constructor(101)]] void before_all() { end_well_on_terminate(); }

}  // namespace
}  // namespace sluice::tools

int main(int argc, char** argv) {
  // Ignored, so that a closed pipe and a file over its size limit are reported as errors of write.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  const int exit_code = sluice::tools::guarded(argc, argv);
  sluice::tools::leave_ranks(exit_code, sluice::tools::last_line);
  return exit_code;
}
