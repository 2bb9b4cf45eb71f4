// Opens 100,000 variants of blobs, three quarters of them with a corrected checksum. Each gives a
// status, or a model that stays inside its memory. The test is strongest under AddressSanitizer
// (the dev preset), since every buffer is exactly as large as announced.
#include <doctest/doctest.h>

#include "../support/fixed_models.h"
#include "../support/forge.h"
#include "../support/tables.h"
#include "data/vocabulary.h"
#include "model/pack.h"
#include "model/vocabulary.h"
#include "sluice_train.h"

using namespace sluice;
using namespace sluice::tests;

namespace {

#if defined(SLUICE_SANITIZED)
const int variants = 100000;
#else
// An emulated run shows nothing that the native one does not.
const int variants = sparse() ? 20000 : 100000;
#endif

/// The most bytes of memory of a model that is run; larger ones are only opened.
constexpr size_t affordable = 1 << 20;

std::vector<Spec> graph(const std::string& wanted) {
  for (auto& [name, specs] : every_graph())
    if (name == wanted) return specs;
  FAIL("no graph ", wanted);
  std::abort();
}

std::vector<std::string> seeds() {
  Network named =
      random_network(3, {standardize(), gru(3, every_step), gru(2), dense(2, SLUICE_SOFTMAX)}, 1);
  named.labels = {"a", "b"};
  named.inputs = {"x", "y", "z"};
  Network reads = random_network(1, {gru(1)}, 7);
  reads.vocabulary =
      tools::vocabulary_section({{true, true}, {"\xC3\xA4", "of", "the", "o", "off"}});
  return {
      tools::write_blob(named),
      tools::write_blob(reads),
      tools::write_blob(random_network(2, {gru(9, every_step), dense(3, SLUICE_TANH)}, 2)),
      tools::write_blob(random_network(1, {dense(1)}, 3)),
      tools::write_blob(random_network(5, {gru(1)}, 4)),
      tools::write_blob(random_fixed_network(
          3, {gru(3, every_step), gru(2), dense(2, SLUICE_SOFTMAX)}, SLUICE_INT8, Numbers::any, 5)),
      tools::write_blob(random_fixed_network(2, {dense(9, SLUICE_RELU), gru(9), dense(3)},
                                             SLUICE_W8A16, Numbers::any, 6)),
      tools::write_blob(random_fixed_network(
          3, {cell(SLUICE_LSTM, 3, every_step), cell(SLUICE_GRU_BEFORE, 2), dense(2)}, SLUICE_W8A16,
          Numbers::any, 8)),
      tools::write_blob(random_fixed_network(
          5, {embedding(3), cell(SLUICE_RNN, 9, every_step), cell(SLUICE_LSTM, 2)}, SLUICE_INT8,
          Numbers::any, 9)),
      tools::write_blob(random_network(
          3, {low_rank(gru(4, every_step), 2), low_rank(cell(SLUICE_FASTGRNN, 3), 1)}, 12)),
      tools::write_blob(random_fixed_network(
          3, {low_rank(cell(SLUICE_GRU_BEFORE, 4, every_step), 2), low_rank(gru(3), 1)},
          SLUICE_INT8, Numbers::any, 13)),
      tools::write_blob(
          with_empty_blocks(random_fixed_network(20, {gru(9, every_step), dense(9, SLUICE_SOFTMAX)},
                                                 SLUICE_INT8, Numbers::any, 8),
                            0.6, 9)),
      tools::write_blob(with_empty_blocks(
          random_fixed_network(2, {gru(17), dense(3)}, SLUICE_W8A16, Numbers::any, 10), 0.4, 11)),
      tools::write_blob(random_network(
          3,
          {candidate(gru(4, every_step), SLUICE_ELU), dense(3, SLUICE_PRELU), dense(3, SLUICE_CLIP),
           candidate(cell(SLUICE_LSTM, 2), SLUICE_RELU), dense(2, SLUICE_GELU)},
          20)),
      tools::write_blob(
          random_fixed_network(3,
                               {gates(candidate(cell(SLUICE_LSTM, 3, every_step), SLUICE_RELU),
                                      SLUICE_HARD_SIGMOID, 0.2f),
                                candidate(cell(SLUICE_GRU_BEFORE, 3, every_step), SLUICE_LINEAR),
                                candidate(low_rank(gru(3), 1), SLUICE_RELU)},
                               SLUICE_INT8, Numbers::any, 21)),
      tools::write_blob(random_network(
          3,
          {peepholes(clipped_cells(
               projected(initial_state(both(cell(SLUICE_LSTM, 5, every_step))), 3), 1)),
           initial_state(low_rank(gru(4), 2))},
          22)),
      tools::write_blob(random_fixed_network(3,
                                             {initial_state(cell(SLUICE_LSTM, 3, every_step)),
                                              initial_state(cell(SLUICE_FASTGRNN, 3))},
                                             SLUICE_INT8, Numbers::any, 23)),
      tools::write_blob(random_network(3, graph("dense connections"), 14)),
      tools::write_blob(random_network(3, graph("two answers"), 15)),
      tools::write_blob(random_network(9, graph("the last frame beside the last step"), 16)),
      tools::write_blob(random_fixed_network(9, graph("residual"), SLUICE_INT8, Numbers::any, 17)),
      tools::write_blob(
          random_fixed_network(3, graph("two answers"), SLUICE_INT8, Numbers::any, 18)),
      tools::write_blob(random_fixed_network(5, graph("mask"), SLUICE_W8A16, Numbers::any, 19)),
      tools::write_blob(
          random_fixed_network(3, graph("joins of joins"), SLUICE_W8A16, Numbers::any, 20))};
}

/// Makes one change. Most of them are in the header, the tables and the records, since other bytes
/// have no structure.
/// @param table_end  of the layers' records
void mutate(Forged& f, size_t table_end, Noise& noise) {
  const size_t size = f.bytes.size();
  if (size < 4) return;
  static const uint32_t interesting[] = {
      0,          1,          2,          3,          4,          7,          8,
      9,          15,         16,         17,         63,         64,         65,
      128,        255,        256,        4096,       65535,      65536,      65537,
      0x7FFFFFFF, 0x80000000, 0xFFFFFFC0, 0xFFFFFFF0, 0xFFFFFFFF, 0x40000000, 0x7F800000};
  const size_t front = std::min<size_t>(size, std::max<size_t>(table_end, 512));
  const size_t at = size_t(noise.below(noise.below(4) ? int(front) : int(size)));
  const size_t word = at / 4 * 4;
  switch (noise.below(9)) {
    case 0:
      f.data()[at] ^= uint8_t(1u << noise.below(8));
      break;
    case 1:
      f.data()[at] = uint8_t(noise.word());
      break;
    case 2:
      if (word + 4 <= size) f.write(word, interesting[noise.below(int(std::size(interesting)))]);
      break;
    case 3:
      if (word + 4 <= size) f.write(word, f.read<uint32_t>(word) + uint32_t(noise.below(5) - 2));
      break;
    case 4:
      if (word + 4 <= size)
        f.write(word, f.read<uint32_t>(word) + 64u * uint32_t(noise.below(9) - 4));
      break;
    case 5:
      if (word + 4 <= size) f.write(word, uint32_t(size) - uint32_t(noise.below(128)));
      break;
    case 6: {  // copies one part over another
      const size_t n = std::min<size_t>(size_t(1 + noise.below(64)), size - at),
                   from = size_t(noise.below(int(size - n + 1)));
      const std::string part = f.bytes.substr(from, n);
      f.bytes.replace(at, n, part);
      break;
    }
    case 7:
      if (noise.below(8) == 0) f.bytes.resize(size_t(noise.below(int(size + 200))));
      break;
    default:
      f.data()[at] = uint8_t(noise.below(6));
      break;  // hits kinds, flags and small numbers
  }
}

/// Sometimes writes the true size into the header, so that a blob that was cut or lengthened passes
/// the first check too.
void write_true_size(Forged& f, Noise& noise) {
  if (f.bytes.size() >= sizeof(BlobHeader) && noise.below(8) == 0)
    f.write(offsetof(BlobHeader, bytes), uint32_t(f.bytes.size()));
}

void try_out(const sluice_model& model, size_t blob_bytes, Noise& noise) {
  const sluice_info info = sluice_describe(&model);
  REQUIRE(info.bytes <= blob_bytes);
  for (uint32_t l = 0; l < info.layers; ++l)
    REQUIRE(sluice_layer_name(sluice_describe_layer(&model, l).kind) != nullptr);
  unsigned sum = unsigned(sluice_hash(&model));
  for (uint32_t kind = 0; kind < 9; ++kind) {
    size_t bytes = 0;
    const auto* section = static_cast<const uint8_t*>(sluice_section(&model, kind, &bytes));
    for (size_t i = 0; i < bytes; ++i) sum += section[i];
  }
  const sluice_vocabulary vocabulary = sluice_vocabulary_of(&model);
  for (int32_t id = -1; id <= int32_t(vocabulary.ids); ++id) {
    size_t bytes = 0;
    const char* token = sluice_token(&model, id, &bytes);
    for (size_t i = 0; i < bytes; ++i) sum += uint8_t(token[i]);
  }
  static const char text[] = "The O\xC3\x84 off\xE3\x80\x80\xC3 o";
  for (size_t at = 0; at < sizeof text - 1;) {
    const int32_t id = sluice_next_id(&model, text, sizeof text - 1, &at);
    if (id < 0) break;
    REQUIRE(id < int32_t(vocabulary.ids));
    sum += unsigned(id);
  }
  static volatile unsigned seen;
  seen = seen + sum;  // uses the read bytes, so that the compiler keeps the reads
  const sluice_use use = {uint32_t(1 + noise.below(3)), uint32_t(1 + noise.below(3))};
  const sluice_need need = sluice_needs(&model, use);
  if (need.state + need.scratch > affordable || info.inputs + info.outputs > 4096) return;
  Memory scratch(need.scratch);
  std::vector<std::unique_ptr<Memory>> states;
  std::vector<sluice_stream> streams(use.streams);
  std::vector<sluice_stream*> handles;
  for (sluice_stream& stream : streams) {
    states.push_back(std::make_unique<Memory>(need.state));
    REQUIRE_EQ(sluice_start(&stream, &model, use, states.back()->data(), need.state, scratch.data(),
                            need.scratch),
               SLUICE_OK);
    handles.push_back(&stream);
  }
  const size_t n = std::max(use.steps + 1, use.streams);
  const std::vector<float> x = noise.uniform(n * info.inputs);
  std::vector<float> y((info.every_step ? use.steps + 1 : 1) * size_t(info.outputs)),
      many(use.streams * size_t(info.outputs));
  sluice_run(handles[0], x.data(), y.data(), use.steps + 1);
  sluice_step_many(handles.data(), use.streams, x.data(), many.data(), nullptr);
}

/// Returns whether the trainer accepted the model. It may refuse, and must stay inside its arena.
bool train(const sluice_model& model, Noise& noise) {
  const sluice_info info = sluice_describe(&model);
  sluice_train_options options = sluice_train_defaults();
  options.loss = noise.below(2) ? SLUICE_MSE : SLUICE_CROSS_ENTROPY;
  options.max_sequences = 2;
  options.max_steps = 3;
  options.shards = 1;
  const uint64_t bytes = sluice_train_needs(&model, &options);
  if (bytes == 0 || bytes > affordable || info.inputs + info.outputs > 4096) return false;
  Memory arena(bytes);
  sluice_trainer trainer;
  if (sluice_train_start(&trainer, &model, &options, arena.data(), bytes) != SLUICE_OK)
    return false;
  const std::vector<float> x = noise.uniform(3 * size_t(info.inputs)),
                           values = noise.uniform(3 * size_t(info.outputs));
  const std::vector<int32_t> classes = {0, -1, 0};
  const sluice_sequence sequences[] = {
      {x.data(), 3, 0, classes.data(), values.data(), classes.data(), nullptr, 0},
      {x.data(), 1, 1, classes.data(), values.data(), classes.data(), nullptr, 0}};
  REQUIRE_EQ(sluice_train_step(&trainer, sequences, 2, nullptr, nullptr), SLUICE_OK);
  return true;
}

}  // namespace

