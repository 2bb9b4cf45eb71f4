// The clock counts as many instructions for a loop of known length as the loop has, and the same
// number the next time.
#include "board.h"
#include "semihosting.h"

namespace {

constexpr uint64_t turn = 64;  ///< instructions

uint64_t ticks_of_turns(uint32_t turns) {
  const uint64_t begin = ticks();
  __asm volatile(
      ".syntax unified\n"
      "1:\n"
      ".rept 62\n"
      "nop\n"
      ".endr\n"
      "subs %0, #1\n"
      "bne 1b"
      : "+l"(turns)
      :
      : "cc");
  return ticks() - begin;
}

/// Returns whether `turns` are measured exactly, without the code around them, except that each of
/// the two differences may be off by a tick.
bool check(uint32_t turns) {
  const uint64_t measured =
      TICKS_TO_INSTRUCTIONS(ticks_of_turns(2 * turns) - ticks_of_turns(turns));
  const uint64_t expected = turns * turn, off = TICKS_TO_INSTRUCTIONS(2) + 1;
  semihosting_number(expected);
  semihosting_text(" instructions measure ");
  semihosting_number(measured);
  semihosting_text("\n");
  return measured + off >= expected && measured <= expected + off;
}

}  // namespace

int main() {
  // Instructions until SysTick restarts.
  constexpr uint64_t wrap = TICKS_TO_INSTRUCTIONS(uint64_t(1) << 24);
  bool good = true;
  for (int again = 0; again < 2; ++again) good = check(100) & check(100000) & good;
  return check(uint32_t(wrap / turn / 2)) & good ? 0 : 1;
}
