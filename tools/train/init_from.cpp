#include "init_from.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <unordered_map>

#include "../common/error.h"
#include "../convert/fold.h"
#include "../convert/run_rows.h"
#include "../data/features.h"
#include "../data/files.h"
#include "../model/graph.h"
#include "../model/model_file.h"
#include "../model/pack.h"
#include "../model/vocabulary.h"
#include "../recipe/keys.h"
#include "../recipe/made.h"
#include "../recipe/write.h"

namespace sluice::tools {
namespace {

/// Returns how many layers at the front prepare the frame. A recipe does not list them.
std::size_t preparing(const Network& network) {
  std::size_t count = 0;
  while (count < network.layers.size() && only_prepares(network.layers[count])) ++count;
  return count;
}

bool prepares_by(const Network& network, sluice_layer_kind kind) {
  const auto front = network.layers.begin();
  return std::any_of(front, front + std::ptrdiff_t(preparing(network)),
                     [&](const Layer& layer) { return layer.kind == kind; });
}

/// The numbers of layers as model.layers counts them: 1 is its first, and a repeated one has one.
struct Numbers {
  const Recipe& recipe;
  std::size_t front;                      ///< layers before those of the recipe
  const std::vector<std::size_t>& place;  ///< of each layer of the saved model in the network

  /// @param layer  of the saved model, counted from 0
  std::size_t of(std::size_t layer) const {
    std::size_t behind = std::max(place[layer], front) - front, number = 0;
    while (number + 1 < recipe.layers.size() && behind >= std::size_t(recipe.layers[number].repeat))
      behind -= std::size_t(recipe.layers[number++].repeat);
    return number + 1;
  }
  std::string of_sources(const Layer& layer) const {
    if (layer.sources.empty()) return "the layer before";
    std::vector<std::string> sources;
    for (const std::uint32_t source : layer.sources)
      sources.push_back(source <= front          ? "the frame"
                        : source <= place.size() ? fmt::format("layer {}", of(source - 1))
                                                 : "a later layer");
    return fmt::format("{}", fmt::join(sources, ", "));
  }
};

/// Returns a layer's kind in a recipe's words.
std::string kind_text(const Layer& layer) {
  if (layer.kind == SLUICE_GRU_BEFORE) return "gru with reset = \"before\"";
  return sluice_layer_name(std::uint32_t(layer.kind));
}

/// Returns the properties that decide which arrays a layer has and what it computes with them, as
/// name and value.
std::vector<std::pair<const char*, std::string>> shape_texts(const Layer& layer,
                                                             const Numbers& numbers) {
  const bool sigmoid_gates = recurrent(layer) && layer.activation == SLUICE_LINEAR;
  const sluice_activation curve = sigmoid_gates ? SLUICE_SIGMOID : layer.activation;
  return {{"kind", kind_text(layer)},
          {"inputs", std::to_string(layer.in)},
          {"units", std::to_string(layer.out)},
          {"directions", layer.both ? "both" : "one"},
          {recurrent(layer) ? "gates" : "activation", sluice_activation_name(curve)},
          {"candidate", sluice_activation_name(layer.candidate)},
          {"slope, epsilon or low", fmt::format("{}", layer.parameter)},
          {"alpha or high", fmt::format("{}", layer.second)},
          {"rank", std::to_string(layer.rank)},
          {"parts", std::to_string(layer.parts)},
          {"dilation", std::to_string(layer.dilation)},
          {"stride", std::to_string(layer.stride)},
          {"ahead", std::to_string(layer.ahead)},
          {"first", std::to_string(layer.first)},
          {"initial state", layer.initial_state ? "learned" : "zero"},
          {"cells", std::to_string(layer.cells)},
          {"peepholes", layer.peepholes ? "true" : "false"},
          {"cell_clip", fmt::format("{}", layer.cell_clip)},
          {"sources", numbers.of_sources(layer)}};
}

/// "kind gru, but lstm here; inputs 6, but 8 here": every property that differs; empty: none.
std::string differences_text(const Layer& other, const Layer& here, const Numbers& numbers) {
  const auto theirs = shape_texts(other, numbers), ours = shape_texts(here, numbers);
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < ours.size(); ++i)
    if (theirs[i].second != ours[i].second)
      parts.push_back(fmt::format("{} {}, but {}{} here", theirs[i].first, theirs[i].second,
                                  theirs[i].first == std::string_view(ours[i].first)
                                      ? ""
                                      : fmt::format("{} ", ours[i].first),
                                  ours[i].second));
  return fmt::format("{}", fmt::join(parts, "; "));
}

/// Refuses a key of data by which the model that training starts from has another frame or answer.
void check_alike(const Recipe& recipe, const char* key, const std::string& theirs,
                 const std::string& ours) {
  if (theirs == ours) return;
  refuse("{}: {} was trained with {} = {}, but here it is {}; give it as that model has it",
         where(recipe, "model.init_from"), recipe.init_from, key, theirs, ours);
}

/// Does the same for the keys that add layers to those of the recipe.
void check_added_layers(const Recipe& recipe, const Network& theirs, const Network& ours,
                        bool takes_difference) {
  const auto text = [](bool value) { return std::string(value ? "true" : "false"); };
  const auto target = [](bool difference) {
    return fmt::format("\"{}\"",
                       word(difference ? WindowsTarget::difference : WindowsTarget::value));
  };
  check_alike(recipe, "data.differences", text(prepares_by(theirs, SLUICE_DIFFERENCE)),
              text(prepares_by(ours, SLUICE_DIFFERENCE)));
  check_alike(recipe, "data.standardize", text(prepares_by(theirs, SLUICE_STANDARDIZE)),
              text(prepares_by(ours, SLUICE_STANDARDIZE)));
  if (theirs.layers.back().out == ours.layers.back().out)  // else the last layer begins anew
    check_alike(recipe, "data.windows_target", target(adds_frame_columns(theirs)),
                target(takes_difference));
}

/// Does the same for the keys that decide what the model's record names: features and answers.
void check_record(const Recipe& recipe, const OwnedModel& model, const DataSet& data) {
  std::optional<Recipe> record;
  try {
    record = recipe_of_made(model.made(), recipe.init_from);
  } catch (const Error&) {
    return;  // a model that "sluice train" did not write has none
  }
  const auto check = [&](const char* name) {
    const Key& key = *find_key(name);
    check_alike(recipe, name, value_text(*record, key), value_text(recipe, key));
  };
  const auto sorted = [](std::vector<std::string> names) {
    std::sort(names.begin(), names.end());
    return names;
  };
  if (sorted(record->time_features) != sorted(recipe.time_features) &&
      sorted(model.inputs()) != sorted(data.feature_names))
    check("data.time_features");
  const std::size_t answers = (data.classes ? model.classes() : model.labels()).size();
  if (answers != output_names(data).size()) return;  // the last layer begins anew
  check("data.target_type");
  if (data.window) check("data.horizon");
}

/// Returns the model that training starts from; of a run for fixed point, its float weights.
OwnedModel start_model(const Recipe& recipe) {
  const std::filesystem::path floats = std::filesystem::path(recipe.init_from) / "model-f32.slu";
  std::error_code unreadable;
  return load_model(std::filesystem::exists(floats, unreadable) ? floats.string()
                                                                : recipe.init_from);
}

// --- the names of features, classes and values

template <class T>
bool holds(const std::vector<T>& list, const T& one) {
  return std::find(list.begin(), list.end(), one) != list.end();
}

std::vector<std::string> missing_in(const std::vector<std::string>& list,
                                    const std::vector<std::string>& wanted) {
  std::vector<std::string> missing;
  for (const std::string& one : wanted)
    if (!holds(list, one)) missing.push_back(one);
  return missing;
}

/// Moves each column of the frames to the place of the model's input of that name.
void match_features(const OwnedModel& model, const std::string& place, DataSet& data) {
  Expected expected;
  expected.features = model.inputs();
  const std::vector<std::size_t> picked = pick_features(data.feature_names, expected, place);
  const std::size_t n = data.features();
  std::vector<float> row(n);
  for (std::size_t at = 0; at < data.x.size(); at += n) {
    for (std::size_t k = 0; k < n; ++k) row[k] = data.x[at + picked[k]];
    std::copy(row.begin(), row.end(), data.x.begin() + std::ptrdiff_t(at));
  }
  std::vector<std::string> names;
  for (const std::size_t column : picked) names.push_back(data.feature_names[column]);
  data.feature_names = std::move(names);
}

/// Gives the classes of the data the numbers that they have in the model. Classes of the model that
/// the data lack stay known if the last layer has room for them.
void match_classes(const Recipe& recipe, const OwnedModel& model, const std::string& place,
                   DataSet& data) {
  const std::vector<std::string> theirs = model.classes();
  const std::vector<std::string> extra = missing_in(theirs, data.labels),
                                 missing = missing_in(data.labels, theirs);
  const auto units = std::size_t(recipe.layers.back().units);
  const bool whole = extra.empty() && (missing.empty() || units == theirs.size());
  if (!whole) {
    if (theirs.size() != data.labels.size()) return;  // the last layer begins anew
    refuse(
        "{}: {} knows the classes {}, but {} has {}; give data of the same classes, or a last "
        "layer for another number of them",
        place, recipe.init_from, list_names(theirs), shown_files(recipe.train_file),
        list_names(data.labels));
  }
  std::vector<std::int32_t> number;
  for (const std::string& label : data.labels)
    number.push_back(std::int32_t(std::find(theirs.begin(), theirs.end(), label) - theirs.begin()));
  for (std::int32_t& target : data.target)
    if (target >= 0) target = number[std::size_t(target)];
  data.labels = theirs;
}

/// Refuses values that are not those that the model answers, in their order.
void match_values(const Recipe& recipe, const OwnedModel& model, const std::string& place,
                  const DataSet& data) {
  const std::vector<std::string> theirs = model.labels(), ours = output_names(data);
  if (theirs.size() != ours.size() || theirs == ours) return;  // or the last layer begins anew
  const bool order = missing_in(ours, theirs).empty();
  refuse("{}: {} answers {}, but the recipe {}; {}", place, recipe.init_from, list_names(theirs),
         list_names(ours),
         order ? "name the targets in the model's order (data.target)"
               : "give the targets of the model");
}

// --- vocabularies

/// Returns for each id of the data the model's id of the same token. Refuses tokens that the model
/// does not know.
std::vector<std::size_t> ids_of_start(const Recipe& recipe, const std::string& place,
                                      const Tokens& theirs, const Tokens& ours) {
  if (theirs.rules.words != ours.rules.words || theirs.rules.lower_case != ours.rules.lower_case)
    refuse("{}: {} reads text in other tokens; set data.tokens and data.lower_case as it has them",
           place, recipe.init_from);
  std::unordered_map<std::string, std::size_t> known;
  for (const std::string& text : theirs.texts) known.emplace(text, first_token + known.size());
  std::vector<std::size_t> ids;
  for (std::size_t id = 0; id < first_token; ++id) ids.push_back(id);
  std::vector<std::string> unknown;
  for (const std::string& text : ours.texts) {
    const auto found = known.find(text);
    if (found == known.end())
      unknown.push_back(fmt::format("\"{}\"", text));
    else
      ids.push_back(found->second);
  }
  if (!unknown.empty())
    refuse(
        "{}: {} does not know {} of the {} tokens of {}, such as {}; train on text of its tokens, "
        "or limit data.vocabulary",
        place, recipe.init_from, unknown.size(), ours.texts.size(), shown_files(recipe.train_file),
        list_names(unknown));
  return ids;
}

/// Returns the columns of a matrix [rows][cols], or its rows, in another order.
std::vector<float> picked_columns(const Array& from, const std::vector<std::size_t>& columns) {
  std::vector<float> values;
  for (std::size_t at = 0; at < from.values.size(); at += std::size_t(from.cols))
    for (const std::size_t column : columns) values.push_back(from.values[at + column]);
  return values;
}
std::vector<float> picked_rows(const Array& from, const std::vector<std::size_t>& rows) {
  std::vector<float> values;
  const auto cols = std::ptrdiff_t(from.cols);
  for (const std::size_t row : rows) {
    const auto at = from.values.begin() + std::ptrdiff_t(row) * cols;
    values.insert(values.end(), at, at + cols);
  }
  return values;
}

// --- the layers

/// The layers of a network that a saved model has too: all, or those that are left after batch
/// normalization is folded.
struct Kept {
  Network network;
  std::vector<std::size_t> place;  ///< of each in the whole network
};
Kept kept_layers(const Network& network, std::size_t saved) {
  Kept kept{saved == network.layers.size() ? network : folded(network), {}};
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const std::size_t next = kept.place.size();
    const bool gone =
        network.layers[l].kind == SLUICE_BATCH_NORM &&
        (next == kept.network.layers.size() || kept.network.layers[next].kind != SLUICE_BATCH_NORM);
    if (!gone) kept.place.push_back(l);
  }
  return kept;
}

