#include "expression.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace sluice::tools {
namespace {

template <class T>
void append(std::string& key, const T& value) {
  key.append(reinterpret_cast<const char*>(&value), sizeof value);
}
static_assert(sizeof(AtomPart) == 3 * sizeof(std::int64_t),
              "a part has no bytes between its numbers");

template <class T>
void append(std::string& key, const std::vector<T>& values) {
  append(key, values.size());
  if (!values.empty())
    key.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

float factor_at(const std::vector<float>& factor, std::size_t i) {
  return factor.size() == 1 ? factor[0] : factor[i];
}

/// Returns one factor in place of many equal ones.
std::vector<float> shortest(std::vector<float> factor) {
  if (std::all_of(factor.begin(), factor.end(), [&](float f) { return f == factor[0]; }))
    factor.resize(1);
  return factor;
}

std::vector<float> product_of(const std::vector<float>& a, const std::vector<float>& b) {
  std::vector<float> result(std::max(a.size(), b.size()));
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = factor_at(a, i) * factor_at(b, i);
  return shortest(std::move(result));
}

bool all_zero(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return v == 0; });
}

}  // namespace

void Formulas::take_room(std::size_t numbers) {
  if (numbers > room_) throw BadFormula{"formulas of many times the numbers in the file"};
  room_ -= numbers;
}

Formula Formulas::intern(Sum sum) {
  std::sort(sum.products.begin(), sum.products.end(),
            [](const Product& a, const Product& b) { return a.parts < b.parts; });
  std::vector<Product> merged;
  for (Product& product : sum.products) {
    if (merged.empty() || merged.back().parts != product.parts) {
      merged.push_back(std::move(product));
      continue;
    }
    std::vector<float>& to = merged.back().factor;
    std::vector<float> added(std::max(to.size(), product.factor.size()));
    for (std::size_t i = 0; i < added.size(); ++i)
      added[i] = factor_at(to, i) + factor_at(product.factor, i);
    to = shortest(std::move(added));
  }
  std::erase_if(merged, [](const Product& product) { return all_zero(product.factor); });
  sum.products = std::move(merged);
  if (all_zero(sum.constant)) sum.constant.clear();
  std::string key;
  append(key, sum.width);
  append(key, sum.constant);
  for (const Product& product : sum.products)
    append(key, product.parts), append(key, product.factor);
  if (const auto known = sum_numbers_.find(key); known != sum_numbers_.end()) return known->second;
  std::size_t numbers = sum.constant.size();
  for (const Product& product : sum.products) numbers += product.factor.size();
  take_room(numbers);
  sum_numbers_.emplace(std::move(key), int(sums_.size()));
  sums_.push_back(std::move(sum));
  return int(sums_.size()) - 1;
}

int Formulas::depth(Formula a) const {
  int most = 0;
  for (const Product& product : sum(a).products)
    for (const AtomPart& part : product.parts) most = std::max(most, atom(part.atom).depth);
  return most;
}

int Formulas::intern(Atom atom) {
  constexpr int most_depth = 500;
  if (atom.kind != Atom::Kind::matrix) {
    if (atom.of >= 0) atom.depth = depth(atom.of) + 1;
    for (const Formula one : atom.list) atom.depth = std::max(atom.depth, depth(one) + 1);
    if (atom.depth > most_depth) throw BadFormula{"functions nest too deep"};
  }
  std::string key;
  append(key, atom.kind), append(key, atom.number), append(key, atom.function.name);
  append(key, atom.function.parameter), append(key, atom.function.second);
  append(key, atom.function.slopes), append(key, atom.of), append(key, atom.list);
  append(key, atom.chosen), append(key, atom.width);
  if (const auto known = atom_numbers_.find(key); known != atom_numbers_.end())
    return known->second;
  take_room(atom.chosen.size() + atom.list.size() + atom.function.slopes.size());
  atom_numbers_.emplace(std::move(key), int(atoms_.size()));
  atoms_.push_back(std::move(atom));
  return int(atoms_.size()) - 1;
}

int Formulas::intern(const Weights2& matrix) {
  std::string key;
  append(key, matrix.rows), append(key, matrix.values);
  if (const auto known = matrix_numbers_.find(key); known != matrix_numbers_.end())
    return known->second;
  take_room(matrix.values.size());
  matrix_numbers_.emplace(std::move(key), int(matrices_.size()));
  matrices_.push_back(matrix);
  return int(matrices_.size()) - 1;
}

