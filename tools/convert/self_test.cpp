#include "self_test.h"

#include <cstdint>
#include <cstring>

#include "../model/network.h"
#include "../model/pack.h"
#include "kernels/random.h"

namespace sluice::tools {
namespace {

constexpr std::uint32_t steps = 8;

void append(std::string& bytes, const void* from, std::size_t n) {
  bytes.append(static_cast<const char*>(from), n);
}

void pad(std::string& bytes) { bytes.resize((bytes.size() + 3) / 4 * 4); }

/// Generates frames, evenly over a feature's usual range: two deviations if the model standardizes,
/// else -1 to 1; in fixed point all numbers; all ids.
struct Frames {
  const OwnedModel& model;
  Network network;
  std::uint32_t drawn = 0;

  double even() {
    const Philox random =
        Philox::at(0, drawn++, 0, 0, static_cast<std::uint32_t>(Purpose::self_test));
    return double(unit_float(random.word[0])) * 2 - 1;
  }

  std::string next() {
    const sluice_info info = model.info();
    const Layer& first = network.layers.front();
    std::string bytes;
    for (std::uint32_t i = 0; i < info.inputs; ++i) {
      const double v = even();
      if (info.vocabulary) {
        const auto id = static_cast<std::int32_t>((v + 1) / 2 * info.vocabulary);
        append(bytes, &id, sizeof id);
      } else if (info.format == SLUICE_F32) {
        const bool standard = first.kind == SLUICE_STANDARDIZE;
        const double scale = standard ? double(first.array(Role::scale).values[i]) : 1,
                     mean = standard ? double(first.array(Role::mean).values[i]) : 0;
        const auto x = static_cast<float>(mean + (standard ? 2 : 1) * v / (scale != 0 ? scale : 1));
        append(bytes, &x, sizeof x);
      } else if (info.frame_bytes == 1) {
        const auto x = static_cast<std::int8_t>(v * 127.5);
        append(bytes, &x, sizeof x);
      } else {
        const auto x = static_cast<std::int16_t>(v * 32767.5);
        append(bytes, &x, sizeof x);
      }
    }
    return bytes;
  }
};

}  // namespace

std::string self_test_of(const OwnedModel& model, int n) {
  const sluice_info info = model.info();
  OwnedStream stream(model.model, {1, 1});
  Frames frames{model, read_network(model.model)};
  std::vector<float> answer(info.outputs);  // at least as wide as an answer in any format
  const std::size_t answer_bytes =
      info.outputs * (info.format == SLUICE_F32 ? sizeof(float) : sizeof(std::int16_t));
  std::string bytes;
  const auto sequences = static_cast<std::uint32_t>(n);
  append(bytes, &sequences, sizeof sequences);
  for (int s = 0; s < n; ++s) {
    std::string x, y;
    sluice_reset(&stream.stream);
    for (std::uint32_t t = 0; t < steps; ++t) {
      const std::string frame = frames.next();
      AlignedBytes aligned = AlignedBytes::copy(frame);
      sluice_step(&stream.stream, aligned.data.get(), answer.data());
      x += frame;
      append(y, answer.data(), answer_bytes);
    }
    append(bytes, &steps, sizeof steps);
    bytes += x, pad(bytes);
    bytes += y, pad(bytes);
  }
  return bytes;
}

}  // namespace sluice::tools
