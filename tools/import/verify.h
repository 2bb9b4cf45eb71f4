// Compares the answers of an imported model with those of the program that it came from.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "../data/npy.h"
#include "../model/model_file.h"
#include "imported.h"

namespace sluice::tools {

/// The difference between a model's answers and those that were expected.
struct Agreement {
  std::size_t steps = 0;     ///< frames that the model read
  std::size_t numbers = 0;   ///< numbers of answers that were compared
  double difference = 0;     ///< the largest
  double answer = 0;         ///< the largest expected number, without its sign
  std::size_t sequence = 0;  ///< the place of the largest difference
  std::size_t row = 0, output = 0;
  /// Returns the largest difference as a share of the largest answer.
  double share() const;
};

/// Runs the model on each sequence and compares.
/// @param tests  of the model's own widths; answers of every step, or of the last one alone
Agreement compare(const OwnedModel& model, const std::vector<TestVector>& tests);

/// Leaves out the frames whose numbers are all `mask`, and their answers if there is one for every
/// step. A sequence without other frames is left out.
void leave_out(std::vector<TestVector>& tests, float mask, std::size_t outputs);

/// The arrays of a check, as tests of a model.
struct Reading {
  std::vector<TestVector> tests;
  std::string shape;  ///< of x as it was read: "[sequences][steps][3]"
};

/// Returns the ways in which two arrays can be tests of a model, the likeliest first: x as
/// [sequences][steps][features] or [steps][features] (of ids without the last dimension), y with
/// the answers to every step or to each sequence. Dimensions of one may be anywhere in y; x of
/// shape [n][1][features] may be n steps too. Refuses (exit code 2) arrays that fit in no way.
std::vector<Reading> readings_of(const OwnedModel& model, const Npy& x, const Npy& y);

}  // namespace sluice::tools