Formula Formulas::of_part(const AtomPart& part, std::size_t width) {
  Sum sum;
  sum.width = width;
  sum.products.push_back({{part}, {1}});
  return intern(std::move(sum));
}

Formula Formulas::of_atom(int number) { return of_part({number, 0, 1}, atom(number).width); }

Formula Formulas::constant(std::vector<float> values) {
  Sum sum;
  sum.width = values.size();
  sum.constant = std::move(values);
  return intern(std::move(sum));
}

Formula Formulas::input(int number, std::size_t width) {
  Atom atom;
  atom.kind = Atom::Kind::input, atom.number = number, atom.width = width;
  return of_atom(intern(std::move(atom)));
}

Formula Formulas::layer(int number, std::size_t width) {
  Atom atom;
  atom.kind = Atom::Kind::layer, atom.number = number, atom.width = width;
  return of_atom(intern(std::move(atom)));
}

Formula Formulas::add(Formula a, Formula b) {
  Sum sum = this->sum(a);
  const Sum& other = this->sum(b);
  sum.products.insert(sum.products.end(), other.products.begin(), other.products.end());
  if (sum.constant.empty()) {
    sum.constant = other.constant;
  } else if (!other.constant.empty()) {
    for (std::size_t i = 0; i < sum.width; ++i) sum.constant[i] += other.constant[i];
  }
  return intern(std::move(sum));
}

Formula Formulas::scaled(Formula a, const std::vector<float>& factor) {
  Sum sum = this->sum(a);
  for (Product& product : sum.products) product.factor = product_of(product.factor, factor);
  for (std::size_t i = 0; i < sum.constant.size(); ++i) sum.constant[i] *= factor_at(factor, i);
  return intern(std::move(sum));
}

Formula Formulas::multiply(Formula a, Formula b) {
  constexpr std::size_t most_products = 1024, most_parts = 16;
  const Sum x = sum(a), y = sum(b);
  if ((x.products.size() + 1) * (y.products.size() + 1) > most_products)
    throw BadFormula{"a product of sums of many terms"};
  for (const Sum* one : {&x, &y})
    for (const Product& product : one->products)
      if (product.parts.size() > most_parts) throw BadFormula{"a product of many values"};
  Sum result;
  result.width = x.width;
  for (const Product& p : x.products)
    for (const Product& q : y.products) {
      Product product;
      product.parts = p.parts;
      product.parts.insert(product.parts.end(), q.parts.begin(), q.parts.end());
      std::sort(product.parts.begin(), product.parts.end());
      product.factor = product_of(p.factor, q.factor);
      result.products.push_back(std::move(product));
    }
  const auto by_constant = [&](const Sum& from, const std::vector<float>& factor) {
    for (const Product& p : from.products)
      if (!factor.empty()) result.products.push_back({p.parts, product_of(p.factor, factor)});
  };
  by_constant(x, y.constant), by_constant(y, x.constant);
  if (!x.constant.empty() && !y.constant.empty()) {
    result.constant = x.constant;
    for (std::size_t i = 0; i < result.width; ++i) result.constant[i] *= y.constant[i];
  }
  return intern(std::move(result));
}

Formula Formulas::product(const Weights2& matrix, Formula a) {
  const Sum& from = sum(a);
  // The product with a list is the sum of the products with its formulas.
  if (from.products.size() == 1 && from.constant.empty() && from.products[0].parts.size() == 1) {
    const AtomPart part = from.products[0].parts[0];
    const Atom& list = atom(part.atom);
    if (list.kind == Atom::Kind::list && part.first == 0 && part.step == 1 &&
        list.width == from.width && from.products[0].factor == std::vector<float>{1}) {
      const std::vector<Formula> formulas = list.list;
      Formula result = -1;
      std::size_t column = 0;
      for (const Formula one : formulas) {
        Weights2 columns{matrix.rows, width(one), {}};
        for (std::size_t row = 0; row < matrix.rows; ++row)
          for (std::size_t col = 0; col < columns.cols; ++col)
            columns.values.push_back(matrix.values[row * matrix.cols + column + col]);
        column += columns.cols;
        const Formula term = product(columns, one);
        result = result < 0 ? term : add(result, term);
      }
      return result;
    }
  }
  std::vector<float> values;
  if (is_constant(a, values)) {
    std::vector<float> result(matrix.rows);
    for (std::size_t row = 0; row < matrix.rows; ++row) {
      double sum_of_row = 0;
      for (std::size_t col = 0; col < matrix.cols; ++col)
        sum_of_row += double(matrix.values[row * matrix.cols + col]) * double(values[col]);
      result[row] = float(sum_of_row);
    }
    return constant(std::move(result));
  }
  Atom atom;
  atom.kind = Atom::Kind::matrix, atom.number = intern(matrix), atom.of = a;
  atom.width = matrix.rows;
  return of_atom(intern(std::move(atom)));
}

