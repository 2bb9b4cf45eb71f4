// The record in a blob of how its model was made.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "../data/data.h"
#include "recipe.h"

namespace sluice::tools {

/// Returns the record as JSON: version, data hash and the recipe, without file names and without
/// keys that never change a result.
std::string made_json(const Recipe& recipe, std::uint64_t data_hash);
/// Returns the record of a model that another program trained: the keys of data and the loss, and
/// the format and hash of its file.
/// @param mask  frames whose numbers are all this one are to be left out, if there is one
std::string made_of_import(const Recipe& recipe, const std::string& format, std::uint64_t hash,
                           std::optional<float> mask = std::nullopt);
/// Returns whether the recipe of a record had a data.validation_file.
bool had_validation_file(const std::string& made);

/// Returns the recipe (data and loss alone) from a model's record. Refuses a record without them
/// (exit code 2).
/// @param model  its name, for messages
Recipe recipe_of_made(const std::string& made, const std::string& model);  ///< data and losses
                                                                           ///< alone
Columns columns_of_made(const std::string& made, const std::string& model);

/// Returns the heads of a model whose answer has several parts, from its record; empty if the
/// answer is one, or the record does not name them.
std::vector<Head> heads_of_made(const std::string& made);

/// Returns the sequences that a model's training held out of `data`, from its record; a fifth if it
/// held out none.
Split split_of_made(const std::string& made, const DataSet& data);

/// Adds the units in which a model's values were learned to its record; reads them from it, empty
/// if there are none.
std::string made_with_units(const std::string& made, const Units& units);
Units units_of_made(const std::string& made);

/// Adds to a model's record what was found out about the training file, as far as there is
/// something: how it was read, the means that stand for missing values, and whether each file is a
/// sequence.
std::string made_with_reading(const std::string& made, const DataSet& data);

/// Adds to a model's record the hash of the weights that training started from.
std::string made_from(const std::string& made, std::uint64_t hash);

/// Returns whether a model was trained for fixed point, by its record.
bool trained_for_fixed_point(const std::string& made);

/// Returns whether a model was trained on this data, by its record.
bool trained_on(const std::string& made, std::uint64_t data_hash);

/// Returns whether a model was trained on all of this data, with nothing held out, by its record.
bool trained_on_all(const std::string& made, std::uint64_t data_hash);

/// Adds to a model's record that it was quantized, and how, under "quantized".
std::string made_quantized(const std::string& made, sluice_format type, RangeChoice ranges,
                           std::uint64_t data_hash);

}  // namespace sluice::tools
