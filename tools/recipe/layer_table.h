// The table of layers as a recipe writes them: their keys, options, ranges and help.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "layer_spec.h"
#include "runtime/anatomy.h"
#include "words.h"

namespace sluice::tools::layer_table {

using L = LayerSpec;
using Field = std::variant<Choice<L>, std::int64_t L::*, double L::*, bool L::*, std::string L::*>;

constexpr std::int64_t widest_layer = widest;

/// The value of the key that names a kind of layer: units; true, if the layer keeps the width; the
/// names of the layers that it joins; or a count of steps or positions.
enum class Form { units, kept, joined, count };
inline constexpr const char* form_texts[] = {"units", "true", "[\"a\", \"b\"]", "n"};

struct Kind {
  std::string_view key;
  sluice_layer_kind kind;
  Form form;
  std::string_view help;
};

// Sets of kinds, as bits of their numbers.
enum : unsigned {
  gru = 1u << SLUICE_GRU,
  lstm = 1u << SLUICE_LSTM,
  dense = 1u << SLUICE_DENSE,
  embedding = 1u << SLUICE_EMBEDDING,
  batch_norm = 1u << SLUICE_BATCH_NORM,
  layer_norm = 1u << SLUICE_LAYER_NORM,
  window = 1u << SLUICE_WINDOW,
  patches = 1u << SLUICE_SELECT,
  pools = 1u << SLUICE_MAX_POOL | 1u << SLUICE_MEAN_POOL | 1u << SLUICE_NORM_POOL,
  unit_norm = 1u << SLUICE_UNIT_NORM,
  over_steps = 1u << SLUICE_MAX_OVER_STEPS | 1u << SLUICE_MEAN_OVER_STEPS,
  curve = 1u << SLUICE_CURVE
};
inline constexpr unsigned recurrent_kinds =
                              kinds_with([](const Anatomy& a) { return a.recurrent; }),
                          curved_kinds = kinds_with([](const Anatomy& a) { return a.curved; }),
                          joins_kinds = kinds_with([](const Anatomy& a) { return a.joins; }),
                          all_kinds = ~0u;

/// An option of some kinds of layers. Its default is the value in a new LayerSpec of that kind.
struct Option {
  std::string_view name;
  unsigned kinds;
  Field field;
  std::string_view help;
  std::vector<std::string_view> words = {};
  double min = 0, max = 0;
};

/// Return the kinds and the options, in the order of the manual.
std::span<const Kind> layer_kinds();
std::span<const Option> layer_options();

const Kind& kind_of(const LayerSpec& layer);
inline unsigned bit(const Kind& kind) { return 1u << kind.kind; }

/// Returns the names of a kind's options: "activation, dropout, name".
std::string options_of(const Kind& kind);

/// Returns a layer with every option at its default.
LayerSpec fresh(const Kind& kind);

}  // namespace sluice::tools::layer_table

namespace sluice::tools {

/// Every layer and option, a line each, for the manual.
std::string layer_manual();

}  // namespace sluice::tools
