// Measures the gain from a second process of mpirun: a step of training by one process and by two
// ranks that share its shards, one thread each, in turns. Also measures the cost of their
// communication, by ping-pong and within the steps. Started by ranks.sh.
#include "common/ranks.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#include "../tools/model/pack.h"
#include "common/error.h"
#include "common/print.h"
#include "model/model_file.h"
#include "model/network.h"
#include "sluice_train.h"
#include "train/train.h"

namespace sluice::tools {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int shapes[][4] = {
    {12, 32, 29, 16}, {9, 64, 128, 64}, {64, 128, 64, 32}, {64, 256, 100, 64}, {64, 512, 100, 64}};
constexpr int classes = 9, turns = 31;

double ms_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

double fastest(const std::vector<double>& v) { return *std::min_element(v.begin(), v.end()); }

/// Returns the time of one way in ms: half of the time that the bytes take to rank 1 and back.
double one_way(std::size_t bytes, int times) {
  std::vector<char> memory(bytes);
  std::vector<double> each;
  for (int i = 0; i < times; ++i) {
    const auto begin = Clock::now();
    for (const std::uint32_t from : {0u, 1u}) {
      const sluice_piece piece{memory.data(), bytes, from, SLUICE_EVERY_RANK};
      exchange({&piece, 1});
    }
    each.push_back(ms_since(begin) / 2);
  }
  return median(each);
}

/// The cost of the ranks' communication, waiting included.
struct Talk {
  double ms = 0;
  std::uint64_t calls = 0, sent = 0;
};

std::uint32_t own_rank() { return std::uint32_t(ranks().rank); }

int gather(void* context, const sluice_piece* pieces, std::uint32_t n) {
  Talk& talk = *static_cast<Talk*>(context);
  const auto begin = Clock::now();
  exchange({pieces, n});
  talk.ms += ms_since(begin);
  ++talk.calls;
  for (std::uint32_t i = 0; i < n; ++i) {
    const sluice_piece& piece = pieces[i];
    // Every piece goes to the only other rank.
    if (piece.from == own_rank() && piece.to != own_rank()) talk.sent += piece.bytes;
  }
  return 0;
}

struct Training {
  OwnedModel model;
  AlignedBytes arena;
  sluice_trainer trainer{};
  std::vector<float> x;
  std::vector<std::int32_t> labels;
  std::vector<sluice_sequence> sequences;

  Training(int in, int hidden, int steps, int batch)
      : x(std::size_t(batch * steps * in)), labels(std::size_t(batch)) {
    Network network;
    network.layers = {make_layer(SLUICE_GRU, in, hidden),
                      make_layer(SLUICE_DENSE, hidden, classes)};
    network.layers[1].activation = SLUICE_SOFTMAX;
    initialize(network, 1);
    model = open_model(write_blob(network), "the network");
    sluice_train_options options = sluice_train_defaults();
    options.max_sequences = std::uint32_t(batch), options.max_steps = std::uint32_t(steps);
    arena = AlignedBytes(std::size_t(sluice_train_needs(&model.model, &options)));
    if (sluice_train_start(&trainer, &model.model, &options, arena.data.get(), arena.size) !=
        SLUICE_OK)
      fail("the trainer does not start");
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = float(i * 37 % 101) / 50 - 1;
    for (int i = 0; i < batch; ++i) {
      labels[std::size_t(i)] = i % classes;
      sequences.push_back({x.data() + i * steps * in, std::uint32_t(steps), std::uint64_t(i),
                           &labels[std::size_t(i)], nullptr, nullptr, nullptr, 0});
    }
  }

  double step(const sluice_host* host) {
    const auto begin = Clock::now();
    if (sluice_train_step(&trainer, sequences.data(), std::uint32_t(sequences.size()), host,
                          nullptr) != SLUICE_OK)
      fail("no step");
    return ms_since(begin);
  }
};

/// Latency and bandwidth between two ranks, by ping-pong.
struct Wire {
  double latency_ms, bytes_per_ms;
};

void measure(const int (&shape)[4], const Wire& wire, std::vector<std::vector<std::string>>& rows) {
  Training alone(shape[0], shape[1], shape[2], shape[3]),
      shared(shape[0], shape[1], shape[2], shape[3]);
  Talk talk;
  const sluice_host host{&talk, nullptr, own_rank(), 2, gather};
  std::vector<double> one, two, talks;
  for (int turn = 0; turn <= turns; ++turn) {
    one_way(1, 1);  // so that both ranks begin together
    if (own_rank() == 0) one.push_back(alone.step(nullptr));
    one_way(1, 1);
    talk = {};
    two.push_back(shared.step(&host));
    talks.push_back(talk.ms);
  }
  // The first turn touches the memory for the first time.
  for (auto* list : {&one, &two, &talks})
    if (!list->empty()) list->erase(list->begin());
  if (own_rank() > 0) return;
  std::size_t bytes = 0;
  sluice_section(&alone.model.model, SLUICE_SECTION_WEIGHTS, &bytes);
  const int shards = (shape[3] + 7) / 8;
  const std::size_t weights = bytes / sizeof(float);
  const double ns_each = fastest(one) * 1e6 / (double(weights) * shape[2] * shards);
  const int own_shards = (shards + 1) / 2;
  const double modeled = fastest(one) * own_shards / shards + double(talk.calls) * wire.latency_ms +
                         double(talk.sent) / wire.bytes_per_ms;
  const auto text = [](double v, int digits) { return fmt::format("{:.{}f}", v, digits); };
  rows.push_back({fmt::format("({},{},{},{})", shape[0], shape[1], shape[2], shape[3]),
                  with_commas(weights), text(median(one), 3), text(median(two), 3),
                  text(median(one) / median(two), 2), text(fastest(one), 3), text(fastest(two), 3),
                  text(fastest(one) / fastest(two), 2), text(modeled, 3), text(ns_each, 3),
                  with_commas(talk.sent), text(median(talks), 3)});
}

void run() {
  join_ranks();
  if (ranks().count != 2)
    refuse("bench_ranks: runs by two ranks; give mpirun -n 2 (bench/ranks.sh does)");
  constexpr std::size_t large = std::size_t(1) << 23;
  one_way(1, 1000), one_way(large, 3);
  const Wire wire{one_way(1, 10000), double(large) / one_way(large, 101)};
  print("ping-pong, one way, medians: a byte {:.2f} us; 8 MiB {:.0f} MB/s\n", wire.latency_ms * 1e3,
        wire.bytes_per_ms / 1e3);
  std::vector<std::vector<std::string>> rows = {{"in,hidden,steps,batch", "floats", "one: ms",
                                                 "two: ms", "ratio", "fastest one", "two", "ratio",
                                                 "modeled two", "c: ns", "bytes sent", "talk: ms"}};
  for (const auto& shape : shapes) measure(shape, wire, rows);
  print("{}", table(rows));
  flush_output();
}

}  // namespace
}  // namespace sluice::tools

int main() {
  int exit_code = 0;
  std::string line;
  try {
    sluice::tools::run();
  } catch (const sluice::tools::Error& error) {
    exit_code = error.exit_code, line = error.what();
    if (!line.empty()) sluice::tools::write_stderr(line + "\n");
  }
  sluice::tools::leave_ranks(exit_code, line);
  return exit_code;
}
