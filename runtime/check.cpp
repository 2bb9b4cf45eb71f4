// All checks of a blob. Arithmetic on sizes is in 64 bits, so that nothing wraps on a 32-bit core.
#include <string.h>

#include "layer.h"
#include "vocabulary.h"

namespace sluice {
namespace {

// Firmware may trust its flash to save time at boot (SLUICE_TRUST_BLOB in CMakeLists.txt). The
// structure is always checked.
#ifdef SLUICE_TRUST_BLOB
constexpr bool contents_checked = false;
#else
constexpr bool contents_checked = true;
#endif

bool all_zero(const uint32_t* words, size_t n) {
  for (size_t i = 0; i < n; ++i)
    if (words[i]) return false;
  return true;
}

/// Returns whether [offset, offset + bytes) is inside [begin, end).
bool inside(uint64_t offset, uint64_t bytes, uint64_t begin, uint64_t end) {
  return offset >= begin && offset + bytes <= end;
}

/// Returns whether the sizes of a vocabulary fit, and its tokens are not empty, all different, and
/// sorted.
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
    if (s.reserved || s.offset % align || !inside(s.offset, s.bytes, table_end, header.bytes))
      return SLUICE_STRUCTURE;
    for (uint32_t j = 0; j < i; ++j)
      if (table[j].kind == s.kind) return SLUICE_STRUCTURE;
    // Text that a program will read as strings must end in NUL.
    const bool strings = s.kind == SLUICE_SECTION_NAMES || s.kind == SLUICE_SECTION_LABELS ||
                         s.kind == SLUICE_SECTION_LAYER_NAMES;
    if (strings && (s.bytes == 0 || blob[s.offset + s.bytes - 1] != 0)) return SLUICE_STRUCTURE;
    if (reads_text && s.kind == SLUICE_SECTION_VOCABULARY &&
        !good_vocabulary(blob + s.offset, s.bytes))
      return SLUICE_STRUCTURE;
  }
  return SLUICE_OK;
}

bool finite(uint32_t bits) { return (bits & 0x7F800000u) != 0x7F800000u; }

/// Returns whether all floats are finite, and no int8 is -128.
bool good_elements(Element element, Order order, const uint8_t* at, uint64_t n) {
  if (element == Element::i32) return true;
  const auto* words = reinterpret_cast<const uint32_t*>(at);
  for (uint64_t i = 0; i < n; ++i)
    if (element == Element::f32 ? !finite(words[i])
                                : at[i] == (is_biased(order, size_t(i)) ? 0 : 0x80))
      return false;
  return true;
}

/// Returns whether a sparse matrix fits `bytes` from its offset on, its ends do not decrease, and
/// the columns of its blocks ascend in each panel.
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
      if (m.columns[b] >= columns || (b > m.begin(p) && m.columns[b] <= m.columns[b - 1]))
        return false;
  return true;
}

sluice_status check_array(const uint8_t* blob, const Weights& a, const BlobSection& section) {
  const uint64_t end = uint64_t(section.offset) + section.bytes;
  if (a.offset % weight_alignment || !inside(a.offset, 0, section.offset, end))
    return SLUICE_STRUCTURE;
  const uint8_t* at = blob + a.offset;
  if (is_sparse(a) && !good_sparse(a, at, end - a.offset)) return SLUICE_STRUCTURE;
  if (!inside(a.offset, weight_bytes(a, at), section.offset, end)) return SLUICE_STRUCTURE;
  uint64_t n = elements(a);
  if (is_sparse(a)) {
    const uint32_t blocks = stored_blocks(a, at);
    n = uint64_t(blocks) * block_bytes, at += SparseMatrix::head(uint64_t(panels(a)), blocks);
  }
  return contents_checked && !good_elements(a.element, a.order, at, n) ? SLUICE_WEIGHTS : SLUICE_OK;
}

/// Checks the arrays, and that the offsets that the layer does not use are 0. A layer that joins
/// has its sources in the record's place of the backward offsets.
sluice_status check_weights(const uint8_t* blob, const LayerRecord& layer,
                            const BlobSection& section) {
  uint32_t unused[2 * sizeof layer.back / sizeof *layer.back];
  memcpy(unused, &layer.w_ih, sizeof unused / 2);
  memcpy(unused + 4, layer.back, sizeof unused / 2);
  if (joins(layer.kind) || is_window(layer)) memset(unused + 4, 0, sizeof unused / 2);
  ArrayIterator iterator(layer);
  for (Weights array; iterator.next(array);) {
    if (const sluice_status status = check_array(blob, array, section)) return status;
    if (array.field != Field::behind) unused[int(array.field) + 4 * array.backward] = 0;
  }
  return all_zero(unused, sizeof unused / sizeof *unused) ? SLUICE_OK : SLUICE_STRUCTURE;
}

