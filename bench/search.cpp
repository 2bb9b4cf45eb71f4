// Measures how near search methods come to the least value of known functions, and whether they
// beat independent draws.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "common/error.h"
#include "common/safe_file.h"
#include "tests/support/known_functions.h"

using namespace sluice::tools;
using namespace sluice::tests;

int main(int argc, char** argv) try {
  std::string file, acquisition = "ei";
  std::uint64_t first = 1, seeds = 20, evaluations = 60;
  std::vector<std::string> wanted;
  CLI::App app("Regrets of search methods on known functions");
  app.add_option("methods", wanted, "All unless named");
  app.add_option("--json", file, "Writes every seed's regret too, for bench/search.py");
  app.add_option("--first", first, "The first seed")->capture_default_str();
  app.add_option("--seeds", seeds, "How many seeds")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  app.add_option("--evaluations", evaluations, "Of a function, by one seed")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--acquisition", acquisition, "Of the Bayesian methods")
      ->capture_default_str()
      ->check(CLI::IsMember({"ei", "ucb"}));
  CLI11_PARSE(app, argc, argv);

  nlohmann::json json = {{"first", first},
                         {"seeds", seeds},
                         {"evaluations", evaluations},
                         {"acquisition", acquisition}};
  fmt::print("{:10} {:10} {:>10} {:>10} {:>10} {:>10} {:>12}\n", "function", "method", "median",
             "quarter", "3 quarters", "p", "ms a trial");
  for (const KnownFunction& function : known_functions()) {
    const auto regrets_of = [&](SuggestPoint suggest) {
      std::vector<double> regrets;
      for (std::uint64_t i = 0; i < seeds; ++i)
        regrets.push_back(regret(function, suggest, first + i, evaluations,
                                 *value_of_word<Acquisition>(acquisition)));
      return regrets;
    };
    const std::vector<double> random = regrets_of(suggest_random);
    json["functions"][function.name] = {
        {"least", function.least},
        {"at_1", function.value(Point(function.space.parameters.size(), 1.0))}};
    for (const Method& method : methods()) {
      if (method.suggest == suggest_grid) continue;  // these functions' parameters have no steps
      const std::string name(word(method.method));
      if (!wanted.empty() && std::ranges::find(wanted, name) == wanted.end()) continue;
      const auto begin = std::chrono::steady_clock::now();
      const std::vector<double> regrets = regrets_of(method.suggest);
      const std::chrono::duration<double, std::milli> time =
          std::chrono::steady_clock::now() - begin;
      json["functions"][function.name]["regrets"][name] = regrets;
      std::vector<double> sorted = regrets;
      std::ranges::sort(sorted);
      fmt::print("{:10} {:10} {:10.4f} {:10.4f} {:10.4f} {:10.2g} {:12.2f}\n", function.name, name,
                 median(regrets), sorted[sorted.size() / 4], sorted[sorted.size() * 3 / 4],
                 smaller_p(regrets, random), time.count() / double(seeds * evaluations));
    }
  }
  if (!file.empty()) write_file(file, json.dump(1) + "\n");
  return 0;
} catch (const Error& error) {
  fmt::print(stderr, "{}\n", error.what());
  return error.exit_code;
}
