// The passes of shards, and the data that they exchange between phases and between ranks.
#include "pass.h"

#include <string.h>

namespace sluice {
namespace {

/// A point in a pass: before a phase of a layer, forward or backward.
struct PassPoint {
  uint32_t layer;
  int phase;
  bool back, done;
};

void gather_inputs(const Batch& batch, const Shard& shard, float* x) {
  const size_t inputs = batch.model.header().inputs;
  for (int t = 0; t < shard.steps; ++t)
    for (int s = 0; s < shard.sequences; ++s, x += inputs) {
      const sluice_sequence& sequence = batch.sequences[shard.index[s]];
      if (t >= shard.length[s])
        memset(x, 0, inputs * sizeof(float));
      else if (sequence.ids)
        memcpy(x, sequence.ids + t, sizeof(int32_t));
      else
        memcpy(x, sequence.x + size_t(t) * inputs, inputs * sizeof(float));
    }
}

/// Returns the rounding of a layer's output, and of its state, before they enter products.
Rounding rounding_of(const sluice_train_options& options, uint32_t layer) {
  return options.rounding ? Rounding{options.rounding->unit[layer], options.rounding->largest}
                          : Rounding{};
}

/// Returns whether a later layer has the same weights. Its gradient is computed earlier.
bool tied_to_later(const OpenModel& model, uint32_t layer) {
  for (uint32_t later = layer + 1; later < model.layer_count; ++later)
    if (model.layers[later].w_ih == model.layers[layer].w_ih) return true;
  return false;
}

/// Returns the floats of a stream's state that come before those of a layer.
uint32_t state_before(const OpenModel& model, uint32_t layer) {
  uint32_t bytes = 0;
  for (uint32_t i = 0; i < layer; ++i)
    bytes +=
        uint32_t(find_layer(model.layers[i].kind, model.layers[i].format)->state(model.layers[i]));
  return bytes / uint32_t(sizeof(float));
}

/// The number of times that a source is read, and the last layer (counted from 0) that reads it.
struct Readers {
  uint32_t count, last;
};
Readers readers_of(const OpenModel& model, uint32_t source) {
  Readers readers{0, 0};
  for (uint32_t i = source; i < model.layer_count; ++i)
    for (uint32_t p = 0; p < sources_of(model.layers[i]); ++p)
      if (source_of(model.layers[i], p) == source) readers = {readers.count + 1, i};
  return readers;
}

/// Returns whether a source is read only by the layer behind it. Then its gradient is needed only
/// by that layer and by its own.
bool is_passed_on(const OpenModel& model, uint32_t source) {
  const Readers readers = readers_of(model, source);
  return source == model.layer_count || (readers.count == 1 && readers.last == source);
}

/// Returns whether part `p` of a layer gives the first gradient of its source: no later layer reads
/// that source, and no earlier part of this layer does.
bool is_first_gradient(const OpenModel& model, uint32_t layer, uint32_t p) {
  const uint32_t source = source_of(model.layers[layer], p);
  bool first = readers_of(model, source).last == layer;
  for (uint32_t other = 0; other < p; ++other)
    first = first && source_of(model.layers[layer], other) != source;
  return first;
}

/// Returns whether a layer's input enters a product, or a concat, whose output may be the input of
/// one.
bool enters_product(uint8_t kind) {
  constexpr uint32_t kinds = kinds_with(
      [](const Anatomy& a) { return a.kind == SLUICE_CONCAT || has_role(a, Role::input_weight); });
  return has_kind(kinds, kind);
}

/// The pass of one shard. With an arena that measures, it only takes memory.
struct ShardPass {
  const Batch& batch;
  const OpenModel& model;
  const sluice_train_options& options;
  uint32_t slot, layers, learns;
  Arena arena;
  ShardState state;
  LayerArrays* layer_arrays;  ///< [layers]
  LayerArrays measured;
  LayerInput measured_parts[most_sources];

