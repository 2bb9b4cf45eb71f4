/* The services of a board for a program that runs on it: an end, text on the emulator's terminal,
 * the instructions and the stack it used. */
#ifndef SLUICE_BOARD_H
#define SLUICE_BOARD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Start-up calls main and ends the program with its return value. Faults end it, too, with a line
 * that says where. */
int main(void);

/* SysTick at the processor's clock, counted from the first call. The emulator runs one instruction
 * a nanosecond (-icount shift=0): a tick is 1000 / SLUICE_BOARD_MEGAHERTZ of them. A difference is
 * good to one tick. The code around N steps cancels in the difference between 2 N and N of them,
 * which is good to two. */
uint64_t ticks(void);
#define TICKS_TO_INSTRUCTIONS(n) ((n) * 1000u / SLUICE_BOARD_MEGAHERTZ)

/* Fills the stack below the caller with a pattern; then gives the most bytes of it that were used
 * since. */
void stack_paint(void);
size_t stack_peak(void);

/* All RAM that nothing else uses, uninitialized, at a multiple of 16. */
void* spare_ram(size_t* bytes);

#ifdef __cplusplus
}
#endif
#endif
