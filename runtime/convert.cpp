// Converts floats into frames of a model's number format, and its answers into floats. Linked only
// when called.
#include <string.h>

#include "layer.h"

namespace sluice {
namespace {

int32_t quantized(float x, float inverse, float offset, int32_t lowest, int32_t highest) {
  const float v = __builtin_fmaf(x, inverse, offset) + 0.5f;
  if (!(v >= float(lowest))) return lowest;
  if (v > float(highest)) return highest;
  const int32_t toward_zero = int32_t(v);
  return toward_zero - (float(toward_zero) > v);
}

/// Returns the scales of the inputs; those of the outputs follow them.
const BlobScale* scales_of(const OpenModel& model) {
  return reinterpret_cast<const BlobScale*>(
      model.blob + find_section(model.blob, SLUICE_SECTION_SCALES)->offset);
}

}  // namespace
}  // namespace sluice

using namespace sluice;

void sluice_quantize(const sluice_model* handle, const float* x, void* q, size_t n) {
  const OpenModel& model = model_of(handle);
  const size_t inputs = model.header().inputs;
  if (model.layers[0].kind == SLUICE_EMBEDDING) {
    for (size_t i = 0; i < n; ++i)
      static_cast<int32_t*>(q)[i] =
          x[i] >= 0.0f && x[i] < float(widest) ? int32_t(x[i]) : SLUICE_UNKNOWN_ID;
    return;
  }
  if (model.format() == SLUICE_F32) {
    memcpy(q, x, n * inputs * sizeof(float));
    return;
  }
  const BlobScale* const scales = scales_of(model);
  const bool narrow = model.x_bytes == 1;
  for (size_t i = 0; i < n * inputs; ++i) {
    const BlobScale& feature = scales[i % inputs];
    if (narrow)
      static_cast<int8_t*>(q)[i] =
          int8_t(quantized(x[i], feature.factor, feature.offset, -128, 127));
    else
      static_cast<int16_t*>(q)[i] =
          int16_t(quantized(x[i], feature.factor, feature.offset, -32768, 32767));
  }
}

void sluice_dequantize(const sluice_model* handle, const void* y, float* values, size_t n) {
  const OpenModel& model = model_of(handle);
  const size_t outputs = model.header().outputs;
  if (model.format() == SLUICE_F32) {
    memcpy(values, y, n * outputs * sizeof(float));
    return;
  }
  const BlobScale* const scales = scales_of(model) + model.header().inputs;
  for (size_t i = 0; i < n * outputs; ++i) {
    const BlobScale& scale = scales[i % outputs];
    values[i] =
        __builtin_fmaf(float(static_cast<const int16_t*>(y)[i]), scale.factor, scale.offset);
  }
  for (uint32_t a = 0; a < answers_of(model); ++a) {
    const sluice_answer_info answer = answer_of(model, a);
    const uint8_t activation =
        answer.layer ? model.layers[answer.layer - 1].activation : uint8_t(SLUICE_LINEAR);
    if (activation != SLUICE_SIGMOID && activation != SLUICE_SOFTMAX) continue;
    for (size_t row = 0; row < n; ++row)
      model.kernels->activate_f32(Activation(activation), values + row * outputs + answer.first, 1,
                                  int(answer.outputs), 0);
  }
}
