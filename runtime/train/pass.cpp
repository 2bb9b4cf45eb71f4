#include "pass.h"

#include <string.h>

namespace sluice {
namespace {

/// A point on the way: before a phase of a layer, going forward or back.
struct Station {
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

/// How what a layer hands on, and its state, enter products.
Rounding rounding_of(const sluice_train_options& options, uint32_t layer) {
  return options.rounding ? Rounding{options.rounding->unit[layer], options.rounding->largest} : Rounding{};
}

/// Whether a later layer, whose gradient is there already, has the same weights.
bool tied_to_later(const OpenModel& model, uint32_t layer) {
  for (uint32_t later = layer + 1; later < model.layer_count; ++later)
    if (model.layers[later].w_ih == model.layers[layer].w_ih) return true;
  return false;
}

uint32_t state_before(const OpenModel& model, uint32_t layer) {
  uint32_t bytes = 0;
  for (uint32_t i = 0; i < layer; ++i) bytes += uint32_t(find_layer(model.layers[i].kind, model.layers[i].format)->state(model.layers[i]));
  return bytes / uint32_t(sizeof(float));
}

/// One shard's pass. With an arena that measures, only takes the memory.
struct Pass {
  const Batch& batch;
  const OpenModel& model;
  const sluice_train_options& options;
  uint32_t slot, layers, learns;
  Arena arena;
  Flight flight;
  Place* places;  ///< [layers]
  Place entered;  ///< of the layer entered last

  Pass(const Batch& b, uint32_t s, uint8_t* memory)
      : batch(b), model(b.model), options(b.options), slot(s), layers(model.layer_count), learns(lowest_learning(model, options)),
        arena(memory), flight{}, places(nullptr), entered{} {}

  bool measures() const { return arena.measures(); }
  /// Measuring, the layout may be a measurement too, without weights: the blob stands in, since offsets hold from its start as well.
  const uint8_t* weights() const { return measures() ? model.blob : batch.layout.seen; }
  float* at(uint64_t offset) const { return reinterpret_cast<float*>(arena.base + offset); }
  uint64_t offset_of(const float* x) const { return uint64_t(reinterpret_cast<const uint8_t*>(x) - arena.base); }
  int rows_after(uint32_t i, int rows) const { return last_step_only(model.layers[i]) ? flight.shard.sequences : rows; }

  void begin(const Shard& shard) {
    flight = {};
    flight.shard = shard;
    places = arena.take<Place>(layers);
    flight.rows = shard.steps * shard.sequences;
    flight.x_stride = int(model.header().inputs);
    float* const x = arena.take<float>(uint64_t(flight.rows) * uint64_t(flight.x_stride));
    if (measures()) return;
    flight.x = offset_of(x);
    gather_inputs(batch, shard, x);
  }

  void resume() {
    flight = batch.layout.flights[slot];
    places = arena.take<Place>(layers);
    arena.used = flight.used;
  }

  void wait() {
    flight.used = arena.used;
    batch.layout.flights[slot] = flight;
  }

  TrainCall call_of(uint32_t i, const Place& place, float* dy, float* dx) {
    const LayerRecord& layer = model.layers[i];
    const Layout& l = batch.layout;
    const bool keep_logits = i + 1 == layers && takes_logits(options.loss);
    const int rows_out = rows_after(i, place.rows_in);
    TrainCall call{*model.kernels, layer, i, flight.shard, batch.sequences,
                   {weights(), l.shard_gradients + uint64_t(slot) * l.shard_floats, l.shard_begin},
                   l.zeros,
                   measures() ? nullptr : reinterpret_cast<const float*>(batch.arena + l.prepared[i]),
                   measures() ? nullptr : at(place.x), place.x_stride, place.rows_in, rows_out, keep_logits, rounding_of(options, i),
                   {options.seed, batch.step}, 0.0f, 0.0f, state_before(model, i), tied_to_later(model, i), dy, dx, &flight.seen,
                   measures() ? nullptr : l.partials + uint64_t(slot) * l.meeting,
                   measures() ? nullptr : dy ? l.total : l.totals + uint64_t(i) * l.meeting};
    if (options.layers) call.recurrent_dropout = options.layers[i].recurrent_dropout, call.gate_dropout = options.layers[i].gate_dropout;
    return call;
  }

