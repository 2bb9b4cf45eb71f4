// Window: y holds x of several steps, the oldest first, in float and in fixed point. A stream's
// first step has zeros before it.
#ifndef SLUICE_WINDOW_H
#define SLUICE_WINDOW_H

#include <string.h>

#include "join.h"

namespace sluice {

/// The state is a ring of the frames before this step, as many as the window reaches back, and the
/// place in it of the oldest one.
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
    uint8_t* const place = call.state + ring_bytes(layer);
    uint32_t oldest;
    memcpy(&oldest, place, sizeof oldest);
    if (oldest >= kept) oldest = 0;
    uint32_t from = oldest;
    for (uint32_t i = 0; i + 1 < layer.parts; ++i) {
      memcpy(y + i * frame, call.state + from * frame, frame);
      from += layer.dilation;
      if (from >= kept) from -= kept;
    }
    memcpy(call.state + oldest * frame, newest, frame);
    if (++oldest == kept) oldest = 0;
    memcpy(place, &oldest, sizeof oldest);
  }

  static constexpr LayerKind kind = make_kind<SLUICE_WINDOW, format>(state, step, nullptr, scratch);
};

}  // namespace sluice

#endif
