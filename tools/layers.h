// The layers of a recipe: { gru = 32, steps = "last" }, { dense = 9, activation = "softmax" }. One table (layers.cpp) knows their options.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "common/json_fwd.h"
#include "sluice.h"

namespace sluice::tools {

struct LayerSpec {
  sluice_layer_kind kind = SLUICE_DENSE;
  std::int64_t units = 0;   ///< 0: as many as enter (normalizations)
  std::string activation;   ///< Dense
  std::string steps;        ///< recurrent: "every", "last" or "mean"; empty until resolved
  std::string directions;   ///< recurrent: "one" or "both"
  std::string gates;        ///< GRU and LSTM
  std::string reset;        ///< GRU: "after" or "before"
  double slope = 0;         ///< of the hard sigmoid
  double epsilon = 0;       ///< normalizations
  std::int64_t repeat = 1;  ///< recurrent: so many of them, one above the other
  bool tied = false;        ///< they have the same weights
  double dropout = 0;       ///< on what the layer hands on
  double recurrent_dropout = 0;  ///< -1: as model.dropout.recurrent
  double gate_dropout = 0;

  bool recurrent() const;
  /// Numbers that the layer hands on; `in` enter.
  std::int64_t out(std::int64_t in) const { return units == 0 ? in : directions == "both" ? 2 * units : units; }
};

/// Whether a name inside a layer stands for a whole number: its units, under whatever name, or a count.
bool layer_counts(std::string_view name);

/// Every layer and option, a line each, for the manual.
std::string layer_manual();

/// A layer as a recipe writes it: its kind, then what is not at its default.
OrderedJson to_json(const LayerSpec& layer);

}  // namespace sluice::tools
