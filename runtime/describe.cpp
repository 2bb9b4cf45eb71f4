// What a model is: shapes, sizes, sections, hash. Linked only when asked for.
#include <string.h>

#include "layer.h"
#include "sluice.h"

namespace sluice {
namespace {

struct Fnv {
  uint64_t value = 14695981039346656037ull;
  void add(uint32_t word) {
    for (int byte = 0; byte < 4; ++byte) value = (value ^ (word >> (8 * byte) & 255)) * 1099511628211ull;
  }
};

void hash_array(Fnv& hash, const OpenModel& model, const Weights& array) {
  const uint8_t* const at = model.blob + array.offset;
  const auto* words = reinterpret_cast<const uint32_t*>(at);
  for (int gate = 0; gate < array.gates; ++gate)
    for (int row = 0; row < array.rows; ++row)
      for (int col = 0; col < array.cols; ++col) {
        const size_t i = element(array, gate, row, col);
        hash.add(array.element == Element::i8 ? uint32_t(int32_t(weight_at(array, at, i))) : words[i]);
      }
}

uint64_t macs_of(const LayerRecord& layer) {
  Weights arrays[4];
  const int n = layer_weights(layer, arrays);
  uint64_t macs = 0;
  for (int i = 0; i < n; ++i)
    if (arrays[i].matrix) macs += uint64_t(arrays[i].gates) * uint64_t(arrays[i].rows) * uint64_t(arrays[i].cols);
  return macs;
}

}  // namespace

const char* weights_name(uint8_t kind, int array) {
  static constexpr const char* gru[] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"};
  static constexpr const char* dense[] = {"weight", "bias"};
  static constexpr const char* standardize[] = {"scale", "mean"};
  return kind == SLUICE_GRU ? gru[array] : kind == SLUICE_DENSE ? dense[array] : standardize[array];
}

}  // namespace sluice

using namespace sluice;

sluice_info sluice_describe(const sluice_model* handle) {
  const OpenModel& model = model_of(handle);
  const BlobHeader& header = model.header();
  sluice_info info{header.inputs, header.outputs, header.layers, header.bytes, 1, model.format(), 0};
  for (uint32_t i = 0; i < model.layer_count; ++i) {
    if (last_step_only(model.layers[i])) info.every_step = 0;
    info.macs += macs_of(model.layers[i]);
  }
  return info;
}

sluice_layer_info sluice_describe_layer(const sluice_model* handle, uint32_t index) {
  const LayerRecord& layer = model_of(handle).layers[index];
  sluice_layer_info info{layer.kind, layer.format, layer.activation, !last_step_only(layer), layer.in, layer.out, 0, 0, 0, 0};
  Weights arrays[4];
  const int n = layer_weights(layer, arrays);
  for (int i = 0; i < n; ++i) {
    info.weight_bytes += uint32_t(weight_bytes(arrays[i]));
    info.parameters += uint64_t(arrays[i].gates) * uint64_t(arrays[i].rows) * uint64_t(arrays[i].cols);
  }
  info.state_bytes = uint32_t(find_layer(layer.kind, layer.format)->state(layer));
  info.macs = macs_of(layer);
  return info;
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
    hash.add(uint32_t(layer.kind) | uint32_t(layer.activation) << 8 | uint32_t(layer.flags) << 16 |
             uint32_t(layer.format) << 24);
    hash.add(layer.in);
    hash.add(layer.out);
    if (layer.format != SLUICE_F32) hash.add(uint32_t(layer.shift_ih) | uint32_t(layer.shift_hh) << 8);
    Weights arrays[4];
    const int n = layer_weights(layer, arrays);
    for (int a = 0; a < n; ++a) hash_array(hash, model, arrays[a]);
  }
  return hash.value;
}