  /// What enters layer i: as the layer below left it, or rounded, or dropped, in a copy of its own.
  void enter(uint32_t i) {
    const uint64_t floats = uint64_t(flight.rows) * uint64_t(flight.x_stride);
    const Rounding rounding = i > first_trained(model) ? rounding_of(options, i - 1) : Rounding{};
    const InputDrop dropping = input_drop(model, options, i);
    uint64_t mask_at = 0;
    if (rounding.unit > 0.0f) {
      float* const rounded = arena.take<float>(floats);
      if (!measures()) rounding.apply(at(flight.x), rounded, size_t(floats)), flight.x = offset_of(rounded);
    }
    if (dropping.rate > 0.0f) {
      float* const dropped = arena.take<float>(floats);
      float* const mask = i > learns ? arena.take<float>(floats) : nullptr;
      if (!measures()) {
        memcpy(dropped, at(flight.x), size_t(floats) * sizeof(float));
        drop({options.seed, batch.step}, batch.sequences, flight.shard,
             {dropping.purpose, dropping.layer, dropping.rate, dropped, mask, flight.rows, int(model.layers[i].in), flight.x_stride});
        flight.x = offset_of(dropped);
        mask_at = mask ? offset_of(mask) : 0;
      }
    }
    entered = {arena.used, flight.x, mask_at, flight.x_stride, flight.rows};
    if (!measures()) places[i] = entered;
  }

  /// One phase; after a layer's last one, its answer is what enters the next.
  void forward(uint32_t i, int phase) {
    const TrainKind& kind = *train_kind(model.layers[i].kind);
    if (phase == 0) enter(i);
    const Place place = measures() ? entered : places[i];
    arena.used = place.kept;
    const TrainCall call = call_of(i, place, nullptr, nullptr);
    const float* const y = kind.forward(call, phase, arena);
    if (phase + 1 < kind.phases[0]) return;
    if (!measures()) flight.x = offset_of(y);
    flight.rows = call.rows_out;
    flight.x_stride = padded(int(model.layers[i].out));
  }

  /// The running gradients alternate between two buffers.
  void take_gradients() {
    const int frames = flight.shard.steps * flight.shard.sequences;
    for (uint32_t parity = 0; parity < 2; ++parity) {
      uint64_t most = 0;
      int rows = frames;
      for (uint32_t i = 0; i < layers; ++i) {
        rows = rows_after(i, rows);
        const uint64_t floats = uint64_t(rows) * uint64_t(padded(int(model.layers[i].out)));
        if (i >= learns && i % 2 == parity && floats > most) most = floats;
      }
      const float* const gradients = arena.take<float>(most);
      if (!measures()) flight.gradients[parity] = offset_of(gradients);
    }
  }

  void lose() {
    take_gradients();
    if (measures()) return;
    flight.loss =
        shard_loss(*model.kernels, options, flight.shard, batch.sequences, answers_every_step(model), int(model.header().outputs),
                   batch.scale, at(flight.x), at(flight.gradients[(layers - 1) % 2]));
  }

