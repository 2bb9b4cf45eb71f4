// open, start, step, run. There are two loops over the layers: a short one for a single frame, and
// a general one for everything else, which also measures the memory that both need.
#include "stream.h"

#include <string.h>

#include "layer.h"
#include "sluice.h"

namespace sluice {
namespace {

static_assert(sizeof(OpenModel) <= sizeof(sluice_model), "the handle's size");

#ifdef SLUICE_TRACE
constexpr bool traces = true;
#else
constexpr bool traces = false;
#endif

/// The arguments of one call of a model: frames [steps][streams], one of the two being 1.
struct ModelCall {
  int steps, streams;
  const void* x;   ///< [steps * streams][inputs]
  void* y;         ///< [rows of the last layer][outputs]
  uint8_t* state;  ///< [streams][state of all layers]
  ptrdiff_t state_stride;
};

/// Copies the initial states of all layers of one direction. It is a function of its own so that
/// those that call it, a step among them, stay short.
__attribute__((noinline)) void copy_initial_states(const OpenModel& model, uint8_t* state) {
  for (const LayerRecord* layer = model.layers; layer <= model.last; ++layer) {
    if (has_initial_state(*layer) && !goes_both_ways(*layer))
      copy_initial_state(*layer, model.blob, state);
    state += kind_in(model.kinds, *layer).state(*layer);
  }
}

/// Sets a stream's state, that of all layers, as it is before a sequence.
inline void begin_state(const OpenModel& model, uint8_t* state, size_t bytes) {
  if (!bytes) return;
  memset(state, 0, bytes);
  if (holds_initial_state) copy_initial_states(model, state);
}

/// The same before every call of a model that takes whole sequences. It is a function of its own
/// for the sake of a step's registers.
__attribute__((noinline)) void begin_whole(const OpenModel& model, uint8_t* state) {
  begin_state(model, state, model.state_bytes);
}

/// Runs a layer step by step, one row after another. Returns the number of steps that have an
/// output; with an arena that measures, the most that there can be.
int run_rows(const LayerKind& kind, const Call& call, Arena& arena) {
  void* const scratch = arena.take<uint8_t>(kind.scratch(call.layer));
  const bool thin = thins(call.layer);
  if (arena.measures())
    return thin ? (call.steps + call.layer.window.stride - 1) / call.layer.window.stride
                : call.steps;
  const OpenModel& model = call.model;
  const ptrdiff_t x_bytes =
      ptrdiff_t(call.x_stride) * (call.layer.source ? model.y_bytes : model.x_bytes);
  const ptrdiff_t y_bytes = ptrdiff_t(padded(int(call.layer.out))) * model.y_bytes;
  const uint8_t* x = static_cast<const uint8_t*>(call.x);
  StepCall step{model, call.layer, call.buffers};
  step.scratch = scratch;
  int outputs = 0;
  for (int t = 0; t < call.steps; ++t) {
    uint8_t* y = static_cast<uint8_t*>(call.y) +
                 (last_step_only(call.layer) ? 0 : outputs * call.streams * y_bytes);
    for (int s = 0; s < call.streams; ++s, x += x_bytes, y += y_bytes) {
      step.x = x, step.y = y;
      step.state = call.state + s * call.state_stride;
      kind.step(step);
    }
    // A layer that thins has one stream: step_together is not called for it.
    outputs += !thin || answered_here(call.state + kind.state(call.layer));
  }
  return outputs;
}

/// Returns the output of layer `source`, counted from 1, or the frames if it is 0.
const void* output_of(const OpenModel& model, const Buffers& buffers, uint32_t source) {
  if (source == 0 || !buffers.base) return buffers.frames;
  return buffers.base + size_t(buffers.steps) * size_t(buffers.streams) *
                            model.layers[source - 1].y * model.y_bytes;
}

/// Runs the layers over the buffers of their outputs. The last layer writes to model_call.y
/// directly if its rows need no padding. With an arena that measures, it only takes memory. Returns
/// the number of answers of each stream.
size_t run_layers(const OpenModel& model, const ModelCall& model_call, Arena& scratch) {
  const uint64_t frames = uint64_t(model_call.steps) * uint64_t(model_call.streams),
                 number = model.y_bytes;
  const Buffers buffers{model_call.x, scratch.take<uint8_t>(frames * model.buffer_units * number),
                        model_call.steps, model_call.streams};
  const int outputs = int(model.header().outputs);
  void* const answers = padded(outputs) == outputs ? model_call.y : nullptr;
  uint8_t* state = model_call.state;
  int clock = model_call.steps;  // the steps in which the present layers have an output
  for (uint32_t i = 0; i < model.layer_count; ++i) {
    const LayerRecord& layer = model.layers[i];
    const LayerKind& kind = kind_in(model.kinds, layer);
    const bool last = i + 1 == model.layer_count, joined = joins(layer.kind);
    const int steps = steps_of(model, joined ? i + 1 : layer.source, clock);
    const int x_stride = layer.source ? padded(int(layer.in)) : int(model.header().inputs);
    void* const y = last && answers ? answers : const_cast<void*>(output_of(model, buffers, i + 1));
    const uint64_t mark = scratch.used;
    Call call{model, layer, buffers};
    call.steps = steps, call.streams = model_call.streams;
    call.x = output_of(model, buffers, layer.source), call.x_stride = x_stride;
    call.y = y;
    call.state = state, call.state_stride = model_call.state_stride;
    call.clock = clock;
    if (kind.run && (!is_window(layer) || looks_ahead(layer))) {
      kind.run(call, scratch);
      if (thins(layer)) clock = int(own_clock(layer).of(uint64_t(clock)));
    } else {
      const int outputs_here = run_rows(kind, call, scratch);
      if (thins(layer)) clock = outputs_here;
    }
    scratch.used = mark;
    if (state && !last) state += kind.state(layer);
    if (holds_convolution && clock == 0) {
      // No other layer has a step, and each needs its scratch.
      if (!scratch.measures()) return 0;
      clock = 1;
    }
  }
  const auto steps = size_t(steps_of(model, model.layer_count, clock));
  if (answers || scratch.measures()) return steps;
  const size_t answer = size_t(outputs) * number, stride = size_t(padded(outputs)) * number;
  const auto* const x = static_cast<const uint8_t*>(output_of(model, buffers, model.layer_count));
  const size_t rows = steps * size_t(model_call.streams);
  // Only calls that measure their scratch have no y, and they have returned.
  for (size_t row = 0; row < rows; ++row)
    // NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker)
    memcpy(static_cast<uint8_t*>(model_call.y) + row * answer, x + row * stride, answer);
  return steps;
}

uint64_t run_scratch(const OpenModel& model, int steps, int streams) {
  Arena arena(nullptr);
  run_layers(model, {steps, streams, nullptr, nullptr, nullptr, 0}, arena);
  return arena.peak;
}

/// Copies the states of n streams together, steps them at once, and copies the states back. Returns
/// the bytes of scratch.
uint64_t step_together(const OpenModel& model, sluice_stream* const* streams, int n, const void* x,
                       void* y, Arena& scratch) {
  const size_t bytes = model.state_bytes;
  uint8_t* const states = scratch.take<uint8_t>(uint64_t(n) * bytes);
  if (scratch.measures()) {
    run_layers(model, {1, n, nullptr, nullptr, nullptr, 0}, scratch);
    return scratch.peak;
  }
  for (int i = 0; i < n; ++i) {
    if (holds_both_directions && model.whole) begin_whole(model, stream_of(streams[i]).state);
    memcpy(states + size_t(i) * bytes, stream_of(streams[i]).state, bytes);
  }
  run_layers(model, {1, n, x, y, states, ptrdiff_t(bytes)}, scratch);
  for (int i = 0; i < n; ++i)
    memcpy(stream_of(streams[i]).state, states + size_t(i) * bytes, bytes);
  return scratch.peak;
}

struct Needs {
  uint64_t state, scratch;
};

Needs needs_of(const OpenModel& model, sluice_use use) {
  uint64_t most = run_scratch(model, int(use.steps), 1);
  if (use.streams > 1 && !model.thins) {
    Arena arena(nullptr);
    const uint64_t many = step_together(model, nullptr, int(use.streams), nullptr, nullptr, arena);
    if (many > most) most = many;
  }
  return {model.state_bytes, most};
}

/// Returns whether the rows and strides of a use fit an int and its memory fits 32 bits; if so,
/// sets *needs.
bool good_use(const OpenModel& model, sluice_use use, Needs* needs) {
  constexpr uint32_t most = 1u << 24;
  if (use.steps < 1 || use.streams < 1 || use.steps > most || use.streams > most) return false;
  *needs = needs_of(model, use);
  return needs->state <= UINT32_MAX && needs->scratch <= UINT32_MAX;
}

size_t run_pieces(Stream& s, const void* frames, void* answers, size_t steps) {
  const OpenModel& model = *s.model;
  const uint8_t* x = static_cast<const uint8_t*>(frames);
  uint8_t* y = static_cast<uint8_t*>(answers);
  const bool every = !(model.layers[model.layer_count - 1].flags & once_flag);
  size_t answered = 0;
  while (steps > 0) {
    const size_t piece = traces && s.trace ? 1 : steps < s.use.steps ? steps : s.use.steps;
    Arena scratch(s.scratch);
    if (holds_both_directions && model.whole) begin_whole(model, s.state);
    size_t here = piece;
    if (piece > 1)
      here = run_layers(model, {int(piece), 1, x, y, s.state, 0}, scratch);
    else if (!step_stream(s, x, y))
      here = 0;
    x += piece * frame_bytes(model);
    if (every) y += here * answer_bytes(model);
    answered = every ? answered + here : answered | here;
    steps -= piece;
  }
  return answered;
}

}  // namespace

/// This is run_layers for a single row, with the same buffers and scratch, which run_layers has
/// measured. It is separate because a small network's step takes little longer than this code.
const void* step_stream(const Stream& stream, const void* frame, void* y) {
  const OpenModel& model = *stream.model;
  const int outputs = int(model.header().outputs);
  const uint32_t number = model.y_bytes;
  const Buffers buffers{frame, stream.scratch, 1, 1};
  uint8_t* const rest = stream.scratch + model.buffer_units * number;
  const LayerRecord* const last = model.last;
  void* const end = y && padded(outputs) == outputs ? y : stream.scratch + last->y * number;
  uint8_t* state = stream.state;
  const bool thin = holds_convolution && model.thins;
  if (holds_both_directions && model.whole) begin_whole(model, state);
  if (traces && stream.trace) stream.trace(stream.trace_context, 0, frame, model.header().inputs);
  const void* x = frame;
  uint32_t index = 0;  // of the layer; the distance of two records would take a division
  // Sets x to the source of a layer. In a chain that is the layer before, where x is already.
  const auto read = [&](const LayerRecord* layer) {
    if (holds_graph && layer->source != index)
      x = layer->source ? stream.scratch + model.layers[layer->source - 1].y * number : frame;
  };
  for (const LayerRecord* layer = model.layers; layer < last; ++layer, ++index) {
    const LayerKind& kind = kind_in(model.kinds, *layer);
    uint8_t* const output = stream.scratch + layer->y * number;
    read(layer);
    StepCall call{model, *layer, buffers};
    call.x = x, call.y = output;
    call.state = state, call.scratch = rest;
    kind.step(call);
    state += kind.state(*layer);
    if (thin && thins(*layer) && !answered_here(state)) return nullptr;
    x = output;
    if (traces && stream.trace) stream.trace(stream.trace_context, index + 1, x, layer->out);
  }
  read(last);
  StepCall call{model, *last, buffers};
  call.x = x, call.y = end;
  call.state = state, call.scratch = rest;
  const LayerKind& kind = kind_in(model.kinds, *last);
  kind.step(call);
  if (thin && thins(*last) && !answered_here(state + kind.state(*last))) return nullptr;
  if (traces && stream.trace) stream.trace(stream.trace_context, model.layer_count, end, last->out);
  if (y && end != y) memcpy(y, end, size_t(outputs) * number);
  return end;
}

}  // namespace sluice