/// Sums of the rows of a layer's output, from which mean and variance follow (Welford 1962).
struct RowSums {
  double rows = 0;
  std::vector<double> mean, squares;  ///< squares: of the distances from the mean

  void add(const float* row, std::size_t n) {
    mean.resize(n), squares.resize(n), ++rows;
    for (std::size_t i = 0; i < n; ++i) {
      const double from_mean = double(row[i]) - mean[i];
      mean[i] += from_mean / rows;
      squares[i] += from_mean * (double(row[i]) - mean[i]);
    }
  }
};

/// Returns the sums of a source's rows as training sees them: of whole sequences, and after a layer
/// that answers a sequence once, one row of each.
RowSums row_sums_of(const Recipe& recipe, const Network& network, std::uint32_t source,
                    const DataSet& data, const Split& split) {
  RowSums sums;
  if (source == 0) {
    for (const std::size_t s : split.train)
      for (std::size_t t = 0; t < data.steps(s); ++t)
        sums.add(data.frames(s) + t * data.features(), data.features());
    return sums;
  }
  Network part;
  part.width = network.width;
  part.layers.assign(network.layers.begin(), network.layers.begin() + std::ptrdiff_t(source));
  const OwnedModel model = open_model(write_blob(part), recipe.init_from);
  const std::size_t n = model.info().outputs;
  std::uint32_t longest = 1;
  for (const std::size_t s : split.train) longest = std::max(longest, std::uint32_t(data.steps(s)));
  OwnedStream stream(model.model, {model.info().whole_sequences ? longest : 64, 1});
  std::vector<float> y;
  for (const std::size_t s : split.train) {
    y.resize((model.info().every_step ? data.steps(s) : 1) * n);
    if (!recipe.carries() || data.begins(s)) sluice_reset(&stream.stream);
    const std::size_t rows = run_rows(stream, data, data.first[s], data.steps(s), y.data());
    for (std::size_t row = 0; row < rows; ++row) sums.add(y.data() + row * n, n);
  }
  return sums;
}

