// Reads the search space of a recipe.
#include "space_toml.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <sstream>

#include "../common/error.h"
#include "../common/json.h"
#include "../common/nearest.h"
#include "keys.h"

namespace sluice::tools {
namespace {

constexpr const char *value_key = "value", *choices_key = "choices", *low_key = "low",
                     *high_key = "high", *step_key = "step", *log_key = "log", *when_key = "when",
                     *use_key = "use";
constexpr std::string_view known_keys[] = {value_key, choices_key, low_key, high_key,
                                           step_key,  log_key,     when_key};

/// A parameter whose conditions refer to others by name.
struct Draft {
  Parameter parameter;
  std::vector<std::pair<std::string, std::vector<std::string>>> when;  ///< name, and values as TOML
};

/// Returns a value as TOML: texts in quotes, floats always with a point or an exponent.
std::string toml_text(const toml::node& node) {
  std::ostringstream out;
  out.exceptions(std::ios::badbit);  // without this, a lack of memory would only shorten the text
  if (const toml::table* table = node.as_table()) {
    for (auto&& [key, value] : *table)
      out << (out.tellp() ? ", " : "") << key.str() << " = " << toml_text(value);
    return "{ " + out.str() + " }";
  }
  if (const toml::array* array = node.as_array()) {
    for (const toml::node& item : *array) out << (out.tellp() ? ", " : "") << toml_text(item);
    return "[" + out.str() + "]";
  }
  if (const auto number = node.value_exact<double>()) {
    const std::string text = fmt::format("{}", *number);
    return text.find_first_of(".en") == text.npos ? text + ".0" : text;
  }
  // JSON writes texts as TOML does.
  if (const auto text = node.value_exact<std::string>()) return json_text(Json(*text));
  out << toml::node_view<const toml::node>(node);
  return out.str();
}

/// Returns the number in a value; nothing for texts, booleans, lists and tables.
std::optional<double> number_in(const std::string& toml_value) {
  double number = 0;
  const char* const end = toml_value.data() + toml_value.size();
  const auto [read, error] = std::from_chars(toml_value.data(), end, number);
  if (error != std::errc() || read != end) return std::nullopt;
  return number;
}

/// Returns whether two values are equal, however they are written: 1 and 1.0.
bool same_value(const std::string& a, const std::string& b) {
  const std::optional<double> x = number_in(a), y = number_in(b);
  return x && y ? *x == *y : a == b;
}

/// Returns whether a node is a table that describes a range or choices.
bool is_search(const toml::node& node) {
  const toml::table* table = node.as_table();
  return table && (table->contains(value_key) || table->contains(choices_key) ||
                   (table->contains(low_key) && table->contains(high_key)));
}

double number_of(const toml::table& table, const char* key, const Parameter& p) {
  const toml::node* node = table.get(key);
  if (!node)
    refuse("{}: {} is missing; give value, low and high, or value and choices", p.place, key);
  if (!node->is_number()) refuse("{}: {}: {} is not a number", p.place, key, shown(*node));
  const double value = node->value<double>().value_or(0);
  if (!std::isfinite(value))
    refuse("{}: {}: {} is not a finite number", p.place, key, shown(*node));
  return value;
}

void read_choices(const toml::table& table, Parameter& p) {
  for (const char* key : {low_key, high_key, step_key, log_key})
    if (table.contains(key)) refuse("{}: both choices and {}; give one of the two", p.place, key);
  const toml::array* list = table.get(choices_key)->as_array();
  if (!list || list->size() < 2)
    refuse("{}: choices: {}; give a list of two or more values", p.place,
           list ? "too few" : "not a list");
  p.kind = Parameter::choice;
  for (const toml::node& item : *list) {
    const std::string text = toml_text(item);
    if (place_in(p.choices, text) < p.choices.size())
      refuse("{}: choices: {} is given twice; give each value once", p.place, text);
    p.choices.push_back(text);
  }
  p.high = double(p.choices.size() - 1);
  const std::string own = toml_text(*table.get(value_key));
  const std::size_t at = place_in(p.choices, own);
  if (at == p.choices.size())
    refuse("{}: value: {} is not among the choices; add it to them", p.place, own);
  p.own = double(at);
}

/// Returns whether the key of that name takes whole numbers only.
bool takes_whole(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  if (name.starts_with("model.layers.")) return layer_counts(name.substr(dot + 1));
  const Key* key = find_key(name);
  return key && std::holds_alternative<std::int64_t Recipe::*>(key->field);
}

void read_range(const toml::table& table, Parameter& p) {
  p.low = number_of(table, low_key, p), p.high = number_of(table, high_key, p),
  p.own = number_of(table, value_key, p);
  p.kind = takes_whole(p.name) ? Parameter::whole : Parameter::real;
  for (const char* key : {low_key, high_key, value_key, step_key})
    if (p.kind == Parameter::whole && table.contains(key) && !table.get(key)->is_integer())
      refuse("{}: {}: {} is not a whole number; write one without a point", p.place, key,
             toml_text(*table.get(key)));
  if (const toml::node* node = table.get(log_key)) {
    if (!node->is_boolean()) refuse("{}: log: {}; give true or false", p.place, shown(*node));
    p.log = node->value_or(false);
  }
  if (!(p.low < p.high))
    refuse("{}: low {} is not below high {}; give a range", p.place, p.low, p.high);
  if (p.log && p.low <= 0)
    refuse("{}: low {} is not above 0 and has no logarithm; raise low, or leave out log = true",
           p.place, p.low);
  if (table.contains(step_key)) {
    p.step = number_of(table, step_key, p);
    if (p.log && (!(p.step > 1) || p.low * p.step > p.high * (1 + 1e-9)))
      refuse("{}: step: with log = true give a factor above 1 and at most {}, not {}", p.place,
             p.high / p.low, p.step);
    if (!p.log && (!(p.step > 0) || p.step > p.high - p.low))
      refuse("{}: step: {} does not fit between {} and {}; give a positive step that does", p.place,
             p.step, p.low, p.high);
  }
  if (p.own < p.low || p.own > p.high)
    refuse(
        "{}: value {} is outside of {} to {}; the first trial uses it, so change the value or "
        "widen the range",
        p.place, p.own, p.low, p.high);
  if (p.step > 0 && std::fabs(value_at(p, index_of(p, p.own)) - p.own) > 1e-6 * std::fabs(p.own))
    refuse(
        "{}: value {} is not on the steps from low: {}, {}, {}, ...; change the value or the step",
        p.place, p.own, p.low, value_at(p, 1),
        p.log ? p.low * p.step * p.step : p.low + 2 * p.step);
}

/// Reads conditions. Their names may also be nested tables: { train.optimizer = "sgd" } is the same
/// as { "train.optimizer" = "sgd" }.
void read_when(const toml::table& table, const std::string& prefix, Draft& draft) {
  for (auto&& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    if (const toml::table* inner = node.as_table()) {
      read_when(*inner, name + ".", draft);
      continue;
    }
    std::vector<std::string> values;
    if (const toml::array* list = node.as_array(); list && list->empty())
      refuse("{}: when: {}: an empty list never holds; give one value or more",
             draft.parameter.place, name);
    if (const toml::array* list = node.as_array())
      for (const toml::node& item : *list) values.push_back(toml_text(item));
    else
      values.push_back(toml_text(node));
    draft.when.emplace_back(name, values);
  }
}

Draft read_parameter(const toml::table& table, const std::string& name, const std::string& place) {
  Draft draft;
  Parameter& p = draft.parameter;
  p.name = name, p.place = place;
  for (auto&& [key, node] : table) {
    if (std::find(std::begin(known_keys), std::end(known_keys), key.str()) != std::end(known_keys))
      continue;
    const std::string_view meant = nearest(key.str(), known_keys);
    refuse(
        "{}: {}: unknown key; a search has the keys value, choices, low, high, step, log and "
        "when{}",
        place, key.str(), meant.empty() ? "" : fmt::format("; did you mean {}?", meant));
  }
  if (!table.contains(value_key))
    refuse("{}: value is missing; give the value that \"sluice train\" and the first trial use",
           place);
  if (table.contains(choices_key))
    read_choices(table, p);
  else
    read_range(table, p);
  if (const toml::node* when = table.get(when_key)) {
    if (!when->is_table())
      refuse("{}: when: {}; give a table such as {{ \"train.optimizer\" = \"sgd\" }}", place,
             shown(*when));
    read_when(*when->as_table(), "", draft);
  }
  return draft;
}

struct SpaceReader {
  const std::string& file;
  const TrialValues& chosen;
  std::vector<Draft> drafts = {};
  struct Spot {
    toml::table* table;
    std::string key;
    bool conditional;  ///< the recipe has a condition for it
  };
  std::map<std::string, Spot> spots = {};  ///< by name, the place of a value

