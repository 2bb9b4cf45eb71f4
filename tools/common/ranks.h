// Ranks: the processes of one `mpirun`, which share a work. They talk point to point only. Where
// mpirun did not start the process, or this build has no MPI, there is one rank, and MPI is never
// touched.
//
// Each rank but 0 sends rank 0 a beat every half second, and rank 0 sends them one; nobody waits
// for a rank that has ended or whose beats have stopped. All of this is one thread's to call, but
// for is_lost().
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "error.h"
#include "sluice_train.h"

namespace sluice::tools {

struct Ranks {
  int rank = 0, count = 1;
  int here = 1;  ///< of them on this machine
};

/// This process's place among them.
const Ranks& ranks();

/// Joins the others that mpirun started; a rank but 0 says nothing on its output and error from
/// then on. Refuses (exit code 2) where there are others, but this build has no MPI.
void join_ranks();

/// Before a joined process ends: tells rank 0, or rank 0 all others, how and why. Those that wait
/// for it, end too.
/// @param last_line  what this rank would have said on its error; empty: nothing
void leave_ranks(int exit_code, const std::string& last_line);

/// A rank that this one waits for is not there any more; rank 0 has a line to say about it. To a
/// rank but 0 whose rank 0 has ended, an Error of the same exit code without a line is thrown
/// instead.
struct RankLost : Error {
  using Error::Error;
};

/// Whether rank 0 has not heard of a rank for ten seconds, or that one has ended (for ranks but 0:
/// of rank 0).
bool is_lost(int rank);

/// Whether mpirun has sent SIGTERM: it does so when a rank has died, or when it was interrupted;
/// SIGKILL follows after a second, of Open MPI 5 after a quarter of one.
bool told_to_end();

/// @param tag  from 0 to 1000; messages of one tag between two ranks arrive in their order
/// @param bytes  up to 1 GiB
void send_to(int rank, int tag, std::string_view bytes);

/// A rank whose message of that tag has arrived, if there is one. Does not wait.
std::optional<int> sender_of(int tag);

/// Waits for a rank's message.
std::string receive_from(int rank, int tag);

/// Brings pieces from where they are to where they are wanted, as sluice_host's gather has it: one
/// message from a rank to another.
void exchange(std::span<const sluice_piece> pieces);

}  // namespace sluice::tools