/// Returns whether the rank is 0, or smaller than the units and of a cell that is not sparse, and
/// whether shifts of factors are 0 if there is no such factor.
bool good_rank(const LayerRecord& layer) {
  if (only_plain_cells) return true;
  const uint8_t most = layer.rank && layer.format != SLUICE_F32 ? most_shift : 0;
  if (layer.factor_shift_ih > most || layer.factor_shift_hh > most) return false;
  if (layer.rank == 0) return true;
  if (layer.factor_shift_ih && layer.rank >= layer.in) return false;
  return is_recurrent(layer.kind) && layer.order != uint8_t(Order::sparse) &&
         layer.rank < (goes_both_ways(layer) ? layer.out / 2 : layer.out);
}

/// Returns whether a parameter is a positive, finite number if the layer has it, and else 0.
bool good_parameter(const float& parameter, bool wanted) {
  uint32_t bits;
  memcpy(&bits, &parameter, sizeof bits);
  return wanted ? bits > 0 && bits < 0x7F800000u : bits == 0;
}

bool good_parameters(const LayerRecord& layer) {
  const bool first =
      layer.activation == SLUICE_HARD_SIGMOID || layer.activation == SLUICE_HARD_SILU ||
      (holds_norm && (layer.kind == SLUICE_BATCH_NORM || layer.kind == SLUICE_LAYER_NORM)) ||
      (holds_convolution && layer.kind == SLUICE_UNIT_NORM);
  if (only_plain_cells) return good_parameter(layer.parameter, first);
  if (!holds_curves)
    return good_parameter(layer.parameter, first) && good_parameter(layer.second, false);
  if (layer.activation == SLUICE_CLIP) {
    uint32_t bits[2];
    memcpy(bits, &layer.parameter, sizeof *bits), memcpy(bits + 1, &layer.second, sizeof *bits);
    return finite(bits[0]) && finite(bits[1]) && layer.parameter < layer.second;
  }
  const auto has_alpha = [](uint32_t f) { return f == SLUICE_ELU || f == SLUICE_LEAKY_RELU; };
  const bool second = has_alpha(layer.activation) ||
                      (layer.candidate && has_alpha(candidate_number(layer.candidate)));
  return good_parameter(layer.parameter, first) && good_parameter(layer.second, second);
}

/// Returns whether a layer has no other options than its kind and format may have, and the numbers
/// of its options.
/// @param hard  hard_gates_option, if the activation requires it, or 0
bool good_options(const LayerRecord& layer, uint8_t hard) {
  constexpr size_t numbers = offsetof(LayerRecord, cell_clip) / sizeof(uint32_t);
  if (!holds_lstm_options)
    return layer.options == hard &&
           all_zero(reinterpret_cast<const uint32_t*>(&layer) + numbers, 2);
  const bool may = layer.kind == SLUICE_LSTM && layer.format == SLUICE_F32;
  const uint8_t own = may ? lstm_options : 0;
  if ((layer.options & ~own) != hard) return false;
  if (!good_parameter(layer.cell_clip, layer.options & clip_option)) return false;
  if (!(layer.options & projection_option)) return layer.cells == 0;
  return layer.cells >= 1 && layer.cells <= widest;
}

/// Returns whether the candidate is tanh, or a curve that the cell may have, whether the record
/// says of a hard sigmoid in fixed point what its activation says, and whether the fields that
/// nothing uses are 0.
bool good_candidate(const LayerRecord& layer) {
  if (only_plain_cells) {
    constexpr size_t behind = offsetof(LayerRecord, rank) / sizeof(uint32_t) + 1;
    return all_zero(reinterpret_cast<const uint32_t*>(&layer) + behind,
                    sizeof layer / sizeof(uint32_t) - behind);
  }
  const bool fixed = layer.format != SLUICE_F32;
  const bool hard =
      holds_curves && fixed && is_recurrent(layer.kind) && layer.activation == SLUICE_HARD_SIGMOID;
  if (layer.reserved_8 || !good_options(layer, hard ? hard_gates_option : 0)) return false;
  const bool lifts = holds_curves && fixed && layer.kind == SLUICE_LSTM && layer.candidate;
  if (layer.shift_h > (lifts ? most_state_shift : 0)) return false;
  if (!holds_curves || !layer.candidate) return true;
  constexpr uint32_t kinds = kinds_with([](const Anatomy& a) { return a.curved; });
  const uint32_t curve = candidate_number(layer.candidate);
  return has_kind(kinds, layer.kind) && curve < 32 &&
         ((fixed ? fixed_candidates : candidates) >> curve & 1);
}

