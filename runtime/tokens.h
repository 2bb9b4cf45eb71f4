// Splits a text into code points and tokens. The tools learn a vocabulary and the device reads
// texts by the same code.
#ifndef SLUICE_TOKENS_H
#define SLUICE_TOKENS_H

#include <stddef.h>
#include <stdint.h>

namespace sluice {

constexpr uint32_t first_token = 2;  ///< ids 0 and 1 are padding and unknown
constexpr uint32_t most_ids = 1u << 16;
/// Stands for a byte that is not UTF-8: a character that no vocabulary holds.
constexpr uint32_t malformed = 0x110000;

struct TokenRules {
  bool words;       ///< a token is the text between white space; else it is one code point
  bool lower_case;  ///< for ASCII, Latin-1, Latin Extended-A, Greek and Cyrillic, one to one
};

/// Returns the code point at text[*at], *at < bytes, and moves *at behind it. If it is malformed,
/// returns `malformed` and moves *at by one byte.
uint32_t next_code_point(const uint8_t* text, size_t bytes, size_t* at);

/// Returns whether c has Unicode's property White_Space.
bool is_white(uint32_t c);

/// Returns the small letter of a capital, and any other code point itself.
uint32_t lower_case(uint32_t c);

/// Finds the next token at or after *at: [*begin, *at) of the text. Returns false at the text's
/// end.
bool next_token(TokenRules rules, const uint8_t* text, size_t bytes, size_t* at, size_t* begin);

}  // namespace sluice

#endif