using namespace sluice;

sluice_status sluice_open(sluice_model* handle, const void* blob, size_t bytes, const char* isa) {
  if (!handle) return SLUICE_NULL;
  const sluice_status status = check_blob(blob, bytes, false);
  if (status) return status;
  const Kernels* kernels = pick_kernels(isa);
  if (!kernels) return SLUICE_ISA_UNKNOWN;
  if (!runs_here(*kernels)) return SLUICE_ISA_MISSING;
  OpenModel model{};
  model.blob = static_cast<const uint8_t*>(blob);
  model.kernels = kernels;
  model.layers = reinterpret_cast<const LayerRecord*>(
      model.blob + find_section(model.blob, SLUICE_SECTION_LAYERS)->offset);
  model.layer_count = model.header().layers;
  model.last = model.layers + model.layer_count - 1;
  model.kinds = kinds_of(model.layers[0].format);
  uint64_t state = 0;
  for (uint32_t i = 0; i < model.layer_count; ++i) {
    model.whole = model.whole || goes_both_ways(model.layers[i]) || looks_ahead(model.layers[i]);
    model.thins = model.thins || thins(model.layers[i]);
    const uint32_t end = model.layers[i].y + uint32_t(padded(int(model.layers[i].out)));
    if (end > model.buffer_units) model.buffer_units = end;
    state += uint64_t(kind_in(model.kinds, model.layers[i]).state(model.layers[i]));
  }
  if (state > UINT32_MAX) return SLUICE_SHAPE;
  model.state_bytes = uint32_t(state);
  const bool wide =
      model.format() == SLUICE_F32 || (holds_embedding && model.layers[0].kind == SLUICE_EMBEDDING);
  model.x_bytes = wide                                                               ? 4
                  : model.format() == SLUICE_INT8 && !has_wide_frame(model.header()) ? 1
                                                                                     : 2;
  model.y_bytes = model.format() == SLUICE_F32 ? 4 : 2;
  memset(handle, 0, sizeof *handle);
  memcpy(handle, &model, sizeof model);
  return SLUICE_OK;
}

