#include "pack.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>

#include "../common/error.h"
#include "blob_text.h"
#include "graph.h"
#include "runtime/layer.h"

namespace sluice::tools {
namespace {

/// Calls visit(index in plain order, index in the blob) for every element of an array.
template <class Visit>
void each_element(const Weights& w, Visit visit) {
  std::size_t plain = 0;
  for (int gate = 0; gate < w.gates; ++gate)
    for (int row = 0; row < w.rows; ++row)
      for (int col = 0; col < w.cols; ++col) visit(plain++, element(w, gate, row, col));
}

/// Returns an array's bytes in the blob. Sparse ones are packed at once, since only their contents
/// determine their size.
std::string packed_sparse(const Weights& w, const Array& array) {
  const int rows = padded_rows(w), cols = blocked(w.cols), blocks = cols / block_cols;
  std::vector<std::int8_t> dense(std::size_t(elements(w)));
  std::size_t plain = 0;
  for (int gate = 0; gate < w.gates; ++gate)
    for (int row = 0; row < w.rows; ++row)
      for (int col = 0; col < w.cols; ++col)
        dense[weight_index(Order::canonical, w.cols, gate * padded(w.rows) + row, col)] =
            std::int8_t(array.integers.at(plain++));
  std::vector<std::uint32_t> ends;
  std::vector<std::uint16_t> columns;
  std::string stored;
  for (int panel = 0; panel < rows / panel_rows; ++panel) {
    for (int block = 0; block < blocks; ++block) {
      const std::int8_t* const at =
          dense.data() +
          (std::size_t(panel) * std::size_t(blocks) + std::size_t(block)) * block_bytes;
      if (std::all_of(at, at + block_bytes, [](std::int8_t weight) { return weight == 0; }))
        continue;
      columns.push_back(std::uint16_t(block));
      stored.append(reinterpret_cast<const char*>(at), block_bytes);
    }
    ends.push_back(std::uint32_t(columns.size()));
  }
  std::string bytes(reinterpret_cast<const char*>(ends.data()), ends.size() * sizeof ends[0]);
  if (!columns.empty())
    bytes.append(reinterpret_cast<const char*>(columns.data()), columns.size() * sizeof columns[0]);
  bytes.resize(std::size_t(SparseMatrix::head(ends.size(), columns.size())));
  return bytes + stored;
}

std::uint64_t packed_bytes(const Weights& w, const Array& array) {
  return is_sparse(w) ? packed_sparse(w, array).size() : weight_bytes(w, nullptr);
}

constexpr std::uint64_t round_up(std::uint64_t n, std::uint64_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

/// The layout of a blob. Offsets have 64 bits, so that a network that is too large for a blob is
/// detected before anything is written.
struct Layout {
  std::vector<LayerRecord> records;
  std::vector<BlobSection> sections;
  std::uint64_t end = 0;

  std::uint64_t add_section(sluice_section_kind kind, std::uint64_t bytes,
                            std::uint64_t alignment) {
    const std::uint64_t offset = round_up(end, alignment);
    end = offset + bytes;
    if (end > UINT32_MAX) refuse("the network needs {} bytes; a blob holds less than 4 GiB", end);
    sections.push_back(
        {kind, static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(bytes), 0});
    return offset;
  }
};

std::uint64_t place_weights(const Network& network, std::uint64_t begin,
                            std::vector<LayerRecord>& records) {
  std::uint64_t end = begin;
  const std::vector<std::uint32_t> places = plan_buffers(network), answers = answers_of(network);
  const std::vector<bool> once = one_row_per_sequence(network);
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const Layer& layer = network.layers[l];
    LayerRecord record = record_of(layer);
    const bool answer =
        l + 1 == network.layers.size() || std::count(answers.begin(), answers.end(), l + 1) > 0;
    record.flags |= std::uint8_t((once[l] ? once_flag : 0) | (answer ? answer_flag : 0));
    record.y = places[l];
    if (!layer.anatomy().joins)
      record.source = static_cast<std::uint16_t>(sources_of(network, l)[0]);
    Weights arrays[most_arrays];
    const int count = layer.tied < 0 ? arrays_of(layer, arrays) : 0;
    const std::uint32_t fields = recurrent(layer) ? offset_fields : offset_fields / 2;
    for (std::uint32_t i = 0; layer.tied >= 0 && i < fields; ++i)
      offset_field(record, i) = offset_field(records[std::size_t(layer.tied)], i);
    for (int i = 0; i < count; ++i) {
      const std::uint64_t offset = round_up(end, weight_alignment);
      if (arrays[i].offset < offset_fields)
        offset_field(record, arrays[i].offset) = static_cast<std::uint32_t>(offset);
      end = offset + packed_bytes(arrays[i], layer.arrays[std::size_t(i)]);
    }
    records.push_back(record);
  }
  return end;
}

std::string terminated(const std::vector<std::string>& strings) {
  std::string bytes;
  for (const std::string& s : strings) bytes.append(s.c_str(), s.size() + 1);
  return bytes;
}

void append_scales(const std::vector<float>& factor, const std::vector<float>& offset,
                   std::string& bytes) {
  for (std::size_t i = 0; i < factor.size(); ++i) {
    const BlobScale scale{factor[i], offset.at(i)};
    bytes.append(reinterpret_cast<const char*>(&scale), sizeof scale);
  }
}

std::string scales_of(const Network& network) {
  std::string bytes;
  if (network.layers.front().format == SLUICE_F32) return bytes;
  append_scales(network.scales.inverse, network.scales.offset, bytes);
  append_scales(network.scales.unit, network.scales.zero, bytes);
  return bytes;
}

/// Returns the layers' names; empty if none has one.
std::string layer_names(const Network& network) {
  std::vector<std::string> names;
  bool any = false;
  for (const Layer& layer : network.layers)
    names.push_back(layer.name), any = any || !layer.name.empty();
  return any ? terminated(names) : "";
}

void copy_to(std::string& blob, std::size_t offset, const void* from, std::size_t bytes) {
  if (bytes) std::memcpy(blob.data() + offset, from, bytes);
}

void store_weights(const Network& network, const std::vector<LayerRecord>& records,
                   std::string& blob) {
  for (std::size_t l = 0; l < records.size(); ++l) {
    Weights arrays[most_arrays];
    const int count = layer_weights(records[l], arrays);
    for (int i = 0; i < count; ++i) {
      const Array& array = network.layers[l].arrays[static_cast<std::size_t>(i)];
      const auto bytes = static_cast<std::size_t>(bytes_of(arrays[i].element));
      if (is_sparse(arrays[i])) {
        const std::string packed = packed_sparse(arrays[i], array);
        copy_to(blob, arrays[i].offset, packed.data(), packed.size());
        continue;
      }
      each_element(arrays[i], [&](std::size_t plain, std::size_t packed) {
        const void* from = arrays[i].element == Element::f32
                               ? static_cast<const void*>(&array.values.at(plain))
                               : static_cast<const void*>(&array.integers.at(plain));
        copy_to(blob, arrays[i].offset + packed * bytes, from,
                bytes);  // in little-endian, an int8 is the first byte
      });
    }
  }
}

BlobHeader header_of(const Network& network, const Layout& plan) {
  BlobHeader header{};
  std::memcpy(header.magic, blob_magic, sizeof header.magic);
  header.major = SLUICE_BLOB_MAJOR;
  header.minor = SLUICE_BLOB_MINOR;
  header.bytes = static_cast<std::uint32_t>(plan.end);
  header.sections = static_cast<std::uint32_t>(plan.sections.size());
  header.layers = static_cast<std::uint32_t>(plan.records.size());
  header.inputs = std::uint32_t(frame_width(network));
  header.outputs = plan.records.back().out;
  header.wide_frame = network.wide_frame;
  return header;
}

}  // namespace

std::vector<std::uint32_t> weight_places(const sluice_model& model) {
  const auto& opened = reinterpret_cast<const OpenModel&>(model);
  const std::uint32_t begin = find_section(opened.blob, SLUICE_SECTION_WEIGHTS)->offset;
  std::vector<std::uint32_t> places;
  for (std::uint32_t l = 0; l < opened.layer_count; ++l) {
    Weights arrays[most_arrays];
    const int count = layer_weights(opened.layers[l], arrays);
    for (int i = 0; i < count; ++i)
      if (arrays[i].element == Element::f32)
        each_element(arrays[i], [&](std::size_t, std::size_t packed) {
          places.push_back(std::uint32_t((arrays[i].offset - begin) / sizeof(float) + packed));
        });
  }
  return places;
}

void unpack_weights(const std::vector<std::uint32_t>& places, const float* section,
                    Network& network) {
  const std::uint32_t* place = places.data();
  for (Layer& layer : network.layers)
    for (Array& array : layer.arrays)
      for (float& value : array.values) value = section[*place++];
}

void pack_weights(const std::vector<std::uint32_t>& places, const Network& network,
                  float* section) {
  const std::uint32_t* place = places.data();
  for (const Layer& layer : network.layers)
    for (const Array& array : layer.arrays)
      for (const float value : array.values) section[*place++] = value;
}

std::string write_blob(const Network& network) {
  const std::string texts[] = {scales_of(network),         network.self_test,
                               network.vocabulary,         terminated(network.inputs),
                               terminated(network.labels), network.made,
                               layer_names(network)};
  constexpr sluice_section_kind text_kinds[] = {SLUICE_SECTION_SCALES,     SLUICE_SECTION_SELF_TEST,
                                                SLUICE_SECTION_VOCABULARY, SLUICE_SECTION_NAMES,
                                                SLUICE_SECTION_LABELS,     SLUICE_SECTION_MADE,
                                                SLUICE_SECTION_LAYER_NAMES};
  std::size_t count = 2;
  for (const std::string& text : texts) count += !text.empty();

  Layout plan;
  plan.end = sizeof(BlobHeader) + count * sizeof(BlobSection);
  const auto layers = plan.add_section(
      SLUICE_SECTION_LAYERS, network.layers.size() * sizeof(LayerRecord), section_alignment);
  const std::uint64_t weights = round_up(plan.end, weight_alignment);
  const std::uint64_t weights_end = place_weights(network, weights, plan.records);
  plan.add_section(SLUICE_SECTION_WEIGHTS, weights_end - weights, weight_alignment);
  for (std::size_t i = 0; i < std::size(texts); ++i)
    if (!texts[i].empty()) plan.add_section(text_kinds[i], texts[i].size(), section_alignment);

  std::string blob(plan.end, '\0');
  copy_to(blob, sizeof(BlobHeader), plan.sections.data(), count * sizeof(BlobSection));
  copy_to(blob, layers, plan.records.data(), plan.records.size() * sizeof(LayerRecord));
  store_weights(network, plan.records, blob);
  for (std::size_t i = 0, section = 2; i < std::size(texts); ++i)
    if (!texts[i].empty())
      copy_to(blob, plan.sections[section++].offset, texts[i].data(), texts[i].size());

  BlobHeader header = header_of(network, plan);
  copy_to(blob, 0, &header, sizeof header);
  header.crc = blob_crc(reinterpret_cast<const std::uint8_t*>(blob.data()), blob.size());
  copy_to(blob, 0, &header, sizeof header);
  return blob;
}

namespace {

Layer layer_of(const LayerRecord& record) {
  Layer layer;
  layer.kind = static_cast<sluice_layer_kind>(record.kind);
  layer.activation = static_cast<sluice_activation>(record.activation);
  layer.format = static_cast<sluice_format>(record.format);
  layer.every_step = (record.flags & every_step_flag) != 0;
  layer.mean = (record.flags & mean_flag) != 0;
  layer.both = (record.flags & both_directions_flag) != 0;
  layer.initial_state = (record.flags & initial_state_flag) != 0;
  layer.in = static_cast<int>(record.in), layer.out = static_cast<int>(record.out);
  layer.shift_ih = record.shift_ih, layer.shift_hh = record.shift_hh,
  layer.shift_c = record.shift_c;
  layer.shift_h = record.shift_h;
  layer.peepholes = (record.options & peephole_option) != 0;
  layer.cell_clip = record.cell_clip;
  layer.cells = static_cast<int>(record.cells);
  layer.rank = record.rank;
  layer.factor_shift_ih = record.factor_shift_ih;
  layer.factor_shift_hh = record.factor_shift_hh;
  layer.sparse = layer.format != SLUICE_F32 && record.order == std::uint8_t(Order::sparse);
  layer.parameter = record.parameter;
  layer.second = record.second;
  layer.candidate = candidate_of(record.candidate);
  if (!joins(record.kind)) layer.parts = record.parts;
  if (layer.kind == SLUICE_WINDOW) {
    layer.dilation = record.window.dilation, layer.stride = record.window.stride;
    layer.ahead = record.window.ahead, layer.first = record.window.first;
  }
  if (joins(record.kind)) layer.sources.assign(record.sources, record.sources + record.parts);
  return with_arrays(layer);
}

}  // namespace

Network read_network(const sluice_model& model) {
  const auto& opened = reinterpret_cast<const OpenModel&>(model);
  const std::vector<std::string> names = section_strings(model, SLUICE_SECTION_LAYER_NAMES);
  Network network;
  network.width = int(opened.header().inputs);
  network.wide_frame = opened.header().wide_frame;
  for (std::uint32_t l = 0; l < opened.layer_count; ++l) {
    const LayerRecord& record = opened.layers[l];
    Layer layer = layer_of(record);
    for (int earlier = 0; record.w_ih && earlier < int(l) && layer.tied < 0; ++earlier)
      if (opened.layers[earlier].w_ih == record.w_ih && opened.layers[earlier].kind == record.kind)
        layer.tied = earlier;
    if (!joins(record.kind) && record.source != l) layer.sources = {record.source};
    if (l < names.size()) layer.name = names[l];
    Weights arrays[most_arrays];
    layer_weights(record, arrays);
    for (std::size_t i = 0; i < layer.arrays.size(); ++i) {
      const std::uint8_t* const from = opened.blob + arrays[i].offset;
      Array& array = layer.arrays[i];
      if (arrays[i].element == Element::i8) {
        std::size_t plain = 0;
        for (int gate = 0; gate < arrays[i].gates; ++gate)
          for (int row = 0; row < arrays[i].rows; ++row)
            for (int col = 0; col < arrays[i].cols; ++col)
              array.integers[plain++] = weight_at(arrays[i], from, gate, row, col);
        continue;
      }
      each_element(arrays[i], [&](std::size_t plain, std::size_t packed) {
        if (arrays[i].element == Element::f32)
          array.values[plain] = reinterpret_cast<const float*>(from)[packed];
        else
          array.integers[plain] = reinterpret_cast<const std::int32_t*>(from)[packed];
      });
    }
    network.layers.push_back(std::move(layer));
  }
  if (opened.format() != SLUICE_F32) {
    const auto* scale =
        static_cast<const BlobScale*>(sluice_section(&model, SLUICE_SECTION_SCALES, nullptr));
    Scales& scales = network.scales;
    for (std::uint32_t i = 0; i < opened.header().inputs; ++i, ++scale)
      scales.inverse.push_back(scale->factor), scales.offset.push_back(scale->offset);
    for (std::uint32_t i = 0; i < opened.header().outputs; ++i, ++scale)
      scales.unit.push_back(scale->factor), scales.zero.push_back(scale->offset);
  }
  network.self_test = section_text(model, SLUICE_SECTION_SELF_TEST);
  network.vocabulary = section_text(model, SLUICE_SECTION_VOCABULARY);
  network.inputs = section_strings(model, SLUICE_SECTION_NAMES);
  network.labels = section_strings(model, SLUICE_SECTION_LABELS);
  network.made = section_text(model, SLUICE_SECTION_MADE);
  return network;
}

}  // namespace sluice::tools
