// A started stream: the contents of a sluice_stream.
#ifndef SLUICE_STREAM_H
#define SLUICE_STREAM_H

#include "blob.h"

namespace sluice {

struct Stream {
  const OpenModel* model;
  uint8_t* state;
  uint8_t* scratch;
  sluice_tracer trace;
  void* trace_context;
  uint32_t state_bytes;
  sluice_use use;
};
static_assert(sizeof(Stream) <= sizeof(sluice_stream), "the handle's size");

inline Stream& stream_of(sluice_stream* handle) { return *reinterpret_cast<Stream*>(handle); }

/// Computes one step and returns a pointer to the answer: y, or an address in the scratch if y is
/// null. Returns null if the frame has no answer, and then leaves y as it is.
const void* step_stream(const Stream& stream, const void* x, void* y);

inline size_t frame_bytes(const OpenModel& model) {
  return size_t(model.header().inputs) * model.x_bytes;
}
inline size_t answer_bytes(const OpenModel& model) {
  return size_t(model.header().outputs) * model.y_bytes;
}

}  // namespace sluice

#endif
