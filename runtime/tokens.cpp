// Code points and tokens of texts. Linked only when called.
#include "tokens.h"

namespace sluice {
namespace {

/// The capitals first, first + step, ..., last. The small letter of each is `lower` code points
/// after it.
struct Capitals {
  uint16_t first, last;
  int16_t lower;
  uint16_t step;
};

// The simple lower-case mappings of UnicodeData.txt, version 14, in five blocks.
constexpr Capitals capitals[] = {
    {0x0041, 0x005A, 32, 1},    // ASCII
    {0x00C0, 0x00D6, 32, 1},    // Latin-1
    {0x00D8, 0x00DE, 32, 1},    //
    {0x0100, 0x012E, 1, 2},     // Latin Extended-A
    {0x0130, 0x0130, -199, 1},  //
    {0x0132, 0x0136, 1, 2},     //
    {0x0139, 0x0147, 1, 2},     //
    {0x014A, 0x0176, 1, 2},     //
    {0x0178, 0x0178, -121, 1},  //
    {0x0179, 0x017D, 1, 2},     //
    {0x0370, 0x0372, 1, 2},     // Greek
    {0x0376, 0x0376, 1, 1},     //
    {0x037F, 0x037F, 116, 1},   //
    {0x0386, 0x0386, 38, 1},    //
    {0x0388, 0x038A, 37, 1},    //
    {0x038C, 0x038C, 64, 1},    //
    {0x038E, 0x038F, 63, 1},    //
    {0x0391, 0x03A1, 32, 1},    //
    {0x03A3, 0x03AB, 32, 1},    //
    {0x03CF, 0x03CF, 8, 1},     //
    {0x03D8, 0x03EE, 1, 2},     //
    {0x03F4, 0x03F4, -60, 1},   //
    {0x03F7, 0x03F7, 1, 1},     //
    {0x03F9, 0x03F9, -7, 1},    //
    {0x03FA, 0x03FA, 1, 1},     //
    {0x03FD, 0x03FF, -130, 1},  //
    {0x0400, 0x040F, 80, 1},    // Cyrillic
    {0x0410, 0x042F, 32, 1},    //
    {0x0460, 0x0480, 1, 2},     //
    {0x048A, 0x04BE, 1, 2},     //
    {0x04C0, 0x04C0, 15, 1},    //
    {0x04C1, 0x04CD, 1, 2},     //
    {0x04D0, 0x04FE, 1, 2},     //
};

}  // namespace

uint32_t next_code_point(const uint8_t* text, size_t bytes, size_t* at) {
  const uint32_t lead = text[(*at)++];
  if (lead < 0x80) return lead;
  const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
  if (lead < 0xC2 || lead > 0xF4 || bytes - *at < size_t(more)) return malformed;
  uint32_t c = lead & (0x3Fu >> more);
  for (int i = 0; i < more; ++i) {
    const uint8_t next = text[*at + size_t(i)];
    if ((next & 0xC0) != 0x80) return malformed;
    c = c << 6 | (next & 0x3Fu);
  }
  const uint32_t least = more == 3 ? 0x10000 : more == 2 ? 0x800 : 0x80;
  if (c < least || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) return malformed;
  *at += size_t(more);
  return c;
}

bool is_white(uint32_t c) {
  return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

uint32_t lower_case(uint32_t c) {
  for (const Capitals& range : capitals)
    if (c >= range.first && c <= range.last)
      return (c - range.first) % range.step ? c : uint32_t(int32_t(c) + range.lower);
  return c;
}

bool next_token(TokenRules rules, const uint8_t* text, size_t bytes, size_t* at, size_t* begin) {
  *begin = *at;
  while (*at < bytes) {
    const size_t before = *at;
    const bool white = is_white(next_code_point(text, bytes, at));
    if (!rules.words) return true;
    if (white && before > *begin) {  // the word ends before it
      *at = before;
      return true;
    }
    if (white) *begin = *at;
  }
  return *begin < bytes;
}

}  // namespace sluice
