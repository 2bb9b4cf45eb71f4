// Dense, curve, standardization and difference, forward and backward, and the products for the
// gradients of all layers.
#include <string.h>

#include "train.h"

namespace sluice {

void transpose(const float* w, int rows, int cols, float* out) {
  const int out_rows = padded(cols);
  for (int first = 0; first < out_rows; first += strip_rows) {
    const int width = out_rows - first < strip_rows ? out_rows - first : strip_rows;
    for (int k = 0; k < rows; ++k) {
      // The elements of W's row k are a fixed step apart.
      const float* const from = w + packed_index(rows, cols, k, 0);
      const ptrdiff_t step =
          ptrdiff_t(packed_index(rows, cols, k, 1) - packed_index(rows, cols, k, 0));
      float* const to = out + packed_index(out_rows, rows, first, k);
      const int end = cols - first < width ? cols - first : width;
      for (int i = 0; i < end; ++i) to[i] = from[(first + i) * step];
      for (int i = end; i < width; ++i) to[i] = 0.0f;
    }
  }
}

void weight_gradient(const TrainCall& call, const Columns& c, const float* x, int x_stride,
                     int cols, float* out) {
  // Rows of dy and x that stay in the first level of cache for all tiles of a strip.
  constexpr int piece = 64;
  for (int row = 0; row < c.rows; row += strip_rows) {
    const int width = c.rows - row < strip_rows ? c.rows - row : strip_rows;
    float* const to = out + ptrdiff_t(row) * cols;
    for (int i = 0; i < c.count; i += piece) {
      const int rows = c.count - i < piece ? c.count - i : piece;
      const bool goes_on = i > 0 || call.adds;
      call.kernels.product_f32({c.dy + ptrdiff_t(i) * c.stride + row, width, rows, c.stride},
                               {{goes_on ? to : call.zeros, goes_on ? width : 0},
                                {x + ptrdiff_t(i) * x_stride, 1},
                                x_stride,
                                {to, width},
                                cols});
    }
  }
}

void bias_gradient(const TrainCall& call, const Columns& c, float* out) {
  const float one = 1.0f;
  for (int row = 0; row < c.rows; row += strip_rows) {
    const int width = c.rows - row < strip_rows ? c.rows - row : strip_rows;
    call.kernels.product_f32(
        {c.dy + row, width, c.count, c.stride},
        {{call.adds ? out + row : call.zeros, 0}, {&one, 0}, 0, {out + row, 0}, 1});
  }
}

void clear_ended(const Shard& shard, int t, int width, float* rows) {
  const int active = shard.active(t);
  memset(rows + (ptrdiff_t(t) * shard.sequences + active) * width, 0,
         size_t(shard.sequences - active) * size_t(width) * sizeof(float));
}

namespace {

/// A Dense as its products see it: a row of a Dense of several parts is as many rows of one part.
struct DenseShape {
  int parts, in, out, units;
  int rows;          ///< of all parts
  bool gathered;     ///< the rows of x and y are copies, one part a row
  uint64_t numbers;  ///< of y in rows of one part

