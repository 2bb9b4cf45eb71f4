// Writes a study: the changes that processes make to its database. Every function is one
// transaction, or part of the caller's.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "database.h"
#include "study.h"

namespace sluice::tools {

constexpr std::int64_t study_schema = 1;

/// One training of a trial, with the checkpoint from which it continues.
struct Fold {
  FoldResult result;
  std::string checkpoint;  ///< empty: it has not begun, or is complete
};

/// Returns whether a file contains a study. It does not if it is missing, or if a process ended
/// before it wrote the definition of the study.
bool is_begun(const std::string& file);

/// Creates the database and writes the definition of the study, unless the file has one already.
void begin_study(const std::string& file, const Study& study);

/// Gives a study another recipe and space. Part of the caller's transaction.
/// @param points  [trials] the values of the trials, in the new space
void replace_space(Database& db, const Study& now, const std::vector<Point>& points);

/// Adds a trial with its state, origin, point, seed, bracket, until, cost and reason.
void add_trial(Database& db, const Space& space, const Trial& trial);

/// Marks a trial as running, up to an epoch, and as held by this worker until it is `abandoned`.
void hold_trial(Database& db, std::uint64_t number, std::int64_t until, const std::string& worker);

/// Records that the worker is alive. Returns false if it does not hold the trial any more.
bool store_heartbeat(Database& db, std::uint64_t number, const std::string& worker);

/// Returns the running trials whose worker is not alive any more.
std::vector<std::uint64_t> abandoned(Database& db);

/// Returns the trainings of a trial so far, without curves.
std::vector<Fold> load_folds(Database& db, std::uint64_t number);

/// Stores the result of a held trial, final or at a rung: state, reason, seconds, last rung and
/// folds. Does nothing if this worker does not hold the trial any more.
void store_outcome(Database& db, const Trial& trial, const std::vector<Fold>& folds,
                   const std::string& worker);

/// Returns a held trial to the state of waiting, as if it had not begun.
void release_trial(Database& db, std::uint64_t number, const std::string& worker);

void store_final(Database& db, const Final& final);

/// Returns a unique name of this process: host, process, and the time it began.
std::string this_worker();

}  // namespace sluice::tools
