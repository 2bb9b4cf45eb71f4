#include "plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "../common/error.h"
#include "../common/hash.h"
#include "../common/json.h"
#include "../common/nearest.h"
#include "../convert/budget.h"
#include "../data/parse_number.h"
#include "../recipe/check.h"
#include "../recipe/space_toml.h"
#include "../recipe/write.h"
#include "../train/input.h"

namespace sluice::tools {
namespace {

/// The keys that may change during a study.
constexpr const char* changes[] = {"tune.method",   "tune.acquisition",
                                   "tune.trials",   "tune.max_failures",
                                   "train.threads", "train.checkpoint_seconds"};

void check_searched(const Space& space) {
  for (const Parameter& p : space.parameters) {
    const Key* key = find_key(p.name);
    const bool of_layer =
        p.name.starts_with("model.layers.") && layer_measures(p.name.substr(p.name.rfind('.') + 1));
    if (p.name.starts_with("tune.") || p.name.starts_with("device.") || of_layer ||
        (key && key->measures))
      refuse(
          "{}: cannot be searched, since trials that differ in it cannot be compared; give one "
          "value",
          p.place);
  }
}

void check_tunable(const StudyPlan& plan) {
  const Recipe& own = plan.own;
  const bool series = own.format == Format::text || (own.format == Format::table && own.window > 0),
             halves = own.tune_halving != Halving::none;
  check_device_keys(own);
  if (own.stop_after > 0)
    refuse("{}: is chosen by the study; leave it out", where(own, "train.stop_after"));
  if (own.schedule == Schedule::plateau)
    refuse(
        "{}: \"plateau\" needs validation, which the winner's training on all data does not have; "
        "give another schedule",
        where(own, "train.schedule"));
  if (own.tune_validation == TuneValidation::k_fold && series)
    refuse(
        "{}: \"k-fold\" would train on rows after the validation part; give \"time\" or "
        "\"hold-out\"",
        where(own, "tune.validation"));
  if (own.tune_validation != TuneValidation::hold_out && !own.validation_file.empty())
    refuse("{}: is for tune.validation = \"hold-out\", but that is \"{}\"; give one of the two",
           where(own, "data.validation_file"), word(own.tune_validation));
  if (own.tune_validation == TuneValidation::time && series && !own.sequence.empty())
    refuse("{}: \"time\" is for windows of one series; give \"hold-out\"",
           where(own, "tune.validation"));
  if (own.tune_validation == TuneValidation::hold_out && !holds_out(own))
    refuse(
        "{}: \"hold-out\", but {} holds nothing out; set it, or tune.validation = \"k-fold\" or "
        "\"time\"",
        where(own, "tune.validation"),
        own.train_rows.empty() ? "data.validation" : "data.validation_rows");
  if (own.tune_validation != TuneValidation::k_fold && own.tune_repeats > 1)
    refuse("{}: works only with tune.validation = \"k-fold\"; leave it out",
           where(own, "tune.repeats"));
  for (const Parameter& p : plan.space.parameters) {
    if (halves && p.name == "train.epochs")
      refuse(
          "{}: cannot be searched with tune.halving, which varies the epochs itself; give one "
          "value, or tune.halving = \"none\"",
          p.place);
    if (p.name == "train.schedule" && std::count(p.choices.begin(), p.choices.end(),
                                                 fmt::format("\"{}\"", word(Schedule::plateau))))
      refuse(
          "{}: \"plateau\" needs validation, which the winner's training on all data does not "
          "have; leave it out",
          p.place);
  }
  if (!halves) return;
  if (own.tune_min_epochs > own.epochs)
    refuse("{}: {} is more than train.epochs, {}", where(own, "tune.min_epochs"),
           own.tune_min_epochs, own.epochs);
  if (own.tune_min_epochs % own.validate_every != 0)
    refuse(
        "{}: {} is not a multiple of train.validate_every, {}, but every rung ends with a "
        "validation",
        where(own, "tune.min_epochs"), own.tune_min_epochs, own.validate_every);
}

TrialValues values_of(const Space& space, const Point& point) {
  TrialValues values;
  for (std::size_t i = 0; i < space.parameters.size(); ++i)
    if (!std::isnan(point[i]))
      values.emplace_back(space.parameters[i].name, value_text(space.parameters[i], point[i]));
  return values;
}

Point own_point(const Space& space) { return settled(space, Point(space.parameters.size(), NAN)); }

/// Returns a point in which a parameter has this value, and in which its conditions hold.
Point with_value(const Space& space, std::size_t parameter, double value) {
  Point point = own_point(space);
  point[parameter] = value;
  std::vector<std::size_t> wanted = {parameter};
  while (!wanted.empty()) {
    const std::size_t i = wanted.back();
    wanted.pop_back();
    for (const Condition& c : space.parameters[i].when)
      point[c.parameter] = c.values.front(), wanted.push_back(c.parameter);
  }
  return settled(space, point);
}

/// Checks that every end of every range and every choice gives a valid recipe.
void check_ends(const StudyPlan& plan) {
  recipe_of(plan, own_point(plan.space));
  for (std::size_t i = 0; i < plan.space.parameters.size(); ++i) {
    const Parameter& p = plan.space.parameters[i];
    std::vector<double> ends = {p.low, p.high};
    for (std::size_t c = 1; c + 1 < p.choices.size(); ++c) ends.push_back(double(c));
    for (const double end : ends) {
      try {
        recipe_of(plan, with_value(plan.space, i, end));
      } catch (const Error& error) {
        if (std::string_view(error.what()).starts_with(p.place)) throw;
        refuse("{}: {} gives an invalid recipe: {}", p.place, value_text(p, end), error.what());
      }
    }
  }
}

std::string meant_by(const Space& space, const std::string& name) {
  for (const Parameter& p : space.parameters)
    if (p.name.ends_with("." + name)) return fmt::format("did you mean {}?", p.name);
  return "give name=value of searched parameters, separated by commas";
}

}  // namespace

StudyPlan read_plan(const std::string& recipe_file, const std::string& text,
                    const std::vector<Override>& overrides, const std::string& data_folder) {
  StudyPlan plan{recipe_file, text, overrides, data_folder, {}, {}};
  plan.own = parse_recipe(text, recipe_file, overrides);
  plan.space = parse_space(text, recipe_file, overrides);
  resolve_files(plan.own, data_folder);
  if (plan.space.parameters.empty())
    refuse(
        "{}: nothing to search; give a range to a value, such as learning_rate = {{ value = 1e-3, "
        "low = 1e-4, high = 1e-1, log = true }}",
        recipe_file);
  check_searched(plan.space);
  check_tunable(plan);
  check_ends(plan);
  return plan;
}

Recipe recipe_of(const StudyPlan& plan, const Point& point) {
  Recipe recipe =
      parse_recipe(plan.text, plan.recipe_file, plan.overrides, "", values_of(plan.space, point));
  resolve_files(recipe, plan.data_folder);
  return recipe;
}

Point point_of(const Space& space, const std::string& text, const std::string& origin) {
  Point point(space.parameters.size(), NAN);
  // --list and --show print points with blanks around "=", so these are accepted.
  std::string tight = text;
  for (const Parameter& p : space.parameters)
    for (std::size_t at = tight.find(p.name); at != tight.npos; at = tight.find(p.name, at + 1)) {
      const std::size_t end = at + p.name.size(), equals = tight.find_first_not_of(' ', end);
      if (equals == tight.npos || tight[equals] != '=') continue;
      const std::size_t value = std::min(tight.find_first_not_of(' ', equals + 1), tight.size());
      tight.replace(end, value - end, "=");
    }
  std::string_view rest = tight;
  std::vector<std::size_t> named;
  while (!rest.empty()) {
    const std::size_t equals = rest.find('=');
    std::string name(rest.substr(0, equals));
    std::erase(name, ' ');
    const auto at = std::find_if(space.parameters.begin(), space.parameters.end(),
                                 [&](const Parameter& p) { return p.name == name; });
    if (equals == rest.npos || at == space.parameters.end()) {
      std::vector<std::string_view> names;
      for (const Parameter& p : space.parameters) names.push_back(p.name);
      const std::string_view meant = nearest(name, names);
      refuse("{}: \"{}\" is not searched; {}", origin, name,
             meant.empty() ? meant_by(space, name) : fmt::format("did you mean {}?", meant));
    }
    rest.remove_prefix(equals + 1);
    // A value ends at the comma before the next name, since a choice may contain commas.
    std::size_t end = rest.size();
    for (const Parameter& p : space.parameters)
      for (const char* comma : {",", ", "})
        if (const std::size_t next = rest.find(comma + p.name + "="); next != rest.npos)
          end = std::min(end, next);
    std::string value(rest.substr(0, end));
    rest.remove_prefix(std::min(rest.size(), end + 1));
    while (!value.empty() && value.back() == ' ') value.pop_back();
    const auto place = std::size_t(at - space.parameters.begin());
    double& out = point[place];
    if (std::find(named.begin(), named.end(), place) != named.end())
      refuse("{}: {}: is given twice; give it once", origin, name);
    named.push_back(place);
    if (at->kind == Parameter::choice) {
      const std::size_t choice = std::min(place_in(at->choices, as_toml(value)),
                                          place_in(at->choices, "\"" + value + "\""));
      if (choice == at->choices.size())
        refuse("{}: {}: {} is not among its choices", origin, name, value);
      out = double(choice);
      continue;
    }
    char* ended = nullptr;
    out = std::strtod(value.c_str(), &ended);
    if (value.empty() || *ended || !(out >= at->low && out <= at->high) ||
        (at->kind == Parameter::whole && out != std::floor(out)))
      refuse("{}: {}: {} is not a value from {} to {}", origin, name, value,
             value_text(*at, at->low), value_text(*at, at->high));
  }
  const Point result = settled(space, point);
  for (const std::size_t i : named)
    if (!std::isnan(result[i]) && std::fabs(result[i] - point[i]) > 1e-9 * std::fabs(point[i]))
      refuse("{}: {}: {} is not on the steps from {}; the nearest value is {}", origin,
             space.parameters[i].name, point[i],
             value_text(space.parameters[i], space.parameters[i].low),
             value_text(space.parameters[i], result[i]));
  for (const std::size_t i : named)
    if (std::isnan(result[i]))
      refuse(
          "{}: {}: has no effect with these values of the parameters that it depends on; leave it "
          "out",
          origin, space.parameters[i].name);
  return result;
}

bool may_change(const Key& key) {
  return key.file_name ||
         std::find(std::begin(changes), std::end(changes), key.name) != std::end(changes);
}

std::string recipe_hash(const StudyPlan& plan) {
  std::string text;
  for (const Key& key : keys()) {
    if (!may_change(key)) text += fmt::format("{} = {}\n", key.name, value_text(plan.own, key));
  }
  for (const Parameter& p : plan.space.parameters) {
    text += fmt::format("{} {} {} {} {} {} {}", p.name, int(p.kind), p.low, p.high, p.step, p.log,
                        p.own);
    for (const std::string& choice : p.choices) text += " " + choice;
    for (const Condition& c : p.when) {
      text += fmt::format(" when {}", c.parameter);
      for (const double v : c.values) text += fmt::format(" {}", v);
    }
    text += "\n";
  }
  return fmt::format("{:016x}", hash_of(text));
}

std::string data_key(const Recipe& recipe) {
  std::string text;
  for (const Key& key : keys())
    if (key.name.starts_with("data.")) text += value_text(recipe, key) + "\n";
  return text + fmt::format("{} {} {}", recipe.truncate, recipe.seed, word(recipe.loss));
}

Network shape_of(const Recipe& recipe, Shapes& shapes) {
  const std::string key = data_key(recipe);
  if (!shapes.data || shapes.key != key) {
    shapes.data = read_input(recipe).train;
    shapes.key = key;
  }
  return make_network(recipe, *shapes.data, Split{{0}, {}});
}

namespace {

/// Returns as text everything that determines a network's cost; not its weights, nor its training.
std::string shape_key(const Recipe& recipe) {
  std::string text = data_key(recipe) + fmt::format("{} {} {}\n", recipe.quantize_aware,
                                                    word(recipe.quantize_type), recipe.differences);
  for (LayerSpec layer : recipe.layers) {
    layer.dropout = layer.gate_dropout = 0, layer.recurrent_dropout = -1;
    text += json_text(to_json(layer));
  }
  return text;
}

const Shapes::Verdict& verdict_of(const Recipe& recipe, Shapes& shapes) {
  const std::string key = shape_key(recipe);
  if (const auto known = shapes.verdicts.find(key); known != shapes.verdicts.end())
    return known->second;
  const Network network = shape_of(recipe, shapes);
  Shapes::Verdict verdict;
  const DeviceCost cost = cost_on_device(recipe, network);
  verdict.cost = {cost.flash, cost.ram, cost.instructions};
  try {
    check_device(recipe, network);
  } catch (const Error& error) {
    if (error.exit_code != 2) throw;
    verdict.objection = error.what();
  }
  return shapes.verdicts.emplace(key, verdict).first->second;
}

}  // namespace

std::optional<TrialCost> cost_of(const Recipe& recipe, Shapes& shapes) {
  if (recipe.device_core.empty()) return std::nullopt;
  return verdict_of(recipe, shapes).cost;
}

std::string objection(const StudyPlan& plan, const Point& point, Shapes& shapes) {
  try {
    const Recipe recipe = recipe_of(plan, point);
    return recipe.device_core.empty() ? "" : verdict_of(recipe, shapes).objection;
  } catch (const Error& error) {
    if (error.exit_code != 2) throw;
    return error.what();
  }
}

}  // namespace sluice::tools
