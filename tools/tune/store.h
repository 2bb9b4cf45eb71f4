// A study that is worked on: what processes write into its database. Every function is one
// transaction, or stands in the caller's.
#pragma once
#include <string>
#include <vector>

#include "database.h"
#include "study.h"

namespace sluice::tools {

constexpr std::int64_t study_schema = 1;

/// One training of a trial, and where it goes on.
struct Fold {
  FoldResult result;
  std::string checkpoint;  ///< empty: it begins, or nothing is left to do
};

/// Whether the file holds something: not where it is missing, or a process ended before it wrote
/// what the study is of.
bool is_begun(const std::string& file);

/// Makes the database and writes what the study is of, where the file does not hold one yet.
void begin_study(const std::string& file, const Study& study);

/// A new trial: state, origin, point, seed, bracket, until, cost, reason.
void add_trial(Database& db, const Space& space, const Trial& trial);

/// The trial is this worker's until it is `abandoned`: runs, until that epoch.
void hold_trial(Database& db, std::uint64_t number, std::int64_t until, const std::string& worker);

/// Notes that the worker lives; false where the trial is no longer its own.
bool beat(Database& db, std::uint64_t number, const std::string& worker);

/// Trials that run, whose worker does not live any more.
std::vector<std::uint64_t> abandoned(Database& db);

/// The trainings of a trial so far, curves left out.
std::vector<Fold> load_folds(Database& db, std::uint64_t number);

/// How a held trial ended, for good or at a rung: its state, reason, seconds, last rung and folds.
/// Nothing where it is no longer this worker's: another one has taken it up.
void store_outcome(Database& db, const Trial& trial, const std::vector<Fold>& folds,
                   const std::string& worker);

/// A held trial waits again, as if it had not been begun.
void release_trial(Database& db, std::uint64_t number, const std::string& worker);

void store_final(Database& db, const Final& final);

/// This process, as no other one is called: host, process, when that began.
std::string this_worker();

}  // namespace sluice::tools
