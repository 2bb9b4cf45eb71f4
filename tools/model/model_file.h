// Opens a model from a file, on the instruction set that SLUICE_ISA names (or the best one).
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/blob.h"
#include "sluice.h"

namespace sluice::tools {

/// Bytes at an address that is a multiple of 64, as blobs and arenas need.
struct AlignedBytes {
  struct Free {
    void operator()(void* p) const;
  };
  std::unique_ptr<unsigned char, Free> data;
  std::size_t size = 0;
  explicit AlignedBytes(std::size_t bytes = 0);
  static AlignedBytes copy(std::string_view bytes);
};

/// An opened model that owns its blob. Moving it does not move the blob.
struct OwnedModel {
  AlignedBytes blob;
  sluice_model model{};
  sluice_info info() const { return sluice_describe(&model); }
  std::vector<std::string> labels() const;  ///< of the outputs; empty if the blob has none
  /// Like labels(), except that one sigmoid between two classes has both names; the sigmoid is the
  /// probability of the second.
  std::vector<std::string> classes() const;
  std::vector<std::string> inputs() const;
  std::string made() const;
};

/// Returns the model's blob.
std::string bytes_of(const OwnedModel& model);

/// Returns the value of SLUICE_ISA, or null. Refuses one that is unknown or does not run here, and
/// lists the possible ones (exit code 2).
const char* wanted_isa();

/// Opens a model from bytes; `name` is for messages. Refuses a bad blob with the text of its status
/// (exit code 2).
OwnedModel open_model(std::string_view bytes, const std::string& name);

/// Returns the model's file if `given` is the folder of a run; else `given` itself.
std::string model_path(const std::string& given);

/// Reads and opens a model, or the model of a run's folder.
OwnedModel load_model(const std::string& path);

/// Returns the frames that have an answer.
inline Clock answered_frames(const sluice_info& info) { return {info.first_answer, info.stride}; }

/// A stream with its own memory. The model must outlive it.
struct OwnedStream {
  AlignedBytes state, scratch;
  sluice_stream stream{};
  const sluice_model* model;
  std::vector<std::int16_t> frames, answers;  ///< of a fixed-point model
  OwnedStream(const sluice_model& model, sluice_use use);

  /// Runs sluice_run in floats, whatever the model's number format, and returns the number of
  /// answers. x: [steps][inputs]; y: [answers][outputs] if the model answers every step, else
  /// [outputs].
  std::size_t run(const float* x, float* y, std::size_t steps);
  /// Does the same for a model that takes ids [steps].
  std::size_t run(const std::int32_t* ids, float* y, std::size_t steps);
};

}  // namespace sluice::tools
