// The sluice command: its options, the call of what was asked, and what went wrong as one line and
// an exit code. The only file that sees CLI11, which takes longer to compile than everything else.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <stdexcept>
#include <system_error>

#include "command/command.h"
#include "common/ending.h"
#include "common/error.h"
#include "common/print.h"
#include "common/ranks.h"
#include "sluice.h"

namespace sluice::tools {
namespace {

constexpr int work_failed = 1, wrong_request = 2;

constexpr const char* overview =
    "Train a GRU on a desk; run it, bit for bit, on anything from here to a server core.";

constexpr const char* examples = R"(Examples:
  sluice train recipe.toml --out run          train; writes run/model.slu
  sluice eval run/model.slu --data test.csv   accuracy, confusion matrix, loss
  sluice run run/model.slu --input new.csv    the model's answers, as CSV
  sluice inspect run/model.slu                layers, and every byte that a device needs
  sluice export run/model.slu --format c --out firmware
  sluice tune recipe.toml --study my.db       the best values of what the recipe lets vary; sluice tune --help
  sluice report run                           run/report.html: curves, confusion, cost on boards, what goes on inside

Each command has its own help: sluice train --help
SLUICE_ISA=scalar (avx2, avx2-vnni, avx512, avx512-vnni, neon, neon-dot, armv7) forces an instruction set; the answers are the same
to the bit.)";

constexpr const char* tune_examples =
    R"(A recipe says what its values may be (sluice train --keys ends with all forms), and under [tune] how trials are judged:
  [model]
  layers = [ { gru = { value = 32, low = 8, high = 64 } }, { dense = 9, activation = "softmax" } ]
  [train]
  learning_rate = { value = 5e-3, low = 1e-3, high = 1e-1, log = true }
  [tune]
  validation = "k-fold"

  sluice tune recipe.toml --study study.db --trials 60 --jobs 2
  sluice tune recipe.toml --study m4.db --set device.core=cortex-m4 --set "device.flash=8 KiB" --set "device.ram=2 KiB"
  sluice tune --study m4.db --best
  sluice tune --study m4.db --export best --out model.slu
  sluice report study.db
device.flash and device.ram are the model's own; device.flash_total and device.ram_total count the runtime's code and the stack too.)";

void add_train(CLI::App& app, TrainOptions& o) {
  CLI::App* command = app.add_subcommand(
      "train", "Train a network as a recipe says; writes model.slu, log.jsonl and recipe.toml");
  command->add_option("recipe", o.recipe, "The recipe, a TOML file (--keys lists what it may say)")
      ->type_name("RECIPE");
  command->add_option("--out", o.out, "The run's folder; made where it does not exist")
      ->type_name("DIR");
  command
      ->add_option("--data-dir", o.data_folder,
                   "Where the recipe's data files are, if not beside it")
      ->type_name("FOLDER");
  command->add_option("--seed", o.seed, "Overrides train.seed")->type_name("N");
  command
      ->add_option("--seeds", o.seeds,
                   "Train with each of these seeds and compare: a range such as 1..5, or a list "
                   "such as 1,3,7")
      ->type_name("LIST");
  command
      ->add_option(
          "--variant", o.variant,
          "Only this one of the recipe's [[variants]]; without it all are trained and compared")
      ->type_name("NAME");
  command->add_option("--threads", o.threads, "Overrides train.threads; never changes the result")
      ->type_name("N");
  command->add_option("--set", o.set, "Overrides a key of the recipe; may be given many times")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command
      ->add_option("--resume", o.resume,
                   "Go on with the run in this folder, from its checkpoint, to the same bytes as "
                   "if it had never stopped")
      ->type_name("DIR");
  command->add_flag("--force", o.force, "Replace the run that the folder holds");
  command->add_option("--init", o.init, "Start from this float model's weights (model.init_from)")
      ->type_name("MODEL.slu");
  command
      ->add_option("--freeze", o.freeze,
                   "Keep this layer's weights, counted from 1 (model.freeze); may be given again")
      ->type_name("LAYER");
  command->add_flag(
      "--explain", o.explain,
      "Print the recipe as resolved, every key with its range, meaning and source, and stop");
  command->add_flag("--keys", o.list_keys, "List every key that a recipe may hold, and stop");
  command->callback([&o] { run_train(o); });
}

void add_eval(CLI::App& app, EvalOptions& o) {
  CLI::App* command = app.add_subcommand(
      "eval", "Run a model on labeled data: measures beside naive answers', confusion");
  command->add_option("model", o.model, "The model: a .slu file, or the folder of a run")
      ->required()
      ->type_name("MODEL|RUN");
  command
      ->add_option("--data", o.data,
                   "A file like the one that the model was trained on: CSV, .npz, text or TSV")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--rows", o.rows,
                   "Of windows or text: only these rows or tokens, from 0, without the end")
      ->type_name("FIRST:END");
  command->add_flag("--json", o.json, "Print JSON");
  command->callback([&o] { run_eval(o); });
}

