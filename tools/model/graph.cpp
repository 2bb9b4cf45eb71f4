#include "graph.h"

#include <algorithm>
#include <cstdint>
#include <numeric>

#include "kernels/kernels.h"

namespace sluice::tools {

std::vector<std::uint32_t> sources_of(const Network& network, std::size_t layer) {
  const Layer& l = network.layers[layer];
  return l.sources.empty() ? std::vector<std::uint32_t>{std::uint32_t(layer)} : l.sources;
}

std::vector<std::uint32_t> readers_of(const Network& network, std::uint32_t source) {
  std::vector<std::uint32_t> readers;
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const std::vector<std::uint32_t> sources = sources_of(network, l);
    if (std::find(sources.begin(), sources.end(), source) != sources.end())
      readers.push_back(std::uint32_t(l) + 1);
  }
  return readers;
}

int width_of(const Network& network, std::uint32_t source) {
  return source ? network.layers[source - 1].out : frame_width(network);
}

bool is_chain(const Network& network) {
  for (std::size_t l = 0; l < network.layers.size(); ++l)
    if (sources_of(network, l) != std::vector<std::uint32_t>{std::uint32_t(l)}) return false;
  return true;
}

std::vector<bool> one_row_per_sequence(const Network& network) {
  std::vector<bool> once;
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    bool here = network.layers[l].ends_steps();
    for (const std::uint32_t source : sources_of(network, l))
      here = here || (source && once[source - 1]);
    once.push_back(here);
  }
  return once;
}

Clock answered_steps(const Network& network) {
  Clock steps;
  for (const Layer& layer : network.layers) {
    if (!layer.thins()) continue;
    steps = steps.then({std::uint64_t(layer.first), std::uint64_t(layer.stride)});
    if (!steps.fits()) break;
  }
  return steps;
}

std::size_t reads_other_steps(const Network& network) {
  std::size_t thins = 0;
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    for (const std::uint32_t source : sources_of(network, l))
      if (source < thins) return l + 1;
    if (network.layers[l].thins()) thins = l + 1;
  }
  return 0;
}

std::vector<std::uint32_t> answers_of(const Network& network) {
  if (answers_in_parts(std::uint32_t(network.layers.back().kind)))
    return sources_of(network, network.layers.size() - 1);
  return {std::uint32_t(network.layers.size())};
}

bool is_answer(const Network& network, std::size_t layer) {
  const std::vector<std::uint32_t> answers = answers_of(network);
  return layer + 1 == network.layers.size() ||
         std::count(answers.begin(), answers.end(), std::uint32_t(layer) + 1) > 0;
}

namespace {

/// An output, and the layers during which it must keep its place.
struct Life {
  std::uint32_t size, begin, end;
};

/// Places outputs in the given order, each in the lowest gap among those that live at the same
/// time.
std::vector<std::uint32_t> place_in_order(const std::vector<Life>& lives,
                                          const std::vector<std::size_t>& order) {
  std::vector<std::uint32_t> place(lives.size());
  std::vector<std::size_t> placed;
  for (const std::size_t one : order) {
    const Life& life = lives[one];
    std::vector<std::pair<std::uint32_t, std::uint32_t>> taken;
    for (const std::size_t other : placed)
      if (lives[other].begin <= life.end && life.begin <= lives[other].end)
        taken.emplace_back(place[other], place[other] + lives[other].size);
    std::sort(taken.begin(), taken.end());
    std::uint32_t at = 0;
    for (const auto& [begin, end] : taken) {
      if (at + life.size <= begin) break;
      at = std::max(at, end);
    }
    place[one] = at;
    placed.push_back(one);
  }
  return place;
}

std::uint32_t extent_of(const std::vector<Life>& lives, const std::vector<std::uint32_t>& place) {
  std::uint32_t most = 0;
  for (std::size_t i = 0; i < lives.size(); ++i) most = std::max(most, place[i] + lives[i].size);
  return most;
}

}  // namespace

std::vector<std::uint32_t> plan_buffers(const Network& network) {
  std::vector<Life> lives;
  std::uint32_t widest[2] = {};
  for (std::uint32_t l = 0; l < network.layers.size(); ++l) {
    const std::vector<std::uint32_t> readers = readers_of(network, l + 1);
    const auto size = std::uint32_t(padded(network.layers[l].out));
    lives.push_back({size, l, readers.empty() ? l : readers.back() - 1});
    widest[l % 2] = std::max(widest[l % 2], size);
  }
  std::vector<std::size_t> order(lives.size());
  std::iota(order.begin(), order.end(), std::size_t(0));
  if (is_chain(network)) {
    std::vector<std::uint32_t> place;
    for (const std::size_t l : order) place.push_back(l % 2 ? widest[0] : 0);
    return place;
  }
  const std::vector<std::uint32_t> by_layer = place_in_order(lives, order);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return lives[a].size != lives[b].size ? lives[a].size > lives[b].size : a < b;
  });
  const std::vector<std::uint32_t> by_size = place_in_order(lives, order);
  return extent_of(lives, by_size) < extent_of(lives, by_layer) ? by_size : by_layer;
}

