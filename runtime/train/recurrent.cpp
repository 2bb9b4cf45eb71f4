// Back-propagation through time for a recurrent layer of any cell: both directions, and the layer's
// output.
#include <string.h>

#include "cell_backward.h"
#include "cell_gradients.h"
#include "direction.h"

namespace sluice {
namespace {

/// The output of a layer. If it has every step and one direction, the output is the states
/// themselves.
struct LayerOutput {
  bool both, every, mean;
  int hidden, width;
  float* y;  ///< [rows_out][width]; null: the states themselves

  LayerOutput(const TrainCall& call, Arena& arena)
      : both(call.layer.flags & both_directions_flag),
        every(call.layer.flags & every_step_flag),
        mean(call.layer.flags & mean_flag),
        hidden(int(call.layer.out) / (both ? 2 : 1)),
        width(padded(int(call.layer.out))),
        y(every && !both ? nullptr : arena.take<float>(uint64_t(call.rows_out) * uint64_t(width))) {
  }

  template <class CellType>
  void write(const TrainCall& call, const DirectionPass<CellType>& direction) const {
    if (!y) return;
    const Shard& shard = call.shard;
    const int column = direction.backward ? hidden : 0, units = direction.units;
    for (int row = 0; row < call.rows_out; ++row) {
      const int s = row % direction.n;
      float* const to = y + ptrdiff_t(row) * width + column;
      const float* const states = direction.after_all() + ptrdiff_t(s) * units;
      const ptrdiff_t step = ptrdiff_t(direction.n) * units;
      if (!direction.backward) memset(to, 0, size_t(width) * sizeof(float));
      if (mean)
        average(call.kernels, states, step, shard.length[s], to, direction.backward);
      else
        memcpy(to,
               states + step * (every                ? row / direction.n
                                : direction.backward ? 0
                                                     : shard.length[s] - 1),
               size_t(hidden) * sizeof(float));
    }
  }

  /// Computes the mean like the runtime: adds up in the order of the direction, then divides.
  void average(const Kernels& kernels, const float* states, ptrdiff_t step, int length, float* to,
               bool backward) const {
    for (int i = 0; i < length; ++i)
      kernels.add_f32(states + step * (backward ? length - 1 - i : i), to, size_t(hidden));
    for (int i = 0; i < hidden; ++i) to[i] = to[i] / float(length);
  }

  /// Adds the gradient of the output to that of a step's states: dh [sequences][units].
  template <class CellType>
  void add_gradient(const TrainCall& call, const DirectionPass<CellType>& direction, int i,
                    float* dh) const {
    const int t = direction.frame(i), column = direction.backward ? hidden : 0,
              active = call.shard.active(t), units = direction.units;
    if (every && !both)
      return call.kernels.add_f32(call.dy + ptrdiff_t(t) * direction.n * units, dh,
                                  size_t(active) * size_t(units));
    for (int s = 0; s < active; ++s) {
      const int length = call.shard.length[s];
      if (!every && !mean && t != (direction.backward ? 0 : length - 1)) continue;
      const float* const dy = call.dy + ptrdiff_t(every ? t * direction.n + s : s) * width + column;
      float* const to = dh + ptrdiff_t(s) * units;
      for (int j = 0; j < hidden; ++j) to[j] += mean ? dy[j] / float(length) : dy[j];
    }
  }
};

/// The TrainKind of a cell.
template <class CellType>
struct Trained {
  static const float* prepare(const LayerRecord& layer, const uint8_t* base, bool wants_dx,
                              Arena& arena) {
    const float* first = nullptr;
    for (int d = 0; d < (layer.flags & both_directions_flag ? 2 : 1); ++d) {
      const LayerRecord one = direction_of(layer, d == 1);
      const CellType cell(one, base);
      const Transposed taken = take_transposed(cell, wants_dx, arena, !arena.measures());
      if (d == 0) first = taken.hh;
    }
    return first;
  }

  static float* forward(const TrainCall& call, int, Arena& arena) {
    const bool both = call.layer.flags & both_directions_flag;
    const LayerRecord ahead = direction_of(call.layer, false),
                      back = direction_of(call.layer, true);
    const LayerOutput output(call, arena);
    const DirectionPass<CellType> first(call, ahead, false, arena);
    take_state(first, arena);
    float* const bias = arena.take<float>(uint64_t(first.cell.gates));
    if (!arena.measures()) run(call, first, output, bias);
    if (both) {
      const DirectionPass<CellType> second(call, back, true, arena);
      if (!arena.measures()) run(call, second, output, bias);
    }
    return output.y || arena.measures() ? output.y : first.h + first.after(0);
  }

