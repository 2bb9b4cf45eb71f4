// Runs one case on a board: checks that every answer has the expected bytes and that memory beyond
// the requested pieces stays unchanged, then prints the cost.
#include <string.h>

#include "board.h"
#include "frames.h"
#include "semihosting.h"

extern "C" const uint8_t case_blob[], case_blob_end[], case_in[], case_in_end[], case_out[],
    case_out_end[];

namespace {

/// At least as many as two ticks are instructions, so that the count per step is exact to less than
/// one instruction.
constexpr uint32_t timed_steps = 128;
constexpr uint8_t untouched = 0xA5;

void say(const char* text) { semihosting_text(text); }
void say(uint64_t n) { semihosting_number(n); }
template <class First, class... Rest>
void say(First first, Rest... rest) {
  say(first);
  say(rest...);
}

template <class... Parts>
int fail(Parts... parts) {
  say(CASE_NAME ": ", parts..., "\n");
  return 1;
}

template <class... Parts>
int skip(Parts... parts) {
  say("skipped, " SLUICE_ONE_ISA ": " CASE_NAME ", ", parts..., "\n");
  return 0;
}

/// A piece of the spare RAM, followed by a margin that must stay unchanged.
struct Piece {
  uint8_t* at;
  size_t bytes;
};
constexpr size_t margin = 64;

struct Room {
  uint8_t* at;
  size_t left;
};

bool take(Room& room, size_t bytes, Piece* piece) {
  const size_t whole = (bytes + margin + 15) / 16 * 16;
  if (whole > room.left) return false;
  *piece = {room.at, bytes};
  memset(room.at, untouched, whole);
  room.at += whole;
  room.left -= whole;
  return true;
}

bool margin_kept(const Piece& piece) {
  for (size_t i = 0; i < margin; ++i)
    if (piece.at[piece.bytes + i] != untouched) return false;
  return true;
}

uint64_t ticks_of(sluice_stream* stream, uint32_t steps, uint32_t frames, size_t frame,
                  void* answer) {
  sluice_reset(stream);
  const uint64_t begin = ticks();
  for (uint32_t i = 0; i < steps; ++i) sluice_step(stream, case_in + i % frames * frame, answer);
  return ticks() - begin;
}

}  // namespace

int main() {
  static sluice_model model;
  static sluice_stream stream;
  const sluice_use use = {1, 1};

  stack_paint();
  const sluice_status opened =
      sluice_open(&model, case_blob, size_t(case_blob_end - case_blob), SLUICE_ONE_ISA);
  if (opened == SLUICE_FORMAT_MISSING || opened == SLUICE_LAYER_MISSING)
    return skip("needs what this build leaves out");
  if (opened) return fail("opens with status ", uint64_t(opened));
  const sluice_info info = sluice_describe(&model);
#if !defined(__ARM_FEATURE_FMA)
  if (info.format == SLUICE_F32) return skip("float needs fused multiply-add in hardware");
#endif
  const sluice_need need = sluice_needs(&model, use);
  const size_t frame = frame_bytes(info), answer = answer_bytes(info);
  const uint32_t frames = uint32_t(size_t(case_in_end - case_in) / frame);
  if (!frames || size_t(case_out_end - case_out) != frames * answer)
    return fail("the files do not fit one another");

  Room room;
  room.at = static_cast<uint8_t*>(spare_ram(&room.left));
  Piece state, scratch, y;
  if (!take(room, need.state, &state) || !take(room, need.scratch, &scratch) ||
      !take(room, answer, &y))
    return skip("does not fit the RAM: state ", uint64_t(need.state), ", scratch ",
                uint64_t(need.scratch), " bytes");
  if (const sluice_status status =
          sluice_start(&stream, &model, use, state.at, state.bytes, scratch.at, scratch.bytes))
    return fail("starts with status ", uint64_t(status));
  const size_t open_stack = stack_peak();

  stack_paint();
  for (uint32_t i = 0; i < frames; ++i) {
    memset(y.at, 0, answer);  // as the file has it for a frame without an answer
    sluice_step(&stream, case_in + i * frame, y.at);
    for (size_t b = 0; b < answer; ++b)
      if (y.at[b] != case_out[i * answer + b])
        return fail("frame ", uint64_t(i), ", byte ", uint64_t(b), " differs");
  }
  const size_t step_stack = stack_peak();
  if (!margin_kept(state) || !margin_kept(scratch) || !margin_kept(y))
    return fail("wrote beyond its memory");

  if (const sluice_status status = sluice_selftest(&stream, nullptr))
    return fail("its own test ends with status ", uint64_t(status));

  const uint64_t once = ticks_of(&stream, timed_steps, frames, frame, y.at);
  const uint64_t twice = ticks_of(&stream, 2 * timed_steps, frames, frame, y.at);
  const uint64_t instructions = TICKS_TO_INSTRUCTIONS(twice - once) / timed_steps;
  const uint64_t hundredths = instructions * 100 / info.macs;
  say(CASE_NAME ": ok, ", uint64_t(frames), " frames; stack ", uint64_t(open_stack), " to open, ",
      uint64_t(step_stack), " to step, state ", uint64_t(need.state), ", scratch ",
      uint64_t(need.scratch), " bytes; ", instructions, " instructions a step, ", hundredths / 100,
      hundredths % 100 < 10 ? ".0" : ".", hundredths % 100, " a multiply-accumulate\n");
}
