// Several trainers that share every batch, as processes would, give the same bits as one trainer
// that has the whole batch.
#include <doctest/doctest.h>

#include <atomic>
#include <barrier>
#include <thread>

#include "../support/tables.h"
#include "../support/training.h"

using namespace sluice;
using namespace sluice::tests;

namespace {

/// Ranks in threads. They copy gathered pieces from arena to arena and share nothing else.
struct Mesh {
  std::vector<const sluice_piece*> given;
  std::barrier<> barrier;
  std::atomic<bool> alike{true};  ///< all ranks passed the same pieces
  explicit Mesh(uint32_t ranks) : given(ranks), barrier(ranks) {}
};

struct Rank {
  Mesh* mesh;
  uint32_t rank;
  int gathers_left;  ///< gathers before one fails; negative: none fails
  uint64_t received = 0;

  static int gather(void* context, const sluice_piece* pieces, uint32_t n) {
    Rank& own = *static_cast<Rank*>(context);
    if (own.gathers_left-- == 0) return 1;
    own.mesh->given[own.rank] = pieces;
    own.mesh->barrier.arrive_and_wait();
    for (uint32_t i = 0; i < n; ++i) {
      const sluice_piece &to = pieces[i], &from = own.mesh->given[to.from][i];
      if (from.bytes != to.bytes || from.from != to.from || from.to != to.to)
        own.mesh->alike = false;
      if (to.from == own.rank || from.bytes != to.bytes ||
          (to.to != SLUICE_EVERY_RANK && to.to != own.rank))
        continue;
      std::memcpy(to.data, from.data, size_t(to.bytes));
      own.received += to.bytes;
    }
    own.mesh->barrier.arrive_and_wait();
    return 0;
  }

  sluice_host host() {
    sluice_host h{};
    h.context = this, h.rank = rank, h.ranks = uint32_t(mesh->given.size()), h.gather = gather;
    return h;
  }
};

/// All results of a training: weights, moments, running moments, carried states and the results of
/// the steps.
struct Results {
  std::string state, blob;
  std::vector<float> carried;
  std::vector<double> reported;
  bool operator==(const Results&) const = default;
};

struct Case {
  Network network;
  sluice_train_options options;
  std::vector<std::vector<Example>> batches;
  bool carries = false;
};

Results train(const Case& c, const char* isa, const sluice_host* host,
              sluice_status* status = nullptr) {
  Training training(c.network, c.options, isa);
  Results left;
  const size_t floats = sluice_needs(&training.model.model, {1, 1}).state / sizeof(float);
  left.carried.resize(floats * c.options.max_sequences);
  for (const std::vector<Example>& batch : c.batches) {
    std::vector<sluice_sequence> sequences = sequences_of(batch);
    for (size_t i = 0; c.carries && i < sequences.size(); ++i)
      sequences[i].state = left.carried.data() + i * floats;
    sluice_train_result r{};
    const sluice_status one = sluice_train_step(&training.trainer, sequences.data(),
                                                uint32_t(sequences.size()), host, &r);
    if (status) *status = one;
    for (const double reported : {double(one), r.loss_sum, r.weight, double(r.targets),
                                  double(r.correct), r.gradient_norm, r.gradient_norm_clipped})
      left.reported.push_back(reported);
  }
  left.blob = training.stored();
  left.state.resize(sluice_train_state_bytes(&training.trainer));
  sluice_train_save(&training.trainer, left.state.data(), left.state.size());
  return left;
}

/// Trains with each rank on an instruction set of its own, which must not change the bits either.
std::vector<Results> train_together(const Case& c, uint32_t ranks, uint64_t* received = nullptr) {
  Mesh mesh(ranks);
  std::vector<Results> left(ranks);
  std::vector<std::thread> running;
  std::atomic<uint64_t> all{0};
  for (uint32_t rank = 0; rank < ranks; ++rank)
    running.emplace_back([&, rank] {
      Rank own{&mesh, rank, -1};
      const sluice_host host = own.host();
      left[rank] = train(c, every_table()[rank % every_table().size()]->name, &host);
      all += own.received;
    });
  for (std::thread& t : running) t.join();
  CHECK(mesh.alike);
  if (received) *received = all;
  return left;
}

void check_ranks(const Case& c, const std::vector<uint32_t>& counts) {
  const Results alone = train(c, nullptr, nullptr);
  for (const uint32_t ranks : counts) {
    CAPTURE(ranks);
    uint64_t received = 0;
    for (const Results& one : train_together(c, ranks, &received)) CHECK(one == alone);
    CHECK(received > 0);
  }
}

Case case_of(const Network& network, bool cross_entropy, int sequences = 21) {
  Case c{network, test_options(cross_entropy), {}};
  c.options.max_sequences = 48;
  c.options.learning_rate = 1e-2f;
  c.options.dropout_input = 0.2f, c.options.dropout_output = 0.3f;
  c.options.clip_norm = 0.5f;
  for (const int count : {sequences, 5, sequences})
    c.batches.push_back(random_examples(network, count, 11, cross_entropy, 170 + c.batches.size()));
  return c;
}

}  // namespace

