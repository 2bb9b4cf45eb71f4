// The layers of a graph without a product, in float and in fixed point: select; and concat, add and
// multiply, which join several sources.
#ifndef SLUICE_JOIN_H
#define SLUICE_JOIN_H

#include <string.h>

#include "layer.h"

namespace sluice {

/// A source of a layer that joins.
struct Part {
  const uint8_t* x;
  ptrdiff_t stride;  ///< bytes from row to row
  int width;         ///< numbers
  bool frame;        ///< the model's input
};

/// Returns source i of a layer that joins.
/// @param clock  the steps in which sources have outputs, except those with one a sequence
/// @param steps  the steps of that layer; of a source with more steps, its last ones are read
inline Part part_of(const OpenModel& model, const Buffers& buffers, const LayerRecord& layer,
                    uint32_t i, int clock, int steps) {
  const uint32_t source = layer.sources[i];
  const ptrdiff_t rows = ptrdiff_t(buffers.steps) * buffers.streams;
  const ptrdiff_t skipped = ptrdiff_t(steps_of(model, source, clock) - steps) * buffers.streams;
  Part part{};
  if (source == 0) {
    part.width = int(model.header().inputs);
    part.stride = ptrdiff_t(part.width) * model.x_bytes;
    part.x = static_cast<const uint8_t*>(buffers.frames) + skipped * part.stride;
    part.frame = true;
  } else {
    const LayerRecord& from = model.layers[source - 1];
    part.width = int(from.out);
    part.stride = ptrdiff_t(padded(part.width)) * model.y_bytes;
    part.x = buffers.base + rows * ptrdiff_t(from.y) * model.y_bytes + skipped * part.stride;
  }
  return part;
}

/// Returns a number of an int8 frame as an int16, which a product narrows to the same number.
inline int16_t widened(int8_t number) { return int16_t(256 * number); }

/// Copies the first n numbers of a row in the format of layers' outputs; an int8 frame is widened.
inline void copy_numbers(const OpenModel& model, const uint8_t* x, bool frame, int n, uint8_t* y) {
  if (frame && model.x_bytes == 1) {
    for (int i = 0; i < n; ++i) {
      const int16_t number = widened(int8_t(x[i]));
      memcpy(y + i * ptrdiff_t(sizeof number), &number, sizeof number);
    }
  } else {
    memcpy(y, x, size_t(n) * model.y_bytes);
  }
}

/// Calls f(row, parts) for each row of a call.
template <class F>
void for_each_row(const Call& call, F f) {
  Part parts[most_sources];
  for (uint32_t p = 0; p < call.layer.parts; ++p)
    parts[p] = part_of(call.model, call.buffers, call.layer, p, call.clock, call.steps);
  for (int row = 0; row < call.rows(); ++row) {
    f(row, parts);
    for (uint32_t p = 0; p < call.layer.parts; ++p) parts[p].x += parts[p].stride;
  }
}

template <uint8_t format>
struct Concat {
  static void run(const Call& call, Arena& scratch) {
    if (scratch.measures()) return;
    const size_t number = call.model.y_bytes, units = size_t(padded(int(call.layer.out)));
    for_each_row(call, [&](int row, const Part* parts) {
      uint8_t* y = static_cast<uint8_t*>(call.y) + size_t(row) * units * number;
      for (uint32_t p = 0; p < call.layer.parts; ++p) {
        copy_numbers(call.model, parts[p].x, parts[p].frame, parts[p].width, y);
        y += size_t(parts[p].width) * number;
      }
      memset(y, 0, (units - call.layer.out) * number);
    });
  }

  static constexpr LayerKind kind =
      make_kind<SLUICE_CONCAT, format>(no_state, single_row<Concat>, run, nullptr);
};

/// Selects columns: y[i] = x[columns[i]], or 0 for a column of -1.
template <uint8_t format>
struct Select {
  static void step(const StepCall& call) {
    const auto* const columns = reinterpret_cast<const int32_t*>(call.model.blob + call.layer.w_ih);
    const bool frame = call.layer.source == 0;
    const size_t number = call.model.y_bytes, from = frame ? call.model.x_bytes : number;
    for (uint32_t i = 0; i < call.layer.out; ++i) {
      uint8_t* const y = static_cast<uint8_t*>(call.y) + i * number;
      if (columns[i] < 0)
        memset(y, 0, number);
      else
        copy_numbers(call.model, static_cast<const uint8_t*>(call.x) + size_t(columns[i]) * from,
                     frame, 1, y);
    }
  }
  static size_t scratch(const LayerRecord&) { return 0; }

  static constexpr LayerKind kind =
      make_kind<SLUICE_SELECT, format>(no_state, step, nullptr, scratch);
};

/// Adds or multiplies in the order of the sources: ((x0 + x1) + x2) + ...
template <uint8_t own_kind>
struct FloatJoin {
  static void run(const Call& call, Arena& scratch) {
    if (scratch.measures()) return;
    const Kernels& kernels = *call.model.kernels;
    const size_t n = call.layer.out, units = size_t(padded(int(n)));
    for_each_row(call, [&](int row, const Part* parts) {
      float* const y = static_cast<float*>(call.y) + size_t(row) * units;
      memcpy(y, parts[0].x, n * sizeof(float));
      memset(y + n, 0, (units - n) * sizeof(float));
      for (uint32_t p = 1; p < call.layer.parts; ++p) {
        const auto* const x = reinterpret_cast<const float*>(parts[p].x);
        own_kind == SLUICE_ADD ? kernels.add_f32(x, y, n) : kernels.multiply_f32(x, y, n);
      }
    });
  }

  static constexpr LayerKind kind =
      make_kind<own_kind, SLUICE_F32>(no_state, single_row<FloatJoin>, run, nullptr);
};

/// Adds or multiplies in fixed point. kernels/README.md has the formulas.
template <uint8_t own_kind, uint8_t format>
struct FixedJoin {
  static void run(const Call& call, Arena& scratch) {
    const int n = int(call.layer.out), units = padded(n);
    // A frame has no padding, and in int8 narrower numbers than layers' outputs. It is copied
    // first.
    int16_t* const frame = scratch.take<int16_t>(uint64_t(units));
    if (scratch.measures()) return;
    memset(frame, 0, size_t(units) * sizeof(int16_t));
    const auto* const m = reinterpret_cast<const int32_t*>(call.model.blob + call.layer.w_ih);
    const auto* const bias = reinterpret_cast<const int32_t*>(call.model.blob + call.layer.b_ih);
    for_each_row(call, [&](int row, const Part* parts) {
      int16_t* const y = static_cast<int16_t*>(call.y) + ptrdiff_t(row) * units;
      const int16_t* x[most_sources];
      for (uint32_t p = 0; p < call.layer.parts; ++p) {
        if (parts[p].frame)
          copy_numbers(call.model, parts[p].x, true, n, reinterpret_cast<uint8_t*>(frame));
        x[p] = parts[p].frame ? frame : reinterpret_cast<const int16_t*>(parts[p].x);
      }
      if (own_kind == SLUICE_ADD)
        call.model.kernels->add_fixed({x, int(call.layer.parts), m, bias, units, y});
      else
        call.model.kernels->multiply_fixed({x[0], x[1], m, bias, units, y});
    });
  }

  static constexpr LayerKind kind =
      make_kind<own_kind, format>(no_state, single_row<FixedJoin>, run, nullptr);
};

}  // namespace sluice

#endif