Formula Formulas::apply(const Function& function, Formula a) {
  Atom atom;
  atom.kind = Atom::Kind::unary, atom.function = function, atom.of = a;
  atom.width = width(a);
  return of_atom(intern(std::move(atom)));
}

Formula Formulas::mean(Formula a) {
  if (width(a) == 1) return a;
  Atom atom;
  atom.kind = Atom::Kind::mean, atom.of = a, atom.width = 1;
  return of_atom(intern(std::move(atom)));
}

Formula Formulas::concat(const std::vector<Formula>& list) {
  std::vector<Formula> flat;
  for (const Formula one : list)
    if (width(one) > 0) flat.push_back(one);
  if (flat.empty()) throw BadFormula{"a value without numbers"};
  if (flat.size() == 1) return flat[0];
  // Neighbours that are parts of one atom are one part again.
  std::vector<Formula> joined;
  for (const Formula one : flat) {
    AtomPart part, before;
    if (!joined.empty() && is_part(one, part) && is_part(joined.back(), before) &&
        part.atom == before.atom) {
      const auto first_width = std::int64_t(width(joined.back())),
                 second = std::int64_t(width(one));
      const std::int64_t step = first_width > 1 ? before.step
                                : second > 1    ? part.step
                                                : part.first - before.first;
      if (step > 0 && (second == 1 || part.step == step) &&
          part.first == before.first + first_width * step) {
        joined.back() = of_part({part.atom, before.first, step}, std::size_t(first_width + second));
        continue;
      }
    }
    joined.push_back(one);
  }
  if (joined.size() == 1) return joined[0];
  bool constants = true;
  std::vector<float> all;
  for (const Formula one : joined) {
    std::vector<float> values;
    constants = constants && is_constant(one, values);
    all.insert(all.end(), values.begin(), values.end());
  }
  if (constants) return constant(std::move(all));
  Atom atom;
  atom.kind = Atom::Kind::list, atom.list = joined;
  for (const Formula one : joined) atom.width += width(one);
  return of_atom(intern(std::move(atom)));
}

