// The quick start's firmware: a quantized model answers utterances on a board, and prints the
// answers, which are compared with the host's.
//   model.h, model.c   sluice export --core
//   utterances.h       frames as the model takes them, made by tools/quickstart.sh:
//                      utterance_names[], utterance_ends[] (in frames),
//                      utterance_frames[][MODEL_INPUTS]
#include "utterances.h"

#include "board.h"
#include "model.h"
#include "semihosting.h"
#include "sluice.h"

namespace {

sluice_model model;
sluice_stream stream;
MODEL_ALIGNED(16) unsigned char state[MODEL_STATE_BYTES], scratch[MODEL_SCRATCH_BYTES];

void say(const char* text) { semihosting_text(text); }
void say_signed(int n) {
  if (n < 0) say("-");
  semihosting_number(uint64_t(n < 0 ? -n : n));
}

}  // namespace

int main() {
  const sluice_use use = {1, 1};
  if (sluice_open(&model, model_blob, MODEL_BLOB_BYTES, nullptr) != SLUICE_OK) return 1;
  if (sluice_start(&stream, &model, use, state, sizeof state, scratch, sizeof scratch) != SLUICE_OK)
    return 1;
  if (sluice_selftest(&stream, nullptr) != SLUICE_OK) return 1;
  stack_paint();
  uint64_t counted = 0;
  uint32_t frame = 0;
  for (uint32_t u = 0; u < sizeof utterance_ends / sizeof *utterance_ends; ++u) {
    int16_t logits[MODEL_OUTPUTS];
    sluice_reset(&stream);
    const uint64_t begin = ticks();
    for (; frame < utterance_ends[u]; ++frame)
      sluice_step(&stream, utterance_frames[frame], logits);
    counted += ticks() - begin;
    say("utterance ");
    say(utterance_names[u]);
    say(": class ");
    semihosting_number(sluice_argmax_int16(logits, MODEL_OUTPUTS) + 1);
    say(", logits");
    for (const int16_t logit : logits) say(" "), say_signed(logit);
    say("\n");
  }
  say("model ");
  semihosting_number(MODEL_BLOB_BYTES);
  say(" bytes of flash; state ");
  semihosting_number(MODEL_STATE_BYTES);
  say(", scratch ");
  semihosting_number(MODEL_SCRATCH_BYTES);
  say(", stack ");
  semihosting_number(stack_peak());
  say(" bytes of RAM; ");
  semihosting_number(TICKS_TO_INSTRUCTIONS(counted) / frame);
  say(" instructions a step\n");
}
