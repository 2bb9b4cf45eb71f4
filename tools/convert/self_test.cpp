#include "self_test.h"

#include <algorithm>
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

namespace {

/// Writes sequences and the model's answers to them, frame by frame.
class Writer {
 public:
  Writer(const OwnedModel& model, std::size_t sequences)
      : info_(model.info()), stream_(model.model, {1, 1}), answer_(info_.outputs) {
    const auto count = std::uint32_t(sequences);
    append(bytes_, &count, sizeof count);
  }

  /// @param frame  (step) -> its bytes
  template <class Frame>
  void sequence(std::uint32_t steps_of_it, Frame frame) {
    const std::size_t answer_bytes =
        info_.outputs * (info_.format == SLUICE_F32 ? sizeof(float) : sizeof(std::int16_t));
    std::string x, y;
    std::uint32_t answers = 0;
    sluice_reset(&stream_.stream);
    for (std::uint32_t t = 0; t < steps_of_it; ++t) {
      const std::string bytes = frame(t);
      const AlignedBytes aligned = AlignedBytes::copy(bytes);
      x += bytes;
      if (!sluice_step(&stream_.stream, aligned.data.get(), answer_.data())) continue;
      append(y, answer_.data(), answer_bytes);
      ++answers;
    }
    append(bytes_, &steps_of_it, sizeof steps_of_it);
    if (!answered_frames(info_).is_every()) append(bytes_, &answers, sizeof answers);
    bytes_ += x, pad(bytes_);
    bytes_ += y, pad(bytes_);
  }

  std::string take() { return std::move(bytes_); }

 private:
  sluice_info info_;
  OwnedStream stream_;
  std::vector<float> answer_;  // at least as wide as an answer in any format
  std::string bytes_;
};

}  // namespace

std::string self_test_of(const OwnedModel& model, int n) {
  Frames frames{model, read_network(model.model)};
  Writer writer(model, std::size_t(n));
  // Some answers of a model that does not answer every frame.
  const sluice_info info = model.info();
  constexpr std::uint32_t most = 4096;
  const std::uint32_t all = std::max(steps, std::min(most, info.first_answer + 2 * info.stride));
  for (int s = 0; s < n; ++s) writer.sequence(all, [&](std::uint32_t) { return frames.next(); });
  return writer.take();
}

std::string self_test_of(const OwnedModel& model,
                         const std::vector<std::vector<float>>& sequences) {
  const std::size_t inputs = model.info().inputs;
  const bool ids = model.info().vocabulary != 0;
  Writer writer(model, sequences.size());
  for (const std::vector<float>& sequence : sequences)
    writer.sequence(std::uint32_t(sequence.size() / inputs), [&](std::uint32_t t) {
      std::string bytes;
      for (std::size_t i = t * inputs; i < (t + 1) * inputs; ++i) {
        const auto id = std::int32_t(ids ? sequence[i] : 0);
        ids ? append(bytes, &id, sizeof id) : append(bytes, &sequence[i], sizeof(float));
      }
      return bytes;
    });
  return writer.take();
}

}  // namespace sluice::tools
