#include "semihosting.h"

enum { sys_write0 = 0x04, sys_exit_extended = 0x20, application_exit = 0x20026 };

static void call(uintptr_t operation, const void* argument) {
  register uintptr_t r0 __asm("r0") = operation;
  register const void* r1 __asm("r1") = argument;
  __asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

void semihosting_text(const char* text) { call(sys_write0, text); }

void semihosting_number(uint64_t n) {
  char digits[21];
  char* at = digits + sizeof digits - 1;
  *at = 0;
  do {
    *--at = (char)('0' + n % 10);
    n /= 10;
  } while (n);
  semihosting_text(at);
}

void semihosting_exit(int status) {
  const uintptr_t reason[2] = {application_exit, (uintptr_t)status};
  for (;;) call(sys_exit_extended, reason);
}
