// The cost of a network's step on a Cortex-M, from its shape alone. The coefficients for each core
// and number format were fitted to counted instructions by bench/firmware.sh, which writes
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

/// The factors of the coefficients, in the order of cost.csv's columns.
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
                                      "parts",
                                      "concat_frame",
                                      "sum_frame",
                                      "sum",
                                      "sum_units",
                                      "concat",
                                      "add",
                                      "multiply",
                                      "select",
                                      "difference",
                                      "difference_units",
                                      "sparse_panels",
                                      "sparse_dense_panels",
                                      "sparse_blocks",
                                      "curved",
                                      "curved_units",
                                      "hard_gates",
                                      "hard_sigmoid",
                                      "elu",
                                      "leaky_relu",
                                      "prelu",
                                      "silu",
                                      "gelu",
                                      "gelu_tanh",
                                      "softplus",
                                      "clip",
                                      "softsign",
                                      "exponential",
                                      "selu",
                                      "hard_silu",
                                      "options",
                                      "option_units",
                                      "option_arrays"};
using CostFeatures = std::array<double, cost_features.size()>;

/// Of the layers that a board runs. inner: passes through a kernel's inner loop, which differ
/// between cores; of a sparse layer its stored blocks and its panels stand in their place.
/// low_rank: layers of low rank; factor: the products of their factors. join: layers that join, or
/// select; parts: their sources; sum: those that add or
/// multiply; concat_frame, sum_frame: the numbers of a frame that they read; concat, add, multiply,
/// select: the numbers that they read. difference_units: the numbers of differences. curved: cells
/// whose candidate is not tanh or whose gates are a hard sigmoid; curved_units: the numbers of
/// their candidates, and of an LSTM's outputs, if these are not tanh; hard_gates: the numbers of
/// their gates, if these are hard. options: LSTMs with peepholes, a projection or a clipped cell
/// state; option_units: their cells; option_arrays: their arrays of peepholes and projections.
CostFeatures cost_features_of(const Network& network, std::string_view core);

/// One line of cost.csv.
struct CostLine {
  std::string core, type;
  /// Bytes of code and tables: all layers of the number format, kernels at -O2.
  std::uint64_t code = 0;
  /// The most bytes of stack that opening or stepping took, over all layers except cells of low
  /// rank or of other curves, and over all layers. It does not depend on their size, since there is
  /// no recursion and no array of variable length.
  std::uint64_t stack = 0, low_rank_stack = 0;
  CostFeatures coefficients{};
};
/// Returns whether a layer is no cell, or a cell of whole matrices, sigmoid gates and the candidate
/// tanh.
bool is_plain(const Layer& layer);

std::vector<CostLine> parse_costs(std::string_view csv);
std::string costs_text(const std::vector<CostLine>& lines);

/// The cost of a network on a core. Bytes are exact, instructions an estimate.
struct DeviceCost {
  std::uint64_t flash = 0;  ///< the model without names, labels and history
  std::uint64_t ram = 0;    ///< state and scratch of one stream that is stepped frame by frame
  std::uint64_t stack = 0, code = 0;
  std::uint64_t instructions = 0;  ///< per step
};

/// Returns the cores whose instructions were counted, smallest first.
std::vector<std::string> counted_cores();

/// Returns whether a core runs a number format; float needs a unit with fused multiply-add. Refuses
/// an unknown core (exit code 2); `origin` says where it was given: "--core cortex-m9".
bool runs_on(const std::string& core, sluice_format format, const std::string& origin);

/// Returns the cost of a network; nothing if the core does not run its number format. Refuses an
/// unknown core, and a network with a layer whose instructions were never counted, by its name.
std::optional<DeviceCost> device_cost(const Network& network, const std::string& core,
                                      const std::string& origin);

/// Cycles per instruction of the kernels' inner loop, and the source of that figure.
struct CyclesPerInstruction {
  double factor;
  const char* source;
};
CyclesPerInstruction cycles_per_instruction(std::string_view core);

}  // namespace sluice::tools
