// Tests the product: every element is a chain of fused multiply-adds that begins with the bias and
// continues with k = 0, 1, 2, ...
#include <doctest/doctest.h>

#include <set>

#include "../support/numbers.h"
#include "../support/tables.h"

using namespace sluice;
using namespace sluice::tests;

namespace {

struct Shape {
  int rows, cols, count;
};

/// The layouts of a product's arrays in memory. Each takes a different path through a kernel.
enum Init { init_rows, init_one_bias, init_in_place, inits };
enum Step { step_contiguous, step_transposed, step_constant, steps };
enum Left { left_strips, left_rows, lefts };
constexpr int layouts = int(inits) * int(steps) * int(lefts);

struct Case {
  std::vector<float> w, init, x, y;
  Matrix matrix;
  Product product;
};

Case make_case(Shape s, Init init, Step step, Left left, Noise& noise) {
  Case c;
  const size_t rows = size_t(s.rows), cols = size_t(s.cols), count = size_t(s.count);
  const int stride = left == left_rows ? s.rows + 5 : 0;
  c.w = noise.uniform(stride ? (cols ? (cols - 1) * size_t(stride) + rows : 0) : rows * cols);
  const int y_stride = s.rows + 3;
  c.y = noise.uniform(size_t(s.count - 1) * size_t(y_stride) + rows);
  if (init == init_one_bias) c.init = noise.uniform(rows);
  if (init == init_rows) c.init = noise.uniform((count - 1) * (rows + 1) + rows);
  const int x_step = step == step_contiguous ? 1 : step == step_transposed ? s.count + 2 : 0;
  const int x_stride = step == step_transposed ? 1 : s.cols + 1;
  c.x =
      noise.uniform((count - 1) * size_t(x_stride) + (cols ? (cols - 1) * size_t(x_step) + 1 : 0));
  c.w.reserve(1), c.x.reserve(1);  // empty if there are no columns, but not null
  c.matrix = {c.w.data(), s.rows, s.cols, stride};
  c.product.init.at = init == init_in_place ? c.y.data() : c.init.data();
  c.product.init.stride = init == init_in_place ? y_stride : init == init_rows ? s.rows + 1 : 0;
  c.product.x = {c.x.data(), x_stride};
  c.product.x_step = x_step;
  c.product.y = {c.y.data(), y_stride};
  c.product.count = s.count;
  return c;
}

std::vector<float> reference(const Case& c) {
  const Product& p = c.product;
  const Matrix& m = c.matrix;
  std::vector<float> y = c.y;
  for (int i = 0; i < p.count; ++i)
    for (int row = 0; row < m.rows; ++row) {
      float chain = p.init.at[size_t(i) * size_t(p.init.stride) + size_t(row)];
      for (int k = 0; k < m.cols; ++k) {
        const size_t at = m.stride ? size_t(k) * size_t(m.stride) + size_t(row)
                                   : packed_index(m.rows, m.cols, row, k);
        chain = std::fma(
            c.w[at], p.x.at[size_t(i) * size_t(p.x.stride) + size_t(k) * size_t(p.x_step)], chain);
      }
      y[size_t(i) * size_t(p.y.stride) + size_t(row)] = chain;
    }
  return y;
}

void check(Shape s, Init init, Step step, Left left, Noise& noise) {
  const Case c = make_case(s, init, step, left, noise);
  const std::vector<float> expected = reference(c);
  for (const Kernels* table : every_table()) {
    std::vector<float> y = c.y;
    Product p = c.product;
    p.y.at = y.data();
    if (init == init_in_place) p.init.at = y.data();
    table->product_f32(c.matrix, p);
    CAPTURE(name_of(*table));
    CAPTURE(s.rows);
    CAPTURE(s.cols);
    CAPTURE(s.count);
    CAPTURE(int(init));
    CAPTURE(int(step));
    CAPTURE(int(left));
    REQUIRE_EQ(first_difference(y.data(), expected.data(), y.size()), y.size());
  }
}

/// Returns a case's layout from a number. Consecutive numbers give all layouts.
void check(Shape s, int layout, Noise& noise) {
  check(s, Init(layout % inits), Step(layout / inits % steps), Left(layout / inits / steps % lefts),
        noise);
}

}  // namespace

