#include "prune.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <tuple>

#include "../common/error.h"
#include "batches.h"
#include "kernels/kernels.h"

namespace sluice::tools {
namespace {

/// Calls visit(index in plain order) for every weight of block number `block`; blocks are counted
/// through gates, panels and columns.
template <class Visit>
void each_weight(const Array& matrix, std::size_t block, Visit visit) {
  const auto across = std::size_t(blocked(matrix.cols) / block_cols),
             panels = std::size_t(padded(matrix.rows) / panel_rows);
  const int column = int(block % across) * block_cols,
            panel = int(block / across % panels) * panel_rows;
  const auto gate = int(block / across / panels);
  for (int row = panel; row < std::min(matrix.rows, panel + panel_rows); ++row)
    for (int col = column; col < std::min(matrix.cols, column + block_cols); ++col)
      visit((std::size_t(gate) * std::size_t(matrix.rows) + std::size_t(row)) *
                std::size_t(matrix.cols) +
            std::size_t(col));
}

bool is_pruned_kind(const Layer& layer, const Array& array) {
  return recurrent(layer) && layer.rank == 0 && array.is_matrix();
}

}  // namespace

double PrunePlan::share_before(std::uint64_t step) const {
  if (share == 0 || step <= begin || step > last() || (step - begin) % every != 0) return 0;
  const double left = 1 - double(step - begin) / double(every * count);
  return share * (1 - left * left * left);
}

PrunePlan prune_plan(const Recipe& recipe, const Split& split) {
  if (recipe.prune == 0) return {};
  const std::uint64_t steps = batches_of(recipe, split) * std::uint64_t(recipe.epochs);
  PrunePlan plan{recipe.prune, std::uint64_t(recipe.prune_begin * double(steps)),
                 std::uint64_t(recipe.prune_every), 0};
  const auto end = std::uint64_t(recipe.prune_end * double(steps));
  plan.count = end > plan.begin ? (end - plan.begin) / plan.every : 0;
  if (plan.count == 0)
    refuse(
        "{}: pruning every {} batches never happens between train.prune_begin and train.prune_end, "
        "batches {} to {} of {}; lower train.prune_every, or train longer",
        where(recipe, "train.prune_every"), plan.every, plan.begin, end, steps);
  return plan;
}

void prune(const Array& matrix, double share, Array& mask) {
  const std::size_t blocks = std::size_t(zero_blocks(matrix).blocks);
  std::vector<std::tuple<bool, double, std::size_t>> order;  // not pruned yet, norm, number
  for (std::size_t b = 0; b < blocks; ++b) {
    bool there = false;
    double sum = 0;
    each_weight(matrix, b, [&](std::size_t at) {
      there = there || mask.values[at] != 0;
      sum += double(matrix.values[at]) * double(matrix.values[at]);
    });
    order.emplace_back(there, sum, b);
  }
  std::sort(order.begin(), order.end());
  order.resize(std::size_t(std::floor(share * double(blocks) + 0.5)));
  for (const auto& [there, norm, block] : order)
    each_weight(mask, block, [&](std::size_t at) { mask.values[at] = 0; });
}

void prune(const Network& network, const std::vector<bool>& frozen, double share, Network& masks) {
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    Layer& of = masks.layers[l];
    // tied weights are stored once
    if (of.tied >= 0) of.arrays = masks.layers[std::size_t(of.tied)].arrays;
    if (of.tied >= 0 || frozen[l]) continue;
    for (std::size_t a = 0; a < of.arrays.size(); ++a)
      if (is_pruned_kind(of, of.arrays[a])) prune(network.layers[l].arrays[a], share, of.arrays[a]);
  }
}

std::vector<double> zero_shares(const Network& network) {
  std::vector<double> shares;
  for (const Layer& layer : network.layers) {
    if (!recurrent(layer) || layer.tied >= 0) continue;
    BlockShare sum;
    for (const Array& array : layer.arrays) {
      if (!is_pruned_kind(layer, array)) continue;
      const BlockShare share = zero_blocks(array);
      sum.blocks += share.blocks, sum.zero += share.zero;
    }
    shares.push_back(sum.share());
  }
  return shares;
}

}  // namespace sluice::tools
