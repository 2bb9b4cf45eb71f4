// The contract between the runtime and an instruction set: one table of functions, `Kernels`,
// documented here and only here. A call looks the same on a host and in firmware:
//
//   const Kernels& kernels = *pick_kernels(nullptr);  // the best table that this CPU runs
//   const Matrix w{weights, 24, 10, 0};               // [24][10] in strips (packed_index)
//   kernels.product_f32(w, {{bias, 0}, {x, 10}, 1, {y, 24}, steps});  // y[t] = bias + W x[t]
//
// Every entry gives the same bits on every instruction set. Each output element is one chain of
// exactly rounded operations in the order written below; lanes run across elements, never along a
// chain (kernels/README.md says why that is enough).
//
// Pointers are borrowed. They never alias and are never null, unless an entry says so; an array
// without elements has an address too. Arrays need no alignment; weights at multiples of 64 bytes
// are fastest. Shapes are written [rows][cols], and all strides count elements.
#ifndef SLUICE_KERNELS_H
#define SLUICE_KERNELS_H

#include <stddef.h>
#include <stdint.h>

namespace sluice {

// ---- Matrices and products in float ------------------------------------------------------------

/// Rows of a panel. Every array of units is padded to a multiple of it.
constexpr int panel_rows = 8;
/// Panels that are stored, and read, together.
constexpr int strip_panels = 12;
constexpr int strip_rows = panel_rows * strip_panels;

/// Returns rows rounded up to whole panels. Padding rows hold zeros and stay zero.
constexpr int padded(int rows) { return (rows + panel_rows - 1) & -panel_rows; }

/// Returns the index of element (row, k) of a matrix in strips: [strip][k][panels of the strip][8],
/// the last strip shorter.
/// @param rows  a multiple of 8
constexpr size_t packed_index(int rows, int cols, int row, int k) {
  const int strip = row / strip_rows;
  const int left = rows - strip * strip_rows;
  const int width = left < strip_rows ? left : strip_rows;
  return size_t(strip) * strip_rows * size_t(cols) + size_t(k) * size_t(width) +
         size_t(row % strip_rows);
}

/// The left side of a product.
struct Matrix {
  const void* w;  ///< float
  int rows;       ///< a multiple of 8
  int cols;       ///< the length of a chain; may be 0
  /// 0: in strips (packed_index). Else element (row, k) is w[k * stride + row]; so the rows of a
  /// batch can be read as panels.
  int stride;
};

/// Rows of numbers: row i begins at `at + i * stride`.
template <class Number>
struct Rows {
  Number* at;
  int stride;
};

/// y[i] = init[i] + W x[i] for i < count. Each y[i][row] is one chain: init, then
/// fma(w[row][k], x[i][k], .) for k = 0, 1, 2, ... A product over all k equals products over
/// consecutive parts of k, each with init = y. count is 1 for a step, T for a sequence, N for many
/// streams. Only elements at multiples of the strides are read or written.
struct Product {
  Rows<const float> init;  ///< [count][rows]; stride 0: one bias for all; may be y itself
  Rows<const float> x;     ///< [count][cols]
  /// From x[i][k] to x[i][k + 1]: 1; or a row stride, to read a matrix transposed; or 0, for one
  /// number at every k.
  int x_step;
  Rows<float> y;  ///< [count][rows]
  int count;
};

// ---- Activations -------------------------------------------------------------------------------

enum class Activation : uint8_t {
  linear = 0,
  tanh = 1,
  sigmoid = 2,
  relu = 3,
  softmax = 4,
  hard_sigmoid = 5,
  // The entries of other curves alone (curve_f32 and the like) know those that follow.
  elu = 6,
  leaky_relu = 7,
  prelu = 8,
  silu = 9,
  gelu = 10,
  gelu_tanh = 11,
  softplus = 12,
  clip = 13,
  softsign = 14,
  exponential = 15,
  selu = 16,
  hard_silu = 17,
  sqrt = 18,
  log = 19
};

/// A function of one number.
struct Curve {
  Activation kind;
  float slope;  ///< of the hard sigmoid, clip(slope * x + 1/2, 0, 1)
  constexpr Curve(Activation k = Activation::sigmoid, float s = 0.0f) : kind(k), slope(s) {}
};

/// A function of one number, of any kind except softmax, with all of its parameters. The entries
/// that take it are apart from those that take a Curve, so that firmware without such curves does
/// not hold their code.
struct OtherCurve {
  Activation kind;
  float first;          ///< the slope of hard_sigmoid and hard_silu; the lowest value of clip
  float second;         ///< the alpha of elu and leaky_relu; the highest value of clip
  const float* slopes;  ///< of prelu, [units] a slope for each number of a row
};

/// Returns whether the derivative of a curve is computed from its argument. The others' is computed
/// from the value.
constexpr bool derives_from_argument(Activation kind) {
  return kind == Activation::prelu || kind == Activation::silu || kind == Activation::gelu ||
         kind == Activation::gelu_tanh || kind == Activation::hard_silu || kind == Activation::log;
}

// ---- Gates in float ----------------------------------------------------------------------------
// A chain is the sum of a product before the gate's curve. `units` or `hidden` are counted per
// gate; `count` rows (streams or sequences) are computed at once. Row i of an array begins at i *
// stride.

/// The gates of one step of a GRU (reset-after: Cho et al. 2014, as in cuDNN and PyTorch).
struct Gates {
  /// [count][3][hidden] In: the chains of r and z, and g_h. Out: r, z; g_h is unchanged.
  float* a;
  int a_stride;
  float* g;  ///< [count][hidden] In: g_x. Out: the candidate n
  int g_stride;
  const float* h;  ///< [count][hidden] the state before
  int h_stride;
  float* h_next;  ///< [count][hidden] the state after; may be h
  int h_next_stride;
  int hidden;  ///< padded: a multiple of 8
  int count;
  Curve gate = {};  ///< of r and z: sigmoid, hard sigmoid or tanh
};

/// One whole step of a GRU (reset-after) for one stream: the chains of both products, then the
/// gates, with the bits of product_f32 and gru_f32.
struct GruStep {
  const void *w_ih, *w_hh;   ///< [3 * hidden][in], [3 * hidden][units]; float, in strips
  const float *b_ih, *b_hh;  ///< [3][hidden]
  const float* x;            ///< [in]; null: a holds the chains over the inputs already
  float* a;  ///< [3][hidden] scratch; in if x is null: the chains of r and z, and g_x
  float* g;  ///< [hidden] scratch; a layer small enough for registers leaves a and g unwritten
  const float* h;  ///< [hidden] the state before
  float* h_next;   ///< [hidden] the state after; may be h
  int in;
  int units;        ///< without padding: the length of a chain over h
  int hidden;       ///< padded: a multiple of 8
  Curve gate = {};  ///< of r and z, as in Gates
};

/// The backward step of Gates. It replaces the values that the forward step left in a and g by
/// gradients, in place.
struct GatesBack {
  float* a;  ///< In: r, z, g_h. Out: the gradients of the chains of r and z, and of g_h
  int a_stride;
  float* g;  ///< In: n. Out: the gradient of g_x
  int g_stride;
  const float* h;  ///< the state before the step
  int h_stride;
  /// [count][hidden] In: the gradient of the state after. Out: the direct part, dh * z, of the
  /// gradient of the state before.
  float* dh;
  int dh_stride;
  int hidden;
  int count;
  Curve gate = {};
};

/// The gates of one step of an LSTM (Hochreiter, Schmidhuber 1997, with the forget gate of Gers et
/// al. 2000; as in PyTorch).
struct LstmGates {
  float* a;  ///< [count][4][hidden] In: the chains of i, f, g, o. Out: i, f, g, o
  int a_stride;
  float* t;  ///< [count][hidden] Out: tanh(c')
  int t_stride;
  const float* c;  ///< the cell state before
  int c_stride;
  float* c_next;  ///< the cell state after; may be c
  int c_next_stride;
  float* h_next;  ///< the state after
  int h_next_stride;
  int hidden, count;
  Curve gate;  ///< of i, f and o
};

/// The backward step of LstmGates.
struct LstmBack {
  float* a;  ///< In: as LstmGates left it. Out: the gradients of the chains
  int a_stride;
  const float *t, *c;  ///< as in LstmGates
  int t_stride, c_stride;
  const float* dh;  ///< the gradient of the state after
  int dh_stride;
  /// In: the gradient of the cell state after, from later steps. Out: that of the cell state
  /// before.
  float* dc;
  int dc_stride;
  int hidden, count;
  Curve gate;
};

/// What an LSTM may have beside its gates.
struct LstmOptions {
  /// [3][hidden] p of i, f and o, by which a gate reads its own unit's cell state (Gers,
  /// Schmidhuber 2000); null: none.
  const float* peepholes;
  float clip;  ///< c' is kept in -clip to clip; 0: it is not
};

/// The gates of a GRU that resets before its recurrent product (Cho et al. 2014), in two parts: one
/// before that product and one after it. Forward and backward entries share this struct.
struct ResetBefore {
  /// [count][3][hidden] of r, z and n. Forward: chains become values. Backward: values become the
  /// gradients of the chains.
  float* a;
  int a_stride;
  /// [count][hidden] Forward: r * h, the input of the candidate's product. Backward: its gradient.
  float* s;
  int s_stride;
  const float* h;  ///< the state before
  int h_stride;
  float* h_next;  ///< the state after; may be h. Backward: dh, as in GatesBack
  int h_next_stride;
  int hidden, count;
  Curve gate;  ///< of r and z
};

/// The gates of one step of a FastGRNN (Kusupati et al. 2018), whose gate and candidate share one
/// chain u.
struct FastGrnnGates {
  float* a;  ///< [count][hidden] In: the chains u. Out: z
  int a_stride;
  float* n;  ///< [count][hidden] Out: the candidate
  int n_stride;
  const float* h;  ///< the state before
  int h_stride;
  float* h_next;  ///< the state after; may be h
  int h_next_stride;
  const float *gate_bias, *update_bias;  ///< [hidden] of z and of n
  float zeta, nu;                        ///< before their sigmoids
  int hidden, count;
  Curve gate;  ///< of z
};

/// The backward step of FastGrnnGates.
struct FastGrnnBack {
  float* a;  ///< In: z. Out: the gradients of the chains
  int a_stride;
  const float* n;  ///< the candidate
  int n_stride;
  const float* h;  ///< the state before
  int h_stride;
  float* dh;  ///< In: the gradient of the state after. Out: the direct part of the state before's
  int dh_stride;
  /// [4][hidden] Sums over the rows of all steps, which the entry adds to: the gradients of
  /// gate_bias, of update_bias, of zeta and of nu, unit by unit.
  float* sums;
  float zeta, nu;  ///< before their sigmoids
  int hidden, count;
  Curve gate;
};

// ---- Optimizers --------------------------------------------------------------------------------

/// Adam (Kingma, Ba 2015) and AdamW (Loshchilov, Hutter 2019), in the order of PyTorch 2.13. The
/// caller folds the number t of the step into step_size and root_scale.
struct AdamStep {
  float gradient_scale;  ///< the factor of g, from clipping; 1 for none
  float keep;  ///< the factor of w before the step: 1 - learning_rate * weight_decay, or 1
  float beta1, beta2;
  float one_minus_beta1, one_minus_beta2;  ///< rounded from double
  float step_size;                         ///< learning_rate / (1 - beta1^t)
  float root_scale;                        ///< 1 / sqrt(1 - beta2^t)
  float epsilon;
};

/// Gradient descent with momentum (as PyTorch's SGD).
struct SgdStep {
  float gradient_scale, keep;  ///< as in AdamStep
  float momentum, rate;
  bool nesterov;
};

/// RMSprop (Hinton 2012, as in PyTorch: epsilon outside the root).
struct RmsStep {
  float gradient_scale, keep;  ///< as in AdamStep
  float alpha, one_minus_alpha;
  float rate, epsilon;
};

// ---- Fixed point -------------------------------------------------------------------------------
// kernels/README.md defines every rounding; the names here are the names there.

/// An int8 matrix is stored in blocks of 8 rows x 4 columns, all columns of 8 rows in sequence.
constexpr int block_cols = 4;
constexpr int block_bytes = panel_rows * block_cols;

/// Returns columns rounded up to whole blocks. Padding holds zeros.
constexpr int blocked(int cols) { return (cols + block_cols - 1) & -block_cols; }

/// The order of the int8 weights inside a panel, as a core reads them. In the first three, a panel
/// has 8 * blocked(cols) bytes, and panels follow one another.
enum class Order : uint8_t {
  canonical = 0,  ///< hosts: blocks of 8 rows x 4 columns
  /// Cortex-M without Helium: for every two columns k and k + 1, for every two rows a and b:
  /// b[k] + 128, a[k], b[k + 1] + 128, a[k + 1]
  pairs = 1,
  rows = 2,  ///< Helium: row by row
  /// every core: the canonical blocks that are not all zeros, and their positions (SparseMatrix); a
  /// matrix has no fixed size
  sparse = 3
};

/// Returns the index of element (row, k) of an int8 matrix that is not sparse.
constexpr size_t weight_index(Order order, int cols, int row, int k) {
  const size_t panel = size_t(row / panel_rows) * size_t(blocked(cols)) * panel_rows,
               r = size_t(row % panel_rows), c = size_t(k);
  switch (order) {
    case Order::pairs:
      return panel + c / 2 * (2 * panel_rows) + r / 2 * 4 + c % 2 * 2 + (1 - r % 2);
    case Order::rows:
      return panel + r * size_t(blocked(cols)) + c;
    default:
      return panel + c / block_cols * (panel_rows * block_cols) + r * block_cols + c % block_cols;
  }
}

/// Returns whether the byte at that index holds its weight + 128.
constexpr bool is_biased(Order order, size_t index) {
  return order == Order::pairs && index % 2 == 0;
}

/// An int8 matrix in the sparse order. Its three arrays follow one another.
struct SparseMatrix {
  const uint32_t* ends;     ///< [panels] the number of blocks up to the end of each panel
  const uint16_t* columns;  ///< [blocks] the first column of each, / 4; ascending inside a panel
  const int8_t* blocks;     ///< [blocks][8][4] at a multiple of 64