  ShardPass(const Batch& b, uint32_t s, uint8_t* memory)
      : batch(b),
        model(b.model),
        options(b.options),
        slot(s),
        layers(model.layer_count),
        learns(lowest_learning(model, options)),
        arena(memory),
        state{},
        layer_arrays(nullptr),
        measured{},
        measured_parts{} {}

  bool measures() const { return arena.measures(); }
  /// Returns the weights that the pass reads. If this arena measures, the layout may be a
  /// measurement too, and have no weights. Then the blob replaces them: offsets hold from its start
  /// as well.
  const uint8_t* weights() const { return measures() ? model.blob : batch.layout.pass_weights; }
  float* at(uint64_t offset) const { return reinterpret_cast<float*>(arena.base + offset); }
  uint64_t offset_of(const void* x) const {
    return measures() ? 0 : uint64_t(static_cast<const uint8_t*>(x) - arena.base);
  }
  int frames() const { return state.shard.steps * state.shard.sequences; }
  /// Returns the shard in the steps of a source.
  Shard shard_of(uint32_t source) const {
    Shard shard = state.shard;
    for (uint32_t i = 0; i < source; ++i)
      if (thins(model.layers[i])) shard = shard.thinned(model.layers[i]);
    return shard;
  }
  int rows_of(uint32_t source) const {
    const bool once = source && model.layers[source - 1].flags & once_flag;
    return state.shard.sequences * (once ? 1 : shard_of(source).steps);
  }
  LayerArrays& arrays_of(uint32_t layer) { return measures() ? measured : layer_arrays[layer]; }
  LayerInput* parts_of(uint32_t layer) {
    if (!joins(model.layers[layer].kind)) return &arrays_of(layer).in;
    return measures() ? measured_parts
                      : reinterpret_cast<LayerInput*>(arena.base + layer_arrays[layer].parts);
  }

  void begin(const Shard& shard) {
    state = {};
    state.shard = shard;
    layer_arrays = arena.take<LayerArrays>(layers);
    float* const x = arena.take<float>(uint64_t(frames()) * model.header().inputs);
    if (measures()) return;
    state.frames = offset_of(x);
    gather_inputs(batch, shard, x);
  }

  void resume() {
    state = batch.layout.states[slot];
    layer_arrays = arena.take<LayerArrays>(layers);
    arena.used = state.used;
  }

  void wait() {
    state.used = arena.used;
    batch.layout.states[slot] = state;
  }

  /// Returns the output of a source as a layer reads it: rounded if it enters a product, and with
  /// dropout. Either is done in a copy.
  LayerInput input_from(uint32_t layer, uint32_t source) {
    LayerInput in{};
    in.rows = rows_of(source);
    in.width = source ? int(model.layers[source - 1].out) : int(model.header().inputs);
    in.x_stride = source ? padded(in.width) : in.width;
    if (!measures()) in.x = source ? layer_arrays[source - 1].y : state.frames;
    const uint64_t floats = uint64_t(in.rows) * uint64_t(in.x_stride);
    const Rounding rounding = source && enters_product(model.layers[layer].kind)
                                  ? rounding_of(options, source - 1)
                                  : Rounding{};
    const SourceDrop dropping = drop_of(model, options, source);
    if (rounding.unit > 0.0f) {
      float* const rounded = arena.take<float>(floats);
      if (!measures()) rounding.apply(at(in.x), rounded, size_t(floats)), in.x = offset_of(rounded);
    }
    if (dropping.rate > 0.0f) {
      float* const dropped = arena.take<float>(floats);
      float* const mask = source > learns ? arena.take<float>(floats) : nullptr;
      if (!measures()) {
        memcpy(dropped, at(in.x), size_t(floats) * sizeof(float));
        Dropped frames{};
        frames.purpose = dropping.purpose, frames.layer = dropping.layer;
        frames.rate = dropping.rate;
        frames.x = dropped, frames.mask = mask;
        frames.rows = in.rows, frames.n = in.width, frames.stride = in.x_stride;
        drop({options.seed, batch.step}, batch.sequences, shard_of(source), frames);
        in.x = offset_of(dropped);
        in.mask = mask ? offset_of(mask) : 0;
      }
    }
    return in;
  }

