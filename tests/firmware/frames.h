// Frames and answers in the model's own number format, as sluice_step takes and returns them.
#ifndef SLUICE_TESTS_FIRMWARE_FRAMES_H
#define SLUICE_TESTS_FIRMWARE_FRAMES_H

#include "sluice.h"

constexpr uint32_t traced_frames = 5;

/// Returns the bytes per number of a frame, and per number of an answer.
inline size_t frame_number(const sluice_info& model) { return model.frame_bytes; }
inline size_t answer_number(uint32_t format) { return format == SLUICE_F32 ? 4 : 2; }

inline size_t frame_bytes(const sluice_info& model) { return model.inputs * frame_number(model); }
inline size_t answer_bytes(const sluice_info& model) {
  return model.outputs * answer_number(model.format);
}

#endif
