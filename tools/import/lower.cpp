#include "lower.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <optional>

#include "../common/print.h"
#include "../model/graph.h"
#include "weights.h"

namespace sluice::tools {
namespace {

Curve curve_of(const Function& function) {
  // A clip may have one bound alone.
  return {sluice_activation(function.name), std::max(function.parameter, -FLT_MAX),
          std::min(function.second, FLT_MAX), function.slopes};
}

}  // namespace

/// A sum of products of matrices with formulas, and a constant.
struct Lowering::Affine {
  struct Term {
    Formula of;  ///< the formula that the matrix reads
    const Weights2* matrix;
    AtomPart rows;
    const std::vector<float>* factor;
  };
  std::size_t width = 0;
  std::vector<Term> terms;
  std::vector<float> constant;

  float weight(const Term& term, std::size_t row, std::size_t col) const {
    const auto from = std::size_t(term.rows.first + std::int64_t(row) * term.rows.step);
    return term.matrix->values[from * term.matrix->cols + col] * number_at(*term.factor, row, 1);
  }
};

bool Lowering::affine_of(Formula formula, Affine& affine) const {
  const Sum& sum = formulas_.sum(formula);
  affine.width = sum.width, affine.constant = sum.constant;
  for (const Product& product : sum.products) {
    if (product.parts.size() != 1) return false;
    const Atom& atom = formulas_.atom(product.parts[0].atom);
    if (atom.kind != Atom::Kind::matrix) return false;
    affine.terms.push_back(
        {atom.of, &formulas_.matrix(atom.number), product.parts[0], &product.factor});
  }
  return !affine.terms.empty();
}

bool Lowering::is_state(const AtomPart& part) const {
  const Atom& atom = formulas_.atom(part.atom);
  return atom.kind == Atom::Kind::input && inputs_[std::size_t(atom.number)].is_state;
}

std::uint32_t Lowering::obstacle(Formula formula, const std::string& place,
                                 const std::string& reason) {
  obstacles_.add("{}: {}", place, reason);
  // A layer of the right width, so that the rest is looked at too.
  Layer stand_in = make_layer(SLUICE_DENSE, to_.network.width, int(formulas_.width(formula)));
  return append(to_.network, std::move(stand_in), 0);
}

std::uint32_t Lowering::note(std::uint32_t number, const std::string& place) {
  to_.note(place,
           fmt::format("layer {}: {}", number, to_.network.layers[number - 1].anatomy().name));
  return number;
}

std::uint32_t Lowering::join(sluice_layer_kind kind, std::vector<std::uint32_t> sources,
                             const std::string& place) {
  while (sources.size() > most_sources) {
    std::vector<std::uint32_t> first(sources.begin(), sources.begin() + most_sources);
    sources.erase(sources.begin(), sources.begin() + most_sources);
    sources.insert(sources.begin(), note(append_join(to_.network, kind, std::move(first)), place));
  }
  if (sources.size() == 1) return sources[0];
  return note(append_join(to_.network, kind, std::move(sources)), place);
}

std::uint32_t Lowering::put(Layer layer, Formula reads, const std::string& place) {
  const std::uint32_t source = source_of(reads, place);
  return note(append(to_.network, std::move(layer), source), place);
}

std::uint32_t Lowering::source_of(Formula formula, const std::string& place) {
  const auto known = made_.find(formula);
  if (known != made_.end()) return known->second;
  constexpr int most_depth = 400;
  if (depth_ >= most_depth)
    refuse("{}: formulas nest deeper than {} levels; the graph is not that of a network", place,
           most_depth);
  ++depth_;
  const auto node = nodes_.find(formula);
  const std::uint32_t source = make(formula, node == nodes_.end() ? place : node->second);
  --depth_;
  made_[formula] = source;
  return source;
}

std::uint32_t Lowering::make(Formula formula, const std::string& place) {
  const Sum sum = formulas_.sum(formula);
  std::uint32_t made = 0;
  if (cell(formula, place, made) || normalization(formula, place, made) ||
      unit_norm(formula, place, made))
    return made;
  if (sum.products.empty())
    return obstacle(formula, place, "an answer that does not depend on the frame");

  AtomPart part;
  if (formulas_.is_part(formula, part)) {
    const Atom atom = formulas_.atom(part.atom);
    const bool whole = part.first == 0 && part.step == 1 && sum.width == atom.width;
    std::vector<std::int32_t> columns;
    const auto choose = [&](std::size_t begin) {
      for (std::size_t i = 0; i < sum.width; ++i)
        columns.push_back(
            std::int32_t(std::int64_t(begin) + part.first + std::int64_t(i) * part.step));
    };
    switch (atom.kind) {
      case Atom::Kind::input: {
        const GraphInput& input = inputs_[std::size_t(atom.number)];
        if (input.is_state)
          return obstacle(formula, place,
                          fmt::format("the state \"{}\" is used outside a cell that is known here",
                                      brief(input.name)));
        if (whole && atom.width == std::size_t(to_.network.width)) return 0;
        choose(input.column);
        return note(append_select(to_.network, 0, columns), place);
      }
      case Atom::Kind::layer:
        if (whole) return std::uint32_t(atom.number);
        choose(0);
        return note(append_select(to_.network, std::uint32_t(atom.number), columns), place);
      case Atom::Kind::unary: {
        Affine affine;
        if (!is_activation(atom.function.name)) return function(atom, formula, place);
        const Curve curve = curve_of(atom.function);
        if (affine_of(atom.of, affine)) return dense(affine, curve, place);
        return note(append_curve(to_.network, source_of(atom.of, place), curve, true), place);
      }
      case Atom::Kind::list: {
        std::vector<std::uint32_t> sources;
        for (const Formula item : atom.list) sources.push_back(source_of(item, place));
        made = join(SLUICE_CONCAT, std::move(sources), place);
        if (whole) return made;
        choose(0);
        return note(append_select(to_.network, made, columns), place);
      }
      case Atom::Kind::chosen: {
        for (const std::int64_t i : atom.chosen) columns.push_back(std::int32_t(i));
        const std::uint32_t source = source_of(atom.of, place);
        return note(append_select(to_.network, source, columns), place);
      }
      case Atom::Kind::mean:
        return obstacle(formula, place, "a mean over features outside a normalization");
      case Atom::Kind::matrix:
        break;
    }
  }
  Affine affine;
  if (affine_of(formula, affine)) return dense(affine, {}, place);

  if (sum.products.size() == 1) {
    const Product& product = sum.products[0];
    std::vector<std::uint32_t> sources;
    for (const AtomPart& factor : product.parts)
      sources.push_back(source_of(formulas_.of_part(factor, sum.width), place));
    made = join(SLUICE_MULTIPLY, std::move(sources), place);
    if (is_one(product.factor) && sum.constant.empty()) return made;
    std::vector<float> factor(sum.width), shift(sum.width);
    for (std::size_t i = 0; i < sum.width; ++i)
      factor[i] = number_at(product.factor, i, 1), shift[i] = number_at(sum.constant, i, 0);
    return note(append_scale(to_.network, made, factor, shift), place);
  }
  // A sum: the products of matrices are one dense layer, which takes the constant too.
  Formula matrices = formulas_.constant(std::vector<float>(sum.width));
  std::vector<Formula> others;
  bool any = false;
  for (const Product& product : sum.products) {
    Formula term = -1;
    for (const AtomPart& factor : product.parts) {
      const Formula one_part = formulas_.of_part(factor, sum.width);
      term = term < 0 ? one_part : formulas_.multiply(term, one_part);
    }
    term = formulas_.scaled(term, product.factor);
    const bool is_matrix = product.parts.size() == 1 &&
                           formulas_.atom(product.parts[0].atom).kind == Atom::Kind::matrix;
    any = any || is_matrix;
    if (is_matrix)
      matrices = formulas_.add(matrices, term);
    else
      others.push_back(term);
  }
  if (!sum.constant.empty()) {
    Formula& takes = any ? matrices : others[0];
    takes = formulas_.add(takes, formulas_.constant(sum.constant));
  }
  std::vector<std::uint32_t> sources;
  if (any) sources.push_back(source_of(matrices, place));
  for (const Formula term : others) sources.push_back(source_of(term, place));
  return join(SLUICE_ADD, std::move(sources), place);
}

std::uint32_t Lowering::dense(const Affine& affine, const Curve& curve, const std::string& place) {
  std::vector<Formula> reads;
  for (const Affine::Term& term : affine.terms)
    if (std::find(reads.begin(), reads.end(), term.of) == reads.end()) reads.push_back(term.of);
  std::size_t in = 0;
  for (const Formula one_of : reads) in += formulas_.width(one_of);
  Layer layer = make_layer(SLUICE_DENSE, int(in), int(affine.width));
  std::vector<float>& weights = layer.array(Role::input_weight).values;
  for (const Affine::Term& term : affine.terms) {
    std::size_t column = 0;
    for (std::size_t i = 0; reads[i] != term.of; ++i) column += formulas_.width(reads[i]);
    for (std::size_t row = 0; row < affine.width; ++row)
      for (std::size_t col = 0; col < term.matrix->cols; ++col)
        weights[row * in + column + col] += affine.weight(term, row, col);
  }
  std::vector<float>& bias = layer.array(Role::input_bias).values;
  for (std::size_t row = 0; row < affine.width; ++row)
    bias[row] = number_at(affine.constant, row, 0);
  set_curve(layer, curve);
  return put(std::move(layer), formulas_.concat(reads), place);
}

/// A function of numbers that is not among the activations of other programs.
std::uint32_t Lowering::function(const Atom& atom, Formula formula, const std::string& place) {
  const auto norm = [&](const std::vector<Formula>& rows) {
    Layer pool;
    pool.kind = SLUICE_NORM_POOL, pool.parts = 1;
    pool.out = int(atom.width), pool.in = pool.out * int(rows.size());
    if (std::uint64_t(rows.size()) * atom.width > widest)
      return obstacle(formula, place, "a root of the sum of too many squares");
    return put(with_arrays(std::move(pool)), formulas_.concat(rows), place);
  };
  if (atom.function.name == Unary::reciprocal)
    return obstacle(formula, place, "a reciprocal outside a normalization");
  if (atom.function.name == Unary::absolute) return norm({atom.of});
  if (atom.function.name == Unary::square_root) {
    const Sum sum = formulas_.sum(atom.of);
    std::vector<Formula> rows;
    for (const Product& product : sum.products)
      if (product.parts.size() == 2 && product.parts[0] == product.parts[1] &&
          is_one(product.factor))
        rows.push_back(formulas_.of_part(product.parts[0], sum.width));
    if (sum.constant.empty() && rows.size() == sum.products.size()) return norm(rows);
  }
  Curve curve;
  curve.activation = atom.function.name == Unary::square_root ? SLUICE_SQRT : SLUICE_LOG;
  return note(append_curve(to_.network, source_of(atom.of, place), curve, true), place);
}

/// x / |x| is a sum of products that all have in common the reciprocal of the root of the sum of
/// squares, which may have a lowest value.
bool Lowering::unit_norm(Formula formula, const std::string& place, std::uint32_t& made) {
  const Sum sum = formulas_.sum(formula);
  if (sum.products.empty() || !sum.constant.empty()) return false;
  for (const AtomPart& candidate : sum.products[0].parts) {
    const Atom reciprocal = formulas_.atom(candidate.atom);
    if (reciprocal.kind != Atom::Kind::unary || reciprocal.function.name != Unary::reciprocal)
      continue;
    Formula x = formulas_.constant(std::vector<float>(sum.width));
    bool common = true;
    for (const Product& product : sum.products) {
      const auto found = std::find(product.parts.begin(), product.parts.end(), candidate);
      common = common && found != product.parts.end() && product.parts.size() <= 3;
      if (!common) break;
      Formula term = formulas_.constant(std::vector<float>(sum.width, 1));
      for (auto part = product.parts.begin(); part != product.parts.end(); ++part)
        if (part != found) term = formulas_.multiply(term, formulas_.of_part(*part, sum.width));
      x = formulas_.add(x, formulas_.scaled(term, product.factor));
    }
    if (!common) continue;
    const Formula square =
        formulas_.scaled(formulas_.mean(formulas_.multiply(x, x)), {float(sum.width)});
    const Formula root = formulas_.apply(Unary::square_root, formulas_.repeated(square, sum.width));
    float lowest = FLT_MIN;
    Formula inside = reciprocal.of;
    AtomPart part;
    if (inside != root && formulas_.is_part(inside, part)) {
      const Atom bound = formulas_.atom(part.atom);
      if (bound.kind == Atom::Kind::unary && bound.function.name == Unary(SLUICE_CLIP) &&
          std::isinf(bound.function.second) && bound.function.parameter > 0)
        lowest = bound.function.parameter, inside = bound.of;
    }
    if (inside != root) continue;
    Layer layer = make_layer(SLUICE_UNIT_NORM, int(sum.width), int(sum.width));
    layer.parameter = lowest;
    made = put(std::move(layer), x, place);
    return true;
  }
  return false;
}

bool Lowering::normalization(Formula formula, const std::string& place, std::uint32_t& made) {
  // (x - mean) / sqrt(mean((x - mean)^2) + epsilon) * gain + shift is, multiplied out, a sum of
  // products that all have the reciprocal of the square root in common.
  const Sum sum = formulas_.sum(formula);
  if (sum.products.empty() || sum.products[0].parts.size() != 2) return false;
  for (const AtomPart& candidate : sum.products[0].parts) {
    const Atom reciprocal = formulas_.atom(candidate.atom);
    if (reciprocal.kind != Atom::Kind::unary || reciprocal.function.name != Unary::reciprocal)
      continue;
    AtomPart inner;
    if (!formulas_.is_part(reciprocal.of, inner)) continue;
    const Atom root = formulas_.atom(inner.atom);
    if (root.kind != Atom::Kind::unary || root.function.name != Unary::square_root) continue;
    // x is read off the mean in the sum.
    for (const Product& product : sum.products) {
      for (const AtomPart& part : product.parts) {
        const Atom repeated = formulas_.atom(part.atom);
        if (repeated.kind != Atom::Kind::chosen) continue;
        AtomPart of;
        if (!formulas_.is_part(repeated.of, of)) continue;
        const Atom mean = formulas_.atom(of.atom);
        if (mean.kind != Atom::Kind::mean || formulas_.width(mean.of) != sum.width) continue;
        const Formula x = mean.of;
        std::vector<float> gain(sum.width), shift(sum.width);
        for (std::size_t i = 0; i < sum.width; ++i)
          gain[i] = -number_at(product.factor, i, 1), shift[i] = number_at(sum.constant, i, 0);
        const Formula centered = formulas_.add(
            x, formulas_.scaled(formulas_.repeated(formulas_.mean(x), sum.width), {-1}));
        const Formula variance =
            formulas_.repeated(formulas_.mean(formulas_.multiply(centered, centered)), sum.width);
        const Sum under_root = formulas_.sum(root.of);
        if (under_root.constant.empty()) continue;
        const float epsilon = under_root.constant[0];
        if (formulas_.add(variance, formulas_.constant(std::vector<float>(sum.width, epsilon))) !=
            root.of)
          continue;
        const Formula whole = formulas_.add(
            formulas_.scaled(formulas_.multiply(centered, formulas_.of_part(candidate, sum.width)),
                             gain),
            formulas_.constant(shift));
        if (whole != formula || !(epsilon > 0)) continue;
        Layer layer = make_layer(SLUICE_LAYER_NORM, int(sum.width), int(sum.width));
        layer.array(Role::scale).values = gain;
        layer.array(Role::shift).values = shift;
        layer.parameter = epsilon;
        made = put(std::move(layer), x, place);
        return true;
      }
    }
  }
  return false;
}

std::set<std::uint32_t> Lowering::recurrent_below(Formula formula) {
  std::set<std::uint32_t> found;
  std::set<Formula> seen;
  std::vector<Formula> open = {formula};
  const auto look_at_layer = [&](std::uint32_t number) {
    std::vector<std::uint32_t> layers = {number};
    while (!layers.empty()) {
      const std::uint32_t layer = layers.back();
      layers.pop_back();
      if (layer == 0 || to_.network.layers[layer - 1].anatomy().once) continue;
      if (recurrent(to_.network.layers[layer - 1])) {
        found.insert(layer);
        continue;
      }
      for (const std::uint32_t source : sources_of(to_.network, layer - 1))
        layers.push_back(source);
    }
  };
  while (!open.empty()) {
    const Formula one_of = open.back();
    open.pop_back();
    if (!seen.insert(one_of).second) continue;
    const auto made = made_.find(one_of);
    if (made != made_.end()) {
      look_at_layer(made->second);
      continue;
    }
    for (const Product& product : formulas_.sum(one_of).products)
      for (const AtomPart& part : product.parts) {
        const Atom& atom = formulas_.atom(part.atom);
        if (atom.kind == Atom::Kind::layer) look_at_layer(std::uint32_t(atom.number));
        if (atom.of >= 0) open.push_back(atom.of);
        open.insert(open.end(), atom.list.begin(), atom.list.end());
      }
  }
  return found;
}

}  // namespace sluice::tools
