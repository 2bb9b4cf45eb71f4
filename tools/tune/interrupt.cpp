#include "interrupt.h"

#include <csignal>

#include "../common/error.h"

namespace sluice::tools {
namespace {

volatile std::sig_atomic_t interrupt_seen = 0;

}  // namespace

void note_interrupts() {
  interrupt_seen = 0;
  struct sigaction action{};
  action.sa_handler = [](int) { interrupt_seen = 1; };
  sigaction(SIGINT, &action, nullptr);
}

bool interrupted() { return interrupt_seen != 0; }

void check_interrupt() {
  if (interrupted()) throw Error(130, "interrupted");
}

}  // namespace sluice::tools
