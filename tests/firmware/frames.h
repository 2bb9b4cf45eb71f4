// A frame and an answer in the model's own number format, as sluice_step takes and gives them.
#ifndef SLUICE_TESTS_FIRMWARE_FRAMES_H
#define SLUICE_TESTS_FIRMWARE_FRAMES_H

#include "sluice.h"

/// Bytes of a frame [inputs] and of an answer [outputs].
inline size_t frame_bytes(const sluice_info& model) {
  return model.inputs * (model.format == SLUICE_F32 ? sizeof(float) : model.format == SLUICE_INT8 ? sizeof(int8_t) : sizeof(int16_t));
}
inline size_t answer_bytes(const sluice_info& model) {
  return model.outputs * (model.format == SLUICE_F32 ? sizeof(float) : sizeof(int16_t));
}

#endif
