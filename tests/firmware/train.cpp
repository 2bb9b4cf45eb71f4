// Ten steps of the trainer on a board give the same bytes as on the host.
#include "board.h"
#include "semihosting.h"
#include "training.h"

extern "C" const uint8_t train_begin[], train_begin_end[], train_end[], train_end_end[];

int main() {
  static sluice_model model;
  static MadeUpBatch batch;
  const size_t blob_bytes = size_t(train_begin_end - train_begin);
  if (sluice_open(&model, train_begin, blob_bytes, nullptr)) return 1;
  const sluice_train_options options = training_options();
  const uint64_t needs = sluice_train_needs(&model, &options);
  size_t room = 0;
  uint8_t* const memory = static_cast<uint8_t*>(spare_ram(&room));
  const size_t blob_room = (blob_bytes + 15) / 16 * 16;
  if (needs == 0 || needs + blob_room > room) return 2;
  memcpy(memory, train_begin, blob_bytes);
  stack_paint();
  const uint64_t begin = ticks();
  const sluice_status status =
      train_ten_steps(&model, batch, memory + blob_room, size_t(needs), memory, blob_bytes);
  const uint64_t instructions = TICKS_TO_INSTRUCTIONS(ticks() - begin);
  const size_t stack = stack_peak();
  const bool same = status == SLUICE_OK && memcmp(memory, train_end, blob_bytes) == 0;
  const bool changed = memcmp(memory, train_begin, blob_bytes) != 0;
  semihosting_text(same && changed ? "train: ok, 10 Adam steps; arena " : "train: wrong; arena ");
  semihosting_number(needs);
  semihosting_text(", stack ");
  semihosting_number(stack);
  semihosting_text(" bytes, ");
  semihosting_number(instructions / 10);
  semihosting_text(" instructions a step\n");
  return same && changed ? 0 : 3;
}