  /// Puts a value in the place of a search.
  void put(toml::table& table, std::string_view key, const std::string& name,
           const std::string& place) {
    toml::table& search = *table.get(key)->as_table();
    drafts.push_back(read_parameter(search, name, place));
    spots[name] = {&table, std::string(key), !drafts.back().when.empty()};
    const auto given =
        std::find_if(chosen.begin(), chosen.end(), [&](const auto& c) { return c.first == name; });
    if (given == chosen.end()) {
      toml::node& own = *search.get(value_key);
      own.visit([&](auto& node) {
        auto kept = std::move(node);
        table.insert_or_assign(key, std::move(kept));
      });
      return;
    }
    std::optional<toml::table> text = parse_toml_value("v", given->second);
    if (!text || !text->contains("v")) refuse("{}: {} is not a TOML value", place, given->second);
    text->get("v")->visit([&](auto& node) { table.insert_or_assign(key, std::move(node)); });
  }

  void walk(toml::table& table, const std::string& prefix) {
    std::vector<std::string> keys;
    for (auto&& [key, node] : table) keys.emplace_back(key.str());
    for (const std::string& key : keys) {
      if (prefix.empty() && key == "variants") continue;  // variants are compared, not searched
      toml::node& node = *table.get(key);
      const std::string name = prefix + key;
      std::string place;
      for (auto&& [toml_key, unused] : table)
        if (toml_key.str() == key)
          place = fmt::format("{}:{}: {}", file, toml_key.source().begin.line, name);
      if (is_search(node))
        put(table, key, name, place);
      else if (toml::table* inner = node.as_table())
        walk(*inner, name + ".");
      else if (toml::array* list = node.as_array())
        walk(*list, name + ".");
    }
  }