/// Makes every folded batch normalization the identity over the moments that its input has in the
/// training data. Its running variance is the one that the batches of a training estimate.
void restore_folded(const Recipe& recipe, const Network& from, const Kept& kept,
                    const DataSet& data, const Split& split, Network& network) {
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    if (holds(kept.place, l)) continue;
    const std::size_t reader = readers_of(network, std::uint32_t(l) + 1)[0] - 1;
    const auto at = std::find(kept.place.begin(), kept.place.end(), reader) - kept.place.begin();
    const std::uint32_t source = sources_of(from, std::size_t(at))[0];
    const RowSums input = row_sums_of(recipe, from, source, data, split);
    const double count = recipe.batch_norm == BatchNorm::keras ? input.rows : input.rows - 1;
    Layer& norm = network.layers[l];
    for (std::size_t i = 0; i < input.mean.size(); ++i) {
      const double variance = input.squares[i] / std::max(count, 1.0);
      norm.array(Role::mean).values[i] = float(input.mean[i]);
      norm.array(Role::variance).values[i] = float(variance);
      norm.array(Role::shift).values[i] = float(input.mean[i]);
      norm.array(Role::scale).values[i] = float(std::sqrt(variance + double(norm.parameter)));
    }
  }
}

/// Converts a last layer that answers in the data's own units to standardized ones.
void standardize_answers(const Units& units, Layer& last) {
  for (Array& array : last.arrays)
    for (std::size_t i = 0; i < array.values.size(); ++i) {
      const std::size_t output = i / std::size_t(array.cols);
      const double own =
          double(array.values[i]) - (array.role == Role::input_bias ? units.mean[output] : 0.0);
      array.values[i] = float(own / units.deviation[output]);
    }
}

}  // namespace