TEST_CASE(
    "a hundred thousand variants of blobs give a status or a model that stays inside its memory") {
  const std::vector<std::string> blobs = seeds();
  std::vector<size_t> table_end;
  for (const std::string& blob : blobs) {
    const Forged f(blob);
    table_end.push_back(f.layer(f.read<uint32_t>(offsetof(BlobHeader, layers))));
  }
  Noise noise(100);
  int opened = 0, trained = 0;
  std::vector<int> opened_of(blobs.size());
  std::vector<int> statuses(SLUICE_STATUS_COUNT);
  for (int i = 0; i < variants; ++i) {
    const size_t seed = size_t(i) % blobs.size(), round = size_t(i) / blobs.size();
    Forged f(blobs[seed]);
    for (int changes = 1 + noise.below(3); changes > 0; --changes)
      mutate(f, table_end[seed], noise);
    write_true_size(f, noise);
    if (round % 4 != 0 && f.bytes.size() >= sizeof(BlobHeader)) {
      const size_t said = f.read<uint32_t>(offsetof(BlobHeader, bytes));
      if (said >= sizeof(BlobHeader) && said <= f.bytes.size()) {
        const Memory part(std::string_view(f.bytes).substr(0, said));
        f.write(offsetof(BlobHeader, crc), blob_crc(part.data(), said));
      }
    }
    const Memory blob(f.bytes);
    sluice_model model;
    const sluice_status status =
        sluice_open(&model, blob.data(), blob.size, round % 2 ? "scalar" : nullptr);
    REQUIRE(unsigned(status) < unsigned(SLUICE_STATUS_COUNT));
    ++statuses[size_t(status)];
    if (status != SLUICE_OK) continue;
    ++opened, ++opened_of[seed];
    try_out(model, blob.size, noise);
    if (opened % 8 == 0) trained += train(model, noise);
  }
  // The test would show nothing if open refused all variants.
  CHECK(opened >= variants / 20);
  CHECK(trained >= variants / 1000);
  for (const int of_seed : opened_of) CHECK(of_seed > 0);
  for (const sluice_status s :
       {SLUICE_TRUNCATED, SLUICE_NOT_A_BLOB, SLUICE_NEWER_FORMAT, SLUICE_CHECKSUM, SLUICE_STRUCTURE,
        SLUICE_LAYER_MISSING, SLUICE_FORMAT_MISSING, SLUICE_SHAPE, SLUICE_WEIGHTS, SLUICE_ORDER}) {
    CAPTURE(std::string(sluice_status_name(s)));
    CHECK(statuses[size_t(s)] > 0);
  }
}