void add_run(CLI::App& app, RunOptions& o) {
  CLI::App* command =
      app.add_subcommand("run", "Run a model on the sequences in a file, or let it write a text");
  command->add_option("model", o.model, "The model: a .slu file, or the folder of a run")
      ->required()
      ->type_name("MODEL|RUN");
  command
      ->add_option("--input", o.input,
                   "CSV, one row a frame, or .npz. Columns are found by the names of the model's "
                   "inputs; without the sequence "
                   "column that it was trained on, the file is one sequence")
      ->type_name("FILE");
  command->add_option("--output", o.output, "Where the answers go; standard output when left out")
      ->type_name("FILE");
  command
      ->add_option("--trace", o.trace,
                   "Where every layer's values go, step by step, a line each, in the form that "
                   "sluice_trace_line gives on a board: diff "
                   "shows where two differ first")
      ->type_name("FILE");
  command->add_flag("--every-step", o.every_step,
                    "An answer for every frame, not only for the last of a sequence");
  command->add_flag("--hex", o.hex,
                    "Numbers as the 8 hexadecimal digits of their bits; every NaN as 7fc00000");
  command->add_flag("--json", o.json, "JSON instead of CSV");
  command
      ->add_option(
          "--generate", o.generate,
          "Instead of answering a file: write so many characters (or words) that follow the prompt")
      ->type_name("N");
  command->add_option("--prompt", o.prompt, "What the text begins with; nothing when left out")
      ->type_name("TEXT");
  command
      ->add_option("--temperature", o.temperature,
                   "Probabilities to the power of 1/T: below 1 safer, above 1 bolder, 0 always the "
                   "likeliest; default 1")
      ->type_name("T");
  command->add_option("--top-k", o.top_k, "Only the K likeliest tokens; default all")
      ->type_name("K");
  command
      ->add_option("--seed", o.seed, "Of what is drawn; the same text on every machine; default 0")
      ->type_name("N");
  command->callback([&o] { run_run(o); });
}

void add_inspect(CLI::App& app, InspectOptions& o) {
  CLI::App* command = app.add_subcommand(
      "inspect", "Show a model's layers, every byte that it needs, and how it was made");
  command->add_option("model", o.model, "The model: a .slu file, or the folder of a run")
      ->required()
      ->type_name("MODEL|RUN");
  command
      ->add_option("--core", o.core,
                   "What it costs on this core: flash, RAM, stack, instructions a step")
      ->type_name("CORE");
  command
      ->add_option("--mhz", o.mhz, "With --core: the clock, for an estimate of the time of a step")
      ->type_name("MHZ");
  command
      ->add_option(
          "--fits", o.fits,
          "With --core: whether it fits a budget, \"flash=16KiB,ram=4KiB,instructions=200000\"; "
          "also flash_total and "
          "ram_total, with code and stack. Exit code 0: it fits; 1: it does not, and by how much")
      ->type_name("BUDGET");
  command->add_flag("--json", o.json, "For programs");
  command->callback([&o] { run_inspect(o); });
}

void add_bench(CLI::App& app, BenchOptions& o) {
  CLI::App* command =
      app.add_subcommand("bench", "Time a model on every instruction set that this CPU runs");
  command->add_option("model", o.model, "The model: a .slu file, or the folder of a run")
      ->required()
      ->type_name("MODEL|RUN");
  command->add_flag("--json", o.json, "For programs");
  command->callback([&o] { run_bench(o); });
}

void add_export(CLI::App& app, ExportOptions& o) {
  CLI::App* command =
      app.add_subcommand("export", "Write a model as C source for a device, or as a smaller blob");
  command->add_option("model", o.model, "The model: a .slu file, or the folder of a run")
      ->required()
      ->type_name("MODEL|RUN");
  command->add_option("--format", o.format, "c: model.h and model.c; slu: model.slu")
      ->check(CLI::IsMember({"c", "slu"}))
      ->capture_default_str();
  command->add_option("--out", o.out, "The folder to write to; made when missing")
      ->required()
      ->type_name("DIR");
  command
      ->add_option("--core", o.core,
                   "The core that will run it, cortex-m0 to cortex-m85: weights in fixed point lie "
                   "as its kernels read them. A model "
                   "for one core is refused by another; this command's others take any")
      ->type_name("CORE");
  command
      ->add_option("--self-test", o.self_test,
                   "Put so many short sequences and the bits of their answers into the blob: "
                   "sluice_selftest tells a board whether it "
                   "computes as the desk does")
      ->check(CLI::Range(0, 1000))
      ->type_name("N");
  command->add_flag("--strip", o.strip, "Leave out names, labels and how the model was made");
  command->add_flag("--force", o.force, "Replace files that hold something else");
  command->callback([&o] { run_export(o); });
}

