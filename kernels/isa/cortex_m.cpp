// The only instruction set of firmware. Every entry is a function with a name of its own, which the
// linker keeps or drops.
#define SLUICE_ISA_CORTEX_M
#include "../all.h"
#include "sets.h"

namespace sluice {

void Kernels::product_f32(const Matrix& m, const Product<float, float>& p) {
  sluice::product_f32<Set>(m, p);
}
void Kernels::gru_f32(const Gates& s) { sluice::gru_f32<Set>(s); }
void Kernels::gru_step_f32(const GruStep& s) { sluice::gru_step_f32<Set>(s); }
void Kernels::gru_back_f32(const GatesBack& s) { sluice::gru_back_f32<Set>(s); }
void Kernels::lstm_f32(const LstmGates& s) { sluice::lstm_f32<Set>(s); }
void Kernels::lstm_back_f32(const LstmBack& s) { sluice::lstm_back_f32<Set>(s); }
void Kernels::gru_reset_f32(const ResetBefore& s) { sluice::gru_reset_f32<Set>(s); }
void Kernels::gru_update_f32(const ResetBefore& s) { sluice::gru_update_f32<Set>(s); }
void Kernels::gru_update_back_f32(const ResetBefore& s) { sluice::gru_update_back_f32<Set>(s); }
void Kernels::gru_reset_back_f32(const ResetBefore& s) { sluice::gru_reset_back_f32<Set>(s); }
void Kernels::fastgrnn_f32(const FastGrnnGates& s) { sluice::fastgrnn_f32<Set>(s); }
void Kernels::fastgrnn_back_f32(const FastGrnnBack& s) { sluice::fastgrnn_back_f32<Set>(s); }
void Kernels::exp_f32(const float* x, float* y, size_t n) { sluice::exp_f32<Set>(x, y, n); }
void Kernels::log_f32(const float* x, float* y, size_t n) { sluice::log_f32<Set>(x, y, n); }
void Kernels::activate_f32(Curve f, float* x, int rows, int n, int stride) {
  sluice::activate_f32<Set>(f, x, rows, n, stride);
}
void Kernels::activate_back_f32(Curve f, const float* y, float* dy, int rows, int n, int stride) {
  sluice::activate_back_f32<Set>(f, y, dy, rows, n, stride);
}
void Kernels::standardize_f32(const float* x, const float* mean, const float* scale, float* y,
                              int n) {
  sluice::standardize_f32<Set>(x, mean, scale, y, n);
}
void Kernels::normalize_f32(const float* x, const float* mean, const float* scale,
                            const float* shift, float* y, int n) {
  sluice::normalize_f32<Set>(x, mean, scale, shift, y, n);
}
float Kernels::layer_norm_f32(const float* x, float epsilon, const float* scale, const float* shift,
                              float* u, float* y, int n) {
  return sluice::layer_norm_f32<Set>(x, epsilon, scale, shift, u, y, n);
}
void Kernels::add_f32(const float* x, float* y, size_t n) { sluice::add_f32<Set>(x, y, n); }
void Kernels::multiply_f32(const float* x, float* y, size_t n) {
  sluice::multiply_f32<Set>(x, y, n);
}
void Kernels::scaled_add_f32(float factor, const float* x, float* y, size_t n) {
  sluice::scaled_add_f32<Set>(factor, x, y, n);
}
double Kernels::square_sum_f32(const float* x, size_t n) {
  return sluice::square_sum_f32<Set>(x, n);
}
void Kernels::adam_f32(const AdamStep& s, float* w, const float* g, float* m, float* v, size_t n) {
  sluice::adam_f32<Set>(s, w, g, m, v, n);
}
void Kernels::sgd_f32(const SgdStep& s, float* w, const float* g, float* m, size_t n) {
  sluice::sgd_f32<Set>(s, w, g, m, n);
}
void Kernels::rms_f32(const RmsStep& s, float* w, const float* g, float* v, size_t n) {
  sluice::rms_f32<Set>(s, w, g, v, n);
}
void Kernels::sign_add_f32(float factor, const float* x, float* y, size_t n) {
  sluice::sign_add_f32<Set>(factor, x, y, n);
}
void Kernels::clip_f32(float limit, float* x, size_t n) { sluice::clip_f32<Set>(limit, x, n); }
void Kernels::shrink_f32(float threshold, float* x, size_t n) {
  sluice::shrink_f32<Set>(threshold, x, n);
}
void Kernels::gru_q8(const FixedGru& s) { sluice::gru_q8<Set>(s); }
void Kernels::gru_q16(const FixedGru& s) { sluice::gru_q16<Set>(s); }
void Kernels::gru_before_q8(const FixedGruBefore& s) { sluice::gru_before_q8<Set>(s); }
void Kernels::gru_before_q16(const FixedGruBefore& s) { sluice::gru_before_q16<Set>(s); }
void Kernels::lstm_q8(const FixedLstm& s) { sluice::lstm_q8<Set>(s); }
void Kernels::lstm_q16(const FixedLstm& s) { sluice::lstm_q16<Set>(s); }
void Kernels::rnn_q8(const FixedRnn& s) { sluice::rnn_q8<Set>(s); }
void Kernels::rnn_q16(const FixedRnn& s) { sluice::rnn_q16<Set>(s); }
void Kernels::fastgrnn_q8(const FixedFastGrnn& s) { sluice::fastgrnn_q8<Set>(s); }
void Kernels::fastgrnn_q16(const FixedFastGrnn& s) { sluice::fastgrnn_q16<Set>(s); }
void Kernels::dense_q8(const FixedDense& s) { sluice::dense_q8<Set>(s); }
void Kernels::dense_q16(const FixedDense& s) { sluice::dense_q16<Set>(s); }
void Kernels::add_fixed(const FixedAdd& s) { sluice::add_fixed<Set>(s); }
void Kernels::multiply_fixed(const FixedMultiply& s) { sluice::multiply_fixed<Set>(s); }

}  // namespace sluice
