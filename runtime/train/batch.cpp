// The arena's layout, the checks of a batch, and its gradient.
#include "batch.h"

#include <string.h>

#include "options.h"

namespace sluice {
namespace {

/// Returns the widest input or output of a layer, padded; at least `least`.
int widest_units(const OpenModel& model, int least) {
  int most = least;
  for (uint32_t i = 0; i < model.layer_count; ++i) {
    const int units = padded(int(model.layers[i].out)), in = padded(int(model.layers[i].in)),
              cells = padded(int(cells_of(model.layers[i])));
    most = units > most ? units : most;
    most = cells > most ? cells : most;
    most = in > most ? in : most;
  }
  return most;
}

/// Transposes the weights for the backward passes of a batch.
void prepare_layers(const Batch& batch) {
  const uint32_t learns = lowest_learning(batch.model, batch.options);
  for (uint32_t i = learns; i < batch.model.layer_count; ++i) {
    Arena at(batch.arena + batch.layout.prepared[i]);
    train_kind(batch.model.layers[i].kind)
        ->prepare(batch.model.layers[i], batch.layout.pass_weights, i > learns, at);
  }
}

bool good_classes(const sluice_sequence& s, int answers, int classes) {
  for (int a = 0; a < answers; ++a)
    if (s.classes[a] < -1 || s.classes[a] >= classes) return false;
  return true;
}

/// Returns whether the values of a goal with classes are classes, or NaN.
bool good_class_values(const sluice_sequence& s, int answers, const Goal& goal, int width) {
  for (int a = 0; a < answers; ++a) {
    const float value = s.values[ptrdiff_t(a) * width + goal.target];
    if (value == value &&
        !(value >= 0.0f && value < float(goal.outputs) && value == float(int32_t(value))))
      return false;
  }
  return true;
}

/// @param answers  the number of its rows of targets
bool good_targets(const OpenModel& model, const sluice_sequence& s,
                  const sluice_train_options& options, int answers) {
  const int outputs = int(model.header().outputs);
  if (by_class(options, s)) {
    if (!s.classes || (options.loss == SLUICE_BINARY && outputs != 1)) return false;
    return good_classes(s, answers, options.loss == SLUICE_BINARY ? 2 : outputs);
  }
  if (!s.values) return false;
  for (uint32_t i = 0; options.answers && i < goals_of(model, options); ++i) {
    const Goal goal = goal_of(model, options, i);
    if (goal.loss == SLUICE_CROSS_ENTROPY &&
        !good_class_values(s, answers, goal, targets_of(model, options)))
      return false;
  }
  return true;
}

/// Adds up a slice of the gradients of a group's shards, in the order of the shards, a chunk a
/// task.
struct AddTask {
  const Batch& batch;
  uint32_t shards;
  Slice slice;
  static constexpr uint32_t chunk = 1u << 14;

  uint32_t tasks() const { return (slice.end - slice.begin + chunk - 1) / chunk; }