  DenseShape(const LayerRecord& layer, int rows_out)
      : parts(layer.parts > 1 ? layer.parts : 1),
        in(int(layer.in) / parts),
        out(int(layer.out) / parts),
        units(padded(out)),
        rows(rows_out * parts),
        gathered(parts > 1),
        numbers(uint64_t(rows) * uint64_t(units)) {}
};

/// Copies rows of parts [rows / parts][stride], where each part has n numbers, to rows of one part
/// [rows][to_stride], or back. Padding of a row that receives several parts is cleared.
void gather_parts(const DenseShape& shape, const float* x, int stride, int n, float* to,
                  int to_stride) {
  for (int row = 0; row < shape.rows; ++row)
    memcpy(to + ptrdiff_t(row) * to_stride,
           x + ptrdiff_t(row / shape.parts) * stride + ptrdiff_t(row % shape.parts) * n,
           size_t(n) * sizeof(float));
}
void scatter_parts(const DenseShape& shape, const float* from, int from_stride, int n, float* y,
                   int stride) {
  memset(y, 0, size_t(shape.rows / shape.parts) * size_t(stride) * sizeof(float));
  for (int row = 0; row < shape.rows; ++row)
    memcpy(y + ptrdiff_t(row / shape.parts) * stride + ptrdiff_t(row % shape.parts) * n,
           from + ptrdiff_t(row) * from_stride, size_t(n) * sizeof(float));
}

const float* prepare_dense(const LayerRecord& layer, const uint8_t* base, bool wants_dx,
                           Arena& arena) {
  if (!wants_dx) return nullptr;
  const DenseShape shape(layer, 1);
  float* const out = arena.take<float>(uint64_t(padded(shape.in)) * uint64_t(shape.units));
  if (!arena.measures())
    transpose(reinterpret_cast<const float*>(base + layer.w_ih), shape.units, shape.in, out);
  return out;
}

/// Returns whether the backward pass reads the arguments of the activation, which are then kept
/// behind its values.
bool keeps_arguments(const TrainCall& call) {
  return derives_from_argument(Activation(call.layer.activation));
}

/// The arrays that a Dense keeps.
struct DenseKept {
  float* y;          ///< [rows_out][padded(out)]
  float* arguments;  ///< [shape.rows][units]; null if the backward pass does not read them
  /// If gathered: [shape.rows][padded(in)] and twice [shape.rows][units]; else null, y and null.
  float *x, *part_y, *part_dy;

