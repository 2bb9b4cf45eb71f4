// A loop of known length takes as many instructions as it has, and as many again the next time.
#include "board.h"
#include "semihosting.h"

namespace {

/// Two instructions a turn.
uint64_t ticks_of_turns(uint32_t turns) {
  const uint64_t begin = ticks();
  __asm volatile(
      ".syntax unified\n"
      "1: subs %0, #1\n"
      "bne 1b"
      : "+l"(turns)
      :
      : "cc");
  return ticks() - begin;
}

/// Instructions of `turns`, without what surrounds them; good to one tick.
uint64_t instructions_of(uint32_t turns) { return TICKS_TO_INSTRUCTIONS(ticks_of_turns(2 * turns) - ticks_of_turns(turns)); }

bool check(uint32_t turns) {
  const uint64_t first = instructions_of(turns), second = instructions_of(turns), tick = TICKS_TO_INSTRUCTIONS(1) + 1;
  const uint64_t expected = 2 * uint64_t(turns);
  semihosting_number(expected);
  semihosting_text(" instructions measure ");
  semihosting_number(first);
  semihosting_text(" and ");
  semihosting_number(second);
  semihosting_text("\n");
  return first + tick >= expected && first <= expected + tick && second + tick >= expected && second <= expected + tick;
}

}  // namespace

int main() {
  const bool short_loop = check(1000), long_loop = check(1000000);
  const bool wrapped_loop = check((1u << 23) / SLUICE_BOARD_MEGAHERTZ * 1000);  // SysTick wraps in the measurement
  return short_loop && long_loop && wrapped_loop ? 0 : 1;
}
