// Window: y holds x of several steps, the oldest first, in float and in fixed point. There are
// zeros before the first step of a sequence, and behind its last one; in fixed point these are the
// numbers that stand for 0.
#ifndef SLUICE_WINDOW_H
#define SLUICE_WINDOW_H

#include <string.h>

#include "join.h"

namespace sluice {

/// The state of a window that does not look ahead is a ring of the frames before this step, as many
/// as it reaches back; then a WindowPlace. One that neither reaches back nor thins has no state,
/// and one that looks ahead has at most the place.
struct WindowPlace {
  uint32_t oldest;    ///< the place in the ring of the oldest frame
  uint32_t steps;     ///< the steps before this one, at most as many as the ring holds
  uint32_t since;     ///< the steps since the last output
  uint32_t answered;  ///< 1: the last step had an output; in the place of answered_here()
};
static_assert(sizeof(WindowPlace) == 16, "the size and alignment of a state");

template <uint8_t format>
struct Window {
  static constexpr size_t number = format == SLUICE_F32 ? sizeof(float) : sizeof(int16_t);

  /// Returns the number of frames in the ring.
  static uint32_t kept(const LayerRecord& layer) {
    return looks_ahead(layer) ? 0 : reach_of(layer);
  }
  static size_t ring_bytes(const LayerRecord& layer) {
    return (size_t(kept(layer)) * layer.in * number + 15) / 16 * 16;
  }
  static int state(const LayerRecord& layer) {
    return kept(layer) || thins(layer) ? int(ring_bytes(layer) + sizeof(WindowPlace)) : 0;
  }
  static size_t scratch(const LayerRecord&) { return 0; }

  static void step(const StepCall& call) {
    const LayerRecord& layer = call.layer;
    const size_t frame = size_t(layer.in) * number;
    const uint32_t most = kept(layer);
    const auto* const x = static_cast<const uint8_t*>(call.x);
    auto* const y = static_cast<uint8_t*>(call.y);
    uint8_t* const newest = y + size_t(layer.parts - 1) * frame;
    if (!most && !thins(layer)) {
      if (looks_ahead(layer))
        look(call.model, layer, Sequence{x, 0, 1}, 0, y);
      else
        copy_numbers(call.model, x, layer.source == 0, int(layer.in), newest);
      return;
    }
    WindowPlace place;
    uint8_t* const at = call.state + ring_bytes(layer);
    memcpy(&place, at, sizeof place);
    const bool begun = place.steps >= layer.window.first;
    place.answered = begun && place.since == 0;
    uint32_t from = place.oldest < most ? place.oldest : 0;
    uint8_t* const oldest = call.state + from * frame;
    place.oldest = from + 1 < most ? from + 1 : 0;
    if (!place.answered) {
      if (most) copy_numbers(call.model, x, layer.source == 0, int(layer.in), oldest);
    } else if (looks_ahead(layer)) {
      look(call.model, layer, Sequence{x, 0, 1}, 0, y);
    } else {
      copy_numbers(call.model, x, layer.source == 0, int(layer.in), newest);
      for (uint32_t i = 0; i + 1 < layer.parts; ++i) {
        if ((layer.parts - 1 - i) * layer.window.dilation > place.steps)
          write_start(call.model, layer, y + i * frame);
        else
          memcpy(y + i * frame, call.state + from * frame, frame);
        from += layer.window.dilation;
        if (from >= most) from -= most;
      }
      if (most) memcpy(oldest, newest, frame);
    }
    if (begun) place.since = place.since + 1 < layer.window.stride ? place.since + 1 : 0;
    if (place.steps < most) ++place.steps;
    memcpy(at, &place, sizeof place);
  }

  /// Computes the outputs of whole sequences, for a window that looks ahead. Any other one runs
  /// step by step.
  static void run(const Call& call, Arena& scratch) {
    if (scratch.measures()) return;
    const bool frame = call.layer.source == 0;
    const ptrdiff_t x_row =
        ptrdiff_t(call.x_stride) * (frame ? call.model.x_bytes : call.model.y_bytes);
    const size_t y_row = size_t(padded(int(call.layer.out))) * number;
    auto* y = static_cast<uint8_t*>(call.y);
    for (int t = 0; t < call.steps; t += call.layer.window.stride)
      for (int s = 0; s < call.streams; ++s, y += y_row)
        look(call.model, call.layer,
             Sequence{static_cast<const uint8_t*>(call.x) + s * x_row, x_row * call.streams,
                      call.steps},
             t, y);
  }

 private:
  struct Sequence {
    const uint8_t* x;
    ptrdiff_t row;  ///< bytes from step to step
    int steps;
  };

  /// Writes the output of step t.
  static void look(const OpenModel& model, const LayerRecord& layer, const Sequence& sequence,
                   int t, uint8_t* y) {
    int64_t at = int64_t(t) + layer.window.ahead - int64_t(reach_of(layer));
    for (uint32_t i = 0; i < layer.parts; ++i, at += layer.window.dilation) {
      if (at < 0 || at >= sequence.steps)
        write_start(model, layer, y);
      else
        copy_numbers(model, sequence.x + ptrdiff_t(at) * sequence.row, layer.source == 0,
                     int(layer.in), y);
      y += size_t(layer.in) * number;
    }
  }

  /// Writes the numbers of a step before the first one or behind the last one.
  static void write_start(const OpenModel& model, const LayerRecord& layer, uint8_t* y) {
    if (format == SLUICE_F32) {
      memset(y, 0, size_t(layer.in) * number);
      return;
    }
    const int32_t* const start = model.ints_at(layer.b_ih);
    for (uint32_t i = 0; i < layer.in; ++i) {
      const auto one = int16_t(start[i]);
      memcpy(y + i * number, &one, number);
    }
  }

 public:
  static constexpr LayerKind kind = make_kind<SLUICE_WINDOW, format>(state, step, run, scratch);
};

}  // namespace sluice

#endif
