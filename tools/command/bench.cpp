// sluice bench: measures the time of a model's step on every instruction set of this CPU.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>

#include "../common/error.h"
#include "../common/json.h"
#include "../common/print.h"
#include "../model/model_file.h"
#include "command.h"
#include "kernels/kernels.h"

namespace sluice::tools {
namespace {

constexpr std::uint32_t sequence_steps = 100, many_streams = 64;
constexpr int repetitions = 9;

/// One row of the result.
struct Figure {
  std::string isa, call;
  double ns_a_step;  ///< median
  double spread;     ///< (slowest - fastest) / median of the repetitions
  double macs_a_ns;
};

/// Returns the seconds that n calls take.
double seconds(const std::function<void()>& call, std::uint64_t n) {
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t i = 0; i < n; ++i) call();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

Figure measure(const std::string& isa, const std::string& name, std::uint64_t macs,
               std::uint32_t steps, const std::function<void()>& call) {
  // Length of a repetition in seconds; long enough for clock resolution and interrupts not to
  // matter.
  constexpr double enough = 0.02;
  std::uint64_t calls = 1;
  while (seconds(call, calls) < enough) calls *= 2;
  std::array<double, repetitions> ns{};
  for (double& t : ns) t = seconds(call, calls) * 1e9 / (static_cast<double>(calls) * steps);
  std::sort(ns.begin(), ns.end());
  const double median = ns[repetitions / 2];
  return {isa, name, median, (ns.back() - ns.front()) / median, static_cast<double>(macs) / median};
}

/// Returns frames of numbers between -1 and 1, like real ones; no frame equals the one before it.
std::vector<float> frames(std::size_t count, std::uint32_t inputs) {
  std::vector<float> x(count * inputs);
  std::uint32_t state = 1;
  for (float& value : x) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(state >> 8) / 8388608.0f - 1.0f;
  }
  return x;
}

void measure_table(const OwnedModel& loaded, const Kernels& kernels, std::vector<Figure>& figures) {
  sluice_model model;
  const sluice_status status =
      sluice_open(&model, loaded.blob.data.get(), loaded.blob.size, kernels.name);
  if (status != SLUICE_OK) fail("{}: {}", kernels.name, sluice_status_text(status));
  const sluice_info info = sluice_describe(&model);
  const std::vector<float> x = frames(std::max(sequence_steps, many_streams), info.inputs);
  std::vector<float> y(std::size_t(std::max(sequence_steps, many_streams)) * info.outputs);

  OwnedStream stepped(model, {1, 1}), run(model, {sequence_steps, 1});
  std::vector<OwnedStream> streams;
  std::vector<sluice_stream*> many;
  streams.reserve(many_streams);
  many.reserve(many_streams);
  for (std::uint32_t i = 0; i < many_streams; ++i)
    streams.emplace_back(model, sluice_use{1, many_streams});
  for (OwnedStream& stream : streams) many.push_back(&stream.stream);

  std::size_t frame = 0;
  figures.push_back(measure(kernels.name, "step", info.macs, 1, [&] {
    sluice_step(&stepped.stream, &x[frame * info.inputs], y.data());
    frame = (frame + 1) % sequence_steps;
  }));
  figures.push_back(measure(kernels.name, fmt::format("run, {} steps", sequence_steps), info.macs,
                            sequence_steps,
                            [&] { sluice_run(&run.stream, x.data(), y.data(), sequence_steps); }));
  figures.push_back(measure(
      kernels.name, fmt::format("step_many, {} streams", many_streams), info.macs, many_streams,
      [&] { sluice_step_many(many.data(), many.size(), x.data(), y.data(), nullptr); }));
}

void print_table(const std::vector<Figure>& figures, const sluice_info& info) {
  print("{} multiply-accumulates per step; one thread, medians of {} repetitions\n\n",
        with_commas(info.macs), repetitions);
  std::vector<std::vector<std::string>> rows = {
      {"instruction set", "call", "ns per step", "MAC/ns", "spread"}};
  for (const Figure& f : figures)
    rows.push_back({f.isa, f.call, fmt::format("{:.1f}", f.ns_a_step),
                    fmt::format("{:.2f}", f.macs_a_ns), fmt::format("{:.0f} %", 100 * f.spread)});
  print("{}", table(rows));
}

void print_json(const std::vector<Figure>& figures, const sluice_info& info) {
  OrderedJson json = {
      {"macs", info.macs}, {"repetitions", repetitions}, {"figures", OrderedJson::array()}};
  for (const Figure& f : figures)
    json["figures"].push_back({{"isa", f.isa},
                               {"call", f.call},
                               {"ns_per_step", f.ns_a_step},
                               {"mac_per_ns", f.macs_a_ns},
                               {"spread", f.spread}});
  print_text(json_text(json, 2) + "\n");
}

/// Returns the instruction sets to measure: all that run here, or the one that SLUICE_ISA names.
std::vector<const Kernels*> wanted_tables() {
  const char* isa = wanted_isa();
  int count = 0;
  const Kernels* const* all = kernel_tables(&count);
  std::vector<const Kernels*> tables;
  for (int i = 0; i < count; ++i)
    if (isa ? std::string(isa) == all[i]->name : runs_here(*all[i])) tables.push_back(all[i]);
  return tables;
}

}  // namespace

void run_bench(const BenchOptions& options) {
  const OwnedModel model = load_model(options.model);
  std::vector<Figure> figures;
  for (const Kernels* kernels : wanted_tables()) measure_table(model, *kernels, figures);
  if (options.json) print_json(figures, model.info());
  if (!options.json) print_table(figures, model.info());
}

}  // namespace sluice::tools
