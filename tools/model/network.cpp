#include "network.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "../common/error.h"
#include "runtime/layer.h"

namespace sluice::tools {

std::uint32_t& offset_field(LayerRecord& record, std::uint32_t i) {
  std::uint32_t* const fields[offset_fields] = {&record.w_ih,    &record.w_hh,    &record.b_ih,
                                                &record.b_hh,    &record.back[0], &record.back[1],
                                                &record.back[2], &record.back[3]};
  return *fields[i];
}

LayerRecord record_of(const Layer& layer) {
  LayerRecord record{};
  record.kind = static_cast<std::uint8_t>(layer.kind);
  record.format = static_cast<std::uint8_t>(layer.format);
  record.activation = static_cast<std::uint8_t>(layer.activation);
  record.flags = std::uint8_t(
      (layer.every_step ? every_step_flag : 0) | (layer.mean ? mean_flag : 0) |
      (layer.both ? both_directions_flag : 0) | (layer.initial_state ? initial_state_flag : 0));
  record.parameter = layer.parameter;
  record.second = layer.second;
  record.candidate = candidate_code(layer.candidate);
  const bool hard_gates =
      recurrent(layer) && layer.format != SLUICE_F32 && layer.activation == SLUICE_HARD_SIGMOID;
  record.options = std::uint8_t(
      (hard_gates ? hard_gates_option : 0) | (layer.peepholes ? peephole_option : 0) |
      (layer.cell_clip != 0 ? clip_option : 0) | (layer.cells > 0 ? projection_option : 0));
  record.cells = static_cast<std::uint32_t>(layer.cells);
  record.cell_clip = layer.cell_clip;
  record.in = static_cast<std::uint32_t>(layer.in);
  record.out = static_cast<std::uint32_t>(layer.out);
  record.shift_ih = static_cast<std::uint8_t>(layer.shift_ih);
  record.shift_hh = static_cast<std::uint8_t>(layer.shift_hh);
  record.shift_c = static_cast<std::uint8_t>(layer.shift_c);
  record.shift_h = static_cast<std::uint8_t>(layer.shift_h);
  record.rank = static_cast<std::uint16_t>(layer.rank);
  record.factor_shift_ih = static_cast<std::uint8_t>(layer.factor_shift_ih);
  record.factor_shift_hh = static_cast<std::uint8_t>(layer.factor_shift_hh);
  if (layer.sparse) record.order = static_cast<std::uint8_t>(Order::sparse);
  if (layer.kind == SLUICE_WINDOW) {
    record.window.dilation = static_cast<std::uint16_t>(layer.dilation);
    record.window.stride = static_cast<std::uint16_t>(layer.stride);
    record.window.ahead = static_cast<std::uint16_t>(layer.ahead);
    record.window.first = static_cast<std::uint16_t>(layer.first);
  }
  record.parts = static_cast<std::uint16_t>(layer.parts);
  if (layer.anatomy().joins) {
    record.parts = static_cast<std::uint16_t>(layer.sources.size());
    if (layer.sources.size() > most_sources)
      refuse("{}: {} sources; at most {} are joined", layer.anatomy().name, layer.sources.size(),
             most_sources);
    std::copy(layer.sources.begin(), layer.sources.end(), record.sources);
  }
  return record;
}

int arrays_of(const Layer& layer, Weights out[most_arrays]) {
  LayerRecord record = record_of(layer);
  const bool both = layer.anatomy().recurrent;  // other layers have no arrays of a direction
  for (std::uint32_t i = 0; i < (both ? offset_fields : offset_fields / 2); ++i)
    offset_field(record, i) = i;
  return layer_weights(record, out);
}

std::string array_name(std::uint32_t kind, const Weights& array) {
  return std::string(anatomy_of(kind).array[array.index].name) + (array.backward ? "_reverse" : "");
}

const Array* Layer::find(Role role, bool backward) const {
  for (const Array& array : arrays)
    if (array.role == role && array.backward == backward) return &array;
  return nullptr;
}

const Array& Layer::array(Role role, bool backward) const {
  const Array* const found = find(role, backward);
  if (!found) refuse("a layer of kind {} has no array of role {}", anatomy().name, int(role));
  return *found;
}

Array& Layer::array(Role role, bool backward) {
  return const_cast<Array&>(std::as_const(*this).array(role, backward));
}

Layer with_arrays(Layer layer) {
  Weights arrays[most_arrays];
  const int count = arrays_of(layer, arrays);
  layer.arrays.clear();
  for (int i = 0; i < count; ++i) {
    const Weights& w = arrays[i];
    const std::size_t n = std::size_t(w.gates) * std::size_t(w.rows) * std::size_t(w.cols);
    const bool real = w.element == Element::f32;
    Array array;
    array.name = array_name(layer.kind, w);
    array.role = w.role, array.backward = w.backward, array.trained = w.trained;
    array.gates = w.gates, array.rows = w.rows, array.cols = w.cols;
    array.values.resize(real ? n : 0), array.integers.resize(real ? 0 : n);
    layer.arrays.push_back(std::move(array));
  }
  return layer;
}

Layer make_layer(sluice_layer_kind kind, int in, int out, sluice_activation activation,
                 bool every_step, sluice_format format) {
  Layer layer;
  layer.kind = kind, layer.in = in, layer.out = out, layer.activation = activation,
  layer.every_step = every_step;
  layer.format = format;
  return with_arrays(layer);
}

Layer multiplied_out(const Layer& layer) {
  if (layer.rank == 0) return layer;
  Layer whole = layer;
  whole.rank = 0;
  whole = with_arrays(std::move(whole));
  for (Array& to : whole.arrays) {
    const Array& from = layer.array(to.role, to.backward);
    const Array* const factor = layer.find(
        to.role == Role::input_weight ? Role::input_factor : Role::state_factor, to.backward);
    if (!to.is_matrix() || !factor || to.role == Role::projection) {
      to.values = from.values;
      continue;
    }
    const auto rank = std::size_t(factor->rows), cols = std::size_t(to.cols);
    for (std::size_t i = 0; i < to.values.size(); ++i) {
      double sum = 0;
      for (std::size_t k = 0; k < rank; ++k)
        sum +=
            double(from.values[i / cols * rank + k]) * double(factor->values[k * cols + i % cols]);
      to.values[i] = float(sum);
    }
  }
  return whole;
}

BlockShare zero_blocks(const Array& a) {
  BlockShare result;
  const auto cols = std::size_t(a.cols);
  for (int gate = 0; gate < a.gates; ++gate)
    for (int panel = 0; panel < a.rows; panel += panel_rows)
      for (int block = 0; block < a.cols; block += block_cols) {
        bool zero = true;
        for (int row = panel; row < std::min(a.rows, panel + panel_rows); ++row)
          for (int col = block; col < std::min(a.cols, block + block_cols); ++col) {
            const std::size_t at =
                (std::size_t(gate) * std::size_t(a.rows) + std::size_t(row)) * cols +
                std::size_t(col);
            zero = zero && (a.integers.empty() ? a.values[at] == 0 : a.integers[at] == 0);
          }
        ++result.blocks, result.zero += zero;
      }
  return result;
}

void choose_sparse(Layer& layer) {
  if (!may_be_sparse(std::uint8_t(layer.kind)) || layer.rank > 0) return;
  std::uint64_t dense = 0, sparse = 0;
  for (const Array& a : layer.arrays) {
    if (!a.is_matrix()) continue;
    const BlockShare share = zero_blocks(a);
    const auto panels = std::uint64_t(a.gates * padded(a.rows) / panel_rows);
    dense += share.blocks * block_bytes,
        sparse += SparseMatrix::bytes(panels, share.blocks - share.zero);
  }
  layer.sparse = sparse < dense;
}

bool recurrent(const Layer& layer) { return layer.anatomy().recurrent; }

int frame_width(const Network& network) {
  if (network.width > 0) return network.width;
  const Layer& first = network.layers.front();
  return first.kind == SLUICE_EMBEDDING ? 1 : first.in;
}

std::string input_name(const Network& network, std::size_t i) {
  return i < network.inputs.size() ? network.inputs[i] : fmt::format("x{}", i);
}

bool only_prepares(const Layer& layer) { return layer.anatomy().prepares; }

}  // namespace sluice::tools