/// Returns whether the numbers of a window's steps fit its output, it reaches back over no more
/// numbers than that, and if it looks ahead, its first output is that of the first step.
bool good_window(const LayerRecord& layer) {
  constexpr uint64_t most = 1u << 24;
  const WindowSteps& steps = layer.window;
  const uint64_t reach = (uint64_t(layer.parts) - 1) * steps.dilation;
  for (size_t i = sizeof steps / sizeof *layer.sources; i < most_sources; ++i)
    if (layer.sources[i]) return false;
  return layer.parts && steps.dilation && steps.stride && steps.ahead <= reach &&
         steps.first <= (steps.ahead ? 0 : reach) &&
         uint64_t(layer.in) * layer.parts == layer.out && reach * layer.in <= most;
}

/// Returns whether a layer that joins has sources, a window steps, and any other layer equal parts
/// if its kind may have them.
bool good_parts(const LayerRecord& layer) {
  if (joins(layer.kind)) return layer.parts >= 2 && layer.parts <= most_sources && !layer.source;
  if (!holds_convolution) return !layer.parts;
  if (is_window(layer)) return good_window(layer);
  constexpr uint32_t parted = kinds_with([](const Anatomy& a) { return a.parted; });
  if (!has_kind(parted, layer.kind)) return !layer.parts;
  if (layer.kind == SLUICE_DENSE && layer.parts < 2) return !layer.parts;
  if (!layer.parts || layer.in % layer.parts || layer.out % layer.parts) return false;
  return layer.kind == SLUICE_DENSE || layer.in % layer.out == 0;
}

bool good_flags(const LayerRecord& layer, const LayerKind& kind) {
  const uint8_t known = uint8_t(kind.flags | once_flag | answer_flag);
  if (layer.flags & ~known || ((layer.flags & every_step_flag) && (layer.flags & mean_flag)))
    return false;
  return !goes_both_ways(layer) || layer.out % 2 == 0;
}

sluice_status check_layer(const uint8_t* blob, const LayerRecord& layer, const BlobSection& weights,
                          bool any_order) {
  const LayerKind* kind = find_layer(layer.kind, layer.format);
  if (!holds_layer(layer))
    return knows_format(layer.format) ? SLUICE_LAYER_MISSING : SLUICE_FORMAT_MISSING;
  if ((holds_curves && layer.activation >= 32) || !(kind->activations >> layer.activation & 1))
    return SLUICE_STRUCTURE;
  if (!good_flags(layer, *kind) || !good_parameters(layer) || !good_rank(layer) ||
      !good_candidate(layer))
    return SLUICE_STRUCTURE;
  const int shifts = layer.format == SLUICE_F32 ? 0 : most_shift;
  constexpr uint32_t shifted = kinds_with([](const Anatomy& a) { return a.shifted_state; });
  const bool shifts_state =
      (holds_other_cells && has_kind(shifted, layer.kind)) || (holds_curves && layer.candidate);
  const int cell_shifts = shifts_state && layer.format != SLUICE_F32 ? most_cell_shift : 0;
  if (layer.shift_ih > shifts || layer.shift_hh > shifts || layer.shift_c > cell_shifts)
    return SLUICE_STRUCTURE;
  const uint8_t known = layer.format == SLUICE_F32
                            ? 0
                            : uint8_t(may_be_sparse(layer.kind) ? Order::sparse : Order::rows);
  if (layer.order > known) return SLUICE_STRUCTURE;
  const bool sparse = layer.order == uint8_t(Order::sparse),
             reads = sparse ? holds_sparse : any_order || layer.order == uint8_t(own_order);
  if (layer.format != SLUICE_F32 && !reads) return SLUICE_ORDER;
  if (layer.in < 1 || layer.in > widest || layer.out < 1 || layer.out > widest) return SLUICE_SHAPE;
  if (kind->keeps_width && layer.in != layer.out) return SLUICE_SHAPE;
  if (!good_parts(layer)) return SLUICE_STRUCTURE;
  return check_weights(blob, layer, weights);
}

