// A recurrent layer of any cell, in float: for single frames, sequences and many streams; with the
// last step, every step or the mean over steps as its output; in one direction or both.
#ifndef SLUICE_RECURRENT_H
#define SLUICE_RECURRENT_H

#include "cells.h"

namespace sluice {

/// The layout of a stream's state in a recurrent layer, in floats: h, an LSTM's c, and, if the
/// output is the mean, the sum of h and the count of steps.
struct StateShape {
  int units, floats;
  int sum;  ///< the place of the sum; 0: none

  /// @param layer  one direction
  StateShape(const LayerRecord& layer, bool has_c)
      : units(padded(int(layer.out))),
        floats(units + (has_c ? padded(int(cells_of(layer))) : 0)),
        sum(0) {
    if (!holds_mean || !(layer.flags & mean_flag)) return;
    sum = floats;
    floats += units + 4;  // the count, and padding to 16 bytes
  }

  /// Writes the layer's output after a step if it is wanted, and updates the sum.
  void write_output(const Kernels& kernels, float* state, float* y, bool wanted) const {
    if (!holds_mean || !sum) {
      if (wanted) copy(state, y, units);
      return;
    }
    float* const total = state + sum;
    uint32_t count;
    memcpy(&count, total + units, sizeof count);
    ++count;
    memcpy(total + units, &count, sizeof count);
    kernels.add_f32(state, total, size_t(units));
    for (int i = 0; wanted && i < units; ++i) y[i] = total[i] / float(count);
  }
};

template <class CellType>
struct Recurrent {
  static constexpr bool has_c = anatomy_of(CellType::kind).states == 2;

  static int state(const LayerRecord& layer) {
    return goes_both_ways(layer) ? 0 : StateShape(layer, has_c).floats * int(sizeof(float));
  }

  static void step(const StepCall& call) {
    const LayerRecord& layer = call.layer;
    if (goes_both_ways(layer)) return single_row<Recurrent>(call);
    float* const a = static_cast<float*>(call.scratch);
    float* const h = reinterpret_cast<float*>(call.state);
    const auto* const x = static_cast<const float*>(call.x);
    const Kernels& kernels = *call.model.kernels;
    if constexpr (CellType::kind == SLUICE_GRU) {
      if (is_plain(layer))
        CellType::step_whole(kernels, layer, call.model.blob, x, a, h);
      else
        step_of_cell(call, x, a, h);
    } else {
      step_of_cell(call, x, a, h);
    }
    StateShape(layer, has_c).write_output(kernels, h, static_cast<float*>(call.y), true);
  }

  static void step_of_cell(const StepCall& call, const float* x, float* a, float* h) {
    const CellType cell(call.layer, call.model.blob);
    float* const g = a + cell.gates;
    cell.step_one(*call.model.kernels, x, a, g, g + cell.g_units(), h);
  }

  /// The scratch of a direction.
  struct DirectionArrays {
    float *a, *g;
    float* low;  ///< [rows][low_units] for low rank; follows g if there is a single row
    float* bias;
    float* state;       ///< the streams' states; for both directions [streams] in the scratch
    float* output_row;  ///< for both directions: [units] a row of output before it is copied
  };

  /// Takes the arrays of a run; a single frame of one direction, which goes through step, has no
  /// bias.
  static DirectionArrays take_arrays(const Call& call, const CellType& cell, Arena& scratch) {
    DirectionArrays arrays{};
    arrays.a = scratch.take<float>(uint64_t(call.rows()) * uint64_t(cell.gates));
    arrays.g = scratch.take<float>(uint64_t(call.streams) * uint64_t(cell.g_units()));
    arrays.low = scratch.take<float>(uint64_t(call.rows()) * uint64_t(cell.low_units));
    const bool single = call.buffers.steps == 1 && call.buffers.streams == 1;
    if (!goes_both_ways(call.layer) && single && scratch.measures()) return arrays;
    arrays.bias = scratch.take<float>(uint64_t(cell.gates));
    return arrays;
  }