sluice_need sluice_needs(const sluice_model* handle, sluice_use use) {
  Needs needs;
  if (!handle || !good_use(model_of(handle), use, &needs)) return {0, 0};
  return {uint32_t(needs.state), uint32_t(needs.scratch)};
}

sluice_status sluice_start(sluice_stream* handle, const sluice_model* model, sluice_use use,
                           void* state, size_t state_bytes, void* scratch, size_t scratch_bytes) {
  if (!handle || !model) return SLUICE_NULL;
  Needs needs;
  if (!good_use(model_of(model), use, &needs)) return SLUICE_USE;
  if ((!state && needs.state) || (!scratch && needs.scratch)) return SLUICE_NULL;
  if ((reinterpret_cast<uintptr_t>(state) | reinterpret_cast<uintptr_t>(scratch)) %
      SLUICE_ALIGNMENT)
    return SLUICE_MISALIGNED;
  if (state_bytes < needs.state) return SLUICE_STATE_SMALL;
  if (scratch_bytes < needs.scratch) return SLUICE_SCRATCH_SMALL;
  Stream stream{};
  stream.model = &model_of(model);
  stream.state = static_cast<uint8_t*>(state);
  stream.scratch = static_cast<uint8_t*>(scratch);
  stream.state_bytes = uint32_t(needs.state);
  stream.use = use;
  memset(handle, 0, sizeof *handle);
  memcpy(handle, &stream, sizeof stream);
  sluice_reset(handle);
  return SLUICE_OK;
}

