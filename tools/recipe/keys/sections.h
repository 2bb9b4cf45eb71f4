// The sections of the table of keys; each is in its own file.
#pragma once
#include <span>

#include "../key.h"

namespace sluice::tools {

using R = Recipe;
constexpr double whole_limit = 9007199254740992.0;  ///< 2^53: every integer up to it is a double

std::span<const Key> data_keys();
std::span<const Key> model_keys();
std::span<const Key> train_keys();
std::span<const Key> device_keys();
std::span<const Key> tune_keys();

}  // namespace sluice::tools
