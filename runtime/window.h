// Window: y holds x of several steps, the oldest first, in float and in fixed point. A stream's
// first step has zeros before it; in fixed point these are the numbers that stand for 0.
#ifndef SLUICE_WINDOW_H
#define SLUICE_WINDOW_H

#include <string.h>

#include "join.h"

namespace sluice {

/// The state is a ring of the frames before this step, as many as the window reaches back, then the
/// place in it of the oldest one, and the number of steps so far.
template <uint8_t format>
struct Window {
  static constexpr size_t number = format == SLUICE_F32 ? sizeof(float) : sizeof(int16_t);

  /// Returns how many steps the oldest frame of a window lies behind its newest.
  static uint32_t reach(const LayerRecord& layer) {
    return uint32_t(layer.parts - 1) * layer.dilation;
  }
  static size_t ring_bytes(const LayerRecord& layer) {
    return (size_t(reach(layer)) * layer.in * number + 15) / 16 * 16;
  }
  static int state(const LayerRecord& layer) {
    return reach(layer) ? int(ring_bytes(layer)) + 16 : 0;
  }
  static size_t scratch(const LayerRecord&) { return 0; }

  static void step(const StepCall& call) {
    const LayerRecord& layer = call.layer;
    const size_t frame = size_t(layer.in) * number;
    const uint32_t kept = reach(layer);
    auto* const y = static_cast<uint8_t*>(call.y);
    uint8_t* const newest = y + size_t(layer.parts - 1) * frame;
    copy_numbers(call.model, static_cast<const uint8_t*>(call.x), layer.source == 0, int(layer.in),
                 newest);
    if (!kept) return;
    uint32_t place[2];  // of the oldest frame, and the frames so far
    uint8_t* const at = call.state + ring_bytes(layer);
    memcpy(place, at, sizeof place);
    uint32_t from = place[0] < kept ? place[0] : 0;
    const uint32_t oldest = from;
    for (uint32_t i = 0; i + 1 < layer.parts; ++i) {
      if ((layer.parts - 1 - i) * layer.dilation > place[1])
        write_start(call, y + i * frame);
      else
        memcpy(y + i * frame, call.state + from * frame, frame);
      from += layer.dilation;
      if (from >= kept) from -= kept;
    }
    memcpy(call.state + oldest * frame, newest, frame);
    place[0] = oldest + 1 == kept ? 0 : oldest + 1;
    if (place[1] < kept) ++place[1];
    memcpy(at, place, sizeof place);
  }

  static void write_start(const StepCall& call, uint8_t* y) {
    if (format == SLUICE_F32) {
      memset(y, 0, size_t(call.layer.in) * number);
      return;
    }
    const int32_t* const start = call.model.ints_at(call.layer.b_ih);
    for (uint32_t i = 0; i < call.layer.in; ++i) {
      const auto one = int16_t(start[i]);
      memcpy(y + i * number, &one, number);
    }
  }

  static constexpr LayerKind kind = make_kind<SLUICE_WINDOW, format>(state, step, nullptr, scratch);
};

}  // namespace sluice

#endif