TEST_CASE("ranks that share every batch have the bits of one process, for every kind of layer") {
  for (const Named& one : every_network()) {
    if (one.network.layers.front().kind == SLUICE_STANDARDIZE && one.network.layers.size() == 1)
      continue;
    CAPTURE(one.name);
    check_ranks(case_of(one.network, false), {sparse() ? 3u : 2u});
  }
}

TEST_CASE(
    "ranks that share every batch have the bits of one process, for any number of ranks, sequences "
    "and shards of a group") {
  const Network network =
      random_network(5, {standardize(), gru(17, every_step), gru(9), dense(4, SLUICE_SOFTMAX)});
  for (const int sequences : {1, 8, 21, 43})
    for (const uint32_t shards : {1u, 3u, 8u}) {
      Case c = case_of(network, true, sequences);
      c.options.shards = shards;
      CAPTURE(sequences);
      CAPTURE(shards);
      const Results alone = train(c, nullptr, nullptr);
      for (const uint32_t ranks : {2u, 4u, 7u})
        for (const Results& one : train_together(c, ranks)) CHECK(one == alone);
    }
}

TEST_CASE(
    "ranks exchange sums in the middle of batch normalizations, and update the running moments in "
    "the same way") {
  const Network network = random_network(
      3, {gru(9, every_step), norm(SLUICE_BATCH_NORM), cell(SLUICE_LSTM, 7, every_step),
          norm(SLUICE_BATCH_NORM), gru(5), dense(3, SLUICE_SOFTMAX)});
  check_ranks(case_of(network, true, 43), {2, 3, 4, 6});
}

TEST_CASE("every rank knows all ids of a batch") {
  const Network network = random_network(50, {embedding(13), gru(9), dense(3, SLUICE_SOFTMAX)});
  for (const bool seen_only : {false, true}) {
    Case c = case_of(network, true, 43);
    c.options.embedding_rows = seen_only;
    c.options.l2 = 1e-2f;
    check_ranks(c, {2, 3, 6});
  }
}

TEST_CASE("ranks carry all states forward") {
  const Network networks[] = {random_network(20, {embedding(6), cell(SLUICE_LSTM, 9, every_step),
                                                  dense(20, SLUICE_SOFTMAX)}),
                              random_network(3, {gru(9, every_step), norm(SLUICE_BATCH_NORM),
                                                 gru(4, every_step), dense(3, SLUICE_SOFTMAX)})};
  for (const Network& network : networks) {
    Case c = case_of(network, true, 21);
    c.batches[1] = random_examples(network, 21, 7, true, 180);
    c.carries = true;
    check_ranks(c, {2, 3});
  }
}

TEST_CASE(
    "if ranks cannot gather, the step ends with that status and does not change the weights; a "
    "rank out of range is refused") {
  const std::vector<Spec> common = {gru(4, every_step), norm(SLUICE_BATCH_NORM), gru(4),
                                    dense(3, SLUICE_SOFTMAX)};
  std::vector<Spec> embeds = common;
  embeds.insert(embeds.begin(), embedding(5));
  for (const std::vector<Spec>& specs : {common, embeds}) {
    Case c = case_of(random_network(9, specs), true, 21), nothing = c;
    nothing.batches.clear();
    c.batches.resize(1);
    const Results before = train(nothing, nullptr, nullptr);
    const auto status_of = [&](uint32_t rank, int gathers_left) {
      Mesh mesh(1);
      Rank own{&mesh, rank, gathers_left};
      sluice_host host = own.host();
      host.ranks = 2;  // the other rank does not exist; gather returns zeros for its pieces
      host.gather = [](void* context, const sluice_piece* pieces, uint32_t n) {
        Rank& here = *static_cast<Rank*>(context);
        for (uint32_t i = 0; i < n; ++i)
          if (pieces[i].from != here.rank) std::memset(pieces[i].data, 0, size_t(pieces[i].bytes));
        return int(here.gathers_left-- == 0);
      };
      sluice_status status = SLUICE_OK;
      const Results left = train(c, nullptr, &host, &status);
      CHECK((left.state == before.state && left.blob == before.blob));
      return status;
    };
    // Two gathers forward, one backward and the group's gradients; then the rows of an embedding,
    // or the sums.
    for (const int gathers_left : {0, 1, 2, 3, 4})
      CHECK_EQ(status_of(0, gathers_left), SLUICE_GATHER);
    CHECK_EQ(status_of(2, -1), SLUICE_OPTIONS);
  }
}
