#include "simplify.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "../common/print.h"
#include "../model/graph.h"
#include "weights.h"

namespace sluice::tools {
namespace {

/// The only reader of a layer that is no answer; -1 if there is none.
std::ptrdiff_t only_reader(const Network& network, std::size_t layer) {
  const std::vector<std::uint32_t> readers = readers_of(network, std::uint32_t(layer) + 1);
  if (readers.size() != 1 || is_answer(network, layer)) return -1;
  return std::ptrdiff_t(readers[0]) - 1;
}

bool has_zeros(const Layer& select) {
  const std::vector<std::int32_t>& columns = select.array(Role::columns).integers;
  return std::any_of(columns.begin(), columns.end(), [](std::int32_t c) { return c < 0; });
}

/// Returns whether f(0) is 0.
bool keeps_zero(const Layer& curve) {
  constexpr sluice_activation others[] = {SLUICE_SIGMOID, SLUICE_HARD_SIGMOID, SLUICE_SOFTPLUS,
                                          SLUICE_EXPONENTIAL, SLUICE_LOG};
  if (curve.activation == SLUICE_CLIP) return curve.parameter <= 0 && curve.second >= 0;
  return std::find(std::begin(others), std::end(others), curve.activation) == std::end(others);
}

/// Moves a curve into the Dense whose numbers it reads. Returns whether it could.
bool move_curve(Network& network, std::size_t at) {
  const Layer& curve = network.layers[at];
  if (curve.kind != SLUICE_CURVE || curve.activation == SLUICE_SOFTMAX ||
      curve.activation == SLUICE_PRELU)
    return false;
  for (std::size_t reader = at;;) {
    const std::uint32_t source = sources_of(network, reader)[0];
    if (source == 0 || only_reader(network, source - 1) != std::ptrdiff_t(reader)) return false;
    Layer& before = network.layers[source - 1];
    if (before.kind == SLUICE_DENSE && before.activation == SLUICE_LINEAR && before.tied < 0) {
      set_curve(before, {curve.activation, curve.parameter, curve.second, {}});
      return true;
    }
    if (before.kind != SLUICE_SELECT || (has_zeros(before) && !keeps_zero(curve))) return false;
    reader = source - 1;
  }
}

/// Makes a selection read the source of a selection that it alone reads. Returns whether it could.
bool merge_selections(Network& network, std::size_t at) {
  Layer& second = network.layers[at];
  const std::uint32_t source = sources_of(network, at)[0];
  if (second.kind != SLUICE_SELECT || source == 0) return false;
  const Layer& first = network.layers[source - 1];
  if (first.kind != SLUICE_SELECT || only_reader(network, source - 1) != std::ptrdiff_t(at))
    return false;
  const std::vector<std::int32_t>& columns = first.array(Role::columns).integers;
  Layer merged = make_layer(SLUICE_SELECT, first.in, second.out);
  merged.name = second.name;
  std::vector<std::int32_t>& to = merged.array(Role::columns).integers;
  for (std::size_t i = 0; i < to.size(); ++i) {
    const std::int32_t column = second.array(Role::columns).integers[i];
    to[i] = column < 0 ? -1 : columns[std::size_t(column)];
  }
  merged.sources = {source};  // of the first one, which is removed
  second = std::move(merged);
  return true;
}

/// Gives a Dense that alone reads a selection the columns of the selection's own source. Returns
/// whether it could, which it does only if the matrix becomes no wider.
bool select_in_matrix(Network& network, std::size_t at) {
  Layer& dense = network.layers[at];
  const std::uint32_t source = sources_of(network, at)[0];
  if (dense.kind != SLUICE_DENSE || dense.parts > 0 || dense.tied >= 0 || source == 0) return false;
  const Layer& select = network.layers[source - 1];
  if (select.kind != SLUICE_SELECT || select.in > select.out ||
      only_reader(network, source - 1) != std::ptrdiff_t(at))
    return false;
  Layer made = dense;
  made.in = select.in;
  made = with_arrays(std::move(made));
  for (Array& array : made.arrays)
    if (array.role != Role::input_weight) array.values = dense.array(array.role).values;
  const std::vector<std::int32_t>& columns = select.array(Role::columns).integers;
  const std::vector<float>& from = dense.array(Role::input_weight).values;
  std::vector<float>& to = made.array(Role::input_weight).values;
  for (std::size_t row = 0; row < std::size_t(made.out); ++row)
    for (std::size_t i = 0; i < columns.size(); ++i)
      if (columns[i] >= 0)
        to[row * std::size_t(made.in) + std::size_t(columns[i])] += from[row * columns.size() + i];
  made.sources = {source};  // the selection, which is removed
  dense = std::move(made);
  return true;
}

/// Makes one selection of a concat whose parts are selections of one layer, each for the concat
/// alone. The selections lose their reader. Returns whether it could.
bool select_in_place_of_concat(Network& network, std::size_t at) {
  if (network.layers[at].kind != SLUICE_CONCAT) return false;
  const std::vector<std::uint32_t> parts = sources_of(network, at);
  std::vector<std::int32_t> columns;
  std::uint32_t from = 0;
  for (const std::uint32_t part : parts) {
    if (part == 0 || network.layers[part - 1].kind != SLUICE_SELECT ||
        only_reader(network, part - 1) != std::ptrdiff_t(at) ||
        std::count(parts.begin(), parts.end(), part) > 1)
      return false;
    const std::uint32_t source = sources_of(network, part - 1)[0];
    if (!columns.empty() && source != from) return false;
    from = source;
    const std::vector<std::int32_t>& own = network.layers[part - 1].array(Role::columns).integers;
    columns.insert(columns.end(), own.begin(), own.end());
  }
  Layer select = make_layer(SLUICE_SELECT, width_of(network, from), int(columns.size()));
  select.array(Role::columns).integers = std::move(columns);
  select.name = network.layers[at].name;
  select.sources = {from};
  network.layers[at] = std::move(select);
  return true;
}

/// Removes a layer, and renumbers the account: "layer 3: dense" and the like.
void remove(Imported& imported, std::size_t at, std::size_t into) {
  remove_layer(imported.network, at);
  for (Origin& origin : imported.origins) {
    constexpr std::string_view begin = "layer ";
    if (!origin.became.starts_with(begin)) continue;
    std::size_t number = 0;
    const char* const first = origin.became.data() + begin.size();
    const auto read = std::from_chars(first, origin.became.data() + origin.became.size(), number);
    if (read.ec != std::errc() || number == 0) continue;
    const std::string rest = origin.became.substr(std::size_t(read.ptr - origin.became.data()));
    const bool gone = number == at + 1;
    const std::size_t now = (gone ? into : number - 1) - ((gone ? into : number - 1) > at) + 1;
    origin.became =
        gone ? fmt::format("a part of layer {}", now) : fmt::format("layer {}{}", now, rest);
  }
}

}  // namespace

void simplify(Imported& imported) {
  Network& network = imported.network;
  for (std::size_t l = 0; l < network.layers.size();) {
    const std::uint32_t source = sources_of(network, l)[0];
    if (move_curve(network, l)) {
      remove(imported, l, source - 1);
    } else if (merge_selections(network, l) || select_in_matrix(network, l)) {
      remove(imported, source - 1, l);
      --l;
    } else if (const std::vector<std::uint32_t> parts = sources_of(network, l);
               select_in_place_of_concat(network, l)) {
      std::vector<std::uint32_t> gone = parts;
      std::sort(gone.begin(), gone.end());
      for (auto part = gone.rbegin(); part != gone.rend(); ++part) remove(imported, *part - 1, l--);
    } else {
      ++l;
    }
  }
}

}  // namespace sluice::tools
