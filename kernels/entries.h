// The entries of a table of kernels, each with its contract: SLUICE_KERNEL(result, name,
// parameters, arguments). kernels.h, all.h and isa/cortex_m.cpp include this list, each with a
// SLUICE_KERNEL of its own; so there is no include guard.

// Products and cells in float.

// cortex_m.cpp makes definitions of the list.
// NOLINTBEGIN(misc-definitions-in-headers)

SLUICE_KERNEL(void, product_f32, (const Matrix& m, const Product& p), (m, p))

/// r = s(a_r), z = s(a_z), n = tanh(fma(r, g_h, g_x)), h' = fma(z, h - n, n).
SLUICE_KERNEL(void, gru_f32, (const Gates& s), (s))

/// The same after both products: the chains of r and z start from b_ih + b_hh, g_x from b_ih, g_h
/// from b_hh.
SLUICE_KERNEL(void, gru_step_f32, (const GruStep& s), (s))

/// dg_x = dh * (1 - z) * (1 - n * n), dg_h = dg_x * r, da_r = dg_x * g_h * s'(r),
/// da_z = dh * (h - n) * s'(z), dh = dh * z.
SLUICE_KERNEL(void, gru_back_f32, (const GatesBack& s), (s))

/// i = s(a_i), f = s(a_f), g = tanh(a_g), o = s(a_o), c' = fma(f, c, i * g), t = tanh(c'),
/// h' = o * t.
SLUICE_KERNEL(void, lstm_f32, (const LstmGates& s), (s))

/// d = fma(dh * o, 1 - t * t, dc); da_i = d * g * s'(i), da_f = d * c * s'(f),
/// da_g = d * i * (1 - g * g), da_o = dh * t * s'(o), dc = d * f.
SLUICE_KERNEL(void, lstm_back_f32, (const LstmBack& s), (s))

/// The part before the candidate's product: r = s(a_r), z = s(a_z), s = r * h.
SLUICE_KERNEL(void, gru_reset_f32, (const ResetBefore& s), (s))
/// The part after it, with the candidate's chain in a: n = tanh(a_n), h' = fma(z, h - n, n).
SLUICE_KERNEL(void, gru_update_f32, (const ResetBefore& s), (s))
/// Backward, the second part comes first: da_n = dh * (1 - z) * (1 - n * n),
/// da_z = dh * (h - n) * s'(z), dh = dh * z.
SLUICE_KERNEL(void, gru_update_back_f32, (const ResetBefore& s), (s))
/// Then, with the gradient of r * h in s: da_r = s * h * s'(r), dh = fma(s, r, dh).
SLUICE_KERNEL(void, gru_reset_back_f32, (const ResetBefore& s), (s))

/// With zeta and nu standing for their sigmoids: z = s(u + b_z), n = tanh(u + b_n),
/// h' = fma(z, h, fma(zeta, 1 - z, nu) * n).
SLUICE_KERNEL(void, fastgrnn_f32, (const FastGrnnGates& s), (s))

/// With zeta and nu standing for their sigmoids: da_n = dh * fma(zeta, 1 - z, nu) * (1 - n * n),
/// da_z = dh * (h - zeta * n) * s'(z); the chain's gradient is da_z + da_n, and dh = dh * z. The
/// sums of each unit, row after row, with t = dh * n of the incoming dh: sums_0 += da_z,
/// sums_1 += da_n, sums_2 = fma(t, 1 - z, sums_2), sums_3 += t.
SLUICE_KERNEL(void, fastgrnn_back_f32, (const FastGrnnBack& s), (s))

// Functions of arrays in float.

/// y[i] = e^x[i], or log x[i]: at most 2 ULP from the exact value if that is normal. exp gives 0
/// if the result would be subnormal. log of zero and of a positive subnormal is log of FLT_MIN,
/// log of a negative number is NaN. x may be y.
SLUICE_KERNEL(void, exp_f32, (const float* x, float* y, size_t n), (x, y, n))
SLUICE_KERNEL(void, log_f32, (const float* x, float* y, size_t n), (x, y, n))

/// x = f(x), row by row: [rows][n] at x + i * stride, in place. tanh and sigmoid: at most 2 ULP
/// from the exact value if that is normal (below, within FLT_MIN). Hard sigmoid: fma(slope, x,
/// 1/2), clipped. Softmax: m = max; e = exp(x - m); y = e / (e_0 + e_1 + ... in order), n >= 1.
SLUICE_KERNEL(void, activate_f32, (Curve f, float* x, int rows, int n, int stride),
              (f, x, rows, n, stride))

/// dy = dy * f'(x), computed from y = f(x), in place; the layout is that of activate_f32.
/// Softmax: dy = y * (dy - sum of dy_i * y_i), the sum an fma chain in order.
SLUICE_KERNEL(void, activate_back_f32,
              (Curve f, const float* y, float* dy, int rows, int n, int stride),
              (f, y, dy, rows, n, stride))

/// y[i] = (x[i] - mean[i]) * scale[i].
SLUICE_KERNEL(void, standardize_f32,
              (const float* x, const float* mean, const float* scale, float* y, int n),
              (x, mean, scale, y, n))

