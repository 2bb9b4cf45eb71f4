#include "gzip.h"

#include <cstdint>

#include "error.h"
#include "print.h"

#if SLUICE_WITH_ZLIB
#include <zlib.h>

#include <new>
#endif

namespace sluice::tools {

bool is_gzip(std::string_view bytes) { return bytes.starts_with("\x1F\x8B"); }

#if SLUICE_WITH_ZLIB
namespace {

// Text of numbers shrinks to a third, of constant columns to a hundredth. The most that deflate can
// do is a 1032nd, which are zeros or one line again and again.
constexpr std::uint64_t always_allowed = std::uint64_t(64) << 20, most_ratio = 300,
                        most_bytes = std::uint64_t(4) << 30;

/// Inflates all members; calls take(piece) for each piece. take() returns whether to go on.
template <class Take>
void inflate_all(std::string_view bytes, const std::string& path, Take take) {
  struct Stream : z_stream {
    Stream() : z_stream() {
      constexpr int gzip_window = 16 + MAX_WBITS;
      if (inflateInit2(this, gzip_window) != Z_OK) throw std::bad_alloc();
    }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    ~Stream() { inflateEnd(this); }
  } stream;
  char piece[1 << 16];
  const auto damaged = [&] { refuse("{}: is a damaged gzip file; write it again", path); };
  std::string_view left = bytes;
  constexpr std::size_t at_once = std::size_t(1) << 30;  // zlib counts in 32 bits
  for (bool ended = false;;) {
    if (stream.avail_in == 0) {
      const std::size_t some = left.size() < at_once ? left.size() : at_once;
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(left.data()));
      stream.avail_in = uInt(some);
      left.remove_prefix(some);
    }
    if (stream.avail_in == 0 && ended) return;
    // Behind a member another one may follow; anything else there is padding, which gzip ignores.
    if (ended && *stream.next_in != 0x1F) return;
    if (ended) inflateReset(&stream);
    stream.next_out = reinterpret_cast<Bytef*>(piece), stream.avail_out = sizeof piece;
    const int status = inflate(&stream, Z_NO_FLUSH);
    if (status == Z_MEM_ERROR) throw std::bad_alloc();
    if (status != Z_OK && status != Z_STREAM_END) damaged();
    const std::size_t got = sizeof piece - stream.avail_out;
    if (!take(std::string_view(piece, got))) return;
    ended = status == Z_STREAM_END;
    if (!ended && got == 0 && stream.avail_in == 0 && left.empty()) damaged();  // cut off
  }
}

}  // namespace

std::string inflated(std::string_view bytes, const std::string& path) {
  std::uint64_t size = 0;
  const auto too_much = [&] {
    return size > most_bytes || (size > always_allowed && size / most_ratio > bytes.size());
  };
  inflate_all(bytes, path, [&](std::string_view piece) {
    size += piece.size();
    return !too_much();
  });
  if (too_much())
    refuse(
        "{}: {} bytes that inflate to more than {}; if they are data, inflate the file (gunzip) "
        "and "
        "give the result",
        path, with_commas(bytes.size()), with_commas(size));
  std::string text;
  text.reserve(size);
  inflate_all(bytes, path, [&](std::string_view piece) {
    text += piece;
    return true;
  });
  return text;
}

#else

std::string inflated(std::string_view, const std::string& path) {
  refuse("{}: this sluice was built without zlib; inflate the file (gunzip)", path);
}

#endif

}  // namespace sluice::tools
