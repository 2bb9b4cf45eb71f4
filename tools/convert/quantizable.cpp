// Checks which networks have a fixed-point form, and proves bounds of those that do.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "../common/error.h"
#include "../model/graph.h"
#include "numbers.h"
#include "quantize.h"

namespace sluice::tools {
namespace {

/// Returns why a recurrent layer has no integer form; empty if it has one.
std::string obstacle_of_cell(const Layer& layer) {
  if (!(fixed_candidates >> layer.candidate & 1))
    return fmt::format("a candidate of {} has no fixed-point kernel",
                       sluice_activation_name(layer.candidate));
  if (layer.activation == SLUICE_TANH)
    return layer.anatomy().shifted_state
               ? "with tanh as a gate it has no fixed-point kernel"
               : "with tanh as a gate its state may leave -1 to 1, so it has no integer form";
  if (!(layer.anatomy().fixed_activations >> layer.activation & 1))
    return "with a hard sigmoid as a gate it has no fixed-point kernel, since gate and candidate "
           "share a sum";
  if (const Array* const h = layer.find(Role::initial_h);
      h && layer.candidate == SLUICE_TANH &&
      (layer.anatomy().states == 2 || !layer.anatomy().shifted_state))
    for (const float value : h->values)
      if (std::fabs(value) > 1)
        return fmt::format("an initial state of {}, and its state in fixed point is -1 to 1",
                           value);
  if (layer.cells > 0) return "a projection has no fixed-point kernel";
  if (layer.peepholes) return "peepholes have no fixed-point kernel";
  if (layer.cell_clip != 0) return "a clipped cell state has no fixed-point kernel";
  if (layer.both) return "both directions have no fixed-point kernel";
  if (layer.ahead > 0)
    return "a window that looks ahead takes whole sequences, which fixed point does not";
  return layer.mean ? "the mean over steps has no fixed-point kernel" : "";
}

/// Returns why a Dense layer has no integer form; empty if it has one.
std::string obstacle_of_dense(const Network& network, std::size_t index) {
  const sluice_activation f = network.layers[index].activation;
  if (saturating_form(network.layers[index])) return "";
  if (f == SLUICE_CLIP)
    return "a clip has an integer form only from 0, or from the negative of its highest value";
  if (!(anatomy_of(SLUICE_DENSE).fixed_activations >> f & 1))
    return fmt::format("{} has no fixed-point kernel", sluice_activation_name(f));
  if (f != SLUICE_SOFTMAX && f != SLUICE_SIGMOID) return "";
  const std::vector<std::uint32_t> answers = answers_of(network),
                                   readers = readers_of(network, std::uint32_t(index) + 1);
  const bool answer = std::count(answers.begin(), answers.end(), index + 1) > 0;
  if (!answer)
    return f == SLUICE_SOFTMAX ? "softmax in front of another layer has no integer form" : "";
  const bool others = std::any_of(readers.begin(), readers.end(),
                                  [&](std::uint32_t r) { return r != network.layers.size(); });
  return others ? fmt::format(
                      "its {} is a part of the answer, which fixed point gives as logits, but "
                      "other layers read it",
                      sluice_activation_name(std::uint32_t(f)))
                : "";
}

/// Returns whether a layer reads a difference.
bool follows_difference(const Network& network, std::size_t index) {
  const std::uint32_t source = sources_of(network, index)[0];
  return source > 0 && network.layers[source - 1].kind == SLUICE_DIFFERENCE;
}

/// Returns why a layer has no integer form; empty if it has one.
std::string obstacle(const Network& network, std::size_t index) {
  const Layer& layer = network.layers[index];
  if (recurrent(layer)) return obstacle_of_cell(layer);
  switch (layer.kind) {
    case SLUICE_STANDARDIZE:
      return &layer == frame_standardization(network) || follows_difference(network, index)
                 ? ""
                 : "has an integer form only as the first layer, or behind a difference of the "
                   "frame, where it becomes part of the numbers' scales";
    case SLUICE_DENSE:
    case SLUICE_CURVE:  // as a Dense
      return obstacle_of_dense(network, index);
    case SLUICE_MULTIPLY:
      return sources_of(network, index).size() > 2 ? "has an integer form for two sources only"
                                                   : "";
    case SLUICE_BATCH_NORM:
      return "no recurrent or dense layer of its own weights follows that could take it over, so "
             "it has no integer form";
    case SLUICE_DIFFERENCE:
      return sources_of(network, index)[0] == 0
                 ? ""
                 : "has an integer form only for differences of the frame";
    case SLUICE_LAYER_NORM:
      return "a normalization by each frame's own moments has no integer form";
    default:
      return layer.anatomy().integer_form ? "" : "has no fixed-point kernel";
  }
}

/// Proves that the accumulators of a matrix's rows stay inside int32 for any input.
void prove_rows(const Network& fixed, const std::string& name, const Layer& layer, const Array& w,
                const std::int32_t* bias, int shift) {
  constexpr double most = 2147483647;
  const auto columns = std::size_t(w.cols);
  const double largest = -lowest_input(layer.format);
  for (std::size_t row = 0; row < w.integers.size() / columns; ++row) {
    double worst = std::fabs(double(bias[row]));
    for (std::size_t k = 0; k < columns; ++k)
      worst += std::fabs(double(w.integers[row * columns + k])) * largest;
    if (worst * std::ldexp(1, shift) > most)
      refuse(
          "{}: {}: the accumulator of row {} of {} can overflow; make the model anew with sluice "
          "quantize",
          name, layer_name(fixed, layer), row, w.name);
  }
}

/// Proves that the sum of a shared chain stays inside int32 after gate and candidate add to it, and
/// that mixed values stay in range.
void prove_gates(const Network& fixed, const std::string& name, const Layer& layer) {
  const auto largest = [&](Role weight, Role bias, int shift, std::size_t row) {
    const Array &w = layer.array(weight), &b = layer.array(bias);
    double worst = std::fabs(double(b.integers[row]));
    for (std::size_t k = 0; k < std::size_t(w.cols); ++k)
      worst += std::fabs(double(w.integers[row * std::size_t(w.cols) + k])) *
               -lowest_input(layer.format);
    return worst * std::fabs(double(b.integers[b.integers.size() / 2 + row])) *
               std::ldexp(1, shift - 32) +
           1;
  };
  for (const Role role : {Role::gate_bias, Role::candidate_bias})
    for (std::size_t row = 0; layer.find(role) && row < std::size_t(layer.out); ++row)
      if (largest(Role::input_weight, Role::input_bias, layer.shift_ih, row) +
              largest(Role::state_weight, Role::state_bias, layer.shift_hh, row) +
              std::fabs(double(layer.array(role).integers[row])) >
          2147483647)
        refuse("{}: {}: the sum of gate {} can overflow; make the model anew with sluice quantize",
               name, layer_name(fixed, layer), row);
  for (const Role role : {Role::zeta, Role::nu})
    if (const Array* const share = layer.find(role);
        share && (share->integers[0] < 0 || share->integers[0] > std::int32_t(highest_output)))
      refuse("{}: {}: {} is {}; it lies in 0 to 32767", name, layer_name(fixed, layer), share->name,
             share->integers[0]);
}

/// Proves that the sums of a layer that adds or multiplies stay inside int32.
void prove_sums(const Network& fixed, const std::string& name, const Layer& layer) {
  const Array* const m = layer.find(Role::part_multiplier);
  if (!m || !layer.find(Role::part_bias)) return;  // a difference is computed in 64 bits
  const std::vector<std::int32_t>& bias = layer.array(Role::part_bias).integers;
  for (std::size_t k = 0; k < bias.size(); ++k) {
    double worst = std::fabs(double(bias[k]));
    for (std::size_t i = k; i < m->integers.size(); i += bias.size()) {
      worst += std::fabs(double(m->integers[i])) / 4 + 1;  // for both terms: 2^30 * m / 2^32
    }
    if (worst > 2147483647)
      refuse("{}: {}: the sum of number {} can overflow; make the model anew with sluice quantize",
             name, layer_name(fixed, layer), k);
  }
}

}  // namespace

std::optional<SaturatingForm> saturating_form(const Layer& layer) {
  if (layer.kind != SLUICE_DENSE && layer.kind != SLUICE_CURVE) return std::nullopt;
  if (layer.activation == SLUICE_HARD_SIGMOID)
    return SaturatingForm{SLUICE_RELU, state_unit, double(layer.parameter), 0.5};
  if (layer.activation != SLUICE_CLIP) return std::nullopt;
  const double unit = static_cast<float>(double(layer.second) / highest_output);
  if (layer.parameter == 0) return SaturatingForm{SLUICE_RELU, unit, 1, 0};
  if (layer.parameter == -layer.second) return SaturatingForm{SLUICE_LINEAR, unit, 1, 0};
  return std::nullopt;
}

std::string layer_name(const Network& network, const Layer& layer) {
  return fmt::format("layer {} ({})", &layer - network.layers.data() + 1,
                     sluice_layer_name(layer.kind));
}

void check_quantizable(const Network& real) {
  for (const Layer& layer : real.layers) {
    if (layer.format != SLUICE_F32)
      refuse("{}: is in fixed point already; give the float model", layer_name(real, layer));
    const std::string what = obstacle(real, std::size_t(&layer - real.layers.data()));
    if (!what.empty()) refuse("{}: {}; it can be run in f32 only", layer_name(real, layer), what);
  }
}

void prove_no_overflow(const Network& fixed, const std::string& name) {
  for (const Layer& layer : fixed.layers) {
    const auto prove = [&](Role role, Role bias, std::size_t first_row, int shift) {
      if (const Array* const w = layer.find(role))
        prove_rows(fixed, name, layer, *w, layer.array(bias).integers.data() + first_row, shift);
    };
    prove(Role::input_weight, Role::input_bias, 0, layer.shift_ih);
    prove(Role::state_weight, Role::state_bias, 0, layer.shift_hh);
    prove(Role::input_factor, Role::input_factor_bias, 0, layer.factor_shift_ih);
    prove(Role::state_factor, Role::state_factor_bias, 0, layer.factor_shift_hh);
    // The candidate's rows follow those of the gates.
    const Array* const before = layer.find(Role::state_weight);
    prove_sums(fixed, name, layer);
    prove_gates(fixed, name, layer);
    prove(Role::candidate_weight, Role::state_bias,
          before ? std::size_t(before->gates) * std::size_t(before->rows) : 0, layer.shift_hh);
  }
}

}  // namespace sluice::tools
