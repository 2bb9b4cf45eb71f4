// Tests the includes of files: the order of the folders of tools/, the order of tools, runtime and
// kernels, and that no includes form a circle.
#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

/// The folders of tools/ in order. Each includes only itself and the folders before it. main.cpp
/// comes after all of them.
const std::vector<std::string> rooms = {"common",   "model", "data", "recipe", "convert", "import",
                                        "evaluate", "train", "tune", "report", "command", ""};

/// The trees in order. Each includes only itself and the trees before it.
const std::vector<std::string> trees = {"kernels", "runtime", "tools"};

const fs::path project = fs::path(SLUICE_TESTS_FOLDER).parent_path();

/// Maps a file's path in the project to the files of the project that it includes.
using Includes = std::map<std::string, std::set<std::string>>;

bool is_source(const fs::path& file) {
  const std::string ending = file.extension().string();
  return ending == ".h" || ending == ".hpp" || ending == ".cpp" || ending == ".c";
}

/// Returns the text between the quotes of `#include "..."`; empty for every other line.
std::string included(const std::string& line) {
  const std::size_t hash = line.find_first_not_of(" \t"), first = line.find('"');
  if (hash == line.npos || line[hash] != '#' || first == line.npos) return "";
  if (line.compare(line.find_first_not_of(" \t", hash + 1), 7, "include") != 0) return "";
  return line.substr(first + 1, line.find('"', first + 1) - first - 1);
}

/// Returns the path of an included file in the project, searched as the compiler does; empty for a
/// generated file.
std::string found(const fs::path& from, const std::string& name) {
  for (const fs::path& folder :
       {from.parent_path(), fs::path(), fs::path("tools"), fs::path("runtime")}) {
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

/// Returns the tree of a file, as "tools" for "tools/data/csv.cpp".
std::string tree_of(const std::string& file) { return file.substr(0, file.find('/')); }

/// Returns the folder of a file in tools/, as "data" for "tools/data/csv.cpp"; empty for main.cpp.
std::string room_of(const std::string& file) {
  const std::size_t first = file.find('/'), second = file.find('/', first + 1);
  return second == file.npos ? "" : file.substr(first + 1, second - first - 1);
}

std::size_t place(const std::vector<std::string>& order, const std::string& name) {
  return std::size_t(std::find(order.begin(), order.end(), name) - order.begin());
}

/// Returns the unit of a file, as "tools/data/csv". A header and its source are one unit.
std::string unit_of(const std::string& file) { return file.substr(0, file.rfind('.')); }

/// Maps each unit of a tree to the units of the same tree that it includes.
Includes units_of(const std::string& tree) {
  Includes units;
  for (const auto& [file, targets] : includes())
    for (const std::string& target : targets)
      if (tree_of(file) == tree && tree_of(target) == tree && unit_of(file) != unit_of(target))
        units[unit_of(file)].insert(unit_of(target));
  return units;
}

/// Follows includes from the end of `path`, and returns the first circle, as "a -> b -> a"; empty
/// if there is none.
/// @param done  units that are in no circle
std::string circle_from(const Includes& units, std::vector<std::string>& path,
                        std::set<std::string>& done) {
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

/// Whether a file belongs to the ready recipes, which use cells.
bool is_recipe(const fs::path& path) {
  return fs::relative(path, project / "tools").begin()->string() == "recipes";
}

/// Returns the files outside tests and benchmarks whose text has a word, in letters of either case,
/// by their paths from runtime/.
std::set<std::string> files_that_name(const std::string& word) {
  std::set<std::string> files;
  const auto look = [&](const fs::path& path) {
    std::ifstream file(path);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    for (char& c : text) c = char(std::tolower(static_cast<unsigned char>(c)));
    if (text.find(word) != text.npos)
      files.insert(fs::relative(path, project / "runtime").generic_string());
  };
  for (const char* const tree : {"kernels", "runtime", "tools", "toolchains"})
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(project / tree))
      if (entry.is_regular_file() && !is_recipe(entry.path())) look(entry.path());
  for (const fs::directory_entry& entry : fs::directory_iterator(project))
    if (entry.is_regular_file()) look(entry.path());
  return files;
}

}  // namespace

TEST_CASE("the files that name a cell are few, and the manual lists them") {
  const std::set<std::string> files = files_that_name("fastgrnn");
  CHECK(files.size() <= 20);
  std::ifstream file(project / "runtime/README.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t begin = text.find("**To add a cell**"), end = text.find("**To add a layer**");
  REQUIRE(begin < end);
  std::set<std::string> listed;
  for (std::size_t row = text.find("\n| `", begin); row < end; row = text.find("\n| `", row + 1)) {
    const std::string cell = text.substr(row, text.find(" | ", row + 3) - row);
    for (std::size_t at = cell.find('`'); at != cell.npos;
         at = cell.find('`', cell.find('`', at + 1) + 1))
      listed.insert(cell.substr(at + 1, cell.find('`', at + 1) - at - 1));
  }
  CHECK(listed == files);
}

TEST_CASE("the includes of every tree are read") {
  for (const std::string& tree : trees)
    CHECK_MESSAGE(std::any_of(includes().begin(), includes().end(),
                              [&](const auto& one) {
                                return tree_of(one.first) == tree && !one.second.empty();
                              }),
                  tree);
}

TEST_CASE("the folders of tools include only folders before them") {
  for (const auto& one : includes()) {
    // Before clang 16, a lambda cannot capture a structured binding.
    const std::string& file = one.first;
    if (tree_of(file) != "tools") continue;
    CHECK_MESSAGE(place(rooms, room_of(file)) < rooms.size(), file, " is in no known folder");
    for (const std::string& target : one.second)
      if (tree_of(target) == "tools")
        CHECK_MESSAGE(place(rooms, room_of(target)) <= place(rooms, room_of(file)), file,
                      " includes ", target);
  }
}

TEST_CASE("common includes no file that knows blobs, however far the includes lead") {
  std::vector<std::string> reached;
  for (const auto& one : includes())
    if (one.first.starts_with("tools/common/")) reached.push_back(one.first);
  REQUIRE(reached.size() > 10);
  std::set<std::string> known(reached.begin(), reached.end());
  for (std::size_t i = 0; i < reached.size(); ++i) {
    const std::string file = reached[i];
    for (const char* const header : {"runtime/blob.h", "runtime/layer.h", "runtime/anatomy.h"})
      CHECK_MESSAGE(file != header, "common reaches ", header);
    for (const std::string& target : includes().at(file))
      if (known.insert(target).second) reached.push_back(target);
  }
}

TEST_CASE("data includes no model") {
  for (const auto& one : includes())
    for (const std::string& target : one.second)
      if (one.first.starts_with("tools/data/"))
        CHECK_MESSAGE(!target.starts_with("tools/model/"), one.first, " includes ", target);
}

TEST_CASE(
    "tools include runtime and kernels, runtime includes kernels, and nothing the other way") {
  for (const auto& one : includes())
    for (const std::string& target : one.second)
      CHECK_MESSAGE(place(trees, tree_of(target)) <= place(trees, tree_of(one.first)), one.first,
                    " includes ", target);
}

TEST_CASE("no unit of kernels includes itself through others") {
  CHECK_EQ(circle_in("kernels"), "");
}

TEST_CASE("no unit of runtime includes itself through others") {
  CHECK_EQ(circle_in("runtime"), "");
}

TEST_CASE("no unit of tools includes itself through others") { CHECK_EQ(circle_in("tools"), ""); }
