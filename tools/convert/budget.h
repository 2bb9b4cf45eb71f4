// What a device has room for, and whether a network fits: `inspect --fits`, and [device] in a
// recipe.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cost.h"

namespace sluice::tools {

struct Budget {
  /// Limits by name: flash (the stripped model), ram (state and scratch of one stream, stepped
  /// frame by frame), instructions (of a step), flash_total (with code and tables), ram_total (with
  /// the stack).
  std::vector<std::pair<std::string, std::uint64_t>> limits;
};

/// "16 KiB", "16KiB", "2 MiB", "16384": bytes, or a plain number. Nothing for anything else.
std::optional<std::uint64_t> parse_amount(std::string text);

/// "flash=16KiB,ram=4KiB,instructions=200000"; refused (exit code 2) with the names that there are.
/// `origin` for messages.
Budget parse_budget(const std::string& text, const std::string& origin);

/// The part of a cost that a limit is about.
std::uint64_t cost_part(const DeviceCost& cost, const std::string& name);

/// All parts of a cost: "flash 6,768 of 16,384 bytes", "instructions 11,745".
std::vector<std::string> costs_of(const DeviceCost& cost, const Budget& budget);

/// What is over its limit, a line each: "flash: 20,224 bytes, 3,840 more than the 16,384 there
/// are"; empty where all fits.
std::vector<std::string> over_budget(const DeviceCost& cost, const Budget& budget);

}  // namespace sluice::tools