/// y[i] = fma(x[i] - mean[i], scale[i], shift[i]): batch normalization outside training. x may be
/// y.
SLUICE_KERNEL(void, normalize_f32,
              (const float* x, const float* mean, const float* scale, const float* shift, float* y,
               int n),
              (x, mean, scale, shift, y, n))

/// Normalizes one row (layer normalization) and returns r: m = (x_0 + x_1 + ...) / n; v = (an fma
/// chain of (x_i - m)^2 from 0) / n; r = 1 / sqrt(v + epsilon); u[i] = (x[i] - m) * r,
/// y[i] = fma(u[i], scale[i], shift[i]). u may be null. x may be y or u.
SLUICE_KERNEL(float, layer_norm_f32,
              (const float* x, float epsilon, const float* scale, const float* shift, float* u,
               float* y, int n),
              (x, epsilon, scale, shift, u, y, n))

/// y[i] += x[i]. It adds up shards, in the order of the shards.
SLUICE_KERNEL(void, add_f32, (const float* x, float* y, size_t n), (x, y, n))

/// y[i] *= x[i].
SLUICE_KERNEL(void, multiply_f32, (const float* x, float* y, size_t n), (x, y, n))

// The trainer's update.

/// y[i] = fma(factor, x[i], y[i]): the gradient of an L2 penalty.
SLUICE_KERNEL(void, scaled_add_f32, (float factor, const float* x, float* y, size_t n),
              (factor, x, y, n))

/// Returns the sum of squares. Blocks of 1,024 numbers are 16 fma chains each (element i belongs
/// to chain i % 16), which are added pairwise (0+8, 1+9, ...; 0+4, ...; 0+2, 1+3; 0+1); the sums
/// of the blocks are added in double, in order.
SLUICE_KERNEL(double, square_sum_f32, (const float* x, size_t n), (x, n))

/// g' = g * gradient_scale; m = fma(beta1, m, one_minus_beta1 * g');
/// v = fma(beta2, v, (one_minus_beta2 * g') * g');
/// w = w * keep - (step_size * m) / fma(sqrt(v), root_scale, epsilon).
SLUICE_KERNEL(void, adam_f32,
              (const AdamStep& s, float* w, const float* g, float* m, float* v, size_t n),
              (s, w, g, m, v, n))

/// g' = g * gradient_scale; m = fma(momentum, m, g'); w = w * keep - rate * d, with d = m, or
/// with nesterov d = fma(momentum, m, g').
SLUICE_KERNEL(void, sgd_f32, (const SgdStep& s, float* w, const float* g, float* m, size_t n),
              (s, w, g, m, n))

/// g' = g * gradient_scale; v = fma(alpha, v, (one_minus_alpha * g') * g');
/// w = w * keep - (rate * g') / (sqrt(v) + epsilon).
SLUICE_KERNEL(void, rms_f32, (const RmsStep& s, float* w, const float* g, float* v, size_t n),
              (s, w, g, v, n))

/// Adds factor to y[i] if x[i] > 0 and subtracts it if x[i] < 0: the subgradient of an L1
/// penalty.
SLUICE_KERNEL(void, sign_add_f32, (float factor, const float* x, float* y, size_t n),
              (factor, x, y, n))

/// Replaces each number by the nearest one in -limit to limit; NaN stays.
SLUICE_KERNEL(void, clip_f32, (float limit, float* x, size_t n), (limit, x, n))

/// Moves x[i] towards 0 by threshold, and sets it to 0 if it would pass 0; NaN stays. This is the
/// proximal step of an L1 penalty.
SLUICE_KERNEL(void, shrink_f32, (float threshold, float* x, size_t n), (threshold, x, n))

// Whole steps in fixed point, in the formats int8 (q8) and w8a16 (q16): accumulators,
// requantization, gates or activation (kernels/README.md).

SLUICE_KERNEL(void, gru_q8, (const FixedGru& s), (s))
SLUICE_KERNEL(void, gru_q16, (const FixedGru& s), (s))
SLUICE_KERNEL(void, gru_before_q8, (const FixedGruBefore& s), (s))
SLUICE_KERNEL(void, gru_before_q16, (const FixedGruBefore& s), (s))
SLUICE_KERNEL(void, lstm_q8, (const FixedLstm& s), (s))
SLUICE_KERNEL(void, lstm_q16, (const FixedLstm& s), (s))
SLUICE_KERNEL(void, rnn_q8, (const FixedRnn& s), (s))
SLUICE_KERNEL(void, rnn_q16, (const FixedRnn& s), (s))
SLUICE_KERNEL(void, fastgrnn_q8, (const FixedFastGrnn& s), (s))
SLUICE_KERNEL(void, fastgrnn_q16, (const FixedFastGrnn& s), (s))
SLUICE_KERNEL(void, dense_q8, (const FixedDense& s), (s))
SLUICE_KERNEL(void, dense_q16, (const FixedDense& s), (s))

/// Sums and products of the outputs of layers, in both formats (kernels/README.md).
SLUICE_KERNEL(void, add_fixed, (const FixedAdd& s), (s))
SLUICE_KERNEL(void, multiply_fixed, (const FixedMultiply& s), (s))

// NOLINTEND(misc-definitions-in-headers)
