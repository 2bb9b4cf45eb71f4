#include "ranks.h"

#ifdef SLUICE_WITH_MPI
#include <mpi.h>
#endif

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <list>
#include <memory>
#include <mutex>
#include <semaphore>
#include <thread>
#include <vector>

#include "print.h"

namespace sluice::tools {
namespace {

Ranks place;

int number_of(const char* variable, int otherwise) {
  const char* const text = std::getenv(variable);
  return text && *text ? std::atoi(text) : otherwise;
}

#ifdef SLUICE_WITH_MPI

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds beat_every{500}, silence{10000};
constexpr milliseconds last_words{
    100};  // of a job that mpirun ends: SIGKILL follows after 250 ms (Open MPI 5; 4: a second)
constexpr milliseconds last_seconds{2000};  // for the others to end too, after a failure
constexpr int note_tag = 1001;              // of beats, and of a rank's end
constexpr int piece_tag = 1002;
constexpr std::chrono::microseconds spin_time{100},
    sleep_time{20};  // a wait polls for so long, then sleeps in between
constexpr std::size_t most_bytes = std::size_t(1) << 30;

volatile std::sig_atomic_t terminated = 0;

/// The known state of another rank. Rank 0 knows all others, the others know rank 0.
struct Peer {
  Clock::time_point heard = Clock::now();
  std::atomic<bool> silent{false}, ended{false};
  int exit_code = 0;
  bool missed = false;  ///< when it ended, it had lost contact with a rank
  std::string last_line;
  MPI_Request heartbeat = MPI_REQUEST_NULL;
};

std::unique_ptr<Peer[]> peers;  // [ranks]
std::mutex hearing;
std::thread beats;
std::binary_semaphore leaving{0};

/// Messages in transit. Their memory stays as long as MPI may touch it.
struct Transfer {
  std::string bytes;
  std::vector<MPI_Request> requests;
};
std::list<Transfer> abandoned;  // nothing waits for them any more

void need(int status) {
  if (status == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(status, text, &length);
  throw RankLost(1, fmt::format("MPI: {}", std::string_view(text, std::size_t(length))));
}

bool knows(int rank) { return rank != place.rank && (place.rank == 0 || rank == 0); }

/// Receives the notes of other ranks. An empty note is a heartbeat; another one has the exit code,
/// whether the rank had lost contact with a rank, and its last line.
void receive_notes() {
  const std::lock_guard lock(hearing);
  for (;;) {
    int there = 0, size = 0;
    MPI_Status status;
    if (MPI_Iprobe(MPI_ANY_SOURCE, note_tag, MPI_COMM_WORLD, &there, &status) != MPI_SUCCESS ||
        !there)
      return;
    MPI_Get_count(&status, MPI_BYTE, &size);
    std::string note(std::size_t(size), '\0');
    if (MPI_Recv(note.data(), size, MPI_BYTE, status.MPI_SOURCE, note_tag, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE) != MPI_SUCCESS)
      return;
    Peer& peer = peers[std::size_t(status.MPI_SOURCE)];
    peer.heard = Clock::now();
    if (size == 0) continue;
    peer.exit_code = static_cast<unsigned char>(note[0]);
    peer.missed = note[1] != 0;
    peer.last_line = note.substr(2);
    peer.ended = true;
  }
}

template <class F>
void for_each_known(F f) {
  for (int rank = 0; rank < place.count; ++rank)
    if (knows(rank)) f(rank, peers[std::size_t(rank)]);
}

/// Runs the heartbeat thread. If this process itself was stopped (the machine slept), the others
/// get their time again.
void send_heartbeats() {
  Clock::time_point last = Clock::now();
  do {
    receive_notes();
    const Clock::time_point now = Clock::now();
    for_each_known([&](int rank, Peer& peer) {
      const std::lock_guard lock(hearing);
      if (now - last > 4 * beat_every) peer.heard = now;
      peer.silent = !peer.ended && now - peer.heard > silence;
      int gone = 1;
      if (peer.heartbeat != MPI_REQUEST_NULL) MPI_Test(&peer.heartbeat, &gone, MPI_STATUS_IGNORE);
      if (gone) MPI_Isend(nullptr, 0, MPI_BYTE, rank, note_tag, MPI_COMM_WORLD, &peer.heartbeat);
    });
    last = now;
  } while (!leaving.try_acquire_for(beat_every));
}

/// Returns the reason if waiting for a rank (negative: for all) is hopeless, else null. Rank 0
/// tells the other ranks whether the rest live.
std::exception_ptr reason_to_give_up(int rank, Clock::time_point told_since) {
  receive_notes();
  std::exception_ptr reason;
  const auto lost = [](int exit_code, const std::string& text) {
    return std::make_exception_ptr(RankLost(exit_code, text));
  };
  for_each_known([&](int other, const Peer& peer) {
    if (reason || (place.rank == 0 && rank >= 0 && other != rank)) return;
    const std::string& line = peer.last_line;
    if (peer.ended && place.rank > 0)
      reason = std::make_exception_ptr(Error(peer.exit_code, ""));
    else if (peer.ended)
      reason = lost(std::max(1, peer.exit_code),
                    fmt::format("rank {}: {}", other, line.empty() ? "has ended" : line));
    else if (peer.silent)
      reason = lost(
          1, fmt::format(
                 "rank {} of {}: not heard of for {} seconds; it has died, or cannot be reached",
                 other, place.count, silence.count() / 1000));
  });
  if (!reason && terminated && Clock::now() - told_since > last_words)
    reason = lost(1, "mpirun ends the job: a rank has died, or mpirun was interrupted");
  return reason;
}

/// Waits for done(). If waiting becomes hopeless, returns the reason.
template <class Done>
std::exception_ptr wait_until(int rank, Done done) {
  const Clock::time_point since = Clock::now();
  for (Clock::time_point told_since = since;;) {
    const Clock::time_point now = Clock::now();
    if (!terminated) told_since = now;
    const bool long_now = now - since > spin_time;
    // computed before the last call of done(), so that a message that came in between counts
    std::exception_ptr reason = long_now ? reason_to_give_up(rank, told_since) : nullptr;
    if (done()) return nullptr;
    if (reason) return reason;
    // sleeps in place of yielding, which on a busy core gives away a whole time slice
    if (long_now) std::this_thread::sleep_for(sleep_time);
  }
}

void complete(Transfer& transfer, int rank) {
  const std::exception_ptr reason = wait_until(rank, [&] {
    int done = 0;
    need(MPI_Testall(int(transfer.requests.size()), transfer.requests.data(), &done,
                     MPI_STATUSES_IGNORE));
    return done != 0;
  });
  if (!reason) return;
  abandoned.push_back(std::move(transfer));
  std::rethrow_exception(reason);
}

#endif

}  // namespace

const Ranks& ranks() { return place; }

#ifdef SLUICE_WITH_MPI

void join_ranks() {
  if (number_of("OMPI_COMM_WORLD_SIZE", 1) < 2) return;
  int provided = 0;
  need(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &provided));
  if (provided < MPI_THREAD_MULTIPLE)
    fail("MPI: this library is without threads; build Open MPI with them");
  need(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
  need(MPI_Comm_rank(MPI_COMM_WORLD, &place.rank));
  need(MPI_Comm_size(MPI_COMM_WORLD, &place.count));
  place.here = number_of("OMPI_COMM_WORLD_LOCAL_SIZE", 1);
  if (place.rank > 0) silence_output();
  struct sigaction action{};
  action.sa_handler = [](int) { terminated = 1; };
  action.sa_flags = SA_RESTART;
  sigaction(SIGTERM, &action, nullptr);
  peers = std::make_unique<Peer[]>(std::size_t(place.count));
  beats = std::thread(send_heartbeats);
}

void leave_ranks(int exit_code, const std::string& last_line) {
  if (place.count == 1) return;
  leaving.release();
  beats.join();
  receive_notes();
  std::thread([=] {
    std::this_thread::sleep_for(exit_code ? last_seconds : silence);
    std::_Exit(exit_code);
  }).detach();
  bool silent = false;
  for_each_known([&](int, const Peer& peer) { silent = silent || peer.silent || peer.missed; });
  Transfer note{std::string({char(exit_code), char(silent)}) + last_line, {}};
  for_each_known([&](int rank, const Peer& peer) {
    if (peer.ended || peer.silent) return;
    note.requests.push_back(MPI_REQUEST_NULL);
    MPI_Isend(note.bytes.data(), int(note.bytes.size()), MPI_BYTE, rank, note_tag, MPI_COMM_WORLD,
              &note.requests.back());
  });
  MPI_Waitall(int(note.requests.size()), note.requests.data(), MPI_STATUSES_IGNORE);
  // rank 0 does not print any more
  if (silent && place.rank == 1 && peers[0].silent) std::fprintf(stderr, "%s\n", last_line.c_str());
  if (silent) std::_Exit(exit_code);  // MPI_Finalize would wait for the missing rank
  MPI_Finalize();                     // waits for all others
}

bool is_lost(int rank) {
  return knows(rank) && (peers[std::size_t(rank)].ended || peers[std::size_t(rank)].silent);
}

bool termination_requested() { return terminated != 0; }

void send_to(int rank, int tag, std::string_view bytes) {
  if (bytes.size() > most_bytes)
    fail("MPI: a message of {} bytes; 1 GiB is the most", bytes.size());
  Transfer transfer{std::string(bytes), {MPI_REQUEST_NULL}};
  need(MPI_Isend(transfer.bytes.data(), int(bytes.size()), MPI_BYTE, rank, tag, MPI_COMM_WORLD,
                 &transfer.requests[0]));
  complete(transfer, rank);
}

std::optional<int> sender_of(int tag) {
  int there = 0;
  MPI_Status status;
  need(MPI_Iprobe(MPI_ANY_SOURCE, tag, MPI_COMM_WORLD, &there, &status));
  return there ? std::optional(status.MPI_SOURCE) : std::nullopt;
}

std::string receive_from(int rank, int tag) {
  int size = 0;
  const std::exception_ptr reason = wait_until(rank, [&] {
    int there = 0;
    MPI_Status status;
    need(MPI_Iprobe(rank, tag, MPI_COMM_WORLD, &there, &status));
    if (there) need(MPI_Get_count(&status, MPI_BYTE, &size));
    return there != 0;
  });
  if (reason) std::rethrow_exception(reason);
  Transfer transfer{std::string(std::size_t(size), '\0'), {MPI_REQUEST_NULL}};
  need(MPI_Irecv(transfer.bytes.data(), size, MPI_BYTE, rank, tag, MPI_COMM_WORLD,
                 &transfer.requests[0]));
  complete(transfer, rank);
  return std::move(transfer.bytes);
}

void exchange(std::span<const sluice_piece> pieces) {
  static Transfer transfer;  // reuses its memory
  const int own = place.rank;
  const auto each = [&](int from, int to, auto f) {
    for (const sluice_piece& piece : pieces)
      if (int(piece.from) == from && from != to &&
          (piece.to == SLUICE_EVERY_RANK || int(piece.to) == to))
        f(piece);
  };
  std::vector<std::size_t> begin = {0};  // numbers of pieces from each rank, then to each rank
  for (const bool goes : {false, true})
    for (int rank = 0; rank < place.count; ++rank) {
      std::size_t end = begin.back();
      each(goes ? own : rank, goes ? rank : own,
           [&](const sluice_piece& piece) { end += piece.bytes; });
      begin.push_back(end);
    }
  if (transfer.bytes.size() < begin.back()) transfer.bytes.resize(begin.back());
  char* const memory = transfer.bytes.data();
  transfer.requests.clear();
  const auto post = [&](std::size_t which, auto call) {  // in blocks, since MPI counts bytes as int
    for (std::size_t at = begin[which]; at < begin[which + 1]; at += most_bytes) {
      transfer.requests.push_back(MPI_REQUEST_NULL);
      need(call(memory + at, int(std::min(most_bytes, begin[which + 1] - at)),
                &transfer.requests.back()));
    }
  };
  for (int rank = 0; rank < place.count; ++rank)
    post(std::size_t(rank), [&](char* at, int n, MPI_Request* r) {
      return MPI_Irecv(at, n, MPI_BYTE, rank, piece_tag, MPI_COMM_WORLD, r);
    });
  for (int rank = 0; rank < place.count; ++rank) {
    const std::size_t which = std::size_t(place.count) + std::size_t(rank);
    char* to = memory + begin[which];
    each(own, rank, [&](const sluice_piece& piece) {
      std::memcpy(to, piece.data, piece.bytes), to += piece.bytes;
    });
    post(which, [&](char* at, int n, MPI_Request* r) {
      return MPI_Isend(at, n, MPI_BYTE, rank, piece_tag, MPI_COMM_WORLD, r);
    });
  }
  complete(transfer, -1);
  for (int rank = 0; rank < place.count; ++rank) {
    const char* from = memory + begin[std::size_t(rank)];
    each(rank, own, [&](const sluice_piece& piece) {
      std::memcpy(piece.data, from, piece.bytes), from += piece.bytes;
    });
  }
}

#else

void join_ranks() {
  if (number_of("OMPI_COMM_WORLD_SIZE", 1) < 2) return;
  if (number_of("OMPI_COMM_WORLD_RANK", 0) > 0) throw Error(2, "");
  refuse(
      "sluice: is built without MPI; run it without mpirun, or install libopenmpi-dev and build it "
      "again");
}
void leave_ranks(int, const std::string&) {}
bool is_lost(int) { return false; }
bool termination_requested() { return false; }
void send_to(int, int, std::string_view) {}
std::optional<int> sender_of(int) { return std::nullopt; }
std::string receive_from(int, int) { return ""; }
void exchange(std::span<const sluice_piece>) {}

#endif

}  // namespace sluice::tools
