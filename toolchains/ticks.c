/* SysTick, a down counter of 24 bits, and an interrupt that counts its wraps. */
#include "board.h"

#define SYST_CSR (*(volatile uint32_t*)0xE000E010u)
#define SYST_RVR (*(volatile uint32_t*)0xE000E014u)
#define SYST_CVR (*(volatile uint32_t*)0xE000E018u)
#define ICSR (*(volatile uint32_t*)0xE000ED04u)

enum { period = 1 << 24, systick_pending = 1 << 26 };
static uint32_t wraps;

void systick(void);
void systick(void) { ++wraps; }

/* At 0, for one tick, the interrupt may be ahead or still to come: wait it out. */
static uint32_t elapsed(void) {
  uint32_t left;
  while ((left = SYST_CVR) == 0) {
  }
  return period - left;
}

uint64_t ticks(void) {
  if (!(SYST_CSR & 1)) {
    SYST_RVR = period - 1;
    SYST_CVR = 0;
    SYST_CSR = 7; /* the processor's clock, interrupt, on */
  }
  __asm volatile("cpsid i" ::: "memory");
  uint64_t base = (uint64_t)wraps * period;
  uint32_t count = elapsed();
  if (ICSR & systick_pending) {
    base += period;
    count = elapsed();
  }
  __asm volatile("cpsie i" ::: "memory");
  return base + count;
}
