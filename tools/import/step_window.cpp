#include "step_window.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::tools {
namespace {

/// Returns how many outputs a kernel has without the zeros behind the sequence.
std::int64_t outputs_before(const StepKernel& kernel, std::int64_t back) {
  const std::int64_t room = kernel.steps + kernel.front + back - kernel.reach() - 1;
  return room < 0 ? 0 : room / kernel.stride + 1;
}

/// Returns whether an output of the kernel reads zeros behind the sequence.
bool reads_behind(const StepKernel& kernel) {
  return kernel.back > 0 &&
         (kernel.steps == 0 || outputs_before(kernel, 0) < outputs_before(kernel, kernel.back));
}

}  // namespace

std::int64_t StepKernel::outputs() const { return outputs_before(*this, back); }

bool pad_same(StepKernel& kernel, bool more_in_front) {
  std::int64_t all = kernel.reach();
  if (kernel.stride > 1) {
    if (kernel.steps == 0) return false;
    const std::int64_t outputs = (kernel.steps + kernel.stride - 1) / kernel.stride;
    all = std::max<std::int64_t>((outputs - 1) * kernel.stride + kernel.reach() + 1 - kernel.steps,
                                 0);
  }
  kernel.front = more_in_front ? all - all / 2 : all / 2, kernel.back = all - kernel.front;
  return true;
}

bool reads_zeros(const StepKernel& kernel) { return kernel.front > 0 || reads_behind(kernel); }

std::string window_of(const StepKernel& kernel, std::size_t width, Layer& window) {
  constexpr std::int64_t most = 65535, most_numbers = 1 << 24;
  const std::int64_t reach = kernel.reach();
  if (std::max({kernel.taps, kernel.dilation, kernel.stride}) > most ||
      kernel.taps * std::int64_t(width) > std::int64_t(widest) ||
      reach * std::int64_t(width) > most_numbers)
    return fmt::format("a window of {} steps of {} numbers, which is too much", kernel.taps, width);
  if (kernel.front > reach)
    return fmt::format(
        "{} steps of zeros in front of a sequence, of which its first output reads "
        "none",
        kernel.front);
  window = {};
  window.kind = SLUICE_WINDOW;
  window.in = int(width), window.out = int(kernel.taps * std::int64_t(width));
  window.parts = int(kernel.taps), window.dilation = int(kernel.dilation);
  window.stride = int(kernel.stride);
  if (!reads_behind(kernel)) {
    window.first = int(reach - kernel.front);
    return window.first > most ? "a first output that comes too late" : "";
  }
  // The outputs of a window that looks ahead are those of every stride-th step.
  const bool same = kernel.steps == 0 ? kernel.front + kernel.back == reach
                                      : (kernel.steps - 1) / kernel.stride + 1 ==
                                            outputs_before(kernel, kernel.back);
  window.ahead = int(reach - kernel.front);
  if (!same)
    return fmt::format(
        "{} steps of zeros in front and {} behind, for a kernel that reaches over {}", kernel.front,
        kernel.back, reach);
  return window.ahead > most ? "a look ahead that is too far" : "";
}

}  // namespace sluice::tools