  static void run(void* argument, uint32_t i) {
    const AddTask& t = *static_cast<AddTask*>(argument);
    const Layout& l = t.batch.layout;
    const uint32_t at = t.slice.begin + i * chunk,
                   n = t.slice.end - at < chunk ? t.slice.end - at : chunk;
    for (uint32_t s = 0; s < t.shards; ++s)
      t.batch.model.kernels->add_f32(l.shard_gradients + uint64_t(s) * l.shard_floats + at,
                                     l.added() + at, n);
  }
};

/// Adds up the shards' gradients of an embedding, in the order of the shards, and marks the ids
/// that occur in the batch.
void add_id_gradients(const Batch& batch, uint32_t shards) {
  const LayerRecord& layer = batch.model.layers[0];
  if (layer.kind != SLUICE_EMBEDDING || is_frozen(batch.options, 0)) return;
  const Layout& l = batch.layout;
  const int units = padded(int(layer.out)), ids = int(layer.in);
  float* const gradient = l.gradient + (layer.w_ih - l.section_begin) / sizeof(float);
  for (uint32_t s = 0; s < shards; ++s) {
    const uint8_t* const memory = l.shard_memory + uint64_t(s) * l.shard_bytes;
    const IdGradients& gradients = l.states[s].id_gradients;
    const auto* const id = reinterpret_cast<const int32_t*>(memory + gradients.ids);
    const auto* const rows = reinterpret_cast<const float*>(memory + gradients.rows);
    for (uint32_t i = 0; i < gradients.count; ++i) {
      l.batch_ids[id[i]] = 1;
      for (int row = 0; row < units; row += strip_rows)
        batch.model.kernels->add_f32(rows + ptrdiff_t(i) * units + row,
                                     gradient + packed_index(units, ids, row, id[i]),
                                     size_t(units - row < strip_rows ? units - row : strip_rows));
    }
  }
}

}  // namespace

int zeros_needed(const OpenModel& model) { return widest_units(model, strip_rows); }

Layout lay_out(const OpenModel& model, const sluice_train_options& options, Arena& arena) {
  const BlobSection& section = *find_section(model.blob, SLUICE_SECTION_WEIGHTS);
  Layout l{};
  l.section_begin = section.offset;
  l.section_floats = section.bytes / uint32_t(sizeof(float));
  l.weights_end = section.offset + section.bytes;
  const uint32_t most = (options.max_sequences + shard_sequences - 1) / shard_sequences;
  // Sums over the batch need all of its shards in memory at the same time.
  l.shards = options.shards < most && !most_batch_sums(model) ? options.shards : most;

  l.weights = arena.take<uint8_t>(l.weights_end);
  l.pass_weights = options.rounding ? arena.take<uint8_t>(l.weights_end) : l.weights;
  l.gradient = arena.take<float>(l.section_floats);
  l.first = arena.take<float>(l.section_floats);
  l.second = arena.take<float>(l.section_floats);
  l.zeros = arena.take<float>(uint64_t(zeros_needed(model)));
  const LayerRecord& first = model.layers[0];
  const bool embeds = first.kind == SLUICE_EMBEDDING && first.w_ih == l.section_begin;
  Weights table[most_arrays];
  l.shard_begin = l.section_begin +
                  (embeds && layer_weights(first, table) ? uint32_t(dense_bytes(table[0])) : 0);
  l.shard_floats = (l.weights_end - l.shard_begin) / uint32_t(sizeof(float));
  l.shard_gradients = arena.take<float>(uint64_t(l.shards) * l.shard_floats);
  l.batch_ids = arena.take<uint8_t>(first.kind == SLUICE_EMBEDDING ? first.in : 0);
  l.states = arena.take<ShardState>(l.shards);
  l.batch_sums = most_batch_sums(model);
  l.partials = arena.take<float>(uint64_t(l.shards) * l.batch_sums);
  l.totals = arena.take<float>(uint64_t(model.layer_count) * l.batch_sums);
  l.total = arena.take<float>(l.batch_sums);
  l.prepared = arena.take<uint64_t>(model.layer_count);
  const uint32_t learns = lowest_learning(model, options);
  for (uint32_t i = 0; i < model.layer_count; ++i) {
    if (!arena.measures()) l.prepared[i] = arena.used;
    Arena measure(nullptr);
    train_kind(model.layers[i].kind)->prepare(model.layers[i], model.blob, i > learns, measure);
    arena.take<uint8_t>(measure.peak);
  }

  const uint32_t n =
      options.max_sequences < shard_sequences ? options.max_sequences : shard_sequences;
  Shard worst{int(n), int(options.max_steps), {}, {}};
  for (int& length : worst.length) length = int(options.max_steps);
  l.shard_bytes = shard_needs(Batch{model, options, l}, worst);
  l.shard_memory = arena.take<uint8_t>(uint64_t(l.shards) * l.shard_bytes);
  return l;
}

bool good_batch(const OpenModel& model, const sluice_train_options& options,
                const sluice_sequence* sequences, uint32_t n, TargetSum targets[most_sources]) {
  if (!sequences || n < 1 || n > options.max_sequences) return false;
  const bool every = answers_every_step(model), ids = model.layers[0].kind == SLUICE_EMBEDDING;
  for (uint32_t g = 0; g < most_sources; ++g) targets[g] = {0.0, 0};
  for (uint32_t i = 0; i < n; ++i) {
    const sluice_sequence& s = sequences[i];
    if (!(ids ? s.ids != nullptr : s.x != nullptr) || s.steps < 1 || s.steps > options.max_steps)
      return false;
    if ((s.state && !can_carry(model)) || answer_count(model, s.steps) == 0) return false;
    if (!good_targets(model, s, options, every ? int(s.steps) : 1)) return false;
    for (uint32_t g = 0; g < goals_of(model, options); ++g) {
      const TargetSum own = valid_targets(model, options, goal_of(model, options, g), s);
      targets[g].weight += own.weight, targets[g].count += own.count;
    }
  }
  return true;
}

bool batch_gradient(Batch& batch, const sluice_host* host, sluice_train_result& result) {
  const Layout& l = batch.layout;
  if (const sluice_rounding* const rounding = batch.options.rounding)
    rounding->round_weights(rounding->context,
                            reinterpret_cast<const float*>(l.weights + l.section_begin),
                            reinterpret_cast<float*>(l.pass_weights + l.section_begin));
  prepare_layers(batch);
  memset(l.gradient, 0, size_t(l.section_floats) * sizeof(float));
  if (batch.model.layers[0].kind == SLUICE_EMBEDDING)
    memset(l.batch_ids, 0, batch.model.layers[0].in);
  const uint32_t shards = (batch.count + shard_sequences - 1) / shard_sequences;
  for (batch.first = 0; batch.first < shards; batch.first += l.shards) {
    const uint32_t group_shards = shards - batch.first < l.shards ? shards - batch.first : l.shards;
    if (!run_group(batch, host, group_shards)) return false;
    AddTask add{batch, group_shards, slice_of(l, rank_of(host), ranks_of(host))};
    run_tasks(host, add.tasks(), AddTask::run, &add);
    add_id_gradients(batch, group_shards);
    for (uint32_t s = 0; s < group_shards; ++s) {
      result.loss_sum += l.states[s].loss.sum;
      result.targets += l.states[s].loss.targets;
      result.correct += l.states[s].loss.correct;
    }
  }
  return gather_gradient(l, host);
}

}  // namespace sluice