  /// Prepares the inputs of a layer from all of its sources.
  void prepare_inputs(uint32_t layer) {
    const LayerRecord& record = model.layers[layer];
    LayerArrays& arrays = arrays_of(layer);
    arrays = {};
    LayerInput* parts = &arrays.in;
    if (joins(record.kind)) {
      parts = arena.take<LayerInput>(record.parts);
      arrays.parts = offset_of(parts);
      if (measures()) parts = measured_parts;
    }
    for (uint32_t p = 0; p < sources_of(record); ++p)
      parts[p] = input_from(layer, source_of(record, p));
    arrays.rows = rows_of(layer + 1);
    arrays.kept = arena.used;
  }

  TrainCall call_of(uint32_t i, TrainPart* parts, float* dy, float* dx) {
    const LayerRecord& layer = model.layers[i];
    const Layout& l = batch.layout;
    const LayerArrays& arrays = arrays_of(i);
    const LayerInput* const in = parts_of(i);
    const bool joined = joins(layer.kind);
    for (uint32_t p = 0; joined && p < layer.parts; ++p)
      parts[p] = {measures() ? nullptr : at(in[p].x), in[p].x_stride, in[p].width,
                  in[p].rows > arrays.rows};
    TrainCall call{*model.kernels, layer, shard_of(source_of(layer, 0))};
    call.index = i;
    call.sequences = batch.sequences;
    call.parameters = {weights(), l.shard_gradients + uint64_t(slot) * l.shard_floats,
                       l.shard_begin};
    call.zeros = l.zeros;
    call.x_stride = in->x_stride, call.rows_in = joined ? arrays.rows : in->rows;
    call.parts = parts;
    call.rows_out = arrays.rows;
    call.keep_logits = keeps_logits(model, options, i);
    call.rounding = rounding_of(options, i);
    call.draw = {options.seed, batch.step};
    if (options.layers)
      call.recurrent_dropout = options.layers[i].recurrent_dropout,
      call.gate_dropout = options.layers[i].gate_dropout;
    call.state_offset = state_before(model, i);
    call.adds = tied_to_later(model, i);
    call.dy = dy, call.dx = dx;
    call.id_gradients = &state.id_gradients;
    if (measures()) return call;
    call.transposed = reinterpret_cast<const float*>(batch.arena + l.prepared[i]);
    if (!joined) call.x = at(in->x);
    call.partial = l.partials + uint64_t(slot) * l.batch_sums;
    call.total = dy ? l.total : l.totals + uint64_t(i) * l.batch_sums;
    return call;
  }

  /// Computes one phase of a layer. After the last one, the layer's output is known.
  void forward(uint32_t i, int phase) {
    const TrainKind& kind = *train_kind(model.layers[i].kind);
    if (phase == 0) prepare_inputs(i);
    arena.used = arrays_of(i).kept;
    TrainPart parts[most_sources];
    const float* const y = kind.forward(call_of(i, parts, nullptr, nullptr), phase, arena);
    if (phase + 1 == kind.phases[0]) arrays_of(i).y = offset_of(y);
  }

