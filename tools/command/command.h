// The commands. Each adds itself, with its options and what it does, to the application; one file per command.
#pragma once
#include <CLI/CLI.hpp>

namespace sluice::tools {

void add_train(CLI::App& app);
void add_eval(CLI::App& app);
void add_run(CLI::App& app);
void add_inspect(CLI::App& app);
void add_bench(CLI::App& app);
void add_export(CLI::App& app);

}  // namespace sluice::tools
