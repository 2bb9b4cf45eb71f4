// Makes faulty blobs.
#pragma once
#include <cstring>
#include <string>

#include "models.h"

namespace sluice::tests {

/// A blob to damage, with access to its parts.
struct Forged {
  std::string bytes;
  explicit Forged(std::string good) : bytes(std::move(good)) {}

  uint8_t* data() { return reinterpret_cast<uint8_t*>(bytes.data()); }
  template <class T>
  T read(size_t at) const {
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
  }
  template <class T>
  void write(size_t at, T value) {
    std::memcpy(bytes.data() + at, &value, sizeof value);
  }

  size_t section(uint32_t index) const { return sizeof(BlobHeader) + index * sizeof(BlobSection); }
  /// Returns the offset of the table's entry of that kind.
  size_t section_of(uint32_t kind) const {
    for (uint32_t i = 0; i < read<uint32_t>(offsetof(BlobHeader, sections)); ++i)
      if (read<uint32_t>(section(i)) == kind) return section(i);
    FAIL("no section ", kind);
    std::abort();
  }
  size_t section_offset(uint32_t kind) const {
    return read<uint32_t>(section_of(kind) + offsetof(BlobSection, offset));
  }
  size_t layer(uint32_t index) const {
    return section_offset(SLUICE_SECTION_LAYERS) + index * sizeof(LayerRecord);
  }

  Forged& checksum() {
    if (bytes.size() >= sizeof(BlobHeader)) {
      Memory copy(bytes);  // memory with the alignment of a blob
      write(offsetof(BlobHeader, crc), blob_crc(copy.data(), copy.size));
    }
    return *this;
  }

  sluice_status open() const {
    const Memory blob(bytes);
    sluice_model model;
    return sluice_open(&model, blob.data(), blob.size, nullptr);
  }
};

}  // namespace sluice::tests