  void walk(toml::array& list, const std::string& prefix) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      toml::table* table = list[i].as_table();
      if (!table) continue;
      const std::size_t before = drafts.size();
      const std::string name = fmt::format("{}{}.", prefix, i + 1), use = name + use_key;
      walk(*table, name);
      const bool optional = std::any_of(drafts.begin() + std::ptrdiff_t(before), drafts.end(),
                                        [&](const Draft& d) { return d.parameter.name == use; });
      for (std::size_t d = before; d < drafts.size() && optional; ++d) {
        const auto said = [&](const auto& c) { return c.first == use; };
        if (drafts[d].parameter.name != use &&
            std::none_of(drafts[d].when.begin(), drafts[d].when.end(), said))
          drafts[d].when.emplace_back(use, std::vector<std::string>{"true"});
      }
    }
  }
};

/// Returns a condition's value as a value of the parameter it refers to.
double value_of_text(const Parameter& of, const std::string& text, const Parameter& p) {
  if (of.kind == Parameter::choice) {
    const std::size_t at = place_in(of.choices, text);
    if (at == of.choices.size())
      refuse("{}: when: {} is not among the choices of {}", p.place, text, of.name);
    return double(at);
  }
  if (const std::optional<toml::table> value = parse_toml_value("v", text))
    if (const auto number = (*value)["v"].value<double>();
        number && *number >= of.low && *number <= of.high &&
        (values_of(of) == 0 || value_at(of, index_of(of, *number)) == *number))
      return *number;
  refuse("{}: when: {} is not a value of {}, whose range is {} to {}", p.place, text, of.name,
         of.low, of.high);
}

