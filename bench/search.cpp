// How near search methods come to the least value of known functions; and whether they beat independent draws.
//   bench_search [--json FILE] [--first 1] [--seeds 20] [--evaluations 60] [--acquisition ei] [METHOD ...]
#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "common/print.h"
#include "common/safe_file.h"
#include "tests/support/known_functions.h"

using namespace sluice::tools;
using namespace sluice::tests;

int main(int argc, char** argv) {
  std::string file, acquisition = "ei";
  std::uint64_t first = 1, seeds = 20, evaluations = 60;
  std::vector<std::string> wanted;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i], next = i + 1 < argc ? argv[i + 1] : "";
    if (word == "--json") file = next, ++i;
    else if (word == "--first") first = std::stoull(next), ++i;
    else if (word == "--seeds") seeds = std::stoull(next), ++i;
    else if (word == "--evaluations") evaluations = std::stoull(next), ++i;
    else if (word == "--acquisition") acquisition = next, ++i;
    else wanted.push_back(word);
  }
  nlohmann::json json = {{"first", first}, {"seeds", seeds}, {"evaluations", evaluations}, {"acquisition", acquisition}};
  fmt::print("{:10} {:10} {:>10} {:>10} {:>10} {:>10} {:>12}\n", "function", "method", "median", "quarter", "3 quarters", "p", "ms a trial");
  for (const KnownFunction& function : known_functions()) {
    std::vector<double> random;
    for (std::uint64_t seed = first; seed < first + seeds; ++seed) random.push_back(regret(function, ask_random, seed, evaluations));
    for (const Method& method : methods()) {
      if (method.ask == ask_grid) continue;  // these functions' parameters have no steps
      if (!wanted.empty() && std::ranges::find(wanted, method.name) == wanted.end()) continue;
      const auto begin = std::chrono::steady_clock::now();
      std::vector<double> regrets;
      for (std::uint64_t seed = first; seed < first + seeds; ++seed) regrets.push_back(regret(function, method.ask, seed, evaluations, acquisition));
      const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - begin;
      json["regrets"][function.name][method.name] = regrets;
      std::vector<double> sorted = regrets;
      std::ranges::sort(sorted);
      fmt::print("{:10} {:10} {:10.4f} {:10.4f} {:10.4f} {:10.2g} {:12.2f}\n", function.name, method.name, median(regrets),
                 sorted[sorted.size() / 4], sorted[sorted.size() * 3 / 4], smaller_p(regrets, random),
                 time.count() / double(seeds * evaluations));
      std::fflush(stdout);
    }
  }
  if (!file.empty()) write_file(file, json.dump(1) + "\n");
}