void add_quantize(CLI::App& app, QuantizeOptions& o) {
  CLI::App* command = app.add_subcommand(
      "quantize", "Make a model in fixed point of a float one, by ranges from real data");
  command->add_option("model", o.model, "The float model: a .slu file, or the folder of a run")
      ->required()
      ->type_name("MODEL|RUN");
  command
      ->add_option("--calibrate", o.calibrate,
                   "Data like those that training used; ranges come from them")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--type", o.type, "int8: weights and activations 8 bits; w8a16: activations 16")
      ->check(CLI::IsMember({"int8", "w8a16"}))
      ->capture_default_str();
  command
      ->add_option("--ranges", o.ranges,
                   "How the inputs' ranges are chosen: all values, all but a twentieth of a "
                   "percent at either end, the least squared "
                   "error, or whichever of them gives the lowest validation loss")
      ->check(CLI::IsMember({"best", "min-max", "percentile", "min-error"}))
      ->capture_default_str();
  command
      ->add_option("--out", o.out,
                   "The model to write; when left out, beside the float one: model-int8.slu")
      ->type_name("FILE");
  command
      ->add_option("--report", o.report,
                   "Where to write the report as JSON: where the error arises, what saturates")
      ->type_name("FILE");
  command->add_flag("--force", o.force, "Replace a file that holds another model");
  command->callback([&o] { run_quantize(o); });
}

#if SLUICE_WITH_TUNE
void add_tune(CLI::App& app, TuneOptions& o) {
  CLI::App* command =
      app.add_subcommand("tune",
                         "Search for the best recipe: values that may vary stand in it, such as "
                         "learning_rate = { value = 1e-3, low = 1e-4, high = 1e-1, log = true }");
  command
      ->add_option(
          "recipe", o.recipe,
          "The recipe with its search space; left out, the one that the study was begun with")
      ->type_name("RECIPE");
  command
      ->add_option("--study", o.study,
                   "The study, an SQLite file: begun where it is not there, gone on with where it "
                   "is; several processes may share it")
      ->type_name("FILE.db");
  command
      ->add_option("--method", o.method,
                   "Overrides tune.method: grid, random, sobol, gaussian, forest, tpe, genetic")
      ->type_name("METHOD");
  command->add_option("--halving", o.halving, "Overrides tune.halving: none, halving, hyperband")
      ->type_name("KIND");
  command
      ->add_option(
          "--trials", o.trials,
          "Overrides tune.trials: so many in the study in all; the first is the recipe as it is")
      ->type_name("N");
  command->add_option("--jobs", o.jobs, "Trials at a time, which share the cores; default 1")
      ->type_name("N");
  command
      ->add_option(
          "--time", o.time,
          "Begin no trial after this long, 90s, 30m, 2h; the winner is trained all the same")
      ->type_name("TIME");
  command
      ->add_option("--enqueue", o.enqueue,
                   "A point to try next, \"train.learning_rate=0.01,model.layers.1.gru=16\"; the "
                   "rest is the recipe's own")
      ->type_name("POINT")
      ->allow_extra_args(false);
  command
      ->add_option(
          "--seeds", o.seeds,
          "The winner is trained on all data with each of these seeds, and tested; default 1..5")
      ->type_name("LIST");
  command
      ->add_option("--max-failures", o.max_failures,
                   "Overrides tune.max_failures: end when more trials failed")
      ->type_name("N");
  command
      ->add_option("--threads", o.threads,
                   "Overrides train.threads, of each trial; default the cores shared by the jobs")
      ->type_name("N");
  command
      ->add_option("--data-dir", o.data_folder,
                   "Where the recipe's data files are, if not beside it")
      ->type_name("FOLDER");
  command
      ->add_option("--set", o.set,
                   "Overrides a key of the recipe, and fixes it where it was searched")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command->add_flag("--yes", o.yes, "Begin a grid of more than 100,000 points");
  command->add_flag("--list", o.list, "Show every trial, and stop");
  command->add_option("--show", o.show, "Show all of one trial, and stop")->type_name("N");
  command->add_flag(
      "--best", o.best,
      "Show the winner, and with a device the front of quality against cost, and stop");
  command->add_flag("--json", o.json, "Print the study for programs, and stop");
  command
      ->add_option("--export", o.export_number,
                   "Write a trial's model, trained on all data, and stop; \"best\" is the winner's")
      ->type_name("N");
  command->add_option("--out", o.out, "Of --export: the model to write")->type_name("MODEL.slu");
  command->add_flag("--force", o.force, "Of --export: replace a file that is there");
  command->callback([&o] { run_tune(o); });
}
#endif

