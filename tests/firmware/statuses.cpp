// A board, too, reports each fault of a blob or of memory by its own status. The blob is written
// here, byte by byte.
#include <string.h>

#include "board.h"
#include "semihosting.h"
#include "sluice.h"

namespace {

constexpr uint32_t layer_at = 96, weights_at = 192, blob_size = weights_at + 4 * 128;
constexpr uint32_t crc_at = 12;

struct Blob {
  uint8_t bytes[blob_size];
};

constexpr void put(Blob& blob, uint32_t at, uint32_t word) {
  for (uint32_t i = 0; i < 4; ++i) blob.bytes[at + i] = uint8_t(word >> (8 * i));
}

/// Makes a GRU of one unit on one input, all weights zero: format 1.0 of runtime/README.md. Its
/// flags say that its output is one row per sequence and is the answer.
constexpr Blob make_blob() {
  Blob blob{};
  put(blob, 0, 0x1A554C53);  // magic
  put(blob, 4, 1);           // version 1.0
  put(blob, 8, blob_size);
  const uint32_t counts[] = {2, 1, 1, 1};  // sections, layers, inputs, outputs
  for (uint32_t i = 0; i < 4; ++i) put(blob, 16 + 4 * i, counts[i]);
  const uint32_t sections[] = {1, layer_at, 80, 0, 2, weights_at, blob_size - weights_at, 0};
  for (uint32_t i = 0; i < 8; ++i) put(blob, 64 + 4 * i, sections[i]);
  const uint32_t layer[] = {2 | 0x18u << 24, 1, 1, weights_at, weights_at + 128, weights_at + 256,
                            weights_at + 384};
  for (uint32_t i = 0; i < 7; ++i) put(blob, layer_at + 4 * i, layer[i]);
  uint32_t crc = ~0u;
  for (const uint8_t byte : blob.bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0xEDB88320u : 0);
  }
  put(blob, crc_at, ~crc);
  return blob;
}

alignas(64) constexpr Blob good = make_blob();
alignas(64) Blob damaged;
alignas(16) uint8_t state[64], scratch[512];

bool all_right = true;

void expect(const char* what, sluice_status wanted, sluice_status got) {
  if (got == wanted) return;
  all_right = false;
  semihosting_text(what);
  semihosting_text(": ");
  semihosting_text(sluice_status_name(got));
  semihosting_text(" instead of ");
  semihosting_text(sluice_status_name(wanted));
  semihosting_text("\n");
}

}  // namespace

int main() {
  sluice_model model;
  expect("a good blob", SLUICE_OK, sluice_open(&model, good.bytes, blob_size, nullptr));
  expect("the core by its name", SLUICE_OK,
         sluice_open(&model, good.bytes, blob_size, SLUICE_ONE_ISA));
  expect("another instruction set", SLUICE_ISA_UNKNOWN,
         sluice_open(&model, good.bytes, blob_size, "scalar"));
  for (uint32_t off = 1; off < SLUICE_ALIGNMENT; ++off)
    expect("a blob off its alignment in flash", SLUICE_MISALIGNED,
           sluice_open(&model, good.bytes + off, blob_size - off, nullptr));
  for (uint32_t bytes = 0; bytes < blob_size; ++bytes)
    expect("a truncated blob", SLUICE_TRUNCATED, sluice_open(&model, good.bytes, bytes, nullptr));
  constexpr uint32_t places[] = {crc_at, layer_at, weights_at, blob_size - 1};
  for (const uint32_t at : places) {
    damaged = good;
    damaged.bytes[at] ^= 0x10;
    expect("a damaged blob", SLUICE_CHECKSUM,
           sluice_open(&model, damaged.bytes, blob_size, nullptr));
  }

  expect("a good blob again", SLUICE_OK, sluice_open(&model, good.bytes, blob_size, nullptr));
  const sluice_use use = {1, 1};
  const sluice_need need = sluice_needs(&model, use);
  if (need.state + 4 > sizeof state || need.scratch + 4 > sizeof scratch) return 1;
  sluice_stream stream;
  const auto start = [&](uint8_t* s, size_t state_bytes, uint8_t* w, size_t scratch_bytes) {
    return sluice_start(&stream, &model, use, s, state_bytes, w, scratch_bytes);
  };
  expect("exact memory", SLUICE_OK, start(state, need.state, scratch, need.scratch));
  expect("state off its alignment", SLUICE_MISALIGNED,
         start(state + 4, need.state, scratch, need.scratch));
  expect("scratch off its alignment", SLUICE_MISALIGNED,
         start(state, need.state, scratch + 4, need.scratch));
  expect("state too small", SLUICE_STATE_SMALL,
         start(state, need.state - 1, scratch, need.scratch));
  expect("scratch too small", SLUICE_SCRATCH_SMALL,
         start(state, need.state, scratch, need.scratch - 1));
  expect("no state", SLUICE_NULL, start(nullptr, need.state, scratch, need.scratch));
  semihosting_text(all_right ? "statuses: ok\n" : "statuses: wrong\n");
  return all_right ? 0 : 1;
}
