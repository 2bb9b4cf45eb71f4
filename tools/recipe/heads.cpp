#include "heads.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "../common/error.h"
#include "runtime/anatomy.h"

namespace sluice::tools {
namespace {

constexpr std::size_t most_heads = most_sources;  // the concat of the heads joins them

bool is_head(const LayerSpec& layer) { return layer.loss != HeadLoss::none; }

sluice_loss loss_of(HeadLoss loss) {
  if (loss == HeadLoss::cross_entropy) return SLUICE_CROSS_ENTROPY;
  if (loss == HeadLoss::binary) return SLUICE_BINARY;
  return loss == HeadLoss::huber ? SLUICE_HUBER : SLUICE_MSE;
}

bool ends_in_concat(const Recipe& recipe) {
  return !recipe.layers.empty() && answers_in_parts(std::uint32_t(recipe.layers.back().kind));
}

/// Returns the layers, counted from 0, that have a loss.
std::vector<std::size_t> layers_with_loss(const Recipe& recipe) {
  std::vector<std::size_t> layers;
  for (std::size_t l = 0; l < recipe.layers.size(); ++l)
    if (is_head(recipe.layers[l])) layers.push_back(l);
  return layers;
}

/// "layer 3 ("vad")", or without a name "layer 3".
std::string layer_text(const Recipe& recipe, std::size_t layer) {
  const std::string& name = recipe.layers[layer].name;
  return name.empty() ? fmt::format("layer {}", layer + 1)
                      : fmt::format("layer {} (\"{}\")", layer + 1, name);
}

/// The concat that ends the network joins all heads, each once, and nothing else.
void check_concat(const Recipe& recipe, const std::vector<std::size_t>& heads,
                  const std::string& place) {
  const std::size_t last = recipe.layers.size() - 1;
  const std::vector<std::size_t> sources = sources_of(recipe.layers, last, place);
  const std::vector<std::string>& names = recipe.layers[last].sources;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (sources[i] == 0 || !is_head(recipe.layers[sources[i] - 1]))
      refuse("{}: layer {}: concat: \"{}\" has no loss; in an answer of several parts each has one",
             place, last + 1, names[i]);
    if (std::count(names.begin(), names.end(), names[i]) > 1)
      refuse("{}: layer {}: concat: \"{}\" twice; a part of the answer is there once", place,
             last + 1, names[i]);
  }
  for (const std::size_t head : heads)
    if (std::find(sources.begin(), sources.end(), head + 1) == sources.end())
      refuse("{}: {} has a loss, but the concat that ends the network leaves it out", place,
             layer_text(recipe, head));
}

void add_concat(Recipe& recipe, const std::vector<std::size_t>& heads, const std::string& place) {
  if (!is_head(recipe.layers.back()))
    refuse("{}: layer {} comes last and has no loss, but others have; give it one, or leave it out",
           place, recipe.layers.size());
  if (heads.size() > most_heads)
    refuse("{}: {} layers have a loss; an answer has at most {} parts", place, heads.size(),
           most_heads);
  LayerSpec concat;
  concat.kind = SLUICE_CONCAT;
  for (const std::size_t head : heads) concat.sources.push_back(recipe.layers[head].name);
  recipe.layers.push_back(std::move(concat));
}

/// Checks that the activation of a head fits its loss.
void check_activation(const LayerSpec& layer, const std::string& place) {
  const bool is_dense = layer.kind == SLUICE_DENSE;
  if (layer.loss == HeadLoss::cross_entropy && (!is_dense || layer.activation != SLUICE_SOFTMAX))
    refuse(
        "{}: loss: cross_entropy wants probabilities; give {{ dense = {}, activation = "
        "\"softmax\" }}",
        place, layer.units);
  if (layer.loss == HeadLoss::binary && (!is_dense || layer.activation != SLUICE_SIGMOID))
    refuse("{}: loss: binary wants a probability; give {{ dense = {}, activation = \"sigmoid\" }}",
           place, layer.units);
  if (layer.dropout > 0)
    refuse("{}: dropout on the output of a head would drop answers; leave it out", place);
}

/// The trainer and fixed point have logits in place of the probabilities of a head.
void check_readers(const Recipe& recipe, const std::string& place) {
  for (std::size_t l = 0; l + 1 < recipe.layers.size(); ++l)
    for (const std::size_t source : sources_of(recipe.layers, l, place)) {
      if (source == 0) continue;
      const LayerSpec& read = recipe.layers[source - 1];
      if (read.loss != HeadLoss::cross_entropy && read.loss != HeadLoss::binary) continue;
      refuse(
          "{}: layer {} reads {}, whose {} is a part of the answer; let it read an earlier layer, "
          "by from",
          place, l + 1, layer_text(recipe, source - 1), word(read.activation));
    }
}

/// Targets of heads are values, columns side by side.
void settle_targets(Recipe& recipe, const std::string& place) {
  const auto alone = [&](const char* key, bool fits, const char* why) {
    if (!fits) refuse("{}: {}; leave it out", where(recipe, key), why);
  };
  alone("train.loss", !recipe.origin.contains("train.loss") || recipe.loss == LossKind::mse,
        "layers have losses of their own");
  alone("data.format", recipe.format != Format::text,
        "in a text the targets are tokens, but layers have losses of their own");
  alone("data.window", recipe.format != Format::table || recipe.window == 0,
        "the targets of windows are one answer, but layers have losses of their own");
  alone("data.standardize_target", !recipe.standardize_target,
        "the model's last layer is to answer in the data's own units, but the answer has several "
        "parts");
  alone("data.target_type",
        !recipe.origin.contains("data.target_type") || recipe.target_type == TargetType::values,
        "layers have losses of their own, which decide the type of the targets");
  recipe.target_type = TargetType::values, recipe.loss = LossKind::mse;
  std::size_t columns = 0;
  std::string parts;
  for (const Head& head : heads_of(recipe)) {
    columns += head.columns();
    parts += fmt::format("{}\"{}\" has {}", parts.empty() ? "" : ", ", head.name, head.columns());
  }
  if (columns != recipe.target.size())
    refuse(
        "{}: {} {}, but the heads have {}: {}; name the columns of all heads, in the answer's "
        "order",
        where(recipe, "data.target"), recipe.target.size(),
        recipe.target.size() == 1 ? "column" : "columns", columns, parts);
  for (const std::size_t head : layers_with_loss(recipe))
    check_activation(recipe.layers[head], fmt::format("{}: layer {}", place, head + 1));
}

}  // namespace

