// A thin C++ layer over sluice.h: the same handles and rules, with statuses that cannot be
// overlooked. No exceptions, no heap.
//
//   sluice::Model model;
//   sluice::Stream stream;
//   if (model.open(blob, bytes) != SLUICE_OK) return;
//   if (stream.start(model, state, sizeof state, scratch, sizeof scratch) != SLUICE_OK) return;
//   stream.step(frame, answer);
#ifndef SLUICE_HPP
#define SLUICE_HPP

#include "sluice.h"

namespace sluice {

/// An opened blob; see sluice_open. The blob must outlive it.
class Model {
 public:
  [[nodiscard]] sluice_status open(const void* blob, size_t bytes, const char* isa = nullptr) {
    return sluice_open(&handle_, blob, bytes, isa);
  }
  sluice_info info() const { return sluice_describe(&handle_); }
  sluice_need needs(sluice_use use = {1, 1}) const { return sluice_needs(&handle_, use); }
  uint64_t hash() const { return sluice_hash(&handle_); }
  sluice_layer_info layer(uint32_t i) const { return sluice_describe_layer(&handle_, i); }
  const void* section(sluice_section_kind kind, size_t* bytes) const {
    return sluice_section(&handle_, kind, bytes);
  }
  void quantize(const float* x, void* q, size_t n = 1) const { sluice_quantize(&handle_, x, q, n); }
  void dequantize(const void* y, float* values, size_t n = 1) const {
    sluice_dequantize(&handle_, y, values, n);
  }
  const char* isa() const { return sluice_isa(&handle_); }
  const sluice_model* handle() const { return &handle_; }

 private:
  sluice_model handle_{};
};

/// One sequence's state in the caller's memory; see sluice_start. The model must outlive it, and
/// not move.
class Stream {
 public:
  [[nodiscard]] sluice_status start(const Model& model, void* state, size_t state_bytes,
                                    void* scratch, size_t scratch_bytes, sluice_use use = {1, 1}) {
    return sluice_start(&handle_, model.handle(), use, state, state_bytes, scratch, scratch_bytes);
  }
  /// Returns whether the frame has an answer.
  bool step(const void* x, void* y) { return sluice_step(&handle_, x, y) != 0; }
  /// Returns the number of answers.
  size_t run(const void* x, void* y, size_t steps) { return sluice_run(&handle_, x, y, steps); }
  void reset() { sluice_reset(&handle_); }
  void* state(size_t* bytes = nullptr) { return sluice_state(&handle_, bytes); }
  sluice_stream* handle() { return &handle_; }

 private:
  sluice_stream handle_{};
};

/// One frame of each of n streams; see sluice_step_many.
inline size_t step_many(sluice_stream* const* streams, size_t n, const void* x, void* y,
                        uint8_t* answered = nullptr) {
  return sluice_step_many(streams, n, x, y, answered);
}
inline size_t argmax(const float* y, size_t n) { return sluice_argmax(y, n); }
inline size_t argmax(const int16_t* y, size_t n) { return sluice_argmax_int16(y, n); }

}  // namespace sluice

#endif