  void backward(uint32_t i, int phase) {
    const TrainKind& kind = *train_kind(model.layers[i].kind);
    const Place& place = places[i];
    float* const dx = i > learns ? at(flight.gradients[(i + 1) % 2]) : nullptr;
    Arena again(arena.base);
    again.used = place.kept;
    kind.backward(call_of(i, place, at(flight.gradients[i % 2]), dx), phase, again);
    if (!dx || !place.mask || phase + 1 < kind.phases[1]) return;
    const float* const mask = at(place.mask);
    for (int64_t j = 0; j < int64_t(place.rows_in) * place.x_stride; ++j) dx[j] *= mask[j];
  }
};

/// Where a pass meets next, or ends, having left `from`. With a pass, it goes there.
Station go(const OpenModel& model, uint32_t learns, Station from, Pass* pass) {
  Station at = from;
  if (!at.back) {
    for (; at.layer < model.layer_count; ++at.layer, at.phase = 0)
      for (; at.phase < train_kind(model.layers[at.layer].kind)->phases[0];) {
        if (pass) pass->forward(at.layer, at.phase);
        ++at.phase;
        if (at.phase < train_kind(model.layers[at.layer].kind)->phases[0]) return at;
      }
    if (pass) pass->lose();
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

/// Of the shards in flight a rank runs its own: rank, rank + ranks, and so on.
struct Leg {
  const Batch& batch;
  Station from;
  uint32_t rank, ranks;

  static void run(void* argument, uint32_t i) {
    const Leg& leg = *static_cast<Leg*>(argument);
    const Batch& batch = leg.batch;
    const uint32_t slot = leg.rank + i * leg.ranks;
    Pass pass(batch, slot, batch.layout.shard_memory + uint64_t(slot) * batch.layout.shard_bytes);
    if (leg.from.back || leg.from.layer > 0 || leg.from.phase > 0) {
      pass.resume();
    } else {
      const uint32_t begin = (batch.first + slot) * shard_sequences;
      const uint32_t end = begin + shard_sequences < batch.count ? begin + shard_sequences : batch.count;
      pass.begin(make_shard(batch.sequences, begin, end));
    }
    go(batch.model, pass.learns, leg.from, &pass);
    pass.wait();
  }
};

/// Pieces on their way, many at a time. What has one is not inlined: a board that trains alone has no stack for it.
struct Gathering {
  static constexpr uint32_t most = 128;
  const sluice_host* host;
  bool failed = false;
  uint32_t n = 0;
  sluice_piece pieces[most];

  explicit Gathering(const sluice_host* h) : host(h) {}

  void add(void* data, uint64_t bytes, uint32_t from, uint32_t to = SLUICE_EVERY_RANK) {
    if (n == most) go();
    pieces[n++] = {data, bytes, from, to};
  }
  /// What a shard in flight leaves.
  void add_of(uint32_t slot, void* data, uint64_t bytes) { add(data, bytes, slot % host->ranks); }

  bool go() {
    if (!failed && n) failed = host->gather(host->context, pieces, n) != 0;
    n = 0;
    return !failed;
  }
};

/// Losses, states and gradients of the group, and then of an embedding as many rows as each shard has seen.
[[gnu::noinline]] bool gather_group(const Batch& batch, const sluice_host* host, uint32_t flying) {
  const Layout& l = batch.layout;
  const uint32_t state_bytes = state_before(batch.model, batch.model.layer_count) * uint32_t(sizeof(float));
  Gathering gathering(host);
  for (uint32_t s = 0; s < flying; ++s) {
    gathering.add_of(s, l.flights + s, sizeof(Flight));
    for (uint32_t i = (batch.first + s) * shard_sequences; i < batch.count && i < (batch.first + s + 1) * shard_sequences; ++i)
      if (batch.sequences[i].state) gathering.add_of(s, batch.sequences[i].state, state_bytes);
    for (uint32_t rank = 0; rank < host->ranks; ++rank) {
      const Slice slice = slice_of(l, rank, host->ranks);
      float* const from = l.shard_gradients + uint64_t(s) * l.shard_floats + slice.begin;
      if (slice.begin < slice.end) gathering.add(from, (slice.end - slice.begin) * sizeof(float), s % host->ranks, rank);
    }
  }
  if (!gathering.go() || batch.model.layers[0].kind != SLUICE_EMBEDDING) return !gathering.failed;
  const auto units = uint64_t(padded(int(batch.model.layers[0].out)));
  for (uint32_t s = 0; s < flying; ++s) {
    const SeenRows& seen = l.flights[s].seen;
    uint8_t* const memory = l.shard_memory + uint64_t(s) * l.shard_bytes;
    if (seen.count == 0) continue;
    gathering.add_of(s, memory + seen.ids, uint64_t(seen.count) * sizeof(int32_t));
    gathering.add_of(s, memory + seen.rows, uint64_t(seen.count) * units * sizeof(float));
  }
  return gathering.go();
}

[[gnu::noinline]] bool gather_partials(const Batch& batch, const sluice_host* host, uint32_t flying, size_t n) {
  Gathering gathering(host);
  for (uint32_t s = 0; s < flying; ++s) gathering.add_of(s, batch.layout.partials + uint64_t(s) * batch.layout.meeting, n * sizeof(float));
  return gathering.go();
}

/// Adds up what the shards left for the meeting at this station, in shard order.
bool meet(const Batch& batch, const sluice_host* host, const Station& at, uint32_t flying) {
  const Layout& l = batch.layout;
  const LayerRecord& layer = batch.model.layers[at.layer];
  const auto n = size_t(train_kind(layer.kind)->meeting(layer));
  if (ranks_of(host) > 1 && !gather_partials(batch, host, flying, n)) return false;
  float* const total = at.back ? l.total : l.totals + uint64_t(at.layer) * l.meeting;
  memset(total, 0, n * sizeof(float));
  for (uint32_t s = 0; s < flying; ++s) batch.model.kernels->add_f32(l.partials + uint64_t(s) * l.meeting, total, n);
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
  Pass pass(nothing, 0, nullptr);
  pass.begin(worst);
  for (uint32_t i = 0; i < pass.layers; ++i)
    for (int phase = 0; phase < train_kind(pass.model.layers[i].kind)->phases[0]; ++phase) pass.forward(i, phase);
  pass.lose();
  return pass.arena.peak;
}

uint32_t meeting_floats(const OpenModel& model) {
  uint32_t most = 0;
  for (uint32_t i = 0; i < model.layer_count; ++i) {
    const TrainKind* const kind = train_kind(model.layers[i].kind);
    const uint32_t n = kind && kind->meeting ? uint32_t(kind->meeting(model.layers[i])) : 0;
    most = n > most ? n : most;
  }
  return most;
}

bool run_group(Batch& batch, const sluice_host* host, uint32_t flying) {
  const uint32_t learns = lowest_learning(batch.model, batch.options);
  const uint32_t ranks = ranks_of(host), rank = rank_of(host);
  const uint32_t own = flying > rank ? (flying - rank + ranks - 1) / ranks : 0;
  for (Station at{0, 0, false, false}; !at.done;) {
    Leg leg{batch, at, rank, ranks};
    spread(host, own, Leg::run, &leg);
    at = go(batch.model, learns, at, nullptr);
    if (!at.done && !meet(batch, host, at, flying)) return false;
  }
  return ranks == 1 || gather_group(batch, host, flying);
}

Slice slice_of(const Layout& l, uint32_t rank, uint32_t ranks) {
  const auto cut = [&](uint32_t i) { return i == ranks ? l.shard_floats : uint32_t(uint64_t(l.shard_floats) * i / ranks) / strip_rows * strip_rows; };
  return {cut(rank), cut(rank + 1)};
}

[[gnu::noinline]] bool gather_gradient(const Layout& l, const sluice_host* host) {
  Gathering gathering(host);
  for (uint32_t rank = 0; rank < ranks_of(host); ++rank) {
    const Slice slice = slice_of(l, rank, ranks_of(host));
    if (slice.begin < slice.end) gathering.add(l.added() + slice.begin, (slice.end - slice.begin) * sizeof(float), rank);
  }
  return ranks_of(host) == 1 || gathering.go();
}

}  // namespace sluice
