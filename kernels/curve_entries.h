// The entries of a table of other curves (CurveKernels), as entries.h lists those of Kernels. They
// are in an object file of their own, so that what they call does not change how the compiler
// inlines the steps of plain cells.

// NOLINTBEGIN(misc-definitions-in-headers)

/// x = f(x) for every curve except softmax; the layout is that of activate_f32. With e(x) = e^x - 1
/// and s(x) the sigmoid:
///
///     elu           x if x > 0, else second * e(x)
///     selu          1.0507010 * x if x > 0, else 1.7580993 * e(x)
///     leaky_relu    x * second if x < 0, else x
///     prelu         x * slopes[i] if x < 0, else x
///     silu          x * s(x)
///     hard_silu     x * hard_sigmoid(x), of the slope first
///     gelu          x * P(x), with P the normal distribution
///     gelu_tanh     x * s(x * fma(x * x, 0.071354816, 1.5957691)), which is
///                   x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))
///     softplus      log(1 + e^x)
///     clip          first if x < first, second if x > second, else x
///     softsign      x / (1 + |x|)
///     exponential   e^x, as exp_f32
///     sqrt          the square root of x, 0 if x < 0
///     log           the logarithm of x, or of FLT_MIN if x < FLT_MIN; as log_f32
///
/// The distance to the exact value is at most 2 ULP for elu and softsign, 3 ULP for selu and
/// softplus, 4 ULP for silu above -87.33 (0 stands for the values below, which are at
/// most 1.1e-36), 6 ULP for gelu, 3 ULP for gelu_tanh of positive numbers and 1e-7 for it of
/// negative ones. These bounds hold if the exact value is normal; else the distance is at most
/// FLT_MIN. A NaN stays one.
SLUICE_KERNEL(void, curve_f32, (const OtherCurve& f, float* x, int rows, int n, int stride),
              (f, x, rows, n, stride))

/// dy = dy * f'(x), in place. v holds the arguments x of a curve that derives_from_argument, else
/// the values f(x).
SLUICE_KERNEL(void, curve_back_f32,
              (const OtherCurve& f, const float* v, float* dy, int rows, int n, int stride),
              (f, v, dy, rows, n, stride))

// Cells whose candidate has another curve f than tanh. f' is its derivative, computed from the
// value of f, so f must not be one that derives_from_argument. f(0) must be 0, which keeps padding
// zero.

/// As gru_f32, with n = f(fma(r, g_h, g_x)); as gru_back_f32, with f'(n) in place of 1 - n * n.
SLUICE_KERNEL(void, gru_curve_f32, (const Gates& s, const OtherCurve& f), (s, f))
SLUICE_KERNEL(void, gru_curve_back_f32, (const GatesBack& s, const OtherCurve& f), (s, f))

/// As lstm_f32, with g = f(a_g) and t = f(c'); as lstm_back_f32, with f'(t) in place of 1 - t * t
/// and f'(g) in place of 1 - g * g.
SLUICE_KERNEL(void, lstm_curve_f32, (const LstmGates& s, const OtherCurve& f), (s, f))
SLUICE_KERNEL(void, lstm_curve_back_f32, (const LstmBack& s, const OtherCurve& f), (s, f))

/// As lstm_curve_f32, for options that are not all null and 0: i = s(fma(p_i, c, a_i)),
/// f = s(fma(p_f, c, a_f)), c' = fma(f, c, i * g) clipped, t = f(c'), o = s(fma(p_o, c', a_o)).
SLUICE_KERNEL(void, lstm_options_f32,
              (const LstmGates& s, const OtherCurve& f, const LstmOptions& options),
              (s, f, options))
/// da_o = dh * t * s'(o); d = fma(da_o, p_o, fma(dh * o, f'(t), dc)), or 0 if c' is not inside of
/// -clip to clip; da_i, da_f and da_g as in lstm_curve_back_f32;
/// dc = fma(da_f, p_f, fma(da_i, p_i, d * f)). With peepholes, each unit's sums, row after row:
/// sums_0 = fma(da_i, c, sums_0), sums_1 = fma(da_f, c, sums_1), sums_2 = fma(da_o, c', sums_2).
/// @param c_next  the cell states after, in the layout of s.c
/// @param sums    [3][hidden]; not used without peepholes
SLUICE_KERNEL(void, lstm_options_back_f32,
              (const LstmBack& s, const OtherCurve& f, const LstmOptions& options,
               const float* c_next, float* sums),
              (s, f, options, c_next, sums))

/// As gru_update_f32, with n = f(a_n); as gru_update_back_f32, with f'(n) in place of 1 - n * n.
SLUICE_KERNEL(void, gru_update_curve_f32, (const ResetBefore& s, const OtherCurve& f), (s, f))
SLUICE_KERNEL(void, gru_update_curve_back_f32, (const ResetBefore& s, const OtherCurve& f), (s, f))

// Whole steps in fixed point, as those of Kernels (kernels/README.md).

SLUICE_KERNEL(void, gru_curve_q8, (const FixedGru& s, const FixedCurves& f), (s, f))
SLUICE_KERNEL(void, gru_curve_q16, (const FixedGru& s, const FixedCurves& f), (s, f))
SLUICE_KERNEL(void, gru_before_curve_q8, (const FixedGruBefore& s, const FixedCurves& f), (s, f))
SLUICE_KERNEL(void, gru_before_curve_q16, (const FixedGruBefore& s, const FixedCurves& f), (s, f))
SLUICE_KERNEL(void, lstm_curve_q8, (const FixedLstm& s, const FixedCurves& f), (s, f))
SLUICE_KERNEL(void, lstm_curve_q16, (const FixedLstm& s, const FixedCurves& f), (s, f))
SLUICE_KERNEL(void, rnn_curve_q8, (const FixedRnn& s, const FixedCurves& f), (s, f))
SLUICE_KERNEL(void, rnn_curve_q16, (const FixedRnn& s, const FixedCurves& f), (s, f))

// NOLINTEND(misc-definitions-in-headers)
