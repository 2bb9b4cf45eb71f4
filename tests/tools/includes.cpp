// Which file may include which: the rooms of tools/, the order of tools, runtime and kernels, and no circles.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

/// The rooms of tools/, each of which includes only itself and rooms before it. main.cpp stands behind all of them.
const std::vector<std::string> rooms = {"common", "model",  "data",  "recipe", "convert", "evaluate",
                                        "train",  "tune",   "report", "command", ""};

/// The trees, each of which includes only itself and trees before it.
const std::vector<std::string> trees = {"kernels", "runtime", "tools"};

const fs::path project = fs::path(SLUICE_TESTS_FOLDER).parent_path();

/// Files by their paths in the project, and the files of the project that each includes.
using Includes = std::map<std::string, std::set<std::string>>;

bool is_source(const fs::path& file) {
  const std::string ending = file.extension().string();
  return ending == ".h" || ending == ".hpp" || ending == ".cpp" || ending == ".c";
}

/// The text between the quotes of `#include "..."`; empty for every other line.
std::string included(const std::string& line) {
  const std::size_t hash = line.find_first_not_of(" \t"), first = line.find('"');
  if (hash == line.npos || line[hash] != '#' || first == line.npos) return "";
  if (line.compare(line.find_first_not_of(" \t", hash + 1), 7, "include") != 0) return "";
  return line.substr(first + 1, line.find('"', first + 1) - first - 1);
}

/// The path of an included file in the project, searched as the compiler does; empty for a generated one.
std::string found(const fs::path& from, const std::string& name) {
  for (const fs::path& folder : {from.parent_path(), fs::path(), fs::path("tools"), fs::path("runtime")}) {
    const fs::path file = (folder / name).lexically_normal();
    if (fs::is_regular_file(project / file)) return file.generic_string();
  }
  return "";
}

const Includes& includes() {
  static const Includes all = [] {
    Includes result;
    for (const std::string& tree : trees)
      for (const fs::directory_entry& entry : fs::recursive_directory_iterator(project / tree)) {
        if (!entry.is_regular_file() || !is_source(entry.path())) continue;
        const fs::path file = fs::relative(entry.path(), project);
        std::set<std::string>& its = result[file.generic_string()];
        std::ifstream text(entry.path());
        for (std::string line; std::getline(text, line);)
          if (const std::string name = included(line); !name.empty())
            if (const std::string target = found(file, name); !target.empty()) its.insert(target);
      }
    return result;
  }();
  return all;
}

/// "tools" of "tools/data/csv.cpp".
std::string tree_of(const std::string& file) { return file.substr(0, file.find('/')); }

/// "data" of "tools/data/csv.cpp"; empty for main.cpp.
std::string room_of(const std::string& file) {
  const std::size_t first = file.find('/'), second = file.find('/', first + 1);
  return second == file.npos ? "" : file.substr(first + 1, second - first - 1);
}

std::size_t place(const std::vector<std::string>& order, const std::string& name) {
  return std::size_t(std::find(order.begin(), order.end(), name) - order.begin());
}

/// A header and its source are one unit: "tools/data/csv".
std::string unit_of(const std::string& file) { return file.substr(0, file.rfind('.')); }

/// The units of a tree, and the units of the same tree that each includes.
Includes units_of(const std::string& tree) {
  Includes units;
  for (const auto& [file, targets] : includes())
    for (const std::string& target : targets)
      if (tree_of(file) == tree && tree_of(target) == tree && unit_of(file) != unit_of(target))
        units[unit_of(file)].insert(unit_of(target));
  return units;
}

/// Follows includes from the end of `path`, and returns the first circle: "a -> b -> a"; empty where there is none.
/// @param done  units that are in no circle
std::string circle_from(const Includes& units, std::vector<std::string>& path, std::set<std::string>& done) {
  const std::string unit = path.back();
  const auto its = units.find(unit);
  if (its == units.end() || done.contains(unit)) return "";
  for (const std::string& next : its->second) {
    const auto begin = std::find(path.begin(), path.end(), next);
    if (begin != path.end()) {
      std::string text;
      for (auto at = begin; at != path.end(); ++at) text += *at + " -> ";
      return text + next;
    }
    path.push_back(next);
    if (std::string circle = circle_from(units, path, done); !circle.empty()) return circle;
    path.pop_back();
  }
  done.insert(unit);
  return "";
}

std::string circle_in(const std::string& tree) {
  const Includes units = units_of(tree);
  std::set<std::string> done;
  for (const auto& [unit, targets] : units) {
    std::vector<std::string> path = {unit};
    if (std::string circle = circle_from(units, path, done); !circle.empty()) return circle;
  }
  return "";
}

/// Calls f(file, target) for every include.
template <class F>
void each_include(F f) {
  for (const auto& one : includes())
    for (const std::string& target : one.second) f(one.first, target);
}

}  // namespace

TEST_CASE("the includes of every tree are read") {
  for (const std::string& tree : trees)
    CHECK_MESSAGE(std::any_of(includes().begin(), includes().end(),
                              [&](const auto& one) { return tree_of(one.first) == tree && !one.second.empty(); }),
                  tree);
}

TEST_CASE("the rooms of tools include only rooms before them") {
  for (const auto& one : includes())
    if (tree_of(one.first) == "tools")
      CHECK_MESSAGE(place(rooms, room_of(one.first)) < rooms.size(), one.first, " is in no room");
  each_include([](const std::string& file, const std::string& target) {
    if (tree_of(file) == "tools" && tree_of(target) == "tools")
      CHECK_MESSAGE(place(rooms, room_of(target)) <= place(rooms, room_of(file)), file, " includes ", target);
  });
}

TEST_CASE("data includes no model") {
  each_include([](const std::string& file, const std::string& target) {
    if (file.starts_with("tools/data/")) CHECK_MESSAGE(!target.starts_with("tools/model/"), file, " includes ", target);
  });
}

TEST_CASE("tools include runtime and kernels, runtime includes kernels, and nothing the other way") {
  each_include([](const std::string& file, const std::string& target) {
    CHECK_MESSAGE(place(trees, tree_of(target)) <= place(trees, tree_of(file)), file, " includes ", target);
  });
}

TEST_CASE("no unit of kernels includes itself through others") { CHECK_EQ(circle_in("kernels"), ""); }

TEST_CASE("no unit of runtime includes itself through others") { CHECK_EQ(circle_in("runtime"), ""); }

TEST_CASE("no unit of tools includes itself through others") { CHECK_EQ(circle_in("tools"), ""); }
