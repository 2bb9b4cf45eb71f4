// Fills the table of an instruction set from its lane types. This is the only place that lists the
// entries, except isa/cortex_m.cpp, which has no table.
#ifndef SLUICE_KERNELS_ALL_H
#define SLUICE_KERNELS_ALL_H

#include "cpu.h"
#include "f32/gates.h"
#include "f32/math.h"
#include "f32/product.h"
#include "f32/reduce.h"
#include "f32/step.h"
#include "fixed/layers.h"
#include "kernels.h"

namespace sluice {
namespace {

#if !defined(SLUICE_ONE_ISA)
template <class Set>
constexpr Kernels make_kernels(const char* name) {
  return {name,
          compiled_features,
          product_f32<Set>,
          gru_f32<Set>,
          gru_step_f32<Set>,
          gru_back_f32<Set>,
          lstm_f32<Set>,
          lstm_back_f32<Set>,
          gru_reset_f32<Set>,
          gru_update_f32<Set>,
          gru_update_back_f32<Set>,
          gru_reset_back_f32<Set>,
          fastgrnn_f32<Set>,
          fastgrnn_back_f32<Set>,
          exp_f32<Set>,
          log_f32<Set>,
          activate_f32<Set>,
          activate_back_f32<Set>,
          standardize_f32<Set>,
          normalize_f32<Set>,
          layer_norm_f32<Set>,
          add_f32<Set>,
          multiply_f32<Set>,
          scaled_add_f32<Set>,
          square_sum_f32<Set>,
          adam_f32<Set>,
          sgd_f32<Set>,
          rms_f32<Set>,
          sign_add_f32<Set>,
          clip_f32<Set>,
          shrink_f32<Set>,
          gru_q8<Set>,
          gru_q16<Set>,
          gru_before_q8<Set>,
          gru_before_q16<Set>,
          lstm_q8<Set>,
          lstm_q16<Set>,
          rnn_q8<Set>,
          rnn_q16<Set>,
          fastgrnn_q8<Set>,
          fastgrnn_q16<Set>,
          dense_q8<Set>,
          dense_q16<Set>,
          add_fixed<Set>,
          multiply_fixed<Set>};
}
#endif

}  // namespace
}  // namespace sluice

#endif
