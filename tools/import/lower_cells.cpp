// Finds cells that an exporter took apart, by the formula of their state.
#include <algorithm>
#include <cmath>
#include <map>

#include "../common/print.h"
#include "lower.h"
#include "weights.h"

namespace sluice::tools {
namespace {

/// The gates of a cell.
bool is_gate(const Atom& atom) {
  return atom.kind == Atom::Kind::unary &&
         (atom.function.name == Unary::sigmoid || atom.function.name == Unary::hard_sigmoid);
}

/// The function of a cell's candidate.
bool is_candidate(const Atom& atom) {
  return atom.kind == Atom::Kind::unary && is_activation(atom.function.name) &&
         (candidates >> int(atom.function.name) & 1);
}

/// A gate's weights by the formulas that its matrices read.
struct Gate {
  std::map<Formula, std::vector<float>> weights;  ///< [units][width of the formula]
  std::vector<float> bias;                        ///< [units]

  /// Adds rows of a matrix, times factors.
  void add(Formula of, const Weights2& matrix, const AtomPart& rows,
           const std::vector<float>& factor, std::size_t units) {
    std::vector<float>& to = weights[of];
    to.resize(units * matrix.cols);
    for (std::size_t row = 0; row < units; ++row) {
      const auto from = std::size_t(rows.first + std::int64_t(row) * rows.step);
      for (std::size_t col = 0; col < matrix.cols; ++col)
        to[row * matrix.cols + col] +=
            matrix.values[from * matrix.cols + col] * number_at(factor, row, 1);
    }
  }
  /// 1 - sigmoid(x) is sigmoid(-x).
  void negate() {
    for (auto& [of, values] : weights)
      for (float& value : values) value = -value;
    for (float& value : bias) value = -value;
  }
};

/// Reads a formula as a gate. Returns false if it holds anything but matrices and a constant.
bool read_gate(const Formulas& formulas, Formula formula, Gate& gate) {
  const Sum& sum = formulas.sum(formula);
  for (const Product& product : sum.products) {
    if (product.parts.size() != 1) return false;
    const Atom& atom = formulas.atom(product.parts[0].atom);
    if (atom.kind != Atom::Kind::matrix) return false;
    gate.add(atom.of, formulas.matrix(atom.number), product.parts[0], product.factor, sum.width);
  }
  for (std::size_t i = 0; i < sum.width; ++i) gate.bias.push_back(number_at(sum.constant, i, 0));
  return !gate.weights.empty();
}

/// Returns whether a product has a part among its own.
bool has_part(const Product& product, const AtomPart& part) {
  return std::count(product.parts.begin(), product.parts.end(), part) != 0;
}

/// Returns a product without one of its parts.
Product without(Product product, const AtomPart& part) {
  product.parts.erase(std::find(product.parts.begin(), product.parts.end(), part));
  return product;
}

/// Returns the atom of a cell whose candidate is a sum without a function.
Atom linear_atom() {
  Atom atom;
  atom.function.name = Unary(SLUICE_LINEAR);
  return atom;
}

/// The most products in a sum that may be a cell.
constexpr std::size_t most_products = 64;

}  // namespace

/// A cell as its formula tells it.
struct Lowering::Cell {
  sluice_layer_kind kind;
  std::vector<Gate> gates;            ///< in the order of the layer
  std::vector<float> candidate_bias;  ///< of a GRU that resets after: b_hn
  Formula state;                      ///< h
  std::size_t units;
  const Atom* gate;       ///< whose function the gates have; null: none
  const Atom* candidate;  ///< whose function the candidate has
  Formula c = -1;         ///< of an LSTM
};

bool Lowering::cell(Formula formula, const std::string& place, std::uint32_t& made) {
  return lstm(formula, place, made) || linear_lstm(formula, place, made) ||
         gru(formula, place, made) || rnn(formula, place, made);
}

/// Appends the layer of a cell, whose input is all formulas that its matrices read except the
/// state.
bool Lowering::finish(const Cell& cell, Formula next, const std::string& place,
                      std::uint32_t& made) {
  if (!keeps(cell.state, next)) return false;
  std::vector<Formula> reads;
  std::size_t in = 0;
  bool has_state = false;
  for (const Gate& gate : cell.gates)
    for (const auto& [of, values] : gate.weights) {
      has_state = has_state || of == cell.state;
      if (of == cell.state || std::count(reads.begin(), reads.end(), of)) continue;
      reads.push_back(of);
      in += formulas_.width(of);
    }
  if (!has_state || reads.empty()) return false;
  const std::size_t rows = cell.gates.size() * cell.units, units = cell.units;
  std::vector<float> w(rows * in), u(rows * units), b(rows), second(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    const Gate& gate = cell.gates[row / units];
    const std::size_t unit = row % units;
    std::size_t column = 0;
    for (const Formula of : reads) {
      const std::size_t width = formulas_.width(of);
      const auto found = gate.weights.find(of);
      if (found != gate.weights.end())
        std::copy_n(found->second.begin() + std::ptrdiff_t(unit * width), width,
                    w.begin() + std::ptrdiff_t(row * in + column));
      column += width;
    }
    const auto found = gate.weights.find(cell.state);
    if (found != gate.weights.end())
      std::copy_n(found->second.begin() + std::ptrdiff_t(unit * units), units,
                  u.begin() + std::ptrdiff_t(row * units));
    b[row] = number_at(gate.bias, unit, 0);
    if (!cell.candidate_bias.empty() && row / units == 2) second[row] = cell.candidate_bias[unit];
  }
  const bool backward = backward_.count(cell.state) != 0;
  Layer layer = recurrent_layer(cell.kind, in, units, backward, true);
  CellWeights weights;
  weights.input = matrix_of(w, rows, in), weights.state = matrix_of(u, rows, units);
  weights.bias = column_of(b), weights.second_bias = column_of(second);
  const std::vector<float> h = start_of(cell.state, units),
                           c = cell.c < 0 ? std::vector<float>() : start_of(cell.c, units);
  if (!h.empty()) weights.h = column_of(h);
  if (!c.empty()) weights.c = column_of(c);
  put_cell(layer, backward, weights);
  if (cell.gate && cell.gate->function.name == Unary::hard_sigmoid)
    layer.activation = SLUICE_HARD_SIGMOID, layer.parameter = cell.gate->function.parameter;
  layer.candidate = sluice_activation(cell.candidate->function.name);
  layer.second = cell.candidate->function.second;
  made = put(std::move(layer), formulas_.concat(reads), place);
  if (!backward) return true;
  goes_backward(made);
  std::vector<std::int32_t> half;
  for (std::size_t i = 0; i < units; ++i) half.push_back(std::int32_t(units + i));
  made = note(append_select(to_.network, made, half), place);
  to_.remarks.push_back(fmt::format(
      "{}: goes backward alone; it is the backward half of a layer of both directions", place));
  return true;
}

/// Returns the numbers of a state before the first step; empty: zeros.
std::vector<float> Lowering::start_of(Formula state, std::size_t units) const {
  AtomPart part;
  if (!formulas_.is_part(state, part)) return {};
  const std::vector<float>& all = inputs_[std::size_t(formulas_.atom(part.atom).number)].start;
  std::vector<float> start;
  for (std::size_t i = 0; !all.empty() && i < units; ++i)
    start.push_back(all.at(std::size_t(part.first + std::int64_t(i) * part.step)));
  return start;
}

/// Finds h among the formulas that a gate's matrices read: a state of as many numbers as the cell
/// has units.
Formula Lowering::state_of(const std::map<Formula, std::vector<float>>& weights,
                           std::size_t units) const {
  for (const auto& [of, values] : weights) {
    AtomPart part;
    if (formulas_.width(of) == units && formulas_.is_part(of, part) && is_state(part)) return of;
  }
  return -1;
}

bool Lowering::rnn(Formula formula, const std::string& place, std::uint32_t& made) {
  AtomPart part;
  if (!formulas_.is_part(formula, part)) return false;
  const Atom atom = formulas_.atom(part.atom);
  Gate gate;
  if (!is_candidate(atom) || !read_gate(formulas_, atom.of, gate)) return false;
  const std::size_t units = formulas_.width(formula);
  const Formula state = state_of(gate.weights, units);
  return state >= 0 &&
         finish({SLUICE_RNN, {gate}, {}, state, units, nullptr, &atom}, formula, place, made);
}

bool Lowering::lstm(Formula formula, const std::string& place, std::uint32_t& made) {
  // h' = o tanh(c'), c' = f c + i g
  const Sum sum = formulas_.sum(formula);
  if (sum.products.size() != 1 || !sum.constant.empty() || sum.products[0].parts.size() != 2 ||
      !is_one(sum.products[0].factor))
    return false;
  for (int order = 0; order < 2; ++order) {
    const Atom output = formulas_.atom(sum.products[0].parts[std::size_t(order)].atom),
               squashed = formulas_.atom(sum.products[0].parts[std::size_t(1 - order)].atom);
    if (!is_gate(output) || !is_candidate(squashed)) continue;
    const Sum next = formulas_.sum(squashed.of);
    if (next.products.size() != 2 || !next.constant.empty()) continue;
    const Atom *forget = nullptr, *input = nullptr, *candidate = nullptr;
    Formula c = -1;
    for (const Product& product : next.products) {
      if (product.parts.size() != 2 || !is_one(product.factor)) return false;
      const Atom &a = formulas_.atom(product.parts[0].atom),
                 &b = formulas_.atom(product.parts[1].atom);
      for (const auto& [gate, state] :
           {std::pair(&b, product.parts[0]), std::pair(&a, product.parts[1])})
        if (is_state(state) && is_gate(*gate) &&
            keeps(formulas_.of_part(state, sum.width), squashed.of))
          forget = gate, c = formulas_.of_part(state, sum.width);
      for (const auto& [gate, value] : {std::pair(&a, &b), std::pair(&b, &a)})
        if (is_gate(*gate) && is_candidate(*value) && value->function == squashed.function)
          input = gate, candidate = value;
    }
    if (!forget || !input || !candidate) continue;
    std::vector<Gate> gates(4);
    const Atom* const atoms[] = {input, forget, candidate, &output};
    bool good = true;
    for (std::size_t g = 0; g < 4; ++g) {
      good = good && read_gate(formulas_, atoms[g]->of, gates[g]);
      good = good && (g == 2 || atoms[g]->function == output.function);
    }
    if (!good) continue;
    const Formula state = state_of(gates[0].weights, sum.width);
    if (state >= 0 && finish({SLUICE_LSTM, gates, {}, state, sum.width, &output, &squashed, c},
                             formula, place, made))
      return true;
  }
  return false;
}

/// Returns the sum of products, and a constant.
Formula Lowering::sum_of(const std::vector<Product>& products, std::vector<float> constant,
                         std::size_t width) {
  if (constant.empty()) constant.resize(width);
  Formula sum = formulas_.constant(std::move(constant));
  for (const Product& product : products) {
    Formula term = formulas_.constant(std::vector<float>(width, 1));
    for (const AtomPart& part : product.parts)
      term = formulas_.multiply(term, formulas_.of_part(part, width));
    sum = formulas_.add(sum, formulas_.scaled(term, product.factor));
  }
  return sum;
}

/// h and n blended by a gate: z h + (1 - z) n, or inverted, u n + (1 - u) h.
struct Lowering::Blend {
  AtomPart gate, state;
  Formula candidate = -1;
  bool inverted = false;
};

bool Lowering::read_blend(Formula formula, Blend& blend) {
  const Sum sum = formulas_.sum(formula);
  if (sum.products.size() < 3 || sum.products.size() > most_products) return false;
  for (const Product& held : sum.products) {
    if (held.parts.size() != 2 || (!is_one(held.factor) && !is_one(held.factor, -1))) continue;
    for (const std::size_t order : {0, 1}) {
      const AtomPart gate = held.parts[order], state = held.parts[1 - order];
      if (!is_gate(formulas_.atom(gate.atom)) || !is_state(state)) continue;
      blend.gate = gate, blend.state = state, blend.inverted = !is_one(held.factor);
      std::vector<Product> products;
      for (const Product& product : sum.products) {
        const bool gated = has_part(product, gate);
        if (blend.inverted && gated && product.parts != held.parts)
          products.push_back(without(product, gate));
        if (!blend.inverted && !gated) products.push_back(product);
      }
      const Formula z = formulas_.of_part(gate, sum.width), h = formulas_.of_part(state, sum.width);
      blend.candidate =
          sum_of(products, blend.inverted ? std::vector<float>{} : sum.constant, sum.width);
      const Formula kept = blend.inverted ? blend.candidate : h,
                    other = blend.inverted ? h : blend.candidate;
      const Formula whole =
          formulas_.add(formulas_.multiply(z, kept),
                        formulas_.add(other, formulas_.scaled(formulas_.multiply(z, other), {-1})));
      if (whole == formula) return true;
    }
  }
  return false;
}

/// Reads an LSTM whose candidate and output have no function: h' = o c', c' = f c + i n,
/// multiplied out.
bool Lowering::linear_lstm(Formula formula, const std::string& place, std::uint32_t& made) {
  const Sum sum = formulas_.sum(formula);
  if (sum.products.size() < 2 || sum.products.size() > most_products || !sum.constant.empty())
    return false;
  const auto gates_of = [&](const std::vector<Product>& products) {
    std::vector<AtomPart> gates;
    for (const AtomPart& part : products[0].parts)
      if (is_gate(formulas_.atom(part.atom)) &&
          std::all_of(products.begin(), products.end(),
                      [&](const Product& product) { return has_part(product, part); }))
        gates.push_back(part);
    return gates;
  };
  const auto all_without = [](const std::vector<Product>& products, const AtomPart& part) {
    std::vector<Product> rest;
    for (const Product& product : products) rest.push_back(without(product, part));
    return rest;
  };
  for (const AtomPart& output : gates_of(sum.products)) {
    const std::vector<Product> next = all_without(sum.products, output);
    const Formula next_cell = sum_of(next, {}, sum.width);
    for (std::size_t held = 0; held < next.size(); ++held) {
      if (next[held].parts.size() != 2 || !is_one(next[held].factor)) continue;
      for (const std::size_t order : {0, 1}) {
        const AtomPart forget = next[held].parts[order], state = next[held].parts[1 - order];
        if (!is_gate(formulas_.atom(forget.atom)) || !is_state(state) ||
            !keeps(formulas_.of_part(state, sum.width), next_cell))
          continue;
        std::vector<Product> others = next;
        others.erase(others.begin() + std::ptrdiff_t(held));
        for (const AtomPart& input : gates_of(others)) {
          const Formula candidate = sum_of(all_without(others, input), {}, sum.width);
          const Formula rebuilt = formulas_.multiply(
              formulas_.of_part(output, sum.width),
              formulas_.add(formulas_.multiply(formulas_.of_part(forget, sum.width),
                                               formulas_.of_part(state, sum.width)),
                            formulas_.multiply(formulas_.of_part(input, sum.width), candidate)));
          const Atom atoms[] = {formulas_.atom(input.atom), formulas_.atom(forget.atom),
                                formulas_.atom(output.atom)};
          std::vector<Gate> gates(4);
          if (rebuilt != formula || !read_gate(formulas_, atoms[0].of, gates[0]) ||
              !read_gate(formulas_, atoms[1].of, gates[1]) ||
              !read_gate(formulas_, candidate, gates[2]) ||
              !read_gate(formulas_, atoms[2].of, gates[3]) ||
              atoms[0].function != atoms[2].function || atoms[1].function != atoms[2].function)
            continue;
          const Formula h = state_of(gates[0].weights, sum.width);
          const Atom linear = linear_atom();
          if (h >= 0 && finish({SLUICE_LSTM, gates, {}, h, sum.width, &atoms[2], &linear}, formula,
                               place, made))
            return true;
        }
      }
    }
  }
  return false;
}

bool Lowering::gru(Formula formula, const std::string& place, std::uint32_t& made) {
  // h' = z h + (1 - z) n, multiplied out: z h + n - z n; with the gate the other way round
  // u n + (1 - u) h = u n + h - u h.
  Blend blend;
  if (!read_blend(formula, blend)) return false;
  const std::size_t units = formulas_.width(formula);
  const AtomPart gate = blend.gate, state = blend.state;
  const Formula h = formulas_.of_part(state, units);
  Cell cell{SLUICE_GRU, std::vector<Gate>(3), {}, h, units, nullptr, nullptr};
  const Atom update = formulas_.atom(gate.atom);
  if (!read_gate(formulas_, update.of, cell.gates[1])) return false;
  if (blend.inverted) cell.gates[1].negate();
  // n is a function of a sum, or the sum itself.
  AtomPart candidate;
  Atom candidate_atom = linear_atom();
  Sum inner = formulas_.sum(blend.candidate);
  if (formulas_.is_part(blend.candidate, candidate) &&
      is_candidate(formulas_.atom(candidate.atom))) {
    candidate_atom = formulas_.atom(candidate.atom);
    inner = formulas_.sum(candidate_atom.of);
  }
  std::optional<AtomPart> reset;
  const auto found_reset = [&](const AtomPart& part) {
    const bool same = !reset || *reset == part;
    reset = part;
    return same && is_gate(formulas_.atom(part.atom));
  };
  Gate& n = cell.gates[2];
  for (std::size_t i = 0; i < units; ++i) n.bias.push_back(number_at(inner.constant, i, 0));
  bool after = false, before = false;
  for (const Product& product : inner.products) {
    const Atom first = formulas_.atom(product.parts[0].atom);
    if (product.parts.size() == 1 && first.kind == Atom::Kind::matrix) {
      // Over the input, or over r h.
      const Sum read = formulas_.sum(first.of);
      const bool resets =
          read.products.size() == 1 && read.constant.empty() &&
          read.products[0].parts.size() == 2 && is_one(read.products[0].factor) &&
          std::count(read.products[0].parts.begin(), read.products[0].parts.end(), state) == 1;
      if (resets) {
        const std::vector<AtomPart>& both = read.products[0].parts;
        if (!found_reset(both[both[0] == state ? 1 : 0])) return false;
        before = true;
      }
      n.add(resets ? h : first.of, formulas_.matrix(first.number), product.parts[0], product.factor,
            units);
      continue;
    }
    if (product.parts.size() == 1 && is_gate(first)) {  // r b_hn
      if (!found_reset(product.parts[0])) return false;
      cell.candidate_bias.resize(units);
      for (std::size_t i = 0; i < units; ++i)
        cell.candidate_bias[i] = number_at(product.factor, i, 1);
      after = true;
      continue;
    }
    if (product.parts.size() != 2) return false;
    for (int order = 0; order < 2; ++order) {  // r (W_hn h)
      const AtomPart &r = product.parts[std::size_t(order)],
                     &m = product.parts[std::size_t(1 - order)];
      const Atom matrix = formulas_.atom(m.atom);
      if (matrix.kind != Atom::Kind::matrix || matrix.of != h) continue;
      if (!found_reset(r)) return false;
      n.add(h, formulas_.matrix(matrix.number), m, product.factor, units);
      after = true;
    }
  }
  if (!reset || before == after) return false;
  const Atom reset_atom = formulas_.atom(reset->atom);
  if (!read_gate(formulas_, reset_atom.of, cell.gates[0]) || reset_atom.function != update.function)
    return false;
  if (before) cell.kind = SLUICE_GRU_BEFORE;
  cell.gate = &update, cell.candidate = &candidate_atom;
  return finish(cell, formula, place, made);
}

}  // namespace sluice::tools
