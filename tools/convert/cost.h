// What a step of a network costs on a Cortex-M, from its shape alone: coefficients per core and
// number format, fitted to counted instructions by bench/firmware.sh, which writes them to
// cost.csv.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../model/network.h"

namespace sluice::tools {

/// What the coefficients multiply, in the order of cost.csv's columns.
constexpr std::array cost_features = {"step",
                                      "gru",
                                      "side",
                                      "units",
                                      "inner",
                                      "dense",
                                      "dense_units",
                                      "dense_inner",
                                      "standardize",
                                      "tanh",
                                      "sigmoid",
                                      "relu",
                                      "softmax",
                                      "lstm",
                                      "lstm_units",
                                      "rnn",
                                      "rnn_units",
                                      "gru_before",
                                      "gru_before_units",
                                      "embedding",
                                      "embedding_units",
                                      "fastgrnn",
                                      "fastgrnn_units",
                                      "low_rank",
                                      "low_rank_units",
                                      "factor",
                                      "factor_units",
                                      "join",
                                      "sum",
                                      "sum_units",
                                      "concat",
                                      "add",
                                      "multiply",
                                      "select",
                                      "sparse_panels",
                                      "sparse_dense_panels",
                                      "sparse_blocks"};
using CostFeatures = std::array<double, cost_features.size()>;

/// Of the layers that a board runs. inner: passes through a kernel's inner loop, which differ
/// between cores; of a sparse layer its stored blocks and its panels stand in their place.
/// low_rank: layers of low rank; factor: the products of their factors. join: layers that join, or
/// select; sum: those that add or multiply; concat, add, multiply, select: the numbers that they
/// read.
CostFeatures cost_features_of(const Network& network, std::string_view core);

/// One line of cost.csv.
struct CostLine {
  std::string core, type;
  std::uint64_t code =
      0;  ///< bytes of code and tables: all layers of the number format, kernels at -O2
  std::uint64_t stack =
      0;  ///< the most that opening or stepping took, bytes: of every layer, and the
          ///< same whatever its size, for nothing recurs and no array's length varies
  CostFeatures coefficients{};
};
std::vector<CostLine> parse_costs(std::string_view csv);
std::string costs_text(const std::vector<CostLine>& lines);

/// Of a network on a core. Bytes are exact, instructions an estimate.
struct DeviceCost {
  std::uint64_t flash = 0;  ///< the model without names, labels and history
  std::uint64_t ram = 0;    ///< state and scratch of one stream, stepped frame by frame
  std::uint64_t stack = 0, code = 0;
  std::uint64_t instructions = 0;  ///< of a step
};

/// The cores whose instructions were counted, smallest first.
std::vector<std::string> counted_cores();

/// Whether a core runs a number format: float wants a unit with fused multiply-add. Refused (exit
/// code 2) for an unknown core; `origin` says where it was asked for, "--core cortex-m9".
bool runs_on(const std::string& core, sluice_format format, const std::string& origin);

/// The cost of a network; nothing where the core does not run its number format. Refused for an
/// unknown core, and for a network with a layer whose instructions nobody has counted, by its name.
std::optional<DeviceCost> device_cost(const Network& network, const std::string& core,
                                      const std::string& origin);

/// Cycles per instruction of the kernels' inner loop, and where that comes from.
struct CyclesPerInstruction {
  double factor;
  const char* source;
};
CyclesPerInstruction cycles_per_instruction(std::string_view core);

}  // namespace sluice::tools