/// Checks the layers of a blob as a network. Each layer was checked on its own before.
struct Graph {
  const BlobHeader& header;
  const LayerRecord* record;
  /// The units of all outputs side by side, which is the most that a plan of buffers needs. The sum
  /// wraps only if there is a width that is refused anyway.
  uint32_t most_units;

  uint32_t width(uint32_t source) const { return source ? record[source - 1].out : header.inputs; }
  bool once(uint32_t source) const { return source && record[source - 1].flags & once_flag; }
  bool reads_ids() const { return holds_embedding && record[0].kind == SLUICE_EMBEDDING; }
  /// Returns whether the outputs of two layers overlap in the buffers. Their places must have been
  /// checked.
  bool overlaps(const LayerRecord& a, const LayerRecord& b) const {
    return a.y < b.y + uint32_t(padded(int(b.out))) && b.y < a.y + uint32_t(padded(int(a.out)));
  }

  /// Returns whether a source is the frame or a layer before this one, and no output overwrites its
  /// own before this layer has finished.
  bool keeps_source(uint32_t index, uint32_t source) const {
    if (!holds_graph)
      return source == index && (index == 0 || !overlaps(record[index - 1], record[index]));
    if (source > index) return false;
    for (uint32_t later = source; source && later <= index; ++later)
      if (overlaps(record[source - 1], record[later])) return false;
    return true;
  }

  /// Returns whether a source has outputs in the steps of a layer, and the layer's first output and
  /// the distance of two are not too large to count. A layer that thins sets the steps of all that
  /// follow.
  bool keeps_step(uint32_t index, uint32_t source) const {
    if (!holds_convolution) return true;
    for (uint32_t before = source; before < index; ++before)
      if (thins(record[before])) return false;
    return !thins(record[index]) || clock_of(record, index + 1).fits();
  }

  /// Returns whether a layer that reads the frame reads ids if, and only if, the frames of the
  /// model are ids; and whether it can read a wide one. A difference in fixed point needs one of 16
  /// bits.
  bool frame_fits(uint32_t index, uint32_t source) const {
    const uint8_t kind = record[index].kind;
    const bool embeds = holds_embedding && kind == SLUICE_EMBEDDING;
    if (embeds) return index == 0 && source == 0 && header.inputs == 1;
    if (source > 0) return true;
    const bool differs = kind == SLUICE_DIFFERENCE,
               needs_wide = differs && record[index].format == SLUICE_INT8;
    if (!has_wide_frame(header)) return !reads_ids() && !needs_wide;
    return !reads_ids() &&
           (joins(kind) || kind == SLUICE_SELECT || differs || is_window(record[index]));
  }

  bool good_widths(uint32_t index) const {
    const LayerRecord& layer = record[index];
    if (!joins(layer.kind)) return (index == 0 && reads_ids()) || layer.in == width(layer.source);
    uint64_t sum = 0;
    bool equal = true;
    for (uint32_t i = 0; i < layer.parts; ++i) {
      sum += width(layer.sources[i]);
      equal = equal && width(layer.sources[i]) == layer.out;
    }
    if (holds_convolution && layer.kind == SLUICE_ATTENTION)
      return layer.parts == 2 && width(layer.sources[0]) == 1 &&
             width(layer.sources[1]) == layer.out;
    const bool two =
        layer.kind != SLUICE_MULTIPLY || layer.format == SLUICE_F32 || layer.parts == 2;
    return layer.in == layer.out && two && (layer.kind == SLUICE_CONCAT ? sum == layer.out : equal);
  }

  /// Returns whether an output is the answer or a part of it. The last layer, which says so, may
  /// not have been checked yet.
  bool is_answer(uint32_t index) const {
    const LayerRecord& last = record[header.layers - 1];
    const uint32_t parts = parts_of_answer(last);
    bool part = index + 1 == header.layers;
    for (uint32_t i = 0; parts > 1 && i < parts && i < most_sources; ++i)
      part = part || last.sources[i] == index + 1;
    return part;
  }

  bool good_flags(uint32_t index) const {
    const LayerRecord& layer = record[index];
    bool once_here = last_step_only(layer), once_before = false;
    for (uint32_t i = 0; i < sources_of(layer); ++i)
      once_before = once_before || once(source_of(layer, i));
    constexpr uint32_t by_step = kinds_with([](const Anatomy& a) { return a.by_step; });
    if (once_before && has_kind(by_step, layer.kind)) return false;
    return bool(layer.flags & once_flag) == (once_here || once_before) &&
           bool(layer.flags & answer_flag) == is_answer(index);
  }