  /// Takes the buffers of the gradients. Gradients that are only passed on to the layer before
  /// alternate between two buffers; the others have one each. If several layers read an output,
  /// their gradients are added to that of the last reader, in falling order of the readers.
  void take_gradients() {
    uint64_t passed[2] = {}, added = 0;
    const auto floats_of = [&](uint32_t i) {
      return uint64_t(rows_of(i + 1)) * uint64_t(padded(int(model.layers[i].out)));
    };
    for (uint32_t i = learns; i < layers; ++i) {
      const uint64_t floats = floats_of(i);
      if (!is_passed_on(model, i + 1))
        added = floats > added ? floats : added;
      else if (floats > passed[i % 2])
        passed[i % 2] = floats;
    }
    const uint64_t first = offset_of(arena.take<float>(passed[0])),
                   second = offset_of(arena.take<float>(passed[1]));
    state.spare = offset_of(arena.take<float>(added));
    for (uint32_t i = learns; i < layers; ++i) {
      const bool passes = is_passed_on(model, i + 1);
      float* const own = passes ? nullptr : arena.take<float>(floats_of(i));
      if (measures()) continue;
      layer_arrays[i].gradient = !passes ? offset_of(own) : i % 2 ? second : first;
      if (!passes && readers_of(model, i + 1).count == 0)
        memset(own, 0, size_t(floats_of(i)) * sizeof(float));
    }
  }

  void compute_loss() {
    take_gradients();
    if (measures()) return;
    const LayerArrays& last = layer_arrays[layers - 1];
    state.loss = shard_loss(model, options, shard_of(layers), batch.sequences, batch.scales,
                            at(last.y), at(last.gradient));
  }

  void backward(uint32_t i, int phase) {
    const LayerRecord& layer = model.layers[i];
    const TrainKind& kind = *train_kind(layer.kind);
    const bool last_phase = phase + 1 == kind.phases[1];
    float* const dy = at(layer_arrays[i].gradient);
    TrainPart parts[most_sources];
    for (uint32_t p = 0; p < sources_of(layer); ++p) {
      const uint32_t source = source_of(layer, p);
      const bool wanted = source > learns, first = wanted && is_first_gradient(model, i, p);
      float* const there = wanted ? at(layer_arrays[source - 1].gradient) : nullptr;
      float* const dx = !wanted || first ? there : at(state.spare);
      if (p > 0 && !wanted) continue;
      TrainCall call = call_of(i, parts, dy, dx);
      call.part = p;
      Arena again(arena.base);
      again.used = layer_arrays[i].kept;
      kind.backward(call, phase, again);
      if (!wanted || !last_phase) continue;
      const LayerInput& in = parts_of(i)[p];
      const size_t floats = size_t(in.rows) * size_t(in.x_stride);
      if (in.mask) model.kernels->multiply_f32(at(in.mask), dx, floats);
      if (!first) model.kernels->add_f32(dx, there, floats);
    }
  }
};

/// Returns the point after `from` at which a pass next waits for other shards, or ends. If `pass`
/// is not null, computes it up to there.
PassPoint advance(const OpenModel& model, uint32_t learns, PassPoint from, ShardPass* pass) {
  PassPoint at = from;
  if (!at.back) {
    for (; at.layer < model.layer_count; ++at.layer, at.phase = 0)
      for (; at.phase < train_kind(model.layers[at.layer].kind)->phases[0];) {
        if (pass) pass->forward(at.layer, at.phase);
        ++at.phase;
        if (at.phase < train_kind(model.layers[at.layer].kind)->phases[0]) return at;
      }
    if (pass) pass->compute_loss();
    at = {model.layer_count - 1, 0, true, false};
  }
  for (;; --at.layer, at.phase = 0) {
    while (at.phase < train_kind(model.layers[at.layer].kind)->phases[1]) {
      if (pass) pass->backward(at.layer, at.phase);
      ++at.phase;
      if (at.phase < train_kind(model.layers[at.layer].kind)->phases[1]) return at;
    }
    if (at.layer == learns) break;
  }
  at.done = true;
  return at;
}

/// Computes the passes of a group from one waiting point to the next, one task a shard. A rank
/// computes shards rank, rank + ranks, and so on.
struct PassTask {
  const Batch& batch;
  PassPoint from;
  uint32_t rank, ranks;

