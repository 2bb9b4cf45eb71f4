/* From reset to main: vectors, memory, the floating-point unit; faults; the stack's high-water
 * mark. */
#include "board.h"
#include "semihosting.h"

typedef void (*handler)(void);

/* The linker script's: addresses, never values. */
extern uint32_t stack_bottom[], stack_top[], data_begin[], data_end[], bss_begin[], bss_end[],
    spare_begin[], spare_end[];
extern const uint32_t data_in_flash[];

void reset(void);
void fault(void);
void systick(void);

#define CPACR (*(volatile uint32_t*)0xE000ED88u)

void reset(void) {
#if __ARM_ARCH >= 8
  __asm volatile(
      "msr msplim, %0" ::"r"(stack_bottom)); /* the stack's limit: one step below it faults */
#endif
#if defined(__ARM_FP)
  CPACR |= 0xFu << 20; /* the floating-point unit, and Helium with it */
  __asm volatile("dsb\n isb" ::: "memory");
#endif
  const uint32_t* from = data_in_flash;
  for (uint32_t* to = data_begin; to < data_end;) *to++ = *from++;
  for (uint32_t* to = bss_begin; to < bss_end;) *to++ = 0;
  stack_paint();
  semihosting_exit(main());
}

/* frame: r0 to r3, r12, lr, pc, as the core pushed them; below its bottom the stack has overflowed,
 * and nothing was pushed. */
static void __attribute__((used)) report_fault(const uint32_t* frame) {
  uint32_t exception;
  __asm volatile("mrs %0, ipsr" : "=r"(exception));
  semihosting_text("stopped by exception ");
  semihosting_number(exception & 0x1FFu);
  if (frame >= stack_bottom && frame < stack_top) {
    semihosting_text(" at address ");
    semihosting_number(frame[6]);
  } else {
    semihosting_text(": stack overflow");
  }
  semihosting_text("\n");
  semihosting_exit(2);
}

/* Begins the stack anew, since its overflow may be the fault. */
__attribute__((naked)) void fault(void) {
  __asm volatile(
      "mov r0, sp\n"
      "ldr r1, =stack_top\n"
      "mov sp, r1\n"
      "ldr r1, =report_fault\n"
      "bx r1\n"
      ".ltorg");
}

__attribute__((section(".vectors"), used)) static const struct {
  const uint32_t* stack;
  handler entry[15];
} vectors = {stack_top,
             {reset, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault,
              fault, fault, systick}};

enum { pattern = 0x5AC3F00D };
static uint32_t* painted_top;

/* Nothing is pushed meanwhile: no calls, no interrupts; and volatile, so that this stays a loop and
 * does not become memset. */
__attribute__((noinline)) void stack_paint(void) {
  __asm volatile("cpsid i" ::: "memory");
  uint32_t* top;
  __asm volatile("mov %0, sp" : "=r"(top));
  for (volatile uint32_t* at = stack_bottom; at < top;) *at++ = pattern;
  painted_top = top;
  __asm volatile("cpsie i" ::: "memory");
}

size_t stack_peak(void) {
  const uint32_t* at = stack_bottom;
  while (at < painted_top && *at == pattern) ++at;
  return (size_t)((const char*)painted_top - (const char*)at);
}

void* spare_ram(size_t* bytes) {
  *bytes = (size_t)((char*)spare_end - (char*)spare_begin);
  return spare_begin;
}
