// The gradients of a direction's weights and frames, computed from those of its chains after the
// backward steps.
#ifndef SLUICE_CELL_GRADIENTS_H
#define SLUICE_CELL_GRADIENTS_H

#include "cell_backward.h"
#include "direction.h"

namespace sluice {

template <class CellType>
class CellGradients {
 public:
  CellGradients(const TrainCall& call, const DirectionPass<CellType>& direction,
                const Transposed& transposed)
      : call_(call),
        direction_(direction),
        cell_(direction.cell),
        transposed_(transposed),
        all_{direction.a, cell_.a_stride, cell_.gates, direction.steps * direction.n} {}

  /// Computes the gradients of the weights from those of the chains, in a, in the order of the
  /// frames. After it, a holds the gradients of the chains over the inputs.
  void of_weights() const {
    const Parameters& p = call_.parameters;
    of_state_weights();
    float* const ih = p.gradient_at(direction_.layer.w_ih);
    if (direction_.gate.on())
      direction_.gate.gradient(call_, cell_, all_.dy, all_.count, direction_.gate.frames,
                               direction_.gate.width, call_.x, call_.x_stride, cell_.in, ih);
    else if (cell_.low_rank() && cell_.ih_factor)
      of_input_factor(ih);
    else
      weight_gradient(call_, all_, call_.x, call_.x_stride, cell_.in, ih);
    if constexpr (shares_chain<CellType>)
      Back<CellType>::other_gradients(cell_, call_, direction_.layer, direction_.sums);
    else
      bias_gradient(call_, all_, p.gradient_at(direction_.layer.b_ih));
    if constexpr (CellType::kind == SLUICE_LSTM) {
      if (direction_.sums)
        Back<CellType>::peephole_gradients(cell_, call_, direction_.layer, direction_.sums);
      if (cell_.projects())
        weight_gradient(call_, {direction_.projected, cell_.units, cell_.units, all_.count},
                        direction_.g + cell_.c_units(), cell_.g_units(), cell_.cells(),
                        gradient_of(Role::projection));
    }
  }

  /// Computes dx = W^T da for all rows, after of_weights().
  void of_frames() const {
    const int in = padded(cell_.in);
    const Matrix w_ih{transposed_.ih, in, cell_.gates, 0};
    if (direction_.gate.on())
      return direction_.gate.frames_gradient(call_, cell_, w_ih, direction_.a, direction_.backward,
                                             call_.dx);
    const float* const init = direction_.backward ? call_.dx : call_.zeros;
    const int init_stride = direction_.backward ? in : 0;
    if (transposed_.ih_factor)
      call_.kernels.product_f32({transposed_.ih_factor, in, cell_.low_units, 0},
                                {{init, init_stride},
                                 {direction_.input.dy, cell_.low_units},
                                 1,
                                 {call_.dx, in},
                                 call_.rows_in});
    else
      call_.kernels.product_f32(
          w_ih,
          {{init, init_stride}, {direction_.a, cell_.a_stride}, 1, {call_.dx, in}, call_.rows_in});
  }

 private:
  float* gradient_of(Role role) const {
    return call_.parameters.gradient_at(offset_of(direction_.layer, role));
  }

  /// Computes the gradients of an input matrix of low rank, t being the factor's product:
  /// dW1 = da t^T, dt = W1^T da, dW2 = dt x^T.
  void of_input_factor(float* ih) const {
    const int low = cell_.low_units;
    weight_gradient(call_, all_, direction_.input.y, low, cell_.in_cols, ih);
    call_.kernels.product_f32(
        {transposed_.ih, low, cell_.gates, 0},
        {{call_.zeros, 0}, {all_.dy, all_.stride}, 1, {direction_.input.dy, low}, all_.count});
    weight_gradient(call_, {direction_.input.dy, low, low, all_.count}, call_.x, call_.x_stride,
                    cell_.in, gradient_of(Role::input_factor));
  }

  /// Computes dW2 = dt h^T. A GruBefore adds the gradient through r * h.
  void of_state_factor(const float* product_state) const {
    const int low = cell_.low_units, rows = all_.count;
    float* const to = gradient_of(Role::state_factor);
    weight_gradient(call_, {direction_.state.dy, low, low, rows}, product_state, direction_.units,
                    cell_.hidden, to);
    if (CellType::kind != SLUICE_GRU_BEFORE) return;
    TrainCall more = call_;
    more.adds = true;
    weight_gradient(more, {direction_.reset.dy, low, low, rows}, direction_.g, direction_.units,
                    cell_.hidden, to);
  }

  void of_state_weights() const {
    const Parameters& p = call_.parameters;
    const float* const product_state = direction_.product_state + direction_.before(0);
    const float* const gate_inputs =
        direction_.gate.on() ? direction_.gate.states + direction_.before(0) : product_state;
    const int units = direction_.units;
    float* const hh = p.gradient_at(direction_.layer.w_hh);
    const bool low = cell_.low_rank();
    const int stride = low ? cell_.low_units : units, cols = cell_.state_cols;
    if (low) of_state_factor(product_state);
    if constexpr (CellType::kind == SLUICE_GRU_BEFORE) {
      weight_gradient(call_, {all_.dy, all_.stride, 2 * units, all_.count},
                      low ? direction_.state.y : gate_inputs, stride, cols, hh);
      weight_gradient(call_, {all_.dy + 2 * units, all_.stride, units, all_.count},
                      low ? direction_.reset.y : direction_.g, stride, cols,
                      hh + ptrdiff_t(2) * units * cols);
    } else {
      if (direction_.gate.on())
        direction_.gate.gradient(call_, cell_, all_.dy, all_.count, gate_inputs, units,
                                 product_state, units, cell_.hidden, hh);
      else
        weight_gradient(call_, all_, low ? direction_.state.y : product_state, stride, cols, hh);
      if constexpr (!shares_chain<CellType>)
        bias_gradient(call_, all_, p.gradient_at(direction_.layer.b_hh));
    }
    // Over the inputs, the gradients of a GRU that resets after differ only in the candidate: that
    // of g_x replaces that of g_h.
    for (int row = 0; CellType::kind == SLUICE_GRU && row < all_.count; ++row)
      copy(direction_.g + ptrdiff_t(row) * units,
           direction_.a + ptrdiff_t(row) * cell_.a_stride + 2 * units, units);
  }

  const TrainCall& call_;
  const DirectionPass<CellType>& direction_;
  const CellType& cell_;
  const Transposed& transposed_;
  const Columns all_;  ///< the gradients of all chains
};

}  // namespace sluice

#endif