  static void run(const TrainCall& call, const DirectionPass<CellType>& direction,
                  const LayerOutput& output, float* bias) {
    direction.forward(call, bias);
    output.write(call, direction);
  }

  static StateGradient take_state(const DirectionPass<CellType>& direction, Arena& arena) {
    const int most = direction.c_units > direction.units ? direction.c_units : direction.units;
    return {uint64_t(direction.n) * uint64_t(most), arena};
  }

  static void backward(const TrainCall& call, int, Arena& arena) {
    const bool both = call.layer.flags & both_directions_flag;
    const LayerRecord ahead = direction_of(call.layer, false),
                      back = direction_of(call.layer, true);
    const LayerOutput output(call, arena);
    const DirectionPass<CellType> first(call, ahead, false, arena);
    const StateGradient state = take_state(first, arena);
    arena.take<float>(uint64_t(first.cell.gates));
    // Takes the transposed weights again, in the order in which prepare took them.
    Arena prepared(const_cast<float*>(call.transposed));
    if (!arena.measures())
      backward_direction(call, first, output, take_transposed(first.cell, call.dx, prepared, false),
                         state);
    if (!both) return;
    const DirectionPass<CellType> second(call, back, true, arena);
    if (!arena.measures())
      backward_direction(call, second, output,
                         take_transposed(second.cell, call.dx, prepared, false), state);
  }

  static void backward_direction(const TrainCall& call, const DirectionPass<CellType>& direction,
                                 const LayerOutput& output, const Transposed& transposed,
                                 const StateGradient& state) {
    const size_t row_bytes = size_t(direction.n) * sizeof(float);
    const int c_units = direction.c ? direction.c_units : direction.units;
    memset(state.dh, 0, row_bytes * size_t(direction.units));
    memset(state.dc, 0, row_bytes * size_t(c_units));
    if (direction.sums) memset(direction.sums, 0, 4 * size_t(c_units) * sizeof(float));
    for (int i = direction.steps - 1; i >= 0; --i) {
      const int t = direction.frame(i);
      const ptrdiff_t row = ptrdiff_t(t) * direction.n;
      output.add_gradient(call, direction, i, state.dh);
      StepBack step{call, transposed, direction.gate, state};
      step.a = direction.a + row * direction.cell.a_stride;
      step.g = direction.g + row * direction.cell.g_units();
      step.h = direction.h + direction.before(t);
      step.product_state = direction.product_state + direction.before(t);
      if (direction.c)
        step.c = direction.c + direction.c_before(t),
        step.c_next = direction.c + direction.c_after(t);
      if (direction.projected) step.projected = direction.projected + row * direction.units;
      step.mask = direction.mask;
      step.sums = direction.sums;
      step.active = call.shard.active(t);
      step.first = i == 0 && !direction.initial_h;
      step.low = direction.row_of(direction.state.dy, row);
      step.low_reset = direction.row_of(direction.reset.dy, row);
      Back<CellType>::step(direction.cell, step);
      clear_ended(call.shard, t, direction.cell.a_stride, direction.a);
      if (CellType::extra) clear_ended(call.shard, t, direction.cell.g_units(), direction.g);
      if (direction.projected) clear_ended(call.shard, t, direction.units, direction.projected);
    }
    if (direction.initial_h) direction.initial_gradient(call, state.dh, state.dc);
    const CellGradients<CellType> gradients{call, direction, transposed};
    gradients.of_weights();
    if (call.dx) gradients.of_frames();
  }

  static constexpr TrainKind kind{CellType::kind, {1, 1}, nullptr, prepare, forward, backward};
};

template <class... CellTypes>
const TrainKind* find_cell(CellList<CellTypes...>, uint8_t kind) {
  static constexpr TrainKind cells[] = {Trained<CellTypes>::kind...};
  for (const TrainKind& cell : cells)
    if (cell.kind == kind) return &cell;
  return nullptr;
}

}  // namespace

const TrainKind* train_cell(uint8_t kind) { return find_cell(TrainedCells{}, kind); }

}  // namespace sluice
