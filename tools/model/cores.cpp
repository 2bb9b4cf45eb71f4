#include "cores.h"

#include <cctype>
#include <utility>
#include <vector>

#include "../common/error.h"
#include "../common/nearest.h"

namespace sluice::tools {
namespace {

constexpr std::pair<std::string_view, Order> cores[] = {
    {"cortex-m0", Order::pairs}, {"cortex-m0plus", Order::pairs}, {"cortex-m3", Order::pairs},
    {"cortex-m4", Order::pairs}, {"cortex-m7", Order::pairs},     {"cortex-m33", Order::pairs},
    {"cortex-m55", Order::rows}, {"cortex-m85", Order::rows},
};

}  // namespace

Order order_of_core(const std::string& core) {
  for (const auto& [name, order] : cores)
    if (core == name) return order;
  refuse("--core {}: is not a core that there are kernels for; {}", core, cores_to_give(core));
}

std::string cores_to_give(const std::string& mistyped) {
  std::string word;
  for (const char c : mistyped) word += char(std::tolower(static_cast<unsigned char>(c)));
  if (word.find("cortex") == word.npos) word = "cortex-" + word;
  std::vector<std::string_view> names;
  for (const auto& core : cores) names.emplace_back(core.first);
  const std::string_view meant = nearest(word, names);
  return (meant.empty() ? "" : fmt::format("did you mean {}? ", meant)) + "there are " +
         core_names();
}

std::string core_names() {
  std::string names;
  for (const auto& core : cores) names += (names.empty() ? "" : ", ") + std::string(core.first);
  return names;
}

std::string counted_core(const std::string& core) {
  if (core == "cortex-m0plus") return "cortex-m0";
  if (core == "cortex-m85") return "cortex-m55";
  return core;
}

}  // namespace sluice::tools