Formula Formulas::choose(Formula a, const std::vector<std::int64_t>& numbers) {
  const Sum from = sum(a);
  const std::size_t count = numbers.size();
  std::vector<std::int64_t> all(from.width);
  std::iota(all.begin(), all.end(), std::int64_t(0));
  if (numbers == all) return a;
  if (numbers.empty() || std::any_of(numbers.begin(), numbers.end(), [&](std::int64_t i) {
        return i < 0 || std::size_t(i) >= from.width;
      }))
    throw BadFormula{"numbers that are not there"};
  Sum result;
  result.width = count;
  const auto chosen = [&](const std::vector<float>& values) {
    std::vector<float> to;
    for (const std::int64_t i : numbers) to.push_back(factor_at(values, std::size_t(i)));
    return shortest(std::move(to));
  };
  if (!from.constant.empty())
    for (const std::int64_t i : numbers) result.constant.push_back(from.constant[std::size_t(i)]);
  bool steady = true;  // equal steps
  const std::int64_t step = count > 1 ? numbers[1] - numbers[0] : 1;
  for (std::size_t i = 1; i < count; ++i) steady = steady && numbers[i] - numbers[i - 1] == step;
  steady = steady && step > 0 && count > 0;

  Formula sum_of_products = -1;
  for (const Product& product : from.products) {
    Formula term = -1;
    for (const AtomPart& part : product.parts) {
      const Atom atom = this->atom(part.atom);
      std::vector<std::int64_t> inside;  // of the atom
      for (const std::int64_t i : numbers) inside.push_back(part.first + i * part.step);
      Formula one = -1;
      if (atom.kind == Atom::Kind::unary && atom.function.name != Unary::softmax) {
        Function function = atom.function;
        if (function.slopes.size() > 1) {
          function.slopes.clear();
          for (const std::int64_t i : inside)
            function.slopes.push_back(atom.function.slopes[std::size_t(i)]);
        }
        one = apply(function, choose(atom.of, inside));
      } else if (atom.kind == Atom::Kind::chosen) {
        std::vector<std::int64_t> deeper;
        for (const std::int64_t i : inside) deeper.push_back(atom.chosen[std::size_t(i)]);
        one = choose(atom.of, deeper);
      } else if (atom.kind == Atom::Kind::list) {
        // Runs of numbers out of one formula of the list.
        std::vector<Formula> runs;
        for (std::size_t i = 0; i < inside.size();) {
          std::int64_t begin = 0;
          std::size_t which = 0;
          while (inside[i] >= begin + std::int64_t(width(atom.list[which])))
            begin += std::int64_t(width(atom.list[which++]));
          const std::int64_t end = begin + std::int64_t(width(atom.list[which]));
          std::vector<std::int64_t> run;
          for (; i < inside.size() && inside[i] >= begin && inside[i] < end; ++i)
            run.push_back(inside[i] - begin);
          runs.push_back(choose(atom.list[which], run));
        }
        one = concat(runs);
      } else if (steady) {
        one = of_part({part.atom, inside[0], part.step * step}, count);
      } else {
        Atom choice;
        choice.kind = Atom::Kind::chosen, choice.of = of_atom(part.atom), choice.chosen = inside;
        choice.width = count;
        one = of_atom(intern(std::move(choice)));
      }
      term = term < 0 ? one : multiply(term, one);
    }
    term = scaled(term, chosen(product.factor));
    sum_of_products = sum_of_products < 0 ? term : add(sum_of_products, term);
  }
  const Formula rest = intern(std::move(result));
  return sum_of_products < 0 ? rest : add(sum_of_products, rest);
}

Formula Formulas::atom_with_zeros(std::int64_t number, const std::set<std::int64_t>& atoms) {
  const Atom from = atom(number);
  switch (from.kind) {
    case Atom::Kind::input:
      if (atoms.count(number)) return constant(std::vector<float>(from.width));
      return of_atom(int(number));
    case Atom::Kind::layer:
      return of_atom(int(number));
    case Atom::Kind::matrix:
      return product(Weights2(matrix(from.number)), with_zeros(from.of, atoms));
    case Atom::Kind::unary:
      return apply(from.function, with_zeros(from.of, atoms));
    case Atom::Kind::chosen:
      return choose(with_zeros(from.of, atoms), from.chosen);
    case Atom::Kind::mean:
      return mean(with_zeros(from.of, atoms));
    case Atom::Kind::list:
      break;
  }
  std::vector<Formula> list;
  for (const Formula one : from.list) list.push_back(with_zeros(one, atoms));
  return concat(list);
}

Formula Formulas::with_zeros(Formula a, const std::set<std::int64_t>& atoms) {
  // A formula that was asked for before holds no atom that came later.
  const auto known = zeroed_.find(a);
  if (known != zeroed_.end()) return known->second;
  const Sum from = sum(a);
  Formula result = constant(from.constant.empty() ? std::vector<float>(from.width) : from.constant);
  for (const Product& product : from.products) {
    Formula term = -1;
    for (const AtomPart& part : product.parts) {
      std::vector<std::int64_t> numbers;
      for (std::size_t i = 0; i < from.width; ++i)
        numbers.push_back(part.first + std::int64_t(i) * part.step);
      const Formula one = choose(atom_with_zeros(part.atom, atoms), numbers);
      term = term < 0 ? one : multiply(term, one);
    }
    result = add(result, scaled(term, product.factor));
  }
  zeroed_[a] = result;
  return result;
}

Formula Formulas::repeated(Formula a, std::size_t width) {
  return choose(a, std::vector<std::int64_t>(width, 0));
}

bool Formulas::is_part(Formula a, AtomPart& part) const {
  const Sum& from = sum(a);
  if (from.products.size() != 1 || !from.constant.empty() || from.products[0].parts.size() != 1 ||
      from.products[0].factor != std::vector<float>{1})
    return false;
  part = from.products[0].parts[0];
  return true;
}

bool Formulas::is_constant(Formula a, std::vector<float>& values) const {
  const Sum& from = sum(a);
  if (!from.products.empty()) return false;
  values = from.constant;
  values.resize(from.width);
  return true;
}

}  // namespace sluice::tools
