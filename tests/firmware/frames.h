// A frame and an answer in the model's own number format, as sluice_step takes and gives them.
#ifndef SLUICE_TESTS_FIRMWARE_FRAMES_H
#define SLUICE_TESTS_FIRMWARE_FRAMES_H

#include "sluice.h"

/// Bytes of a frame [inputs] and of an answer [outputs].
inline size_t frame_bytes(const sluice_model& model) { return sluice_describe(&model).inputs * sizeof(float); }
inline size_t answer_bytes(const sluice_model& model) { return sluice_describe(&model).outputs * sizeof(float); }

inline void step(sluice_stream* stream, const void* x, void* y) {
  sluice_step(stream, static_cast<const float*>(x), static_cast<float*>(y));
}

#endif