TEST_CASE("a packed matrix consists of strips of twelve panels, each stored column by column") {
  for (int rows = 8; rows <= 304; rows += 8)
    for (const int cols : {1, 2, 9}) {
      std::set<size_t> seen;
      size_t next = 0;  // in the documented order: [strip][k][panels of the strip][8]
      for (int first = 0; first < rows; first += 96)
        for (int k = 0; k < cols; ++k)
          for (int row = first; row < rows && row < first + 96; ++row) {
            REQUIRE_EQ(packed_index(rows, cols, row, k), next++);
            seen.insert(packed_index(rows, cols, row, k));
          }
      REQUIRE_EQ(seen.size(), size_t(rows) * size_t(cols));
    }
}

TEST_CASE("a product is one chain per element for every number of rows, columns and vectors") {
  Noise noise(1);
  int layout = 0;
  for (int rows = 8; rows <= 200; rows += 8)
    for (const int cols : {0, 1, 7, 8, 9, 33}) {
      check({rows, cols, 1 + layout % 17}, layout, noise);
      ++layout;
    }
  for (int count = 1; count <= 17; ++count)
    for (const int rows : {8, 24, 96, 104}) check({rows, 7, count}, layout++, noise);
}

TEST_CASE("a product is the same chain in every layout of its arrays") {
  Noise noise(2);
  for (const int rows : {8, 16, 40, 96, 104, 192, 200})
    for (int layout = 0; layout < layouts; ++layout)
      for (const int count : {1, 2, 5, 8})
        if (!sparse() || (layout + count) % 3 == 0) check({rows, 9, count}, layout, noise);
}

TEST_CASE("a product is the same chain over a thousand columns, and for a hundred vectors") {
  Noise noise(3);
  int layout = 0;
  for (const int rows : {8, 96, 104})
    for (const int count : {1, 3, 17}) check({rows, 1000, sparse() ? 1 : count}, layout++, noise);
  for (int i = 0; i < layouts; ++i) check({i % 2 ? 104 : 8, 9, 100}, i, noise);
}

TEST_CASE("a product over all columns equals products over their parts in order") {
  Noise noise(4);
  const int rows = 104, cols = 33, count = 5;
  for (const Kernels* table : every_table())
    for (int cut = 0; cut <= cols; ++cut) {
      const std::vector<float> w = noise.uniform(size_t(cols) * rows),
                               x = noise.uniform(size_t(count) * cols);
      const std::vector<float> bias = noise.uniform(rows);
      std::vector<float> whole(size_t(count) * rows), parts(whole.size());
      table->product_f32({w.data(), rows, cols, rows},
                         {{bias.data(), 0}, {x.data(), cols}, 1, {whole.data(), rows}, count});
      table->product_f32({w.data(), rows, cut, rows},
                         {{bias.data(), 0}, {x.data(), cols}, 1, {parts.data(), rows}, count});
      table->product_f32(
          {w.data() + cut * rows, rows, cols - cut, rows},
          {{parts.data(), rows}, {x.data() + cut, cols}, 1, {parts.data(), rows}, count});
      CAPTURE(name_of(*table));
      CAPTURE(cut);
      REQUIRE(same_bits(whole, parts));
    }
}

TEST_CASE("a product of special numbers has the same bits on every instruction set") {
  const std::vector<float> special = special_numbers();
  Noise noise(5);
  const int rows = 16, cols = 3, count = 9;
  for (int round = 0; round < 200; ++round) {
    std::vector<float> w(size_t(rows) * cols), x(size_t(count) * cols), bias(rows);
    for (auto* v : {&w, &x, &bias})
      for (float& f : *v)
        f = tame(noise.below(2) ? special[size_t(noise.below(int(special.size())))]
                                : noise.number(-2, 2));
    std::vector<float> expected(size_t(count) * rows), y(expected.size());
    scalar_table().product_f32(
        {w.data(), rows, cols, 0},
        {{bias.data(), 0}, {x.data(), cols}, 1, {expected.data(), rows}, count});
    for (const Kernels* table : every_table()) {
      table->product_f32({w.data(), rows, cols, 0},
                         {{bias.data(), 0}, {x.data(), cols}, 1, {y.data(), rows}, count});
      CAPTURE(name_of(*table));
      REQUIRE(same_bits(y, expected));
    }
  }
}