  static void run(void* argument, uint32_t i) {
    const PassTask& task = *static_cast<PassTask*>(argument);
    const Batch& batch = task.batch;
    const uint32_t slot = task.rank + i * task.ranks;
    ShardPass pass(batch, slot,
                   batch.layout.shard_memory + uint64_t(slot) * batch.layout.shard_bytes);
    if (task.from.back || task.from.layer > 0 || task.from.phase > 0) {
      pass.resume();
    } else {
      const uint32_t begin = (batch.first + slot) * shard_sequences;
      const uint32_t end =
          begin + shard_sequences < batch.count ? begin + shard_sequences : batch.count;
      pass.begin(make_shard(batch.sequences, begin, end));
    }
    advance(batch.model, pass.learns, task.from, &pass);
    pass.wait();
  }
};

/// Collects pieces and passes them to the host, many at a time. Functions that have one are not
/// inlined: it is large, and a board that trains alone should not reserve stack for it.
struct Gathering {
  static constexpr uint32_t most = 128;
  const sluice_host* host;
  bool failed = false;
  uint32_t n = 0;
  sluice_piece pieces[most];

  explicit Gathering(const sluice_host* h) : host(h) {}

  void add(void* data, uint64_t bytes, uint32_t from, uint32_t to = SLUICE_EVERY_RANK) {
    if (n == most) send();
    pieces[n++] = {data, bytes, from, to};
  }
  /// Adds a result of a shard of the group, which every rank receives.
  void add_of(uint32_t slot, void* data, uint64_t bytes) { add(data, bytes, slot % host->ranks); }