  DenseKept(const TrainCall& call, const DenseShape& shape, Arena& arena) {
    y = arena.take<float>(uint64_t(call.rows_out) * uint64_t(padded(int(call.layer.out))));
    arguments = keeps_arguments(call) ? arena.take<float>(shape.numbers) : nullptr;
    x = part_dy = nullptr, part_y = y;
    if (!shape.gathered) return;
    x = arena.take<float>(uint64_t(shape.rows) * uint64_t(padded(shape.in)));
    part_y = arena.take<float>(shape.numbers);
    part_dy = arena.take<float>(shape.numbers);
  }
};

float* forward_dense(const TrainCall& call, int, Arena& arena) {
  const DenseShape shape(call.layer, call.rows_out);
  const DenseKept kept(call, shape, arena);
  if (arena.measures()) return kept.y;
  const LayerRecord one = shape.gathered ? part_record(call.layer) : call.layer;
  const int gathered_stride = padded(shape.in);
  if (shape.gathered) gather_parts(shape, call.x, call.x_stride, shape.in, kept.x, gathered_stride);
  const Matrix w{call.parameters.base + one.w_ih, shape.units, shape.in, 0};
  const auto* bias = reinterpret_cast<const float*>(call.parameters.base + one.b_ih);
  float* const y = kept.part_y;
  call.kernels.product_f32(
      w, {{bias, 0},
          {shape.gathered ? kept.x : call.x, shape.gathered ? gathered_stride : call.x_stride},
          1,
          {y, shape.units},
          shape.rows});
  if (kept.arguments) memcpy(kept.arguments, y, size_t(shape.numbers) * sizeof(float));
  if (!call.keep_logits)
    activate(call.kernels, one, call.parameters.base, y, shape.rows, shape.units);
  if (shape.gathered)
    scatter_parts(shape, y, shape.units, shape.out, kept.y, padded(int(call.layer.out)));
  return kept.y;
}

/// Computes the gradient of a PReLU's slopes, a sum over the rows: dslope += dy * min(x, 0).
/// @param dy  [rows][units]
/// @param x   [rows][units] the arguments
void slope_gradient(const TrainCall& call, const float* dy, const float* x, int rows, int units) {
  float* const out = call.parameters.gradient_at(call.layer.w_hh);
  if (!call.adds) memset(out, 0, size_t(units) * sizeof(float));
  for (int row = 0; row < rows; ++row)
    for (int i = 0; i < units; ++i) {
      const ptrdiff_t at = ptrdiff_t(row) * units + i;
      out[i] += dy[at] * (x[at] < 0.0f ? x[at] : 0.0f);
    }
}

/// Multiplies dy [rows][stride] by the derivative of the layer's activation.
/// @param v  the arguments of a curve that derives_from_argument, else its values
void derive(const TrainCall& call, const LayerRecord& one, const float* v, float* dy, int rows,
            int stride) {
  const int n = int(one.out);
  if (one.activation > SLUICE_HARD_SIGMOID)
    curves_of(call.kernels)
        .curve_back_f32(other_curve(one, call.parameters.base), v, dy, rows, n, stride);
  else if (!call.keep_logits)
    call.kernels.activate_back_f32(dense_curve(one), v, dy, rows, n, stride);
}

void backward_dense(const TrainCall& call, int, Arena& arena) {
  const DenseShape shape(call.layer, call.rows_out);
  const DenseKept kept(call, shape, arena);
  if (arena.measures()) return;
  const int in = shape.in, units = shape.units, dx_stride = padded(in);
  float* const part_dy = shape.gathered ? kept.part_dy : call.dy;
  const LayerRecord one = shape.gathered ? part_record(call.layer) : call.layer;
  if (shape.gathered) {
    memset(part_dy, 0, size_t(shape.numbers) * sizeof(float));
    gather_parts(shape, call.dy, padded(int(call.layer.out)), shape.out, part_dy, units);
  }
  if (one.activation == SLUICE_PRELU)
    slope_gradient(call, part_dy, kept.arguments, shape.rows, units);
  derive(call, one, kept.arguments ? kept.arguments : kept.part_y, part_dy, shape.rows, units);
  const Parameters& p = call.parameters;
  const Columns columns{part_dy, units, units, shape.rows};
  weight_gradient(call, columns, shape.gathered ? kept.x : call.x,
                  shape.gathered ? dx_stride : call.x_stride, in, p.gradient_at(one.w_ih));
  bias_gradient(call, columns, p.gradient_at(one.b_ih));
  if (!call.dx) return;
  float* const part_dx = shape.gathered ? kept.x : call.dx;  // the input is not needed any more
  call.kernels.product_f32(
      {call.transposed, dx_stride, units, 0},
      {{call.zeros, 0}, {part_dy, units}, 1, {part_dx, dx_stride}, shape.rows});
  if (shape.gathered)
    scatter_parts(shape, part_dx, dx_stride, in, call.dx, padded(int(call.layer.in)));
}

/// The arrays that a curve keeps: y, and arguments as DenseKept has them.
float* forward_curve(const TrainCall& call, int, Arena& arena) {
  const int n = int(call.layer.out), units = padded(n);
  const uint64_t numbers = uint64_t(call.rows_out) * uint64_t(units);
  float* const y = arena.take<float>(numbers);
  float* const arguments = keeps_arguments(call) ? arena.take<float>(numbers) : nullptr;
  if (arena.measures()) return y;
  memset(y, 0, size_t(numbers) * sizeof(float));
  for (int row = 0; row < call.rows_out; ++row)
    memcpy(y + ptrdiff_t(row) * units, call.x + ptrdiff_t(row) * call.x_stride,
           size_t(n) * sizeof(float));
  if (arguments) memcpy(arguments, y, size_t(numbers) * sizeof(float));
  if (!call.keep_logits)
    activate(call.kernels, call.layer, call.parameters.base, y, call.rows_out, units);
  return y;
}

void backward_curve(const TrainCall& call, int, Arena& arena) {
  const int units = padded(int(call.layer.out));
  const uint64_t numbers = uint64_t(call.rows_out) * uint64_t(units);
  const float* const y = arena.take<float>(numbers);
  const float* const arguments = keeps_arguments(call) ? arena.take<float>(numbers) : nullptr;
  if (arena.measures()) return;
  if (call.layer.activation == SLUICE_PRELU)
    slope_gradient(call, call.dy, arguments, call.rows_out, units);
  if (!call.dx) return;
  derive(call, call.layer, arguments ? arguments : y, call.dy, call.rows_out, units);
  memcpy(call.dx, call.dy, size_t(numbers) * sizeof(float));
}

float* forward_standardize(const TrainCall& call, int, Arena& arena) {
  const int n = int(call.layer.out), units = padded(n);
  float* const y = arena.take<float>(uint64_t(call.rows_out) * uint64_t(units));
  if (arena.measures()) return y;
  const auto* scale = reinterpret_cast<const float*>(call.parameters.base + call.layer.w_ih);
  const auto* mean = reinterpret_cast<const float*>(call.parameters.base + call.layer.b_ih);
  memset(y, 0, size_t(call.rows_out) * size_t(units) * sizeof(float));
  const Shard& shard = call.shard;
  for (int row = 0; row < call.rows_out; ++row)
    // Rows behind a sequence's end stay zero.
    if (shard.length[row % shard.sequences] > row / shard.sequences)
      call.kernels.standardize_f32(call.x + ptrdiff_t(row) * call.x_stride, mean, scale,
                                   y + ptrdiff_t(row) * units, n);
  return y;
}

void backward_standardize(const TrainCall& call, int, Arena& arena) {
  arena.take<float>(uint64_t(call.rows_out) * uint64_t(padded(int(call.layer.out))));
  if (arena.measures() || !call.dx) return;
  // Includes the padding, where zero is multiplied by a finite number.
  const int units = padded(int(call.layer.out));
  const auto* scale = reinterpret_cast<const float*>(call.parameters.base + call.layer.w_ih);
  for (int row = 0; row < call.rows_out; ++row)
    for (int i = 0; i < units; ++i)
      call.dx[ptrdiff_t(row) * units + i] = call.dy[ptrdiff_t(row) * units + i] * scale[i];
}

/// The first row of a sequence and the rows behind its end are zero.
float* forward_difference(const TrainCall& call, int, Arena& arena) {
  const int n = int(call.layer.out), units = padded(n), sequences = call.shard.sequences;
  float* const y = arena.take<float>(uint64_t(call.rows_out) * uint64_t(units));
  if (arena.measures()) return y;
  memset(y, 0, size_t(call.rows_out) * size_t(units) * sizeof(float));
  for (int row = sequences; row < call.rows_out; ++row) {
    if (call.shard.length[row % sequences] <= row / sequences) continue;
    const float* const x = call.x + ptrdiff_t(row) * call.x_stride;
    const float* const before = x - ptrdiff_t(sequences) * call.x_stride;
    for (int i = 0; i < n; ++i) y[ptrdiff_t(row) * units + i] = x[i] - before[i];
  }
  return y;
}

/// Each number of x enters the difference of its own step, except at the first step, and, with the
/// opposite sign, the difference of the next step.
void backward_difference(const TrainCall& call, int, Arena& arena) {
  const int units = padded(int(call.layer.out)), sequences = call.shard.sequences;
  arena.take<float>(uint64_t(call.rows_out) * uint64_t(units));
  if (arena.measures() || !call.dx) return;
  for (int row = 0; row < call.rows_in; ++row) {
    const int t = row / sequences, length = call.shard.length[row % sequences];
    float* const dx = call.dx + ptrdiff_t(row) * units;
    const float* const own = call.dy + ptrdiff_t(row) * units;
    const float* const next = own + ptrdiff_t(sequences) * units;
    for (int i = 0; i < units; ++i)
      dx[i] = (t > 0 && t < length ? own[i] : 0.0f) - (t + 1 < length ? next[i] : 0.0f);
  }
}

}  // namespace

constexpr TrainKind train_difference{
    SLUICE_DIFFERENCE, {1, 1}, nullptr, no_preparation, forward_difference, backward_difference};
constexpr TrainKind train_dense{SLUICE_DENSE,  {1, 1},        nullptr,
                                prepare_dense, forward_dense, backward_dense};
constexpr TrainKind train_curve{SLUICE_CURVE,   {1, 1},        nullptr,
                                no_preparation, forward_curve, backward_curve};
constexpr TrainKind train_standardize{
    SLUICE_STANDARDIZE, {1, 1}, nullptr, no_preparation, forward_standardize, backward_standardize};

}  // namespace sluice