void match_to_start(const Recipe& recipe, DataSet& data) {
  if (recipe.init_from.empty()) return;
  const OwnedModel model = start_model(recipe);
  check_record(recipe, model, data);
  const std::string place =
      fmt::format("{}: {}", where(recipe, "model.init_from"), shown_files(recipe.train_file));
  if (!data.is_text()) match_features(model, place, data);
  if (data.is_text() && data.per_row) return;  // its classes are tokens
  if (data.classes && data.heads.empty())
    match_classes(recipe, model, where(recipe, "model.init_from"), data);
  else
    match_values(recipe, model, where(recipe, "model.init_from"), data);
}

Units units_of_start(const Recipe& recipe) {
  if (recipe.init_from.empty()) return {};
  return units_of_made(start_model(recipe).made());
}

void start_from(const Recipe& recipe, const DataSet& data, const Split& split, Network& network) {
  const std::string place = where(recipe, "model.init_from");
  const OwnedModel model = start_model(recipe);
  if (model.info().format != SLUICE_F32)
    refuse("{}: {} is in fixed point; give the float model", place, recipe.init_from);
  const Network whole = read_network(model.model), from = without_frame_columns(whole);
  check_added_layers(recipe, whole, network, data.difference);
  const Kept kept = kept_layers(network, from.layers.size());
  const std::size_t front = preparing(network);
  if (from.layers.size() != kept.network.layers.size())
    refuse("{}: {} has {} layers, but model.layers {}{}; give the layers of that model", place,
           recipe.init_from, from.layers.size() - preparing(from),
           kept.network.layers.size() - front,
           kept.network.layers.size() < network.layers.size()
               ? " without the batch normalization that a saved model has folded"
               : "");
  const Numbers numbers{recipe, front, kept.place};
  std::vector<std::size_t> ids;  // empty: as in the model
  if (from.vocabulary != network.vocabulary)
    ids = ids_of_start(recipe, place, tokens_of(model.model), data.tokens);
  const bool answers_tokens = data.is_text() && data.per_row;
  for (std::size_t l = 0; l < from.layers.size(); ++l) {
    Layer& layer = network.layers[kept.place[l]];
    Layer other = from.layers[l];
    const bool last = l + 1 == from.layers.size();
    if (!ids.empty() && other.kind == SLUICE_EMBEDDING) {
      other.in = layer.in;
      other.array(Role::vectors).values = picked_columns(other.array(Role::vectors), ids);
    }
    if (!ids.empty() && last && answers_tokens) {
      other.out = layer.out;
      for (Array& array : other.arrays) array.values = picked_rows(array, ids);
    }
    const std::string differences = differences_text(other, kept.network.layers[l], numbers);
    if (differences.empty())
      for (std::size_t i = 0; i < layer.arrays.size(); ++i)
        layer.arrays[i].values = other.arrays[i].values;
    else if (!last || layer.kind != other.kind || layer.in != other.in)
      refuse("{}: layer {} of {} has {}; give the layers of that model", place, numbers.of(l),
             recipe.init_from, differences);
    if (last && differences.empty() && recipe.standardize_target)
      standardize_answers(data.units, layer);
  }
  restore_folded(recipe, from, kept, data, split, network);
  network.made = made_from(network.made, sluice_hash(&model.model));
}

}  // namespace sluice::tools
