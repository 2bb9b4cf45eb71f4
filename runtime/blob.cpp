// The CRC of a blob, and its sections. The checks are in check.cpp.
#include "blob.h"

#include <string.h>

namespace sluice {
namespace {

/// CRC-32 of IEEE 802.3. Firmware computes four bits at a time, by a table of 64 bytes; hosts
/// compute eight bytes at a time, by eight tables (Kounavis, Berry 2005).
#if defined(SLUICE_ONE_ISA)
constexpr int crc_bits = 4, crc_tables = 1;
#else
constexpr int crc_bits = 8, crc_tables = 8;
#endif
struct CrcTables {
  uint32_t entry[crc_tables][1 << crc_bits];
  constexpr CrcTables() : entry() {
    for (uint32_t i = 0; i < 1u << crc_bits; ++i) {
      uint32_t c = i;
      for (int bit = 0; bit < crc_bits; ++bit) c = c & 1 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
      entry[0][i] = c;
    }
    for (int t = 1; t < crc_tables; ++t)
      for (int i = 0; i < 1 << crc_bits; ++i)
        entry[t][i] = entry[0][entry[t - 1][i] & 255] ^ (entry[t - 1][i] >> 8);
  }
};

uint32_t crc_of(uint32_t crc, const uint8_t* p, size_t n) {
  static constexpr CrcTables tables;
  if constexpr (crc_tables == 8)
    for (; n >= 8; p += 8, n -= 8) {
      uint32_t word[2];
      memcpy(word, p, sizeof word);
      word[0] ^= crc;
      crc = 0;
      for (int i = 0; i < 8; ++i) crc ^= tables.entry[7 - i][word[i / 4] >> i % 4 * 8 & 255];
    }
  for (; n > 0; ++p, --n) {
    crc ^= *p;
    for (int bit = 0; bit < 8; bit += crc_bits)
      crc = tables.entry[0][crc & ((1 << crc_bits) - 1)] ^ (crc >> crc_bits);
  }
  return crc;
}

}  // namespace

uint32_t blob_crc(const uint8_t* blob, size_t bytes) {
  constexpr size_t at = offsetof(BlobHeader, crc);
  const uint8_t zero[4] = {};
  uint32_t crc = crc_of(0xFFFFFFFFu, blob, at);
  crc = crc_of(crc, zero, sizeof zero);
  return ~crc_of(crc, blob + at + sizeof zero, bytes - at - sizeof zero);
}

const BlobSection* find_section(const uint8_t* blob, uint32_t kind) {
  const auto& header = *reinterpret_cast<const BlobHeader*>(blob);
  const auto* table = reinterpret_cast<const BlobSection*>(blob + sizeof header);
  for (uint32_t i = 0; i < header.sections; ++i)
    if (table[i].kind == kind) return &table[i];
  return nullptr;
}

}  // namespace sluice
