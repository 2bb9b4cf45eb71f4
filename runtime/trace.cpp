// Writes a traced value as a line of text. Linked only when called.
#include <string.h>

#include "blob.h"

using namespace sluice;

namespace {

char* put(char* to, const char* text) {
  while (*text) *to++ = *text++;
  return to;
}

char* put_number(char* to, int64_t n) {
  char digits[24];
  int count = 0;
  uint64_t rest = n < 0 ? uint64_t(-n) : uint64_t(n);
  do digits[count++] = char('0' + rest % 10);
  while (rest /= 10);
  if (n < 0) *to++ = '-';
  while (count) *to++ = digits[--count];
  return to;
}

char* put_bits(char* to, uint32_t bits) {
  for (int shift = 28; shift >= 0; shift -= 4) *to++ = "0123456789abcdef"[bits >> shift & 15];
  return to;
}

}  // namespace

size_t sluice_trace_line(const sluice_model* handle, uint32_t step, uint32_t layer, uint32_t unit,
                         const void* values, char line[72]) {
  const OpenModel& model = model_of(handle);
  char* to = put_number(put(line, "step "), step);
  to = put_number(put(to, " layer "), layer);
  to = put(put_number(put(to, " unit "), unit), ": ");
  if (model.format() != SLUICE_F32 && layer == 0 && model.layers[0].kind == SLUICE_EMBEDDING) {
    int32_t id;
    memcpy(&id, values, sizeof id);
    to = put_number(to, id);
  } else if (model.format() == SLUICE_F32) {
    uint32_t bits;
    memcpy(&bits, static_cast<const uint8_t*>(values) + size_t(unit) * 4, sizeof bits);
    const bool nan = (bits & 0x7FFFFFFFu) > 0x7F800000u;
    to = put_bits(to, nan ? 0x7FC00000u : bits);
  } else if (layer == 0 && model.x_bytes == 1) {
    to = put_number(to, static_cast<const int8_t*>(values)[unit]);
  } else {
    int16_t value;
    memcpy(&value, static_cast<const uint8_t*>(values) + size_t(unit) * 2, sizeof value);
    to = put_number(to, value);
  }
  to = put(to, "\n");
  *to = 0;
  return size_t(to - line);
}
