// Makes layers of formulas: dense layers, joins, normalizations, and cells that an exporter took
// apart.
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "expression.h"
#include "imported.h"
#include "weights.h"

namespace sluice::tools {

/// An input of the graph: a part of the frame, or a state that the network keeps by itself.
struct GraphInput {
  std::string name;
  std::size_t width = 0;
  bool is_state = false;
  std::size_t column = 0;         ///< of a part of the frame: its first number there
  std::vector<float> start = {};  ///< of a state: its numbers before the first step; empty: zeros
};

class Lowering {
 public:
  /// @param to  its network's width is that of the frame
  Lowering(Formulas& formulas, const std::vector<GraphInput>& inputs, Imported& to,
           Obstacles& obstacles)
      : formulas_(formulas), inputs_(inputs), to_(to), obstacles_(obstacles) {}

  /// Returns the source that a formula is: the frame (0), or a layer counted from 1, which is
  /// appended if it is not there yet. An obstacle is noted for a formula that cannot be expressed.
  /// @param place  the node that needs it, for messages
  std::uint32_t source_of(Formula formula, const std::string& place);

  /// Appends a layer that reads a formula, and returns its number.
  std::uint32_t put(Layer layer, Formula reads, const std::string& place);

  /// Appends the mean of a formula over all steps, weighted by the exponentials of scores, and
  /// returns its number.
  std::uint32_t attention(Formula scores, Formula x, const std::string& place) {
    const std::uint32_t score = source_of(scores, place), from = source_of(x, place);
    return join(SLUICE_ATTENTION, {score, from}, place);
  }

  /// Says the node that a formula comes from, for messages.
  void name(Formula formula, const std::string& node) { nodes_.emplace(formula, node); }

  /// Says the formula that a state has after each step. A cell with that state is known as one only
  /// if this is its own.
  void expect(Formula state, Formula next) { expected_[state] = next; }

  /// Says that a state runs from the last step to the first.
  void run_backward(Formula state) { backward_.insert(state); }

  /// Says, and tells, that a layer of both directions has zeros as its forward half.
  void goes_backward(std::uint32_t layer) { backward_layers_.insert(layer); }
  bool is_backward(std::uint32_t layer) const { return backward_layers_.count(layer) != 0; }

  /// Returns the layers with a state that a formula is computed from without other ones between.
  std::set<std::uint32_t> recurrent_below(Formula formula);

 private:
  struct Affine;
  struct Cell;
  std::uint32_t make(Formula formula, const std::string& place);
  bool affine_of(Formula formula, Affine& affine) const;
  std::uint32_t dense(const Affine& affine, const Curve& curve, const std::string& place);
  bool cell(Formula formula, const std::string& place, std::uint32_t& made);
  bool lstm(Formula formula, const std::string& place, std::uint32_t& made);
  bool linear_lstm(Formula formula, const std::string& place, std::uint32_t& made);
  struct Blend;
  bool read_blend(Formula formula, Blend& blend);
  Formula sum_of(const std::vector<Product>& products, std::vector<float> constant,
                 std::size_t width);
  bool gru(Formula formula, const std::string& place, std::uint32_t& made);
  bool rnn(Formula formula, const std::string& place, std::uint32_t& made);
  bool finish(const Cell& cell, Formula next, const std::string& place, std::uint32_t& made);
  bool keeps(Formula state, Formula next) const {
    const auto found = expected_.find(state);
    return found == expected_.end() || found->second == next;
  }
  std::vector<float> start_of(Formula state, std::size_t units) const;
  Formula state_of(const std::map<Formula, std::vector<float>>& weights, std::size_t units) const;
  bool normalization(Formula formula, const std::string& place, std::uint32_t& made);
  bool unit_norm(Formula formula, const std::string& place, std::uint32_t& made);
  std::uint32_t function(const Atom& atom, Formula formula, const std::string& place);
  bool is_state(const AtomPart& part) const;
  std::uint32_t obstacle(Formula formula, const std::string& place, const std::string& reason);
  std::uint32_t note(std::uint32_t number, const std::string& place);
  std::uint32_t join(sluice_layer_kind kind, std::vector<std::uint32_t> sources,
                     const std::string& place);

  Formulas& formulas_;
  const std::vector<GraphInput>& inputs_;
  Imported& to_;
  Obstacles& obstacles_;
  std::map<Formula, std::uint32_t> made_;
  std::map<Formula, Formula> expected_;
  std::map<Formula, std::string> nodes_;
  std::set<Formula> backward_;
  std::set<std::uint32_t> backward_layers_;
  int depth_ = 0;
};

}  // namespace sluice::tools
