// Converts a float network to fixed point; kernels/README.md defines its arithmetic.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "../model/network.h"
#include "calibrate.h"
#include "quantized.h"

namespace sluice::tools {

/// Returns a float network as quantize() takes it: in int8 with a copy of the frame in front
/// (with_frame_copy) if its frames must have 16 bits (needs_wide_frame) and a layer with weights
/// reads them: 8 bits of a value are too few to add to, or to take a difference of.
Network with_integer_form(const Network& real, sluice_format format);

/// Quantizes a network. Weights are symmetric by rows, -127 to 127. Inputs are quantized by the
/// ranges, and folded with a leading standardization into the first layer's columns and bias; the
/// magnitudes of an embedding's features are folded into the next layer's. No accumulator can
/// overflow, whatever the inputs: the worst case of every row is computed from its weights. Refuses
/// a layer without an integer form, by its name.
/// @param moments  of real's layers (Calibration); empty: weights are rounded to nearest
Quantized quantize(const Network& real, sluice_format format, const Ranges& ranges,
                   const std::vector<LayerMoments>& moments = {});

/// Returns a layer's name for messages: "layer 2 (gru)".
std::string layer_name(const Network& network, const Layer& layer);

/// A Dense in fixed point whose curve is the saturation of its int16 numbers, or of those and 0: it
/// computes activation(factor * (W x + b) + offset) in the unit, whose 32767 is the curve's highest
/// value.
struct SaturatingForm {
  sluice_activation activation;  ///< linear or ReLU
  double unit, factor, offset;
};

/// Returns the form of a Dense with a hard sigmoid, or with a clip from 0 or from the negative of
/// its highest value; nothing for other layers.
std::optional<SaturatingForm> saturating_form(const Layer& layer);

/// Refuses (exit code 2), by name and reason, a float network with a layer that has no integer
/// form.
void check_quantizable(const Network& real);

/// Refuses (exit code 2) a fixed-point network in which some input can make an accumulator
/// overflow, computed from weights, bias and shift. `name` is for messages.
void prove_no_overflow(const Network& fixed, const std::string& name);

}  // namespace sluice::tools