  /// Returns the bytes in front of the blocks.
  static constexpr uint64_t head(uint64_t panels, uint64_t blocks) {
    return (panels * sizeof(uint32_t) + blocks * sizeof(uint16_t) + 63) & ~uint64_t(63);
  }
  /// Returns the bytes of a whole matrix.
  static constexpr uint64_t bytes(uint64_t panels, uint64_t blocks) {
    return head(panels, blocks) + blocks * uint64_t(block_bytes);
  }

  SparseMatrix(const void* matrix, int panels)
      : ends(static_cast<const uint32_t*>(matrix)),
        columns(reinterpret_cast<const uint16_t*>(ends + panels)),
        blocks(static_cast<const int8_t*>(matrix) + head(uint64_t(panels), ends[panels - 1])) {}
  /// Returns the number of a panel's first block.
  uint32_t begin(int panel) const { return panel ? ends[panel - 1] : 0; }
};

/// The order that the tables of this build read.
#if !defined(SLUICE_ONE_ISA)
constexpr Order own_order = Order::canonical;
#elif defined(__ARM_FEATURE_MVE)
constexpr Order own_order = Order::rows;
#else
constexpr Order own_order = Order::pairs;
#endif

/// A matrix in fixed point, with the start values of its accumulators a and the multipliers and
/// shift that rescale them: R(a, shift, m), in units of 2^-12 or in the unit of the layer's output.
struct FixedMatrix {
  const void* w;        ///< int8
  const int32_t* bias;  ///< [rows] the start values
  const int32_t* m;     ///< [rows]
  int shift;
  int rows;  ///< a multiple of 8
  int cols;
  Order order = own_order;  ///< of w: this build's own, or sparse
};

/// Whether this build holds products with sparse matrices (SLUICE_SPARSE in CMakeLists.txt).
#ifdef SLUICE_WITHOUT_SPARSE
constexpr bool holds_sparse = false;
#else
constexpr bool holds_sparse = true;
#endif
inline bool is_sparse(const FixedMatrix& m) { return holds_sparse && m.order == Order::sparse; }

/// Returns the bytes of a buffer for n numbers prepared for a product. It is the same on every
/// instruction set.
constexpr size_t side_bytes(int n) { return 2 * ((size_t(n) + 15) & ~size_t(15)) + 16; }

/// One step of a recurrent layer in fixed point.
struct FixedCell {
  FixedMatrix ih, hh;  ///< [gates][units] rows
  /// [ih.cols] The layer's input. If frame: int8, in w8a16 int16. Else int16, which the format int8
  /// narrows.
  const void* x;
  bool frame;  ///< x is the model's input
  int16_t* h;  ///< [units] the state before; becomes the state after
  /// [hh.cols, padded] The input of hh: h, or for low rank the product of its factor.
  const int16_t* product_state;
  int units;      ///< padded
  void* scratch;  ///< side_bytes(ih.cols) + side_bytes(hh.cols) bytes at a multiple of 16
};

struct FixedGru : FixedCell {  ///< reset-after
  static constexpr int gates = 3;
};
struct FixedRnn : FixedCell {
  static constexpr int gates = 1;
};
struct FixedLstm : FixedCell {
  static constexpr int gates = 4;
  int16_t* c = nullptr;  ///< [units] the cell state before; becomes the cell state after
  int shift_c = 0;       ///< 0 to 15: c is in units of 2^(shift_c - 15)
};
/// Reset-before. hh has [2][units] rows, of r and z. The scratch has [2][units] int16 more, and for
/// low rank also [factor.rows] int16 and side_bytes(factor.cols) bytes.
struct FixedGruBefore : FixedCell {
  static constexpr int gates = 3;
  FixedMatrix hn =
      {};  ///< [units] rows, over r * h, or for low rank over the factor's product with it
  /// For low rank W2, whose product has the numbers of a linear Dense; else it has 0 rows.
  FixedMatrix factor = {};
};

struct FixedFastGrnn : FixedCell {
  static constexpr int gates = 1;
  const int32_t *gate_bias = nullptr, *update_bias = nullptr;  ///< [units] in units of 2^-12
  int32_t zeta = 0, nu = 0;                                    ///< in units of 2^-15
  int shift_c = 0;  ///< 0 to 15: h is in units of 2^(shift_c - 15)
};

/// The curves of a cell in fixed point whose gates are a hard sigmoid, or whose candidate is not
/// tanh.
struct FixedCurves {
  bool hard;             ///< the gates
  Activation candidate;  ///< tanh, linear or relu
  /// Of an LSTM whose candidate is not tanh, 0 to 14: h is in units of 2^(shift_c - shift_h - 15).
  int shift_h;
};

/// One frame through a Dense in fixed point.
struct FixedDense {
  FixedMatrix matrix;
  const void* x;          ///< [matrix.cols] the input, as in FixedCell
  bool frame;             ///< x is the model's input
  Activation activation;  ///< linear for the logits of sigmoid and softmax
  int16_t* y;             ///< [rows]
  void* scratch;          ///< side_bytes(cols) bytes at a multiple of 16
};

/// y = the sum of the sources x_p, each rescaled to the unit of y:
/// clamp(bias + sum over p of R(x_p, 15, m_p)).
struct FixedAdd {
  const int16_t* const* x;  ///< [parts] of [units]
  int parts;
  const int32_t *m, *bias;  ///< [parts][units], [units]
  int units;                ///< padded
  int16_t* y;               ///< [units]; must not overlap a source
};

/// y = a * b in the unit of y, for a and b with offsets of their own:
/// clamp(bias + R(a * b, 0, m_0) + R(a, 15, m_1) + R(b, 15, m_2)).
struct FixedMultiply {
  const int16_t *a, *b;     ///< [units]
  const int32_t *m, *bias;  ///< [3][units], [units]
  int units;                ///< padded
  int16_t* y;               ///< [units]; must not overlap a source
};

// ---- The table ---------------------------------------------------------------------------------

/// An entry of the table. On hosts it is a pointer to a function, set by each instruction set. In
/// firmware, which has one instruction set (SLUICE_ONE_ISA, its name), it is a static function:
/// then `kernels.product_f32(...)` is a direct call, and the linker drops entries that nothing
/// calls.
#if defined(SLUICE_ONE_ISA)
#define SLUICE_ENTRY(result, name) static result name
#else
#define SLUICE_ENTRY(result, name) result(*name)
#endif

/// In the formulas, s(a) is the curve of the gates and s' its derivative, computed from the value:
/// sigmoid r * (1 - r), tanh 1 - r * r, hard sigmoid its slope inside (0, 1) and else 0. d before a
/// name means its gradient. Products of more than two factors are computed from the left.
struct CurveKernels {
#define SLUICE_KERNEL(result, name, parameters, arguments) SLUICE_ENTRY(result, name) parameters;
#include "curve_entries.h"
#undef SLUICE_KERNEL
};

struct Kernels {
  const char* name;  ///< "scalar", "avx2", "avx512", "neon", "armv7"; of a core, "cortex-m4"
#if !defined(SLUICE_ONE_ISA)
  uint32_t needs;  ///< bits of CpuFeature (cpu.h): the extensions that its file is compiled for
  const CurveKernels* curves;
#endif

#define SLUICE_KERNEL(result, name, parameters, arguments) SLUICE_ENTRY(result, name) parameters;
#include "entries.h"
#undef SLUICE_KERNEL
};

/// Returns the entries for other curves than those of plain cells:
/// curves_of(kernels).curve_f32(...)
#if defined(SLUICE_ONE_ISA)
inline CurveKernels curves_of(const Kernels&) { return {}; }
#else
inline const CurveKernels& curves_of(const Kernels& kernels) { return *kernels.curves; }
#endif

/// Returns the tables built into this library, weakest first, and their number in *count. The
/// scalar one is always there.
const Kernels* const* kernel_tables(int* count);

/// Returns whether this CPU runs the table.
bool runs_here(const Kernels&);
#if !defined(SLUICE_ONE_ISA)
/// Returns whether a CPU with these extensions (bits of CpuFeature) runs the table.
bool runs_with(uint32_t features, const Kernels&);
#endif

/// Returns the table of that name, without asking whether it runs here; null for an unknown name.
/// If name is null, returns the best table that this CPU runs.
const Kernels* pick_kernels(const char* name);

/// Returns cos(pi * x) for x in [0, 1], within 1e-15. Schedules use it, because libm would not give
/// the same bits everywhere.
double cos_pi(double x);

}  // namespace sluice

#endif
