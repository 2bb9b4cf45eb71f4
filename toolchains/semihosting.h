/* The services of Arm's semihosting for a program under an emulator or debugger: text on its
 * terminal, and an exit status. */
#ifndef SLUICE_SEMIHOSTING_H
#define SLUICE_SEMIHOSTING_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

void semihosting_text(const char* text);
void semihosting_number(uint64_t n); /* decimal */
__attribute__((noreturn)) void semihosting_exit(int status);

#ifdef __cplusplus
}
#endif
#endif
