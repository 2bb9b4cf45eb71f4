// Fits counted instructions to shapes, by relative least squares, and prints the table
// (bench/firmware.sh).
//   fit_cost COUNTS "SHAPE ..." COST_CSV [JSON]
// Each line of COUNTS: core code type shape stack-to-open stack-to-step state scratch instructions.
// The shapes are those of the table.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <tuple>

#include "common/print.h"
#include "common/safe_file.h"
#include "convert/cost.h"
#include "tests/firmware/shape.h"

namespace {

using namespace sluice::tools;

struct Count {
  std::string core, type, shape;
  std::uint64_t code = 0, open_stack = 0, step_stack = 0, state = 0, scratch = 0, instructions = 0;
  Network network;
  std::uint64_t macs = 0;
  std::uint64_t stack() const { return std::max(open_stack, step_stack); }
};

/// "12-gru-32-dense-9", "sparse-12-gru-32".
Network network_of(const std::string& shape, sluice_format format) {
  std::istringstream words(shape);
  std::string word, kind;
  std::getline(words, word, '-');
  const bool sparse = word == "sparse";
  if (sparse) std::getline(words, word, '-');
  const int frame = std::atoi(word.c_str());
  int in = frame;
  Network network;
  while (std::getline(words, kind, '-') && std::getline(words, word, '-')) {
    const int units = std::atoi(word.c_str());
    network.layers.push_back(layer_of_word(kind, in, units, format, network.layers.size()));
    for (Array& a : network.layers.back().arrays)
      std::fill(a.integers.begin(), a.integers.end(), 1);
    if (sparse) leave_one_block_in_ten(network.layers.back());
    in = network.layers.back().out;
  }
  if (network.layers.front().kind != SLUICE_EMBEDDING) network.width = frame;
  return network;
}

std::vector<Count> read_counts(const std::string& path) {
  std::ifstream file(path);
  std::vector<Count> counts;
  Count c;
  while (file >> c.core >> c.code >> c.type >> c.shape >> c.open_stack >> c.step_stack >> c.state >>
         c.scratch >> c.instructions) {
    c.network = network_of(c.shape, c.type == "f32"    ? SLUICE_F32
                                    : c.type == "int8" ? SLUICE_INT8
                                                       : SLUICE_W8A16);
    c.macs = 0;
    for (const Layer& l : c.network.layers)
      for (const Array& a : l.arrays)
        if (a.is_matrix() && a.role != sluice::Role::vectors)
          c.macs += std::uint64_t(a.gates) * std::uint64_t(a.rows) * std::uint64_t(a.cols);
    counts.push_back(c);
  }
  // Tests end in any order, and the output must not depend on that order.
  std::map<std::string, std::size_t> core_order;
  for (const Count& one : counts) core_order.emplace(one.core, core_order.size());
  std::sort(counts.begin(), counts.end(), [&](const Count& a, const Count& b) {
    return std::tuple(core_order[a.core], a.type, a.shape) <
           std::tuple(core_order[b.core], b.type, b.shape);
  });
  return counts;
}

/// Returns the coefficients with the least sum of squared relative errors. Solves the normal
/// equations by elimination with pivots.
CostFeatures fit(const std::vector<const Count*>& counts, const std::string& core) {
  constexpr std::size_t n = std::tuple_size_v<CostFeatures>;
  double a[n][n + 1] = {};
  for (const Count* c : counts) {
    const CostFeatures f = cost_features_of(c->network, core);
    const double weight = 1.0 / double(c->instructions);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) a[i][j] += f[i] * f[j] * weight * weight;
      a[i][n] += f[i] * weight;
    }
  }
  // Features that no shape distinguishes share their cost.
  for (std::size_t i = 0; i < n; ++i) a[i][i] *= 1 + 1e-9;
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t pivot = i;
    for (std::size_t r = i; r < n; ++r)
      if (std::fabs(a[r][i]) > std::fabs(a[pivot][i])) pivot = r;
    std::swap(a[i], a[pivot]);
    for (std::size_t r = 0; r < n; ++r) {
      if (r == i || a[i][i] == 0) continue;
      const double factor = a[r][i] / a[i][i];
      for (std::size_t j = i; j <= n; ++j) a[r][j] -= factor * a[i][j];
    }
  }
  CostFeatures x{};
  for (std::size_t i = 0; i < n; ++i) x[i] = a[i][i] == 0 ? 0 : a[i][n] / a[i][i];
  return x;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const std::vector<Count> counts = read_counts(argv[1]);
  std::vector<std::pair<std::string, std::string>> kinds;  // core and type, in order of appearance
  std::map<std::pair<std::string, std::string>, std::vector<const Count*>> by_kind;
  for (const Count& c : counts) {
    if (!by_kind.count({c.core, c.type})) kinds.emplace_back(c.core, c.type);
    by_kind[{c.core, c.type}].push_back(&c);
  }

  std::vector<CostLine> lines;
  std::vector<std::pair<double, std::string>> errors;  // of every count
  for (const auto& kind : kinds) {
    CostLine line{
        .core = kind.first, .type = kind.second, .coefficients = fit(by_kind[kind], kind.first)};
    for (const Count* c : by_kind[kind]) {
      line.code = c->code, line.low_rank_stack = std::max(line.low_rank_stack, c->stack());
      const auto& layers = c->network.layers;
      if (std::all_of(layers.begin(), layers.end(), is_plain))
        line.stack = std::max(line.stack, c->stack());
      const CostFeatures f = cost_features_of(c->network, c->core);
      double estimate = 0;
      for (std::size_t i = 0; i < f.size(); ++i) estimate += line.coefficients[i] * f[i];
      errors.emplace_back(std::fabs(estimate / double(c->instructions) - 1),
                          fmt::format("{} {} {}", c->core, c->type, c->shape));
    }
    lines.push_back(line);
  }
  write_file(argv[3], costs_text(lines));

  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  std::vector<std::vector<std::string>> rows = {{"core", "type", "layer", "inputs", "units",
                                                 "instructions", "per MAC", "stack", "arena",
                                                 "code and tables"}};
  for (const auto& kind : kinds) {
    std::istringstream shapes(argv[2]);
    for (std::string shape; shapes >> shape;) {
      const Count* found = nullptr;
      for (const Count* c : by_kind[kind])
        if (c->shape == shape) found = c;
      const int in = std::atoi(shape.c_str()),
                hid = std::atoi(shape.substr(shape.rfind('-') + 1).c_str());
      const std::string layer =
          shape.substr(shape.find('-') + 1, shape.rfind('-') - shape.find('-') - 1);
      if (layer != "gru" && kind.second == "f32") continue;  // not counted in float
      if (!found) {
        rows.push_back({kind.first, kind.second, layer, fmt::to_string(in), fmt::to_string(hid),
                        "does not fit", "", "", "", ""});
        continue;
      }
      const double per_mac = double(found->instructions) / double(found->macs);
      const std::uint64_t arena = found->state + found->scratch;
      rows.push_back({kind.first, kind.second, layer, fmt::to_string(in), fmt::to_string(hid),
                      with_commas(found->instructions), fmt::format("{:.2f}", per_mac),
                      with_commas(found->stack()), with_commas(arena), with_commas(found->code)});
      json.push_back({{"core", kind.first},
                      {"type", kind.second},
                      {"layer", layer},
                      {"in", in},
                      {"hid", hid},
                      {"instructions_per_step", found->instructions},
                      {"instructions_per_mac", per_mac},
                      {"stack", found->stack()},
                      {"arena", arena},
                      {"code", found->code}});
    }
  }
  for (const auto& kind : kinds)
    if (kind.second == "int8" && !by_kind.count({kind.first, "f32"}))
      rows.push_back({kind.first, "f32", "", "", "", "not run: no fused multiply-add in hardware",
                      "", "", "", ""});
  print("{}\n", table(rows));
  std::sort(errors.rbegin(), errors.rend());
  print("{}: fitted; the fit is off most for\n", argv[3]);
  for (std::size_t i = 0; i < std::min<std::size_t>(errors.size(), 8); ++i)
    print("{:.1f} %  {}\n", 100 * errors[i].first, errors[i].second);
  if (argc > 4 && *argv[4]) write_file(argv[4], json.dump(2) + "\n");
  flush_output();
}
