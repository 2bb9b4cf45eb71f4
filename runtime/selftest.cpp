// Runs the self-test of a blob: its frames, and the bits of their answers as the exporter computed
// them. Linked only when called.
#include <string.h>

#include "layer.h"
#include "stream.h"

using namespace sluice;

// The section is: u32 number of sequences; for each sequence u32 steps, if some frames have no
// answer u32 number of answers, its frames, its answers (else one a step). Each array is padded to
// a multiple of 4 bytes.
sluice_status sluice_selftest(sluice_stream* handle, uint32_t* step) {
  if (!handle) return SLUICE_NULL;
  const Stream& stream = stream_of(handle);
  const OpenModel& model = *stream.model;
  const BlobSection* section = find_section(model.blob, SLUICE_SECTION_SELF_TEST);
  if (!section) return SLUICE_NO_SELF_TEST;
  const uint8_t* at = model.blob + section->offset;
  uint64_t left = section->bytes;
  uint32_t sequences = 0, done = 0;
  if (left < sizeof sequences) return SLUICE_STRUCTURE;
  memcpy(&sequences, at, sizeof sequences);
  at += sizeof sequences, left -= sizeof sequences;
  const size_t frame = frame_bytes(model), answer = answer_bytes(model);
  for (uint32_t i = 0; i < sequences; ++i) {
    uint32_t steps = 0;
    if (left < sizeof steps) return SLUICE_STRUCTURE;
    memcpy(&steps, at, sizeof steps);
    at += sizeof steps, left -= sizeof steps;
    uint32_t expected_answers = steps;
    if (holds_convolution && model.thins) {
      if (left < sizeof expected_answers) return SLUICE_STRUCTURE;
      memcpy(&expected_answers, at, sizeof expected_answers);
      at += sizeof expected_answers, left -= sizeof expected_answers;
    }
    const uint64_t frames = (uint64_t(steps) * frame + 3) / 4 * 4,
                   answers = (uint64_t(expected_answers) * answer + 3) / 4 * 4;
    if (frames > left || answers > left - frames) return SLUICE_STRUCTURE;
    const uint8_t* expected = at + frames;
    sluice_reset(handle);
    uint32_t answered = 0;
    for (uint32_t t = 0; t < steps; ++t, ++done) {
      const void* const y = step_stream(stream, at + t * frame, nullptr);
      const bool last = t + 1 == steps;
      bool right = true;
      if (y) {
        right = answered < expected_answers && memcmp(y, expected + answered * answer, answer) == 0;
        ++answered;
      }
      if (right && (!last || answered == expected_answers)) continue;
      if (step) *step = done;
      sluice_reset(handle);
      return SLUICE_SELF_TEST;
    }
    at += frames + answers, left -= frames + answers;
  }
  sluice_reset(handle);
  return SLUICE_OK;
}