  bool send() {
    if (!failed && n) failed = host->gather(host->context, pieces, n) != 0;
    n = 0;
    return !failed;
  }
};

/// Exchanges the losses, states and gradients of the group; then, of an embedding, the rows of the
/// ids that occur in each shard.
[[gnu::noinline]] bool gather_group(const Batch& batch, const sluice_host* host,
                                    uint32_t group_shards) {
  const Layout& l = batch.layout;
  const uint32_t state_bytes =
      state_before(batch.model, batch.model.layer_count) * uint32_t(sizeof(float));
  Gathering gathering(host);
  for (uint32_t s = 0; s < group_shards; ++s) {
    gathering.add_of(s, l.states + s, sizeof(ShardState));
    for (uint32_t i = (batch.first + s) * shard_sequences;
         i < batch.count && i < (batch.first + s + 1) * shard_sequences; ++i)
      if (batch.sequences[i].state) gathering.add_of(s, batch.sequences[i].state, state_bytes);
    for (uint32_t rank = 0; rank < host->ranks; ++rank) {
      const Slice slice = slice_of(l, rank, host->ranks);
      float* const from = l.shard_gradients + uint64_t(s) * l.shard_floats + slice.begin;
      if (slice.begin < slice.end)
        gathering.add(from, (slice.end - slice.begin) * sizeof(float), s % host->ranks, rank);
    }
  }
  if (!gathering.send() || batch.model.layers[0].kind != SLUICE_EMBEDDING) return !gathering.failed;
  const auto units = uint64_t(padded(int(batch.model.layers[0].out)));
  for (uint32_t s = 0; s < group_shards; ++s) {
    const IdGradients& gradients = l.states[s].id_gradients;
    uint8_t* const memory = l.shard_memory + uint64_t(s) * l.shard_bytes;
    if (gradients.count == 0) continue;
    gathering.add_of(s, memory + gradients.ids, uint64_t(gradients.count) * sizeof(int32_t));
    gathering.add_of(s, memory + gradients.rows, uint64_t(gradients.count) * units * sizeof(float));
  }
  return gathering.send();
}

/// Exchanges the shards' parts of sums over the batch, n floats each.
[[gnu::noinline]] bool gather_partials(const Batch& batch, const sluice_host* host,
                                       uint32_t group_shards, size_t n) {
  Gathering gathering(host);
  for (uint32_t s = 0; s < group_shards; ++s)
    gathering.add_of(s, batch.layout.partials + uint64_t(s) * batch.layout.batch_sums,
                     n * sizeof(float));
  return gathering.send();
}

/// Adds up the shards' parts of the sums over the batch at this point, in the order of the shards.
/// Returns false if the ranks' gather failed.
bool add_batch_sums(const Batch& batch, const sluice_host* host, const PassPoint& at,
                    uint32_t group_shards) {
  const Layout& l = batch.layout;
  const LayerRecord& layer = batch.model.layers[at.layer];
  const auto n = size_t(train_kind(layer.kind)->batch_sums(layer));
  if (ranks_of(host) > 1 && !gather_partials(batch, host, group_shards, n)) return false;
  float* const total = at.back ? l.total : l.totals + uint64_t(at.layer) * l.batch_sums;
  memset(total, 0, n * sizeof(float));
  for (uint32_t s = 0; s < group_shards; ++s)
    batch.model.kernels->add_f32(l.partials + uint64_t(s) * l.batch_sums, total, n);
  return true;
}

}  // namespace

Shard make_shard(const sluice_sequence* sequences, uint32_t begin, uint32_t end) {
  Shard shard{int(end - begin), 0, {}, {}};
  for (int i = 0; i < shard.sequences; ++i) {
    const uint32_t index = begin + uint32_t(i);
    const int length = int(sequences[index].steps);
    int at = i;
    for (; at > 0 && shard.length[at - 1] < length; --at)
      shard.length[at] = shard.length[at - 1], shard.index[at] = shard.index[at - 1];
    shard.length[at] = length, shard.index[at] = index;
  }
  shard.steps = shard.length[0];
  return shard;
}

uint64_t shard_needs(const Batch& nothing, const Shard& worst) {
  ShardPass pass(nothing, 0, nullptr);
  pass.begin(worst);
  for (uint32_t i = 0; i < pass.layers; ++i)
    for (int phase = 0; phase < train_kind(pass.model.layers[i].kind)->phases[0]; ++phase)
      pass.forward(i, phase);
  pass.compute_loss();
  return pass.arena.peak;
}

uint32_t most_batch_sums(const OpenModel& model) {
  uint32_t most = 0;
  for (uint32_t i = 0; i < model.layer_count; ++i) {
    const TrainKind* const kind = train_kind(model.layers[i].kind);
    const uint32_t n = kind && kind->batch_sums ? uint32_t(kind->batch_sums(model.layers[i])) : 0;
    most = n > most ? n : most;
  }
  return most;
}

bool run_group(Batch& batch, const sluice_host* host, uint32_t group_shards) {
  const uint32_t learns = lowest_learning(batch.model, batch.options);
  const uint32_t ranks = ranks_of(host), rank = rank_of(host);
  const uint32_t own = group_shards > rank ? (group_shards - rank + ranks - 1) / ranks : 0;
  for (PassPoint at{0, 0, false, false}; !at.done;) {
    PassTask task{batch, at, rank, ranks};
    run_tasks(host, own, PassTask::run, &task);
    at = advance(batch.model, learns, at, nullptr);
    if (!at.done && !add_batch_sums(batch, host, at, group_shards)) return false;
  }
  return ranks == 1 || gather_group(batch, host, group_shards);
}

Slice slice_of(const Layout& l, uint32_t rank, uint32_t ranks) {
  const auto cut = [&](uint32_t i) {
    return i == ranks ? l.shard_floats
                      : uint32_t(uint64_t(l.shard_floats) * i / ranks) / strip_rows * strip_rows;
  };
  return {cut(rank), cut(rank + 1)};
}

[[gnu::noinline]] bool gather_gradient(const Layout& l, const sluice_host* host) {
  Gathering gathering(host);
  for (uint32_t rank = 0; rank < ranks_of(host); ++rank) {
    const Slice slice = slice_of(l, rank, ranks_of(host));
    if (slice.begin < slice.end)
      gathering.add(l.added() + slice.begin, (slice.end - slice.begin) * sizeof(float), rank);
  }
  return ranks_of(host) == 1 || gathering.send();
}

}  // namespace sluice
