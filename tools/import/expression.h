// The numbers of one frame as formulas of the model's inputs, in one normal form, so that equal
// numbers have equal formulas however a graph computes them. A cell that an exporter took apart is
// found again by its formula.
//
// A formula is a vector: a sum of terms and a constant. A term is a product of atoms, number by
// number, with a factor for each number. An atom is an input of the graph, a layer's output, the
// product of a matrix with a formula, or a function of a formula.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sluice.h"

namespace sluice::tools {

/// The number of a formula in its Formulas; equal formulas have equal numbers.
using Formula = int;

/// A part of an atom's numbers: those at first, first + step, ....
struct AtomPart {
  std::int64_t atom = 0;  // as wide as the others, since the bytes of a part are compared
  std::int64_t first = 0, step = 1;
  auto operator<=>(const AtomPart&) const = default;
};

/// A product of parts of atoms, with factors.
struct Product {
  std::vector<AtomPart> parts;  ///< in ascending order
  std::vector<float> factor;    ///< one for each number, or a single one for all
};

/// Returns whether a product has one factor, of that value, for all numbers.
inline bool is_one(const std::vector<float>& factor, float value = 1) {
  return factor.size() == 1 && factor[0] == value;
}

/// Returns number i of a list that is empty if all are `otherwise`, and single if all are equal.
inline float number_at(const std::vector<float>& values, std::size_t i, float otherwise) {
  return values.empty() ? otherwise : values.size() == 1 ? values[0] : values[i];
}

struct Sum {
  std::size_t width = 0;
  std::vector<Product> products;  ///< in the order of their parts, each product of parts once
  std::vector<float> constant;    ///< one for each number, or empty: zeros
};

/// The functions of a single number that formulas may hold: activations, by their own numbers, and
/// others. A softmax is one too, though it reads all numbers.
enum class Unary {
  sigmoid = SLUICE_SIGMOID,
  tanh = SLUICE_TANH,
  relu = SLUICE_RELU,
  softmax = SLUICE_SOFTMAX,
  hard_sigmoid = SLUICE_HARD_SIGMOID,
  square_root = 100,
  reciprocal,
  absolute,
  logarithm
};
constexpr bool is_activation(Unary function) { return function < Unary::square_root; }

/// A function with its numbers.
struct Function {
  Unary name = Unary::sigmoid;
  float parameter = 0, second = 0;  ///< as of an activation (Layer)
  std::vector<float> slopes = {};   ///< of a PReLU: one for each number
  bool operator==(const Function&) const = default;
};

struct Atom {
  enum class Kind { input, layer, matrix, unary, list, chosen, mean };
  Kind kind = Kind::input;
  int number = 0;          ///< of the graph's input; of a layer, counted from 1; of a matrix
  Function function = {};  ///< of a unary atom
  Formula of = -1;         ///< the formula that a matrix, a function, a choice or a mean reads
  std::vector<Formula> list = {};         ///< formulas one behind another
  std::vector<std::int64_t> chosen = {};  ///< numbers of `of`
  std::size_t width = 0;
  int depth = 0;  ///< functions and lists inside one another, without a matrix between
};

/// A matrix [rows][columns].
struct Weights2 {
  std::size_t rows = 0, cols = 0;
  std::vector<float> values;
};

/// Thrown for formulas that no network needs: of too many products or numbers, too deep, or without
/// numbers.
struct BadFormula {
  const char* reason;
};

/// All formulas of a model, each once.
class Formulas {
 public:
  /// Says how many numbers all formulas may hold. More are those of a hostile graph.
  void limit(std::size_t numbers) { room_ = numbers; }
  Formula constant(std::vector<float> values);
  Formula input(int number, std::size_t width);
  Formula layer(int number, std::size_t width);
  Formula add(Formula a, Formula b);
  /// Returns a * factor; a single factor is for all numbers.
  Formula scaled(Formula a, const std::vector<float>& factor);
  Formula multiply(Formula a, Formula b);
  /// Returns the product of a matrix [rows][width of a], and a.
  Formula product(const Weights2& matrix, Formula a);
  Formula apply(const Function& function, Formula a);
  Formula apply(Unary function, Formula a) { return apply(Function{function}, a); }
  Formula mean(Formula a);
  /// Returns formulas one behind another.
  Formula concat(const std::vector<Formula>& list);
  /// Returns these numbers of a formula, in this order.
  Formula choose(Formula a, const std::vector<std::int64_t>& numbers);
  /// Returns a formula of one number, repeated.
  Formula repeated(Formula a, std::size_t width);

  /// Returns a formula with zeros in place of some inputs, which its atoms say.
  Formula with_zeros(Formula a, const std::set<std::int64_t>& atoms);

  std::size_t width(Formula a) const { return sums_[std::size_t(a)].width; }
  const Sum& sum(Formula a) const { return sums_[std::size_t(a)]; }
  const Atom& atom(std::int64_t number) const { return atoms_[std::size_t(number)]; }
  const Weights2& matrix(int number) const { return matrices_[std::size_t(number)]; }
  /// Returns the formula of a part of an atom.
  Formula of_part(const AtomPart& part, std::size_t width);
  /// Returns whether a formula is all of an atom or a part of it, without factor and constant.
  bool is_part(Formula a, AtomPart& part) const;
  /// Returns a formula's constant numbers if it has no terms.
  bool is_constant(Formula a, std::vector<float>& values) const;

 private:
  Formula intern(Sum sum);
  int intern(Atom atom);
  int intern(const Weights2& matrix);
  Formula of_atom(int atom);
  void take_room(std::size_t numbers);
  Formula atom_with_zeros(std::int64_t number, const std::set<std::int64_t>& atoms);
  int depth(Formula a) const;

  std::size_t room_ = std::size_t(1) << 30;
  std::vector<Sum> sums_;
  std::vector<Atom> atoms_;
  std::vector<Weights2> matrices_;
  std::map<std::string, int> sum_numbers_, atom_numbers_, matrix_numbers_;
  std::map<Formula, Formula> zeroed_;  ///< answers of with_zeros
};

}  // namespace sluice::tools
