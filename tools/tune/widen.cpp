#include "widen.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "../common/error.h"
#include "../recipe/space_toml.h"
#include "../recipe/write.h"
#include "load.h"
#include "store.h"

namespace sluice::tools {
namespace {

std::size_t index_in(const Space& space, const std::string& name) {
  return std::size_t(std::find_if(space.parameters.begin(), space.parameters.end(),
                                  [&](const Parameter& p) { return p.name == name; }) -
                     space.parameters.begin());
}

/// Returns a parameter's conditions as text, which does not depend on the order of choices.
std::string conditions_text(const Space& space, const Parameter& parameter) {
  std::string text;
  for (const Condition& condition : parameter.when) {
    const Parameter& other = space.parameters[condition.parameter];
    std::vector<std::string> values;
    for (const double value : condition.values) values.push_back(value_text(other, value));
    std::sort(values.begin(), values.end());
    text += other.name;
    for (const std::string& value : values) text += " " + value;
    text += "\n";
  }
  return text;
}

std::string fault_of_parameter(const Parameter& was, const Parameter& is) {
  if (was.kind != is.kind || was.log != is.log)
    return fmt::format("{} is of another kind", is.name);
  if (was.kind == Parameter::choice) {
    for (const std::string& choice : was.choices)
      if (place_in(is.choices, choice) == is.choices.size())
        return fmt::format("{} lacks the choice {}", is.name, choice);
    return "";
  }
  if (is.low > was.low || is.high < was.high)
    return fmt::format("{} is from {} to {}, narrower than {} to {} in the study", is.name,
                       value_text(is, is.low), value_text(is, is.high), value_text(was, was.low),
                       value_text(was, was.high));
  return "";
}

/// Returns a point of one space as a point of a wider one.
Point moved(const Space& from, const Space& to, const Point& point) {
  Point result(to.parameters.size(), NAN);
  for (std::size_t i = 0; i < point.size(); ++i) {
    if (std::isnan(point[i])) continue;
    const Parameter& was = from.parameters[i];
    const std::size_t place = index_in(to, was.name);
    result[place] =
        was.kind == Parameter::choice
            ? double(place_in(to.parameters[place].choices, was.choices[std::size_t(point[i])]))
            : point[i];
  }
  return result;
}

/// Returns whether all values of a point are on the steps of a space.
bool on_steps(const Space& space, const Point& point) {
  const Point settled_point = settled(space, point);
  for (std::size_t i = 0; i < point.size(); ++i) {
    if (std::isnan(point[i]) != std::isnan(settled_point[i])) return false;
    if (!std::isnan(point[i]) &&
        std::fabs(settled_point[i] - point[i]) > 1e-9 * std::fabs(point[i]))
      return false;
  }
  return true;
}

std::string range_text(const Parameter& p) {
  if (p.kind != Parameter::choice)
    return fmt::format("from {} to {}", value_text(p, p.low), value_text(p, p.high));
  std::string text;
  for (const std::string& choice : p.choices) text += (text.empty() ? "" : ", ") + choice;
  return text;
}

}  // namespace

std::string fault_of_widening(const StudyPlan& there, const StudyPlan& here) {
  const std::string differs = "the search space differs";
  for (const Parameter& p : there.space.parameters)
    if (index_in(here.space, p.name) == here.space.parameters.size())
      return fmt::format("{}: {} is not searched here", differs, p.name);
  for (const Parameter& p : here.space.parameters) {
    const std::size_t place = index_in(there.space, p.name);
    if (place == there.space.parameters.size())
      return fmt::format("{}: {} is not searched in the study", differs, p.name);
    const Parameter& was = there.space.parameters[place];
    if (const std::string fault = fault_of_parameter(was, p); !fault.empty())
      return fmt::format("{}: {}", differs, fault);
    if (conditions_text(there.space, was) != conditions_text(here.space, p))
      return fmt::format("{}: {} depends on other values", differs, p.name);
  }
  // The rest of both recipes must be equal, whatever the own values of what is searched.
  const Point own = settled(there.space, Point(there.space.parameters.size(), NAN));
  const Recipe mine = recipe_of(here, settled(here.space, moved(there.space, here.space, own)));
  for (const Key& key : keys()) {
    const std::string a = value_text(there.own, key), b = value_text(mine, key);
    if (a != b && !may_change(key) &&
        index_in(here.space, std::string(key.name)) == here.space.parameters.size())
      return fmt::format("{} is {} in the study and {} here", key.name, a, b);
  }
  return "";
}

std::string widening_text(const StudyPlan& there, const StudyPlan& here) {
  std::string text;
  for (const Parameter& p : here.space.parameters) {
    const Parameter& was = there.space.parameters[index_in(there.space, p.name)];
    const std::string before = range_text(was), now = range_text(p);
    if (before != now)
      text += fmt::format("{}{} {} (before: {})", text.empty() ? "" : "; ", p.name, now, before);
  }
  return text.empty() ? "the recipe's own values have changed" : text;
}

void widen_study(const std::string& file, const StudyPlan& there, const StudyPlan& here,
                 const Study& now) {
  Database db(file, Database::write);
  Transaction transaction(db);
  const Study study = load_study(db, false);
  if (study.recipe_hash != recipe_hash(there))
    refuse(
        "{}: is a study of another recipe: the search space differs, and another process has just "
        "changed it; give the command again",
        file);
  const std::vector<std::uint64_t> left = abandoned(db);
  std::vector<Point> points;
  for (const Trial& trial : study.trials) {
    if (trial.state == State::running &&
        std::find(left.begin(), left.end(), trial.number) == left.end())
      refuse(
          "{}: is a study of another recipe: the search space differs, and another process works "
          "on "
          "it; wait for its end to widen the space",
          file);
    points.push_back(moved(there.space, here.space, trial.point));
    if (!on_steps(here.space, points.back()))
      refuse(
          "{}: trial {}, {}, is not on the steps of the recipe's ranges; choose ends and steps "
          "that "
          "hold it",
          file, trial.number, point_text(there.space, trial.point));
  }
  replace_space(db, now, points);
  transaction.commit();
}

}  // namespace sluice::tools
