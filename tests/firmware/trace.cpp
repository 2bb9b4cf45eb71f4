// Prints every layer's values, step by step, on a board: the same lines as on the host.
#include "board.h"
#include "frames.h"
#include "semihosting.h"

extern "C" const uint8_t case_blob[], case_blob_end[], case_in[];

namespace {

sluice_model model;
sluice_stream stream;
uint32_t step;

void print(void*, uint32_t layer, const void* values, uint32_t n) {
  char line[72];
  for (uint32_t unit = 0; unit < n; ++unit) {
    sluice_trace_line(&model, step, layer, unit, values, line);
    semihosting_text(line);
  }
}

}  // namespace

int main() {
  static unsigned char state[512] __attribute__((aligned(16))),
      scratch[2048] __attribute__((aligned(16)));
  static unsigned char answer[64] __attribute__((aligned(16)));
  if (sluice_open(&model, case_blob, size_t(case_blob_end - case_blob), nullptr) != SLUICE_OK)
    return 1;
  if (sluice_start(&stream, &model, {1, 1}, state, sizeof state, scratch, sizeof scratch) !=
      SLUICE_OK)
    return 1;
  sluice_trace(&stream, print, nullptr);
  for (; step < traced_frames; ++step)
    sluice_step(&stream, case_in + step * frame_bytes(sluice_describe(&model)), answer);
}