void add_report(CLI::App& app, ReportOptions& o) {
  CLI::App* command = app.add_subcommand("report",
                                         "One HTML page of a run, which opens offline; of several, "
                                         "their comparison; of a tuning study");
  command
      ->add_option("runs", o.runs,
                   "Folders of runs, or of a recipe's variants and seeds; or the file of a study")
      ->required()
      ->type_name("DIR");
  command
      ->add_option("--out", o.out,
                   "The page; when left out report.html in the folder, of several folders here, of "
                   "a study beside its file")
      ->type_name("FILE");
  command
      ->add_option("--sequence", o.sequences,
                   "Look into this sequence of the part shown, by its name or its number from 1; "
                   "may be given many times. When left "
                   "out: the first, the one with the highest loss, the least sure one")
      ->type_name("NAME")
      ->allow_extra_args(false);
  command
      ->add_option("--data-dir", o.data_folder,
                   "Where the runs' data files are, if not where they were")
      ->type_name("FOLDER");
  command->callback([&o] { run_report(o); });
}

std::string version_text() {
  const std::uint32_t version = sluice_version();
  return fmt::format("sluice {}.{}.{} (blob format {}.{})", version >> 16, version >> 8 & 0xff,
                     version & 0xff, SLUICE_BLOB_MAJOR, SLUICE_BLOB_MINOR);
}

std::string last_line;  ///< that this process said of what went wrong

/// One line, whatever names and cells it quotes.
void complain(const std::string& line) {
  last_line = printable(line);
  tell(last_line + "\n");
}

/// What is wrong with the command line, in one line that says where to look.
int complain_about_request(const CLI::App& app, const CLI::ParseError& error,
                           const std::string& first) {
  if (app.get_subcommands().empty()) {
    complain(fmt::format("sluice: {} is not {}; see sluice --help", first,
                         first[0] == '-' ? "an option" : "a command"));
    return wrong_request;
  }
  std::string command = "sluice";
  for (const CLI::App* used : app.get_subcommands()) command += " " + used->get_name();
  std::string what = error.what();
  what = what.substr(0, what.find_last_not_of(" \n") + 1);
  complain(fmt::format("{}: {}; see {} --help", command, what, command));
  return wrong_request;
}

struct Options {
  TrainOptions train;
  EvalOptions eval;
  RunOptions run;
  InspectOptions inspect;
  BenchOptions bench;
  ExportOptions export_;
  QuantizeOptions quantize;
  TuneOptions tune;
  ReportOptions report;
};

/// What the processes that mpirun started do together; of another command, each one does the whole.
bool is_shared(std::string_view command) { return command == "train" || command == "tune"; }

int run(int argc, char** argv) {
  if (argc > 1 && is_shared(argv[1])) join_ranks();
  Options options;
  CLI::App app(overview, "sluice");
  app.set_version_flag("--version", version_text);
  app.footer(examples);
  app.require_subcommand(1);
  add_train(app, options.train);
  add_eval(app, options.eval);
  add_run(app, options.run);
  add_inspect(app, options.inspect);
  add_bench(app, options.bench);
  add_export(app, options.export_);
  add_quantize(app, options.quantize);
#if SLUICE_WITH_TUNE
  add_tune(app, options.tune);
#endif
  add_report(app, options.report);
  for (CLI::App* command : app.get_subcommands(nullptr))
    command->footer(command->get_name() == "tune" ? tune_examples
                                                  : "");  // the others' examples are the overview's
  if (argc < 2) {
    tell(app.help());
    return wrong_request;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked_for) {
    app.exit(asked_for);  // help or version, on standard output
  } catch (const CLI::ParseError& error) {
    return complain_about_request(app, error, argv[1]);
  }
  flush_output();
  return 0;
}

/// Every way in which a command may end that is not success.
int guarded(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const Error& error) {
    if (*error.what()) complain(error.what());
    return error.exit_code;
  } catch (const std::bad_alloc&) {
    complain("sluice: out of memory");
  } catch (const std::length_error&) {  // more than any memory holds
    complain("sluice: out of memory");
  } catch (const std::filesystem::filesystem_error& error) {
    complain(fmt::format("{}: {}", error.path1().string(), error.code().message()));
  } catch (const std::system_error& error) {
    complain(fmt::format("sluice: {}", error.code().message()));
  } catch (const std::exception&) {
    complain(
        "sluice: stopped by a fault of the program's own; please report it with the command line");
  }
  return work_failed;
}

/// Before the constructors of any other static object, which need memory too.
[[gnu::constructor(101)]] void before_all() { end_well_on_terminate(); }

}  // namespace
}  // namespace sluice::tools

int main(int argc, char** argv) {
  // A reader that went away, and a file that may not grow, are errors to report, not reasons to
  // vanish.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  const int exit_code = sluice::tools::guarded(argc, argv);
  sluice::tools::leave_ranks(exit_code, sluice::tools::last_line);
  return exit_code;
}
