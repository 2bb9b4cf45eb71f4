// What a model says of its making: written at its end, and read again.
#pragma once
#include <cstdint>
#include <string>

#include "../data/data.h"
#include "recipe.h"

namespace sluice::tools {

/// What a blob says of its making, as JSON: version, data hash and the recipe without file names
/// and without keys that never change a result.
std::string made_json(const Recipe& recipe, std::uint64_t data_hash);

/// Recipe and columns, from what a model says of its making. Refused (exit code 2) if it says
/// nothing of them.
/// @param model  its name, for messages
Recipe recipe_of_made(const std::string& made, const std::string& model);  ///< data and losses
                                                                           ///< alone
Columns columns_of_made(const std::string& made, const std::string& model);

/// Returns the heads of a model whose answer has several parts, from what it says of its making;
/// empty if the answer is one, or the model does not say.
std::vector<Head> heads_of_made(const std::string& made);

/// The sequences that a model's training held out of `data`, from what it says of its making; a
/// fifth where it held out none.
Split split_of_made(const std::string& made, const DataSet& data);

/// What a model says of its making, and in which units its values were learned; what it says of
/// them, empty where nothing.
std::string made_with_units(const std::string& made, const Units& units);
Units units_of_made(const std::string& made);

/// What a model says of its making, and from which weights it began: their hash.
std::string made_from(const std::string& made, std::uint64_t hash);

/// Whether a model says that it was trained for fixed point.
bool trained_for_fixed_point(const std::string& made);

/// Whether a model says that it was trained on this data.
bool trained_on(const std::string& made, std::uint64_t data_hash);

/// Whether a model's training held nothing out of this data: then all of it is data that the model
/// has seen.
bool trained_on_all(const std::string& made, std::uint64_t data_hash);

/// What a model says of its making, and that it was quantized: `how` is added under "quantized".
std::string made_quantized(const std::string& made, sluice_format type, RangeChoice ranges,
                           std::uint64_t data_hash);

}  // namespace sluice::tools