int sluice_step(sluice_stream* handle, const void* x, void* y) {
  return step_stream(stream_of(handle), x, y) != nullptr;
}

size_t sluice_run(sluice_stream* handle, const void* x, void* y, size_t steps) {
  return run_pieces(stream_of(handle), x, y, steps);
}

size_t sluice_step_many(sluice_stream* const* streams, size_t n, const void* frames, void* answers,
                        uint8_t* answered) {
  if (n == 0) return 0;
  const Stream& first = stream_of(streams[0]);
  const OpenModel& model = *first.model;
  const uint8_t* x = static_cast<const uint8_t*>(frames);
  uint8_t* y = static_cast<uint8_t*>(answers);
  size_t total = 0;
  while (n > 0) {
    const bool alone = holds_convolution && model.thins;  // the streams are at different steps
    const size_t piece = alone ? 1 : n < first.use.streams ? n : first.use.streams;
    bool has_answer = true;
    if (piece == 1) {
      Stream one = stream_of(streams[0]);
      one.scratch = first.scratch;
      has_answer = step_stream(one, x, y) != nullptr;
    } else {
      Arena scratch(first.scratch);
      step_together(model, streams, int(piece), x, y, scratch);
    }
    if (answered) {
      memset(answered, has_answer, piece);
      answered += piece;
    }
    total += has_answer ? piece : 0;
    streams += piece;
    x += piece * frame_bytes(model);
    y += piece * answer_bytes(model);
    n -= piece;
  }
  return total;
}

void sluice_trace(sluice_stream* handle, sluice_tracer trace, void* context) {
  stream_of(handle).trace = trace;
  stream_of(handle).trace_context = context;
}

void* sluice_state(sluice_stream* handle, size_t* bytes) {
  Stream& s = stream_of(handle);
  if (bytes) *bytes = s.state_bytes;
  return s.state;
}

void sluice_reset(sluice_stream* handle) {
  const Stream& s = stream_of(handle);
  begin_state(*s.model, s.state, s.state_bytes);
}

size_t sluice_argmax(const float* y, size_t n) {
  size_t best = 0;
  for (size_t i = 1; i < n; ++i)
    if (y[i] > y[best] || y[best] != y[best]) best = i;
  return best;
}

size_t sluice_argmax_int16(const int16_t* y, size_t n) {
  size_t best = 0;
  for (size_t i = 1; i < n; ++i)
    if (y[i] > y[best]) best = i;
  return best;
}
