// A model from a file, opened on the instruction set that SLUICE_ISA names (or the best).
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sluice.h"

namespace sluice::tools {

/// Bytes at a multiple of 64, as blobs and arenas want them.
struct AlignedBytes {
  struct Free {
    void operator()(void* p) const;
  };
  std::unique_ptr<unsigned char, Free> data;
  std::size_t size = 0;
  explicit AlignedBytes(std::size_t bytes = 0);
  static AlignedBytes copy(std::string_view bytes);
};

/// An opened model that owns its blob. Moves keep the blob where it is.
struct OwnedModel {
  AlignedBytes blob;
  sluice_model model{};
  sluice_info info() const { return sluice_describe(&model); }
  std::vector<std::string> labels() const;  ///< of the outputs; empty where the blob has none
  /// the same, but of one sigmoid between two classes both, the one it tells second
  std::vector<std::string> classes() const;
  std::vector<std::string> inputs() const;
  std::string made() const;
};

/// Its blob.
std::string bytes_of(const OwnedModel& model);

/// The value of SLUICE_ISA, or null; an unknown or not runnable one is refused with the names that
/// would do (exit code 2).
const char* wanted_isa();

/// Opens bytes; `name` stands in error messages. Refused with the status's sentence (exit code 2).
OwnedModel open_model(std::string_view bytes, const std::string& name);

/// The model of a run, where `given` is its folder; `given` itself otherwise.
std::string model_path(const std::string& given);

/// Reads and opens a model, or the model of a run's folder.
OwnedModel load_model(const std::string& path);

/// A stream with its own memory, for a model that outlives it.
struct OwnedStream {
  AlignedBytes state, scratch;
  sluice_stream stream{};
  const sluice_model* model;
  std::vector<std::int16_t> frames, answers;  ///< of a model in fixed point
  OwnedStream(const sluice_model& model, sluice_use use);

  /// sluice_run in floats, whatever the model's number format: x [steps][inputs]; y
  /// [steps][outputs] where the model answers every step, else [outputs].
  void run(const float* x, float* y, std::size_t steps);
  /// The same of a model that takes ids [steps].
  void run(const std::int32_t* ids, float* y, std::size_t steps);
};

}  // namespace sluice::tools
