// A program that only runs a model: opens it, starts a stream, makes a step. It is linked to
// measure its size (size.cmake), and is not run.
#include "sluice.h"

extern "C" {
alignas(64) extern const uint8_t weighed_blob[64] = {1};
alignas(16) uint8_t weighed_memory[2048];
}

int main() {
  static sluice_model model;
  static sluice_stream stream;
  static uint8_t x[64], y[64];
  if (sluice_open(&model, weighed_blob, sizeof weighed_blob, nullptr)) return 1;
  const sluice_use use = {1, 1};
  if (sluice_start(&stream, &model, use, weighed_memory, 1024, weighed_memory + 1024, 1024))
    return 2;
  sluice_step(&stream, x, y);
  return y[0];
}
