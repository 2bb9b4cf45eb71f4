// What can become a network in fixed point, and what is proven of one.
#include <algorithm>
#include <cmath>

#include "../common/error.h"
#include "quantize.h"

namespace sluice::tools {
namespace {

/// What stands in the way of a layer's integer form; empty where nothing does.
std::string obstacle(const Layer& layer, bool first) {
  switch (layer.kind) {
    case SLUICE_STANDARDIZE:
      return first ? "" : "has an integer form only as the first layer, where it becomes part of the inputs' scales";
    case SLUICE_EMBEDDING:
      return "";
    case SLUICE_DENSE:
      return layer.activation == SLUICE_HARD_SIGMOID ? "a hard sigmoid has no fixed-point kernel" : "";
    case SLUICE_GRU:
    case SLUICE_GRU_BEFORE:
    case SLUICE_LSTM:
    case SLUICE_RNN:
      if (layer.activation == SLUICE_TANH)
        return layer.kind == SLUICE_LSTM ? "with tanh as a gate it has no fixed-point kernel"
                                         : "with tanh as a gate its state may leave -1 to 1, so it has no integer form";
      if (layer.activation != SLUICE_LINEAR) return "gates of a hard sigmoid have no fixed-point kernel";
      if (layer.both) return "both directions have no fixed-point kernel";
      return layer.mean ? "the mean over steps has no fixed-point kernel" : "";
    case SLUICE_BATCH_NORM:
      return "no recurrent or dense layer of its own weights follows that could take it over, so it has no integer form";
    case SLUICE_DIFFERENCE:
      return "of inputs in 8 or 16 bits little would be left of a difference, so it has no integer form";
    case SLUICE_LAYER_NORM:
      return "a normalization by each frame's own moments has no integer form";
    default:
      return "has no fixed-point kernel";
  }
}

/// Whether the accumulators of a matrix's rows stay inside int32, whatever enters.
void prove_rows(const Network& fixed, const std::string& name, const Layer& layer, const Array& w, const std::int32_t* bias,
                int shift) {
  constexpr double most = 2147483647;
  const auto columns = std::size_t(w.cols);
  const double largest = layer.format == SLUICE_INT8 ? 128 : 32768;
  for (std::size_t row = 0; row < w.integers.size() / columns; ++row) {
    double worst = std::fabs(double(bias[row]));
    for (std::size_t k = 0; k < columns; ++k) worst += std::fabs(double(w.integers[row * columns + k])) * largest;
    if (worst * std::ldexp(1, shift) > most)
      refuse("{}: {}: the accumulator of row {} of {} can overflow; make the model anew with sluice quantize", name,
             layer_name(fixed, layer), row, w.name);
  }
}

}  // namespace

std::string layer_name(const Network& network, const Layer& layer) {
  return fmt::format("layer {} ({})", &layer - network.layers.data() + 1, sluice_layer_name(layer.kind));
}

void check_quantizable(const Network& real) {
  for (const Layer& layer : real.layers) {
    if (layer.format != SLUICE_F32) refuse("{}: is in fixed point already; give the float model", layer_name(real, layer));
    const std::string what = obstacle(layer, &layer == real.layers.data());
    if (!what.empty()) refuse("{}: {}; it can be run in f32 only", layer_name(real, layer), what);
  }
}

void prove_no_overflow(const Network& fixed, const std::string& name) {
  for (const Layer& layer : fixed.layers) {
    const auto prove = [&](Role role, Role bias, std::size_t first_row) {
      if (const Array* const w = layer.find(role))
        prove_rows(fixed, name, layer, *w, layer.array(bias).integers.data() + first_row,
                   role == Role::input_weight ? layer.shift_ih : layer.shift_hh);
    };
    prove(Role::input_weight, Role::input_bias, 0);
    prove(Role::state_weight, Role::state_bias, 0);
    const Array* const before = layer.find(Role::state_weight);  // the candidate's rows follow its rows
    prove(Role::candidate_weight, Role::state_bias, before ? std::size_t(before->gates) * std::size_t(before->rows) : 0);
  }
}

}  // namespace sluice::tools