/// Returns a suggestion for a condition on an unknown name.
std::string meant_by(const std::string& name, const std::vector<Draft>& drafts) {
  for (const Draft& d : drafts)
    if (d.parameter.name.ends_with("." + name))
      return fmt::format("did you mean \"{}\"?", d.parameter.name);
  return "give it choices or a range";
}

/// Returns the parameters in an order in which each is after those that it depends on.
Space sorted(std::vector<Draft> drafts) {
  Space space;
  const auto placed = [&](const std::string& name) {
    const auto at = std::find_if(space.parameters.begin(), space.parameters.end(),
                                 [&](const Parameter& p) { return p.name == name; });
    return std::size_t(at - space.parameters.begin());
  };
  for (const Draft& draft : drafts)
    for (const auto& [name, values] : draft.when)
      if (std::none_of(drafts.begin(), drafts.end(),
                       [&, n = name](const Draft& d) { return d.parameter.name == n; }))
        refuse("{}: when: {} is not searched; {}", draft.parameter.place, name,
               meant_by(name, drafts));
  while (!drafts.empty()) {
    const auto ready = std::find_if(drafts.begin(), drafts.end(), [&](const Draft& d) {
      return std::all_of(d.when.begin(), d.when.end(),
                         [&](const auto& c) { return placed(c.first) < space.parameters.size(); });
    });
    if (ready == drafts.end())
      refuse("{}: when: the condition depends on itself; remove the cycle",
             drafts.front().parameter.place);
    Parameter p = ready->parameter;
    for (const auto& [name, values] : ready->when) {
      Condition condition{placed(name), {}};
      for (const std::string& value : values)
        condition.values.push_back(value_of_text(space.parameters[condition.parameter], value, p));
      p.when.push_back(condition);
    }
    space.parameters.push_back(std::move(p));
    drafts.erase(ready);
  }
  return space;
}

}  // namespace

std::string as_toml(const std::string& text) {
  const std::optional<toml::table> table = parse_toml_value("v", text);
  return table && table->contains("v") ? toml_text(*table->get("v")) : text;
}

std::size_t place_in(const std::vector<std::string>& list, const std::string& value) {
  return std::size_t(std::find_if(list.begin(), list.end(),
                                  [&](const std::string& one) { return same_value(one, value); }) -
                     list.begin());
}

Space take_space(toml::table& recipe, const std::string& file, const TrialValues& chosen) {
  SpaceReader reader{file, chosen};
  reader.walk(recipe, "");
  const Space space = sorted(std::move(reader.drafts));
  // Parameters that are not in force are left out, except those that a layer needs.
  Point point(space.parameters.size(), std::numeric_limits<double>::quiet_NaN());
  point = settled(space, std::move(point));
  for (std::size_t i = 0; i < space.parameters.size(); ++i) {
    const std::string& name = space.parameters[i].name;
    const auto is_it = [&](const auto& c) { return c.first == name; };
    const bool in_force =
        chosen.empty() ? !std::isnan(point[i]) : std::any_of(chosen.begin(), chosen.end(), is_it);
    const SpaceReader::Spot& spot = reader.spots.at(name);
    if (!in_force && spot.conditional && !layer_counts(spot.key)) spot.table->erase(spot.key);
  }
  return space;
}

}  // namespace sluice::tools
