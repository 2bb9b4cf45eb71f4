// Starts a training from the weights of a model (model.init_from).
#pragma once
#include "../data/data.h"
#include "../model/network.h"
#include "../recipe/recipe.h"

namespace sluice::tools {

/// Puts the features and the classes of training data into the order of the model that training
/// starts from, by their names. Refuses (exit code 2), by name, features that are not the model's,
/// and other classes or values in the place of the model's. Does nothing if a recipe starts from no
/// model.
void match_to_start(const Recipe& recipe, DataSet& data);

/// Returns the units in which the model that training starts from learned its values; empty if it
/// learned them as they are, or if there is no such model.
Units units_of_start(const Recipe& recipe);

/// Takes the weights of the model, layer by layer: its standardization, its vectors by their
/// tokens, its last layer in the units of the data. A last layer of another width keeps its own. A
/// batch normalization that was folded into the model begins as the identity, with the moments of
/// the training data: a step at a rate of 0 over all of them leaves every answer as it was. Refuses
/// (exit code 2) a model of other layers and, by its name, a key of data by which the model has
/// another frame or answer.
void start_from(const Recipe& recipe, const DataSet& data, const Split& split, Network& network);

}  // namespace sluice::tools
