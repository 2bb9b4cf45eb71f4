// From a float network to one in fixed point (kernels/README.md defines what it computes).
#pragma once
#include <string>
#include <vector>

#include "../model/network.h"
#include "calibrate.h"

namespace sluice::tools {

/// What the int16 numbers of an output stand for: value = unit * number + zero, each number its
/// own.
struct Units16 {
  std::vector<double> unit, zero;
  /// The unit that all numbers have; 0 if they differ, or have a zero of their own.
  double common() const;
};

struct Quantized {
  Network network;
  std::vector<Units16> units;  ///< [layers of network]
  /// [layers of network] the layer of the float network, counted from 0
  std::vector<std::size_t> real_of;
  /// the float network, its weight matrices as the integers that are used for them stand for
  Network seen;
  /// a feature that never changed; weights made coarser so that no accumulator overflows
  std::vector<std::string> warnings;
};

/// Weights by rows, symmetric, -127 to 127; inputs by the ranges, folded with a leading
/// standardization into the first layer's columns and bias, as an embedding's features' magnitudes
/// are into the next one's. No accumulator can overflow, whatever the inputs: the worst case of
/// every row is computed from its weights. Refused, by layer name, where a layer has no integer
/// form.
/// @param moments  of real's layers (Calibration), or none: weights to nearest
Quantized quantize(const Network& real, sluice_format format, const Ranges& ranges,
                   const std::vector<LayerMoments>& moments = {});

/// "layer 2 (gru)", for messages.
std::string layer_name(const Network& network, const Layer& layer);

/// Refuses (exit code 2), by name and reason, a float network with a layer that has no integer
/// form.
void check_quantizable(const Network& real);

/// Refuses (exit code 2) a network in fixed point of which a row's accumulator can overflow,
/// whatever enters: from its weights, bias and shift. `name` for messages.
void prove_no_overflow(const Network& fixed, const std::string& name);

}  // namespace sluice::tools
