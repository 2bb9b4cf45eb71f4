// A model in fixed point on a board: another core's order of weights is refused, memory is checked
// to the byte, inputs outside the calibrated range saturate, and the blob's own test passes.
#include <string.h>

#include "board.h"
#include "semihosting.h"
#include "sluice.h"

extern "C" const uint8_t own_order[], own_order_end[], host_order[], host_order_end[],
    other_order[], other_order_end[];

namespace {

alignas(16) uint8_t memory[1024];
bool all_right = true;

void expect(const char* what, bool holds) {
  if (holds) return;
  all_right = false;
  semihosting_text(what);
  semihosting_text(": wrong\n");
}

sluice_status open(sluice_model* model, const uint8_t* begin, const uint8_t* end) {
  return sluice_open(model, begin, size_t(end - begin), nullptr);
}

}  // namespace

int main() {
  static sluice_model model;
  static sluice_stream stream;
  expect("hosts' order of weights", open(&model, host_order, host_order_end) == SLUICE_ORDER);
  expect("another core's order of weights",
         open(&model, other_order, other_order_end) == SLUICE_ORDER);
  for (int off = 1; off < SLUICE_ALIGNMENT; ++off)
    expect("a blob off its alignment in flash",
           open(&model, own_order + off, own_order_end) == SLUICE_MISALIGNED);
  expect("this core's order of weights", open(&model, own_order, own_order_end) == SLUICE_OK);

  const sluice_use use = {1, 1};
  const sluice_need need = sluice_needs(&model, use);
  uint8_t *const state = memory, *const scratch = memory + need.state;
  const auto start = [&](uint8_t* s, size_t state_bytes, uint8_t* w, size_t scratch_bytes) {
    return sluice_start(&stream, &model, use, s, state_bytes, w, scratch_bytes);
  };
  expect("state off its alignment",
         start(state + 4, need.state, scratch, need.scratch) == SLUICE_MISALIGNED);
  expect("state too small",
         start(state, need.state - 1, scratch, need.scratch) == SLUICE_STATE_SMALL);
  expect("scratch too small",
         start(state, need.state, scratch, need.scratch - 1) == SLUICE_SCRATCH_SMALL);
  expect("exact memory", start(state, need.state, scratch, need.scratch) == SLUICE_OK);
  uint32_t step = 0;
  expect("the blob's own test", sluice_selftest(&stream, &step) == SLUICE_OK);

  float x[12];
  int8_t q[12];
  const float far[] = {1e30f, -1e30f, __builtin_inff(), -__builtin_inff(), __builtin_nanf("")};
  const int8_t nearest[] = {127, -128, 127, -128, -128};
  for (int i = 0; i < 5; ++i) {
    for (float& value : x) value = far[i];
    sluice_quantize(&model, x, q, 1);
    for (const int8_t number : q) expect("an input outside the range", number == nearest[i]);
  }
  int16_t y[9];
  float p[9], sum = 0;
  // Saturates and never wraps: h stays inside its range.
  for (int i = 0; i < 50; ++i) sluice_step(&stream, q, y);
  sluice_dequantize(&model, y, p, 1);
  for (const float probability : p) sum += probability;
  expect("probabilities",
         sum > 0.999f && sum < 1.001f && sluice_argmax(p, 9) == sluice_argmax_int16(y, 9));
  semihosting_text(all_right ? "fixed_statuses: ok\n" : "fixed_statuses: wrong\n");
  return all_right ? 0 : 1;
}
