// What a layer must supply to run. The list of kinds is in layers.cpp; one indirect call a layer, never one a unit.
#ifndef SLUICE_LAYER_H
#define SLUICE_LAYER_H

#include "arena.h"
#include "blob.h"

namespace sluice {

/// One layer's work on one frame of one stream.
struct StepCall {
  const OpenModel& model;
  const LayerRecord& layer;
  const float* x;  ///< [in]
  float* y;        ///< [padded(out)]
  float* state;    ///< the layer's own
  float* scratch;  ///< as much as `run` takes for a single row

  const float* weights(uint32_t offset) const { return model.floats_at(offset); }
};

/// One layer's work on [steps][streams] frames: row t * streams + s is frame t of stream s.
struct Call {
  const OpenModel& model;
  const LayerRecord& layer;
  int steps, streams;  ///< one of them is 1
  const float* x;      ///< [rows_in][in] at x + row * x_stride
  int x_stride;
  float* y;            ///< [rows_out][padded(out)]
  float* state;        ///< [streams][state floats of the layer] at state + s * state_stride; null for a layer without
  int state_stride;

  int rows() const { return steps * streams; }
  const float* weights(uint32_t offset) const { return model.floats_at(offset); }
};

struct LayerKind {
  uint8_t kind, format;
  uint8_t activations;  ///< bits of those it may have (1 << sluice_activation)
  uint8_t flags;        ///< those it may have
  bool recurrent;
  bool keeps_width;                     ///< out must equal in
  int (*state)(const LayerRecord&);     ///< floats a stream
  void (*step)(const StepCall&);
  void (*run)(const Call&, Arena& scratch);  ///< with an arena that measures, takes its scratch and returns
};

/// The kind and number format of a layer, or null where this build lacks it.
const LayerKind* find_layer(uint8_t kind, uint8_t format);
bool knows_layer(uint8_t kind);

/// Whether a layer hands only the last step on.
inline bool last_step_only(const LayerRecord& layer) { return layer.kind == SLUICE_GRU && !(layer.flags & every_step_flag); }

}  // namespace sluice

#endif
