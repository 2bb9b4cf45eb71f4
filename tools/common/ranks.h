// Ranks are the processes of one `mpirun`, which share one task. They exchange messages between
// pairs only. If mpirun did not start the process, or this build has no MPI, there is one rank and
// MPI is not used.
//
// Each rank other than 0 sends rank 0 a heartbeat every half second, and rank 0 sends them one. No
// rank waits for a rank that has ended or whose heartbeats have stopped. Only one thread may call
// these functions; is_lost() may be called from any.
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
  int here = 1;  ///< number of ranks on this machine
};

/// Returns this process's rank and the number of ranks.
const Ranks& ranks();

/// Joins the other processes that mpirun started. From then on only rank 0 writes to its standard
/// output and error. Refuses (exit code 2) if there are others but this build has no MPI.
void join_ranks();

/// Tells rank 0, or from rank 0 all others, how and why this process ends. Call it before a joined
/// process ends. Ranks that wait for this one then end too.
/// @param last_line  the error message of this rank; empty: none
void leave_ranks(int exit_code, const std::string& last_line);

/// A rank that this one waits for has ended or cannot be reached; rank 0 has a message about it. If
/// rank 0 has ended, the other ranks throw an Error with its exit code and no message instead.
struct RankLost : Error {
  using Error::Error;
};

/// Returns whether a rank has ended or has sent no heartbeat for ten seconds. Rank 0 may ask for
/// any rank, the others for rank 0.
bool is_lost(int rank);

/// Returns whether mpirun has sent SIGTERM. It does so when a rank has died or when it was
/// interrupted. SIGKILL follows after a second, with Open MPI 5 after a quarter of a second.
bool told_to_end();

/// Sends a message.
/// @param tag  from 0 to 1000; messages of one tag between two ranks arrive in their order
/// @param bytes  up to 1 GiB
void send_to(int rank, int tag, std::string_view bytes);

/// Returns a rank whose message of that tag has arrived, if there is one. Does not wait.
std::optional<int> sender_of(int tag);

/// Waits for a rank's message and returns it.
std::string receive_from(int rank, int tag);

/// Moves pieces from the ranks that have them to the ranks that need them, as sluice_host's gather
/// specifies: one message for each ordered pair of ranks.
void exchange(std::span<const sluice_piece> pieces);

}  // namespace sluice::tools