std::vector<Head> heads_of(const Recipe& recipe) {
  std::vector<Head> heads;
  if (!ends_in_concat(recipe)) return heads;
  for (const std::string& name : recipe.layers.back().sources)
    for (const LayerSpec& layer : recipe.layers)
      if (is_head(layer) && layer.name == name)
        heads.push_back({layer.name, loss_of(layer.loss), layer.weight, recipe.huber_delta,
                         std::size_t(layer.out(layer.units))});
  return heads;
}

std::string_view loss_word(const Head& head) {
  for (const HeadLoss loss : {HeadLoss::cross_entropy, HeadLoss::binary, HeadLoss::huber})
    if (loss_of(loss) == head.loss) return word(loss);
  return word(HeadLoss::mse);
}

void resolve_heads(Recipe& recipe) {
  const std::vector<std::size_t> heads = layers_with_loss(recipe);
  const std::string place = where(recipe, "model.layers");
  if (heads.empty()) return;
  if (heads.size() == 1)
    refuse(
        "{}: layer {} alone has a loss; give a loss to two layers or more, or train.loss for one "
        "answer",
        place, heads[0] + 1);
  for (const std::size_t head : heads)
    if (recipe.layers[head].name.empty())
      refuse("{}: layer {} has a loss, but no name; give it one, such as name = \"vad\"", place,
             head + 1);
  if (ends_in_concat(recipe))
    check_concat(recipe, heads, place);
  else
    add_concat(recipe, heads, place);
  check_readers(recipe, place);
  settle_targets(recipe, place);
}

void check_rows_of_heads(const Recipe& recipe, const std::vector<bool>& once) {
  const std::vector<std::size_t> heads = layers_with_loss(recipe);
  const auto rows = [&](std::size_t head) { return once[head + 1] ? "a sequence" : "every row"; };
  for (const std::size_t head : heads)
    if (once[head + 1] != once[heads[0] + 1])
      refuse("{}: {} answers {}, but {} {}; give the recurrent layers before them the same steps",
             where(recipe, "model.layers"), layer_text(recipe, heads[0]), rows(heads[0]),
             layer_text(recipe, head), rows(head));
}

}  // namespace sluice::tools
