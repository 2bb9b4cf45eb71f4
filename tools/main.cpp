// The sluice command: finds the subcommand, runs it, and turns what went wrong into one line and an exit code.
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>

#include "command/command.h"
#include "common/error.h"
#include "common/print.h"
#include "sluice.h"

namespace sluice::tools {
namespace {

constexpr int work_failed = 1, wrong_request = 2;

constexpr const char* overview = "Train a GRU on a desk; run it, bit for bit, on anything from here to a server core.";

constexpr const char* examples = R"(Examples:
  sluice train recipe.toml --out run          train; writes run/model.slu
  sluice eval run/model.slu --data test.csv   accuracy, confusion matrix, loss
  sluice run run/model.slu --input new.csv    the model's answers, as CSV
  sluice inspect run/model.slu                layers, and every byte that a device needs
  sluice export run/model.slu --format c --out firmware

Each command has its own help: sluice train --help
SLUICE_ISA=scalar (avx2, avx512, neon, armv7) forces an instruction set; the answers are the same to the bit.)";

std::string version_text() {
  const std::uint32_t version = sluice_version();
  return fmt::format("sluice {}.{}.{} (blob format {}.{})", version >> 16, version >> 8 & 0xff, version & 0xff,
                     SLUICE_BLOB_MAJOR, SLUICE_BLOB_MINOR);
}

void complain(const std::string& line) { fmt::print(stderr, "{}\n", line); }

/// What is wrong with the command line, in one line that says where to look.
int complain_about_request(const CLI::App& app, const CLI::ParseError& error, const std::string& first) {
  if (app.get_subcommands().empty() && first[0] != '-') {
    complain(fmt::format("sluice: {} is not a command; see sluice --help", printable(first)));
    return wrong_request;
  }
  std::string command = "sluice";
  for (const CLI::App* used : app.get_subcommands()) command += " " + used->get_name();
  std::string what = error.what();
  what = printable(what.substr(0, what.find_last_not_of(" \n") + 1));
  complain(fmt::format("{}: {}; see {} --help", command, what, command));
  return wrong_request;
}

int run(int argc, char** argv) {
  CLI::App app(overview, "sluice");
  app.set_version_flag("--version", version_text);
  app.footer(examples);
  app.require_subcommand(1);
  add_train(app);
  add_eval(app);
  add_run(app);
  add_inspect(app);
  add_bench(app);
  add_export(app);
  for (CLI::App* command : app.get_subcommands(nullptr)) command->footer("");  // the examples are the overview's
  if (argc < 2) {
    fmt::print(stderr, "{}", app.help());
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
  } catch (const std::exception& error) {
    complain(fmt::format("sluice: {}", printable(error.what())));
  }
  return work_failed;
}

}  // namespace
}  // namespace sluice::tools

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader that went away is an error to report, not a reason to vanish
  return sluice::tools::guarded(argc, argv);
}
