// Describes a model: shapes, sizes, sections, hash. Linked only when called.
#include <string.h>

#include "layer.h"
#include "sluice.h"

namespace sluice {
namespace {

struct Fnv {
  uint64_t value = 14695981039346656037ull;
  void add(uint32_t word) {
    for (int byte = 0; byte < 4; ++byte)
      value = (value ^ (word >> (8 * byte) & 255)) * 1099511628211ull;
  }
};

void hash_array(Fnv& hash, const OpenModel& model, const Weights& array) {
  const uint8_t* const at = model.blob + array.offset;
  const auto* words = reinterpret_cast<const uint32_t*>(at);
  for (int gate = 0; gate < array.gates; ++gate)
    for (int row = 0; row < array.rows; ++row)
      for (int col = 0; col < array.cols; ++col)
        hash.add(array.element == Element::i8
                     ? uint32_t(int32_t(weight_at(array, at, gate, row, col)))
                     : words[element(array, gate, row, col)]);
}

uint64_t macs_of(const LayerRecord& layer) {
  uint64_t macs = 0;
  for_each_array(layer, [&](const Weights& a) {
    if (is_matrix(a.role) && a.role != Role::vectors)
      macs += uint64_t(a.gates) * uint64_t(a.rows) * uint64_t(a.cols);
  });
  return has_parts(layer) ? macs * layer.parts : macs;
}

/// Returns the first block of a panel whose column block is `wanted` or a later one. Blocks are
/// counted over all panels.
uint32_t lower_block(const SparseMatrix& m, int panel, int wanted) {
  uint32_t low = m.begin(panel), high = m.ends[panel];
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (m.columns[middle] < wanted)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

}  // namespace

int8_t weight_at(const Weights& w, const uint8_t* array, int gate, int row, int col) {
  if (!is_sparse(w)) return weight_at(w, array, element(w, gate, row, col));
  const SparseMatrix m(array, panels(w));
  const int at = gate * padded(w.rows) + row, panel = at / panel_rows;
  const uint32_t block = lower_block(m, panel, col / block_cols);
  if (block == m.ends[panel] || m.columns[block] != col / block_cols) return 0;
  return m.blocks[size_t(block) * block_bytes +
                  size_t(at % panel_rows * block_cols + col % block_cols)];
}

}  // namespace sluice

using namespace sluice;

sluice_info sluice_describe(const sluice_model* handle) {
  const OpenModel& model = model_of(handle);
  const BlobHeader& header = model.header();
  sluice_info info{};
  info.inputs = header.inputs, info.outputs = header.outputs;
  info.layers = header.layers, info.bytes = header.bytes;
  info.format = model.format(), info.whole_sequences = model.whole;
  info.answers = answers_of(model), info.frame_bytes = model.x_bytes;
  if (model.layers[0].kind == SLUICE_EMBEDDING) info.vocabulary = model.layers[0].in;
  info.every_step = !(model.layers[model.layer_count - 1].flags & once_flag);
  for (uint32_t i = 0; i < model.layer_count; ++i) info.macs += macs_of(model.layers[i]);
  const Clock clock = clock_of(model.layers, model.layer_count);
  info.first_answer = uint32_t(clock.first), info.stride = uint32_t(clock.stride);
  return info;
}

sluice_layer_info sluice_describe_layer(const sluice_model* handle, uint32_t index) {
  const OpenModel& model = model_of(handle);
  const LayerRecord& layer = model.layers[index];
  sluice_layer_info info{};
  info.kind = layer.kind, info.format = layer.format, info.activation = layer.activation;
  info.candidate = candidate_of(layer.candidate);
  info.every_step = !last_step_only(layer), info.mean = (layer.flags & mean_flag) != 0;
  info.both_directions = (layer.flags & both_directions_flag) != 0;
  info.initial_state = has_initial_state(layer);
  info.rank = layer.rank;
  if (!joins(layer.kind)) info.parts = layer.parts;
  if (layer.kind == SLUICE_WINDOW) {
    info.dilation = layer.window.dilation, info.stride = layer.window.stride;
    info.ahead = layer.window.ahead, info.first = layer.window.first;
  }
  info.peepholes = (layer.options & peephole_option) != 0, info.cell_clip = layer.cell_clip;
  info.cells = layer.cells;
  info.inputs = layer.in, info.outputs = layer.out, info.sources = sources_of(layer);
  for_each_array(layer, [&](const Weights& a) {
    const uint8_t* const at = model.blob + a.offset;
    info.weight_bytes += uint32_t(weight_bytes(a, at));
    if (a.element == Element::i8) {
      const auto blocks = uint32_t(elements(a) / block_bytes);
      info.blocks += blocks, info.stored_blocks += is_sparse(a) ? stored_blocks(a, at) : blocks;
    }
    info.parameters += uint64_t(a.gates) * uint64_t(a.rows) * uint64_t(a.cols);
  });
  info.state_bytes = uint32_t(find_layer(layer.kind, layer.format)->state(layer));
  info.macs = macs_of(layer);
  return info;
}

uint32_t sluice_layer_source(const sluice_model* handle, uint32_t layer, uint32_t source) {
  return source_of(model_of(handle).layers[layer], source);
}

sluice_answer_info sluice_describe_answer(const sluice_model* handle, uint32_t answer) {
  return answer_of(model_of(handle), answer);
}

const char* sluice_isa(const sluice_model* handle) { return model_of(handle).kernels->name; }

const void* sluice_section(const sluice_model* handle, uint32_t kind, size_t* bytes) {
  const BlobSection* section = find_section(model_of(handle).blob, kind);
  if (bytes) *bytes = section ? section->bytes : 0;
  return section ? model_of(handle).blob + section->offset : nullptr;
}

uint64_t sluice_hash(const sluice_model* handle) {
  const OpenModel& model = model_of(handle);
  Fnv hash;
  for (uint32_t i = 0; i < model.layer_count; ++i) {
    const LayerRecord& layer = model.layers[i];
    // once_flag and answer_flag follow from the rest.
    const uint8_t flags = layer.flags & uint8_t(~(once_flag | answer_flag));
    hash.add(uint32_t(layer.kind) | uint32_t(layer.activation) << 8 | uint32_t(flags) << 16 |
             uint32_t(layer.format) << 24);
    hash.add(layer.in);
    hash.add(layer.out);
    for (uint32_t s = 0; s < sources_of(layer); ++s)
      if (joins(layer.kind) || source_of(layer, s) != i) hash.add(source_of(layer, s));
    if (layer.format != SLUICE_F32)
      hash.add(uint32_t(layer.shift_ih) | uint32_t(layer.shift_hh) << 8 |
               uint32_t(layer.shift_c) << 16);
    if (layer.rank)
      hash.add(uint32_t(layer.rank) | uint32_t(layer.factor_shift_ih) << 16 |
               uint32_t(layer.factor_shift_hh) << 24);
    if (layer.parts && !joins(layer.kind))
      hash.add(uint32_t(layer.parts) |
               (layer.kind == SLUICE_WINDOW ? uint32_t(layer.window.dilation) << 16 : 0));
    if (thins(layer) || looks_ahead(layer))
      hash.add(uint32_t(layer.window.stride) | uint32_t(layer.window.ahead) << 16),
          hash.add(layer.window.first);
    if (layer.candidate) hash.add(uint32_t(layer.candidate) | uint32_t(layer.shift_h) << 8);
    if (layer.options & lstm_options) hash.add(uint32_t(layer.options) | layer.cells << 8);
    const float parameters[] = {layer.parameter, layer.second, layer.cell_clip};
    for (const float& parameter : parameters) {
      if (parameter == 0.0f) continue;
      uint32_t bits;
      memcpy(&bits, &parameter, sizeof bits);
      hash.add(bits);
    }
    for_each_array(layer, [&](const Weights& a) { hash_array(hash, model, a); });
  }
  return hash.value;
}
