#include "order.h"

#include <cstdint>
#include <cstring>
#include <vector>

#include "runtime/blob.h"

namespace sluice::tools {
namespace {

/// A copy at a multiple of 64, as blobs need.
struct Copy {
  struct alignas(64) Line {
    std::uint8_t bytes[64];
  };
  std::vector<Line> lines;
  explicit Copy(std::string_view from) : lines(from.size() / sizeof(Line) + 1) {
    std::memcpy(lines.data(), from.data(), from.size());
  }
  std::uint8_t* data() { return lines.front().bytes; }
};

/// Moves every weight of an array, including padding.
void reorder(const Weights& from, Order order, std::uint8_t* array) {
  const std::vector<std::uint8_t> old(array, array + weight_bytes(from, array));
  const int rows = padded_rows(from), cols = blocked(from.cols);
  for (int row = 0; row < rows; ++row) {
    for (int col = 0; col < cols; ++col) {
      const std::size_t to = weight_index(order, cols, row, col);
      const auto weight = static_cast<std::uint8_t>(
          weight_at(from, old.data(), weight_index(from.order, cols, row, col)));
      array[to] = static_cast<std::uint8_t>(is_biased(order, to) ? weight ^ 0x80 : weight);
    }
  }
}

}  // namespace

std::string in_order(std::string_view blob, Order order) {
  Copy copy(blob);
  std::uint8_t* const bytes = copy.data();
  BlobHeader header;
  std::memcpy(&header, bytes, sizeof header);
  auto* const layers =
      reinterpret_cast<LayerRecord*>(bytes + find_section(bytes, SLUICE_SECTION_LAYERS)->offset);
  for (std::uint32_t l = 0; l < header.layers; ++l) {
    if (layers[l].format == SLUICE_F32 ||
        layers[l].order == static_cast<std::uint8_t>(Order::sparse))
      continue;
    Weights arrays[most_arrays];
    const int n = layer_weights(layers[l], arrays);
    for (int i = 0; i < n; ++i)
      if (arrays[i].element == Element::i8) reorder(arrays[i], order, bytes + arrays[i].offset);
    layers[l].order = static_cast<std::uint8_t>(order);
  }
  header.crc = blob_crc(bytes, header.bytes);
  std::memcpy(bytes, &header, sizeof header);
  return {reinterpret_cast<const char*>(bytes), blob.size()};
}

std::string in_own_order(std::string_view bytes) {
  Copy copy(bytes);
  if (check_blob(copy.data(), bytes.size(), true) != SLUICE_OK) return std::string(bytes);
  return in_order(bytes, own_order);
}

}  // namespace sluice::tools
