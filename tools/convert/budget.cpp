#include "budget.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>

#include "../common/error.h"
#include "../common/print.h"

namespace sluice::tools {
namespace {

constexpr const char* names[] = {"flash", "ram", "instructions", "flash_total", "ram_total"};

bool known(const std::string& name) {
  for (const char* n : names)
    if (name == n) return true;
  return false;
}

}  // namespace

std::optional<std::uint64_t> parse_amount(std::string text) {
  std::erase_if(text, [](unsigned char c) { return std::isspace(c); });
  std::uint64_t amount = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
  if (error != std::errc() || end == text.data()) return {};
  const std::string unit = text.substr(static_cast<std::size_t>(end - text.data()));
  const int shift = unit.empty() || unit == "B" ? 0 : unit == "KiB" ? 10 : unit == "MiB" ? 20 : -1;
  if (shift < 0 || amount > UINT32_MAX) return {};
  return amount << shift;
}

Budget parse_budget(const std::string& text, const std::string& origin) {
  Budget budget;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find(',', begin), text.size()),
                      equals = text.find('=', begin);
    const std::string item = text.substr(begin, end - begin);
    if (equals == text.npos || equals >= end)
      refuse("{}: \"{}\" is not a limit; give one such as flash=16KiB", origin, item);
    std::string name = text.substr(begin, equals - begin);
    std::erase(name, ' ');
    if (!known(name))
      refuse("{}: \"{}\" is not a limit; give flash, ram, instructions, flash_total or ram_total",
             origin, name);
    const auto amount = parse_amount(text.substr(equals + 1, end - equals - 1));
    const bool plain = item.find("iB") == item.npos;
    if (!amount || (name == "instructions" && !plain))
      refuse("{}: \"{}\" is not an amount; give bytes, KiB, MiB, or a plain number of instructions",
             origin, item);
    budget.limits.emplace_back(name, *amount);
    begin = end + 1;
  }
  return budget;
}

std::uint64_t cost_part(const DeviceCost& cost, const std::string& name) {
  if (name == "flash") return cost.flash;
  if (name == "ram") return cost.ram;
  if (name == "instructions") return cost.instructions;
  return name == "flash_total" ? cost.flash + cost.code : cost.ram + cost.stack;
}

std::vector<std::string> costs_of(const DeviceCost& cost, const Budget& budget) {
  std::vector<std::string> parts;
  for (const char* name : names) {
    std::string part = fmt::format("{} {}", name, with_commas(cost_part(cost, name)));
    for (const auto& [limited, limit] : budget.limits)
      if (limited == name) part += " of " + with_commas(limit);
    parts.push_back(part + (name == std::string("instructions") ? "" : " bytes"));
  }
  return parts;
}

std::vector<std::string> over_budget(const DeviceCost& cost, const Budget& budget) {
  std::vector<std::string> lines;
  for (const auto& [name, limit] : budget.limits) {
    const std::uint64_t is = cost_part(cost, name);
    if (is > limit)
      lines.push_back(fmt::format("{} {}{}, {} more than the limit of {}", name, with_commas(is),
                                  name == "instructions" ? "" : " bytes", with_commas(is - limit),
                                  with_commas(limit)));
  }
  return lines;
}

}  // namespace sluice::tools
