// Select, concat, add and multiply, forward and backward. The backward function of a layer that
// joins is called once for each source.
#include <string.h>

#include "train.h"

namespace sluice {
namespace {

/// Calls f(row of the output, row of a part) for the rows of the output. Rows are padded.
template <class F>
void each_row(const TrainCall& call, float* y, const TrainPart& part, F f) {
  const int units = padded(int(call.layer.out));
  for (int row = 0; row < call.rows_out; ++row)
    f(y + ptrdiff_t(row) * units, part.x + call.part_row(part, row) * part.x_stride);
}

/// Clears dx, then calls f(row of dy, row of dx, number of the row) for the rows of the output.
template <class F>
void each_gradient(const TrainCall& call, F f) {
  const TrainPart& part = call.parts[call.part];
  const int units = padded(int(call.layer.out)), width = padded(part.width);
  const int rows = part.ended ? call.shard.steps * call.shard.sequences : call.rows_out;
  memset(call.dx, 0, size_t(rows) * size_t(width) * sizeof(float));
  for (int row = 0; row < call.rows_out; ++row)
    f(call.dy + ptrdiff_t(row) * units, call.dx + call.part_row(part, row) * width, row);
}

float* forward_concat(const TrainCall& call, int, Arena& arena) {
  float* const y = take_cleared(call, arena);
  if (arena.measures()) return y;
  int first = 0;
  for (uint32_t p = 0; p < call.layer.parts; ++p) {
    const int width = call.parts[p].width;
    each_row(call, y, call.parts[p], [&](float* to, const float* x) {
      memcpy(to + first, x, size_t(width) * sizeof(float));
    });
    first += width;
  }
  return y;
}

void backward_concat(const TrainCall& call, int, Arena& arena) {
  take_output(call, arena);
  if (!call.dx) return;
  int first = 0;
  for (uint32_t p = 0; p < call.part; ++p) first += call.parts[p].width;
  const size_t bytes = size_t(call.parts[call.part].width) * sizeof(float);
  each_gradient(call, [&](const float* dy, float* dx, int) { memcpy(dx, dy + first, bytes); });
}

/// Copies the first source to y, then adds or multiplies each other source.
template <bool adds>
float* forward_join(const TrainCall& call, int, Arena& arena) {
  float* const y = take_cleared(call, arena);
  if (arena.measures()) return y;
  const auto n = size_t(call.layer.out);
  for (uint32_t p = 0; p < call.layer.parts; ++p)
    each_row(call, y, call.parts[p], [&](float* to, const float* x) {
      if (p == 0)
        memcpy(to, x, n * sizeof(float));
      else
        adds ? call.kernels.add_f32(x, to, n) : call.kernels.multiply_f32(x, to, n);
    });
  return y;
}

/// For a sum, dx = dy; for a product, dx = dy times the other sources, in their order.
template <bool adds>
void backward_join(const TrainCall& call, int, Arena& arena) {
  take_output(call, arena);
  if (!call.dx) return;
  const auto n = size_t(call.layer.out);
  each_gradient(call, [&](const float* dy, float* dx, int row) {
    memcpy(dx, dy, n * sizeof(float));
    for (uint32_t p = 0; !adds && p < call.layer.parts; ++p)
      if (p != call.part)
        call.kernels.multiply_f32(
            call.parts[p].x + call.part_row(call.parts[p], row) * call.parts[p].x_stride, dx, n);
  });
}

const int32_t* columns_of(const TrainCall& call) {
  return reinterpret_cast<const int32_t*>(call.parameters.base + call.layer.w_ih);
}

float* forward_select(const TrainCall& call, int, Arena& arena) {
  float* const y = take_cleared(call, arena);
  if (arena.measures()) return y;
  const int n = int(call.layer.out), units = padded(n);
  for (int row = 0; row < call.rows_out; ++row)
    for (int i = 0; i < n; ++i) {
      const int32_t column = columns_of(call)[i];
      if (column >= 0)
        y[ptrdiff_t(row) * units + i] = call.x[ptrdiff_t(row) * call.x_stride + column];
    }
  return y;
}

void backward_select(const TrainCall& call, int, Arena& arena) {
  take_output(call, arena);
  if (!call.dx) return;
  const int n = int(call.layer.out), units = padded(n), width = padded(int(call.layer.in));
  memset(call.dx, 0, size_t(call.rows_in) * size_t(width) * sizeof(float));
  for (int row = 0; row < call.rows_in; ++row)
    for (int i = 0; i < n; ++i) {
      const int32_t column = columns_of(call)[i];
      if (column >= 0)
        call.dx[ptrdiff_t(row) * width + column] += call.dy[ptrdiff_t(row) * units + i];
    }
}

}  // namespace

constexpr TrainKind train_select{SLUICE_SELECT,  {1, 1},         nullptr,
                                 no_preparation, forward_select, backward_select};
constexpr TrainKind train_concat{SLUICE_CONCAT,  {1, 1},         nullptr,
                                 no_preparation, forward_concat, backward_concat};
constexpr TrainKind train_add{
    SLUICE_ADD, {1, 1}, nullptr, no_preparation, forward_join<true>, backward_join<true>};
constexpr TrainKind train_multiply{
    SLUICE_MULTIPLY, {1, 1}, nullptr, no_preparation, forward_join<false>, backward_join<false>};

}  // namespace sluice