void add_frame_columns(Network& network, const std::vector<std::int32_t>& columns) {
  const auto answer = std::uint32_t(network.layers.size());
  network.width = frame_width(network);
  Layer select = make_layer(SLUICE_SELECT, frame_width(network), int(columns.size()));
  select.array(Role::columns).integers = columns;
  select.sources = {0};
  Layer sum;
  sum.kind = SLUICE_ADD, sum.in = sum.out = int(columns.size()), sum.sources = {answer, answer + 1};
  network.layers.push_back(std::move(select));
  network.layers.push_back(with_arrays(sum));
}

bool adds_frame_columns(const Network& network) {
  const std::size_t layers = network.layers.size();
  if (layers < 3 || network.layers[layers - 1].kind != SLUICE_ADD ||
      network.layers[layers - 2].kind != SLUICE_SELECT)
    return false;
  return sources_of(network, layers - 2)[0] == 0 &&
         sources_of(network, layers - 1) ==
             std::vector{std::uint32_t(layers - 2), std::uint32_t(layers - 1)};
}

Network without_frame_columns(Network network) {
  if (adds_frame_columns(network)) network.layers.resize(network.layers.size() - 2);
  return network;
}

namespace {

/// Returns whether a layer selects or joins numbers of its sources, or of several steps, and so has
/// no weights.
bool selects_or_joins(const Layer& layer) {
  return layer.anatomy().joins || layer.kind == SLUICE_SELECT || layer.kind == SLUICE_WINDOW;
}

/// Returns whether in int8 a layer can read frames of 16 bits.
bool reads_wide_frames(const Layer& layer) {
  return selects_or_joins(layer) || layer.kind == SLUICE_DIFFERENCE;
}

/// Returns whether numbers of the frame reach the answer through layers that select or join alone.
bool frame_enters_answer(const Network& network) {
  std::vector<bool> carries = {network.layers.front().kind != SLUICE_EMBEDDING};
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    bool any = false;
    for (const std::uint32_t source : sources_of(network, l)) any = any || carries[source];
    carries.push_back(any && selects_or_joins(network.layers[l]));
  }
  return carries.back();
}

}  // namespace

bool needs_wide_frame(const Network& network) {
  bool differs = false;
  for (std::size_t l = 0; l < network.layers.size(); ++l)
    differs =
        differs || (network.layers[l].kind == SLUICE_DIFFERENCE && sources_of(network, l)[0] == 0);
  return differs || frame_enters_answer(network);
}

bool reads_wide_frame(const Network& network) {
  bool all = true;
  for (const std::uint32_t reader : readers_of(network, 0))
    all = all && reads_wide_frames(network.layers[reader - 1]);
  return all;
}

Network with_frame_copy(Network network) {
  network.width = frame_width(network);
  Layer copy = make_layer(SLUICE_SELECT, network.width, network.width, SLUICE_LINEAR, false,
                          network.layers.front().format);
  std::vector<std::int32_t>& columns = copy.array(Role::columns).integers;
  std::iota(columns.begin(), columns.end(), 0);
  insert_layer(network, 0, std::move(copy));
  network.layers[0].sources = {};
  for (std::size_t l = 1; l < network.layers.size(); ++l)
    if (!reads_wide_frames(network.layers[l]) && sources_of(network, l)[0] == 0)
      network.layers[l].sources = {1};
  if (network.layers[1].sources == std::vector<std::uint32_t>{1}) network.layers[1].sources = {};
  return network;
}

bool copies_frame(const Network& network) {
  const Layer& first = network.layers.front();
  if (first.kind != SLUICE_SELECT || first.out != frame_width(network)) return false;
  const std::vector<std::int32_t>& columns = first.array(Role::columns).integers;
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (columns[i] != std::int32_t(i)) return false;
  return reads_wide_frame(network);
}

const Layer* frame_standardization(const Network& network) {
  const std::size_t first = copies_frame(network);
  if (first == network.layers.size()) return nullptr;
  const Layer& layer = network.layers[first];
  const bool reads_frame = sources_of(network, first)[0] == first;
  return layer.kind == SLUICE_STANDARDIZE && reads_frame ? &layer : nullptr;
}

std::vector<float> frame_scales(const Network& network) {
  const Layer* found = frame_standardization(network);
  const std::vector<Layer>& layers = network.layers;
  if (layers.size() > 1 && layers[0].kind == SLUICE_DIFFERENCE && sources_of(network, 1)[0] == 1 &&
      layers[1].kind == SLUICE_STANDARDIZE)
    found = &layers[1];
  return found && found->find(Role::scale) ? found->array(Role::scale).values
                                           : std::vector<float>();
}

void insert_layer(Network& network, std::size_t at, Layer layer) {
  for (std::size_t l = at; l < network.layers.size(); ++l) {
    Layer& later = network.layers[l];
    for (std::uint32_t& source : later.sources) source += source > at;
    if (later.tied >= int(at)) ++later.tied;
  }
  network.layers.insert(network.layers.begin() + std::ptrdiff_t(at), std::move(layer));
}

void remove_layer(Network& network, std::size_t at) {
  const std::uint32_t before = sources_of(network, at)[0];
  for (std::size_t l = at + 1; l < network.layers.size(); ++l) {
    Layer& later = network.layers[l];
    // It read the removed layer.
    if (later.sources.empty() && l == at + 1 && before != at) later.sources = {before};
    for (std::uint32_t& source : later.sources)
      source = source == at + 1 ? before : source - (source > at);
    if (later.tied > int(at)) --later.tied;
  }
  network.layers.erase(network.layers.begin() + std::ptrdiff_t(at));
}

}  // namespace sluice::tools
