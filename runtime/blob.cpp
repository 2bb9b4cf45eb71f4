// Every check of a blob. All arithmetic on sizes is in 64 bits, so that nothing wraps on a 32-bit core.
#include "blob.h"

#include <string.h>

#include "layer.h"
#include "vocabulary.h"

namespace sluice {
namespace {

// Where boot time matters, firmware may trust its flash (SLUICE_TRUST_BLOB in CMakeLists.txt). The structure is always checked.
#ifdef SLUICE_TRUST_BLOB
constexpr bool contents_checked = false;
#else
constexpr bool contents_checked = true;
#endif

/// CRC-32 of the IEEE. Firmware: four bits at a time, by a table of 64 bytes. Hosts: eight bytes at a time, by eight tables (Kounavis,
/// Berry 2005).
#if defined(SLUICE_ONE_ISA)
constexpr int crc_bits = 4, crc_tables = 1;
#else
constexpr int crc_bits = 8, crc_tables = 8;
#endif
struct CrcTables {
  uint32_t entry[crc_tables][1 << crc_bits];
  constexpr CrcTables() : entry() {
    for (uint32_t i = 0; i < 1u << crc_bits; ++i) {
      uint32_t c = i;
      for (int bit = 0; bit < crc_bits; ++bit) c = c & 1 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
      entry[0][i] = c;
    }
    for (int t = 1; t < crc_tables; ++t)
      for (int i = 0; i < 1 << crc_bits; ++i) entry[t][i] = entry[0][entry[t - 1][i] & 255] ^ (entry[t - 1][i] >> 8);
  }
};

uint32_t crc_of(uint32_t crc, const uint8_t* p, size_t n) {
  static constexpr CrcTables tables;
  if constexpr (crc_tables == 8)
    for (; n >= 8; p += 8, n -= 8) {
      uint32_t word[2];
      memcpy(word, p, sizeof word);
      word[0] ^= crc;
      crc = 0;
      for (int i = 0; i < 8; ++i) crc ^= tables.entry[7 - i][word[i / 4] >> i % 4 * 8 & 255];
    }
  for (; n > 0; ++p, --n) {
    crc ^= *p;
    for (int bit = 0; bit < 8; bit += crc_bits) crc = tables.entry[0][crc & ((1 << crc_bits) - 1)] ^ (crc >> crc_bits);
  }
  return crc;
}

bool all_zero(const uint32_t* words, size_t n) {
  for (size_t i = 0; i < n; ++i)
    if (words[i]) return false;
  return true;
}

/// Whether [offset, offset + bytes) lies inside [begin, end).
bool inside(uint64_t offset, uint64_t bytes, uint64_t begin, uint64_t end) { return offset >= begin && offset + bytes <= end; }

/// Whether its sizes fit, and its tokens are neither empty nor equal, and sorted.
bool good_vocabulary(const uint8_t* section, uint64_t bytes) {
  const Vocabulary v(section);
  if (bytes < sizeof *v.head || v.head->words > 1 || v.head->lower_case > 1) return false;
  if (v.head->ids <= first_token || v.head->ids > most_ids) return false;
  const uint32_t n = v.tokens();
  if (bytes != sizeof *v.head + n * 4ull + (n + n % 2) * 2ull + v.head->text_bytes) return false;
  for (uint32_t i = 0; i < n; ++i)
    if (v.ends()[i] <= v.begin(i)) return false;
  if (v.ends()[n - 1] != v.head->text_bytes || (n % 2 && v.sorted()[n])) return false;
  for (uint32_t i = 0; i < n; ++i) {
    const uint32_t one = v.sorted()[i];
    if (one >= n) return false;
    if (i == 0) continue;
    const uint32_t before = v.sorted()[i - 1], a = v.length(before), b = v.length(one);
    const int order = memcmp(v.text(before), v.text(one), a < b ? a : b);
    if (order > 0 || (order == 0 && a >= b)) return false;
  }
  return true;
}

sluice_status check_sections(const uint8_t* blob, const BlobHeader& header) {
  const uint64_t table_end = sizeof header + uint64_t(header.sections) * sizeof(BlobSection);
  if (header.sections > 64 || table_end > header.bytes) return SLUICE_STRUCTURE;
  const auto* table = reinterpret_cast<const BlobSection*>(blob + sizeof header);
  for (uint32_t i = 0; i < header.sections; ++i) {
    const BlobSection& s = table[i];
    const uint32_t align = s.kind == SLUICE_SECTION_WEIGHTS ? weight_alignment : section_alignment;
    if (s.reserved || s.offset % align || !inside(s.offset, s.bytes, table_end, header.bytes)) return SLUICE_STRUCTURE;
    for (uint32_t j = 0; j < i; ++j)
      if (table[j].kind == s.kind) return SLUICE_STRUCTURE;
    // Text that a program will read as strings ends in NUL.
    const bool strings = s.kind == SLUICE_SECTION_NAMES || s.kind == SLUICE_SECTION_LABELS;
    if (strings && (s.bytes == 0 || blob[s.offset + s.bytes - 1] != 0)) return SLUICE_STRUCTURE;
    if (reads_text && s.kind == SLUICE_SECTION_VOCABULARY && !good_vocabulary(blob + s.offset, s.bytes))
      return SLUICE_STRUCTURE;
  }
  return SLUICE_OK;
}

bool finite(uint32_t bits) { return (bits & 0x7F800000u) != 0x7F800000u; }

/// Whether floats are finite, and no int8 is -128.
bool good_elements(Element element, Order order, const uint8_t* at, uint64_t n) {
  if (element == Element::i32) return true;
  const auto* words = reinterpret_cast<const uint32_t*>(at);
  for (uint64_t i = 0; i < n; ++i)
    if (element == Element::f32 ? !finite(words[i]) : at[i] == (is_biased(order, size_t(i)) ? 0 : 0x80)) return false;
  return true;
}

/// Whether a sparse matrix lies inside `bytes` from its offset on, its blocks counted upwards, their columns ascending in a panel.
bool good_sparse(const Weights& w, const uint8_t* array, uint64_t bytes) {
  const uint64_t n = uint64_t(panels(w));
  if (n * sizeof(uint32_t) > bytes) return false;
  const auto* const ends = reinterpret_cast<const uint32_t*>(array);
  for (uint64_t p = 1; p < n; ++p)
    if (ends[p] < ends[p - 1]) return false;
  if (SparseMatrix::bytes(n, ends[n - 1]) > bytes) return false;
  const SparseMatrix m(array, int(n));
  const uint32_t columns = uint32_t(blocked(w.cols) / block_cols);
  for (int p = 0; p < int(n); ++p)
    for (uint32_t b = m.begin(p); b < ends[p]; ++b)
      if (m.columns[b] >= columns || (b > m.begin(p) && m.columns[b] <= m.columns[b - 1])) return false;
  return true;
}

/// Offsets that the layer does not use are 0.
bool only_used(const LayerRecord& layer, const Weights* arrays, int n) {
  uint32_t used[2 * sizeof layer.back / sizeof *layer.back];
  memcpy(used, &layer.w_ih, sizeof used / 2);
  memcpy(used + 4, layer.back, sizeof used / 2);
  bool good = true;
  for (const uint32_t offset : used) {
    bool known = offset == 0;
    for (int i = 0; i < n; ++i) known = known || arrays[i].offset == offset;
    good = good && known;
  }
  return good;
}

sluice_status check_weights(const uint8_t* blob, const LayerRecord& layer, const BlobSection& section) {
  Weights arrays[most_arrays];
  const int n = layer_weights(layer, arrays);
  for (int i = 0; i < n; ++i) {
    const Weights& a = arrays[i];
    const uint64_t end = uint64_t(section.offset) + section.bytes;
    if (a.offset % weight_alignment || !inside(a.offset, 0, section.offset, end)) return SLUICE_STRUCTURE;
    const uint8_t* at = blob + a.offset;
    if (is_sparse(a) && !good_sparse(a, at, end - a.offset)) return SLUICE_STRUCTURE;
    if (!inside(a.offset, weight_bytes(a, at), section.offset, end)) return SLUICE_STRUCTURE;
    uint64_t n = elements(a);
    if (is_sparse(a)) {
      const uint32_t blocks = stored_blocks(a, at);
      n = uint64_t(blocks) * block_bytes, at += SparseMatrix::head(uint64_t(panels(a)), blocks);
    }
    if (contents_checked && !good_elements(a.element, a.order, at, n)) return SLUICE_WEIGHTS;
  }
  return only_used(layer, arrays, n) ? SLUICE_OK : SLUICE_STRUCTURE;
}

/// A positive, finite number where the layer has one, else 0.
bool good_parameter(const LayerRecord& layer) {
  const bool wanted = layer.activation == SLUICE_HARD_SIGMOID ||
                      (holds_norm && (layer.kind == SLUICE_BATCH_NORM || layer.kind == SLUICE_LAYER_NORM));
  uint32_t bits;
  memcpy(&bits, &layer.parameter, sizeof bits);
  return wanted ? bits > 0 && bits < 0x7F800000u : bits == 0;
}

bool good_flags(const LayerRecord& layer, const LayerKind& kind) {
  if (layer.flags & ~kind.flags || ((layer.flags & every_step_flag) && (layer.flags & mean_flag))) return false;
  return !goes_both_ways(layer) || layer.out % 2 == 0;
}

sluice_status check_layer(const uint8_t* blob, const LayerRecord& layer, const BlobSection& weights, bool any_order) {
  const LayerKind* kind = find_layer(layer.kind, layer.format);
  if (!holds_layer(layer)) return knows_format(layer.format) ? SLUICE_LAYER_MISSING : SLUICE_FORMAT_MISSING;
  if (layer.activation > SLUICE_HARD_SIGMOID || !(kind->activations >> layer.activation & 1)) return SLUICE_STRUCTURE;
  if (!good_flags(layer, *kind) || !good_parameter(layer) ||
      !all_zero(layer.reserved, sizeof layer.reserved / sizeof *layer.reserved))
    return SLUICE_STRUCTURE;
  const int shifts = layer.format == SLUICE_F32 ? 0 : most_shift;
  const int cell_shifts = holds_other_cells && layer.kind == SLUICE_LSTM && layer.format != SLUICE_F32 ? most_cell_shift : 0;
  if (layer.shift_ih > shifts || layer.shift_hh > shifts || layer.shift_c > cell_shifts) return SLUICE_STRUCTURE;
  const uint8_t known = layer.format == SLUICE_F32 ? 0 : uint8_t(may_be_sparse(layer.kind) ? Order::sparse : Order::rows);
  if (layer.order > known) return SLUICE_STRUCTURE;
  const bool sparse = layer.order == uint8_t(Order::sparse), reads = sparse ? holds_sparse : any_order || layer.order == uint8_t(own_order);
  if (layer.format != SLUICE_F32 && !reads) return SLUICE_ORDER;
  if (layer.in < 1 || layer.in > widest || layer.out < 1 || layer.out > widest) return SLUICE_SHAPE;
  if (kind->keeps_width && layer.in != layer.out) return SLUICE_SHAPE;
  return check_weights(blob, layer, weights);
}

/// Columns of a frame are whole numbers below the frame's width: what they are used for must not leave it.
bool good_columns(const uint8_t* blob, const LayerRecord& layer, const BlobHeader& header) {
  const auto* columns = reinterpret_cast<const float*>(blob + layer.w_ih);
  bool good = true;
  for (uint32_t i = 0; i < layer.out; ++i)
    good = good && columns[i] >= 0.0f && columns[i] < float(header.inputs) && columns[i] == float(uint32_t(columns[i]));
  return good;
}

/// A model in fixed point says how its inputs and answers are scaled.
sluice_status check_scales(const uint8_t* blob, const BlobHeader& header) {
  const BlobSection* section = find_section(blob, SLUICE_SECTION_SCALES);
  if (!section || section->bytes != sizeof(BlobScales) + uint64_t(header.inputs) * 2 * sizeof(float)) return SLUICE_STRUCTURE;
  const auto* words = reinterpret_cast<const uint32_t*>(blob + section->offset);
  if (!all_zero(words + 1, 3)) return SLUICE_STRUCTURE;
  return !contents_checked ||
                 good_elements(Element::f32, Order::canonical, blob + section->offset, section->bytes / sizeof(float))
             ? SLUICE_OK
             : SLUICE_WEIGHTS;
}

sluice_status check_layers(const uint8_t* blob, const BlobHeader& header, bool any_order) {
  const BlobSection* layers = find_section(blob, SLUICE_SECTION_LAYERS);
  const BlobSection* weights = find_section(blob, SLUICE_SECTION_WEIGHTS);
  if (!layers || !weights || !header.layers || uint64_t(header.layers) * sizeof(LayerRecord) != layers->bytes)
    return SLUICE_STRUCTURE;
  const auto* record = reinterpret_cast<const LayerRecord*>(blob + layers->offset);
  uint32_t width = header.inputs;
  bool ended = false;  // a layer has handed only the last step on
  for (uint32_t i = 0; i < header.layers; ++i) {
    const sluice_status status = check_layer(blob, record[i], *weights, any_order);
    if (status) return status;
    const bool embeds = holds_embedding && record[i].kind == SLUICE_EMBEDDING;  // first, of frames that are one id
    if (embeds ? i > 0 || width != 1 : record[i].in != width) return SLUICE_SHAPE;
    if (record[i].format != record[0].format) return SLUICE_STRUCTURE;
    // Softmax has no integer form: in fixed point the last layer's logits stand for it.
    if (record[i].format != SLUICE_F32 && record[i].activation == SLUICE_SOFTMAX && i + 1 < header.layers)
      return SLUICE_STRUCTURE;
    if (ended && is_recurrent(record[i].kind)) return SLUICE_SHAPE;
    if (holds_change && record[i].kind == SLUICE_DIFFERENCE && i > 0) return SLUICE_SHAPE;
    if (holds_change && record[i].kind == SLUICE_ADD_INPUT &&
        (!good_columns(blob, record[i], header) || i + 1 < header.layers || record[0].kind == SLUICE_EMBEDDING))
      return SLUICE_SHAPE;
    ended = ended || last_step_only(record[i]);
    width = record[i].out;
  }
  if (width != header.outputs) return SLUICE_SHAPE;
  return record[0].format == SLUICE_F32 ? SLUICE_OK : check_scales(blob, header);
}

}  // namespace

uint32_t blob_crc(const uint8_t* blob, size_t bytes) {
  constexpr size_t at = offsetof(BlobHeader, crc);
  const uint8_t zero[4] = {};
  uint32_t crc = crc_of(0xFFFFFFFFu, blob, at);
  crc = crc_of(crc, zero, sizeof zero);
  return ~crc_of(crc, blob + at + sizeof zero, bytes - at - sizeof zero);
}

const BlobSection* find_section(const uint8_t* blob, uint32_t kind) {
  const auto& header = *reinterpret_cast<const BlobHeader*>(blob);
  const auto* table = reinterpret_cast<const BlobSection*>(blob + sizeof header);
  for (uint32_t i = 0; i < header.sections; ++i)
    if (table[i].kind == kind) return &table[i];
  return nullptr;
}

sluice_status check_blob(const void* memory, size_t bytes, bool any_order) {
  if (!memory) return SLUICE_NULL;
  if (reinterpret_cast<uintptr_t>(memory) % SLUICE_ALIGNMENT) return SLUICE_MISALIGNED;
  const auto* blob = static_cast<const uint8_t*>(memory);
  if (bytes < sizeof(BlobHeader)) {
    const size_t shown = bytes < sizeof blob_magic ? bytes : sizeof blob_magic;
    return memcmp(blob, blob_magic, shown) == 0 ? SLUICE_TRUNCATED : SLUICE_NOT_A_BLOB;
  }
  const auto& header = *reinterpret_cast<const BlobHeader*>(blob);
  if (memcmp(header.magic, blob_magic, sizeof blob_magic) != 0) return SLUICE_NOT_A_BLOB;
  if (header.major > SLUICE_BLOB_MAJOR) return SLUICE_NEWER_FORMAT;
  if (header.bytes > bytes) return SLUICE_TRUNCATED;
  if (header.bytes < sizeof header) return SLUICE_STRUCTURE;
  if (contents_checked && blob_crc(blob, header.bytes) != header.crc) return SLUICE_CHECKSUM;
  if (header.major < 1 || !all_zero(header.reserved, sizeof header.reserved / sizeof *header.reserved)) return SLUICE_STRUCTURE;
  const sluice_status status = check_sections(blob, header);
  return status ? status : check_layers(blob, header, any_order);
}

}  // namespace sluice
