// The limits of a device, and whether a network fits them: `inspect --fits`, and [device] in a
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
  /// Limits by name: flash (the stripped model), ram (state and scratch of one stream that is
  /// stepped frame by frame), instructions (of a step), flash_total (plus code and tables),
  /// ram_total (plus the stack).
  std::vector<std::pair<std::string, std::uint64_t>> limits;
};

/// Returns the bytes of "16 KiB", "16KiB", "2 MiB" or "16384", or a plain number; nothing for any
/// other text.
std::optional<std::uint64_t> parse_amount(std::string text);

/// Reads "flash=16KiB,ram=4KiB,instructions=200000". Refuses unknown names (exit code 2) and lists
/// the known ones; `origin` begins the message.
Budget parse_budget(const std::string& text, const std::string& origin);

/// Returns the part of a cost that a limit applies to.
std::uint64_t cost_part(const DeviceCost& cost, const std::string& name);

/// Returns all parts of a cost: "flash 6,768 of 16,384 bytes", "instructions 11,745".
std::vector<std::string> costs_of(const DeviceCost& cost, const Budget& budget);

/// Returns a line for each part that exceeds its limit: "flash 20,224 bytes, 3,840 more than the
/// limit of 16,384". Empty if everything fits.
std::vector<std::string> over_budget(const DeviceCost& cost, const Budget& budget);

}  // namespace sluice::tools