  /// Computes the input products of all frames first, as one product, then the steps.
  static void run(const Call& call, Arena& scratch) {
    if (goes_both_ways(call.layer)) return run_both(call, scratch);
    const CellType cell(call.layer, call.model.blob);
    DirectionArrays arrays = take_arrays(call, cell, scratch);
    if (scratch.measures()) return;
    arrays.state = reinterpret_cast<float*>(call.state);
    run_direction(call, cell, StateShape(call.layer, has_c), arrays, false);
  }

  /// Does so in both directions. It is a function of its own for the sake of the stack: a board has
  /// no layers of both directions.
  __attribute__((noinline)) static void run_both(const Call& call, Arena& scratch) {
    LayerRecord one = direction_of(call.layer, false);
    CellType cell(one, call.model.blob);
    const StateShape shape(one, has_c);
    DirectionArrays arrays = take_arrays(call, cell, scratch);
    arrays.state = scratch.take<float>(uint64_t(call.streams) * uint64_t(shape.floats));
    arrays.output_row = scratch.take<float>(uint64_t(cell.units));
    if (scratch.measures()) return;
    for (int direction = 0; direction < 2; ++direction) {
      const bool backward = direction == 1;
      one = direction_of(call.layer, backward);
      cell = CellType(one, call.model.blob);
      memset(arrays.state, 0, size_t(call.streams) * size_t(shape.floats) * sizeof(float));
      for (int s = 0; has_initial_state(one) && s < call.streams; ++s)
        copy_initial_state(one, call.model.blob, arrays.state + ptrdiff_t(s) * shape.floats);
      run_direction(call, cell, shape, arrays, backward);
    }
  }

  static void run_direction(const Call& call, const CellType& cell, const StateShape& shape,
                            const DirectionArrays& arrays, bool backward) {
    const Kernels& kernels = *call.model.kernels;
    const bool every = call.layer.flags & every_step_flag, both = goes_both_ways(call.layer);
    const int stride = both ? shape.floats : int(call.state_stride / ptrdiff_t(sizeof(float)));
    const int width = padded(int(call.layer.out)), streams = call.streams;
    cell.bias(arrays.bias);
    cell.inputs(kernels, arrays.bias, 0, static_cast<const float*>(call.x), call.x_stride,
                arrays.low, arrays.a, call.rows());
    for (int i = 0; i < call.steps; ++i) {
      const int t = backward ? call.steps - 1 - i : i;
      float* const row = arrays.a + ptrdiff_t(t) * streams * cell.gates;
      float* const h = arrays.state;
      if (streams == 1) {
        cell.step_one(kernels, nullptr, row, arrays.g, arrays.low, h);
      } else {
        float* const c = h + cell.units;
        CellStep s;
        s.a = row, s.g = arrays.g;
        s.h = s.product_state = s.h_next = h;
        s.c = s.c_next = c;
        s.stride = s.next_stride = s.c_stride = stride;
        s.count = streams;
        s.low = s.low_reset = arrays.low;
        cell.step(kernels, s);
      }
      const bool wanted = every || i + 1 == call.steps;
      if (!wanted && !shape.sum) continue;
      float* const y = static_cast<float*>(call.y) + (every ? ptrdiff_t(t) * streams * width : 0);
      for (int s = 0; s < streams; ++s) {
        float* const to = y + ptrdiff_t(s) * width;
        shape.write_output(kernels, h + ptrdiff_t(s) * stride, both ? arrays.output_row : to,
                           wanted);
        if (both && wanted) copy_beside(arrays.output_row, cell.hidden, width, backward, to);
      }
    }
  }

  /// Copies a row of a direction's output beside that of the other direction, and clears the
  /// padding.
  static void copy_beside(const float* output, int hidden, int width, bool backward, float* y) {
    memcpy(y + (backward ? hidden : 0), output, size_t(hidden) * sizeof(float));
    if (backward) memset(y + 2 * hidden, 0, size_t(width - 2 * hidden) * sizeof(float));
  }

  static constexpr uint8_t flags = every_step_flag | (holds_mean ? mean_flag : 0) |
                                   (holds_both_directions ? both_directions_flag : 0) |
                                   (holds_initial_state ? initial_state_flag : 0);
  static constexpr LayerKind kind =
      make_kind<CellType::kind, SLUICE_F32>(state, step, run, nullptr, flags);
};

}  // namespace sluice

#endif