  /// Returns whether softmax and sigmoid are in permitted places. Softmax has no integer form: in
  /// fixed point an answer with softmax or sigmoid is given as logits, which no other layer may
  /// read.
  bool good_logits(uint32_t index) const {
    const LayerRecord& layer = record[index];
    if (layer.format == SLUICE_F32 ||
        (layer.activation != SLUICE_SOFTMAX && layer.activation != SLUICE_SIGMOID))
      return true;
    if (!(layer.flags & answer_flag)) return layer.activation == SLUICE_SIGMOID;
    bool others = false;
    for (uint32_t later = index + 1; holds_graph && later + 1 < header.layers; ++later)
      for (uint32_t i = 0; i < sources_of(record[later]); ++i)
        others = others || source_of(record[later], i) == index + 1;
    return !others;
  }

  sluice_status check(uint32_t index) const {
    const LayerRecord& layer = record[index];
    const auto units = uint32_t(padded(int(layer.out)));
    if (layer.y % panel_rows || units > most_units || layer.y > most_units - units)
      return SLUICE_STRUCTURE;
    for (uint32_t i = 0; i < sources_of(layer); ++i)
      if (!keeps_source(index, source_of(layer, i)) || !frame_fits(index, source_of(layer, i)) ||
          !keeps_step(index, source_of(layer, i)))
        return SLUICE_SHAPE;
    for (uint32_t i = layer.parts; joins(layer.kind) && i < most_sources; ++i)
      if (layer.sources[i]) return SLUICE_STRUCTURE;
    if (!good_widths(index) || !good_flags(index)) return SLUICE_SHAPE;
    if (layer.format != record[0].format || !good_logits(index)) return SLUICE_STRUCTURE;
    return SLUICE_OK;
  }
};

/// Returns whether the columns that a select reads are columns of its source, or -1.
bool good_columns(const uint8_t* blob, const LayerRecord& layer) {
  const auto* columns = reinterpret_cast<const uint32_t*>(blob + layer.w_ih);
  bool good = true;
  for (uint32_t i = 0; i < layer.out; ++i)
    good = good && (columns[i] < layer.in || columns[i] == ~0u);
  return good;
}

/// Checks the scales of inputs and answers, which a model in fixed point must have.
sluice_status check_scales(const uint8_t* blob, const BlobHeader& header) {
  const BlobSection* section = find_section(blob, SLUICE_SECTION_SCALES);
  if (!section || section->bytes != (uint64_t(header.inputs) + header.outputs) * sizeof(BlobScale))
    return SLUICE_STRUCTURE;
  return !contents_checked || good_elements(Element::f32, Order::canonical, blob + section->offset,
                                            section->bytes / sizeof(float))
             ? SLUICE_OK
             : SLUICE_WEIGHTS;
}

sluice_status check_layers(const uint8_t* blob, const BlobHeader& header, bool any_order) {
  const BlobSection* layers = find_section(blob, SLUICE_SECTION_LAYERS);
  const BlobSection* weights = find_section(blob, SLUICE_SECTION_WEIGHTS);
  if (!layers || !weights || !header.layers || header.layers > most_layers ||
      header.layers * sizeof(LayerRecord) != layers->bytes || header.inputs < 1 ||
      header.inputs > widest)
    return SLUICE_STRUCTURE;
  Graph graph{header, reinterpret_cast<const LayerRecord*>(blob + layers->offset), 0};
  if (has_wide_frame(header) && (header.wide_frame > 1 || graph.record[0].format != SLUICE_INT8))
    return SLUICE_STRUCTURE;
  for (uint32_t i = 0; i < header.layers; ++i) graph.most_units += graph.record[i].out + panel_rows;
  for (uint32_t i = 0; i < header.layers; ++i) {
    const LayerRecord& layer = graph.record[i];
    sluice_status status = check_layer(blob, layer, *weights, any_order);
    if (!status) status = graph.check(i);
    if (!status && holds_graph && layer.kind == SLUICE_SELECT && !good_columns(blob, layer))
      status = SLUICE_SHAPE;
    if (status) return status;
  }
  if (graph.width(header.layers) != header.outputs) return SLUICE_SHAPE;
  return graph.record[0].format == SLUICE_F32 ? SLUICE_OK : check_scales(blob, header);
}

}  // namespace

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
  if (header.major < 1 ||
      !all_zero(header.reserved, sizeof header.reserved / sizeof *header.reserved))
    return SLUICE_STRUCTURE;
  const sluice_status status = check_sections(blob, header);
  return status ? status : check_layers(blob, header, any_order);
}

}  // namespace sluice
