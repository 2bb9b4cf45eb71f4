#include "distribute.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <thread>

#include "../common/error.h"
#include "../common/json.h"
#include "../common/print.h"
#include "../common/ranks.h"
#include "../recipe/read.h"
#include "load.h"
#include "watcher.h"
#include "worker.h"

namespace sluice::tools {
namespace {

// Messages between ranks, in CBOR: a rank asks for work, with the result of its last trial if it
// has one, and rank 0 answers.
constexpr int plan_tag = 10, request_tag = 11, answer_tag = 12;
constexpr std::chrono::milliseconds look_interval{200}, heartbeat_interval{5000};
constexpr auto poll_interval = std::chrono::milliseconds(1);

std::string packed(const Json& json) {
  const std::vector<std::uint8_t> bytes = Json::to_cbor(json);
  return std::string(bytes.begin(), bytes.end());
}

Json unpacked(const std::string& bytes) { return Json::from_cbor(bytes.begin(), bytes.end()); }

Json binary(const std::string& bytes) {
  return Json::binary(std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
}

std::string text_of(const Json& binary) {
  const auto& bytes = binary.get_binary();
  return std::string(bytes.begin(), bytes.end());
}

Json json_of(const std::vector<Fold>& folds) {
  Json list = Json::array();
  for (const Fold& f : folds) {
    const FoldResult& r = f.result;
    list.push_back(
        {r.fold, r.seed, r.epochs, r.best_epoch, r.value, r.curve, r.epoch, binary(f.checkpoint)});
  }
  return list;
}

std::vector<Fold> folds_of(const Json& list) {
  std::vector<Fold> folds;
  for (const Json& f : list) {
    FoldResult result{.fold = f[0],
                      .seed = f[1],
                      .epochs = f[2],
                      .best_epoch = f[3],
                      .value = f[4],
                      .curve = f[5],
                      .epoch = f[6]};
    folds.push_back({std::move(result), text_of(f[7])});
  }
  return folds;
}

/// NaN becomes null, since CBOR's numbers can be NaN but JSON's cannot.
Json json_of(const Job& job) {
  return {{"number", job.number},
          {"point", job.point},
          {"until", job.until},
          {"folds", json_of(job.folds)}};
}

Job job_of(const Json& json) {
  return {json["number"], json["point"].get<Point>(), json["until"], folds_of(json["folds"])};
}

/// The state of rank 0: the work of each other rank.
struct Assignments {
  Database db;
  const StudyPlan& plan;
  Deadline deadline = {};
  Shapes shapes = {};
  std::map<int, Job> held = {};            ///< the trial of each rank
  std::vector<bool> idle = {}, lost = {};  ///< [ranks]

  std::string worker(int rank) const { return fmt::format("{} rank {}", this_worker(), rank); }

  void receive_request(int rank) {
    const Json message = unpacked(receive_from(rank, request_tag));
    idle[std::size_t(rank)] = true;
    const auto job = held.find(rank);
    if (job == held.end() || !message.contains("state")) return;
    Outcome outcome{State(message["state"].get<int>()),
                    message["reason"],
                    {message["epochs"], {message["value"], message["error"]}},
                    folds_of(message["folds"])};
    store_outcome(db, trial_of(job->second, outcome, message["seconds"]), outcome.folds,
                  worker(rank));
    held.erase(job);
  }

  /// Answers a rank that asks for work. Returns its next task.
  Next assign(int rank) {
    if (deadline && std::chrono::steady_clock::now() >= *deadline) return Next::end;
    Job job;
    const Next next = take_next(db, plan, shapes, worker(rank), job);
    if (next != Next::work) return next;
    held[rank] = job;
    idle[std::size_t(rank)] = false;
    send_to(rank, answer_tag, packed(json_of(job)));
    return next;
  }

  void reassign(int rank) {
    lost[std::size_t(rank)] = true;
    idle[std::size_t(rank)] = false;
    if (held.contains(rank)) {
      release_trial(db, held[rank].number, worker(rank));
      write_stderr(fmt::format("rank {} is lost; its trial {} is assigned again\n", rank,
                               held[rank].number));
      held.erase(rank);
    }
  }
};

}  // namespace

void serve_ranks(const std::string& file, const StudyPlan& plan, double seconds) {
  Json overrides = Json::array();
  for (const Override& one : plan.overrides) overrides.push_back({one.key, one.value, one.origin});
  const Json definition = {{"file", plan.recipe_file},
                           {"text", plan.text},
                           {"overrides", overrides},
                           {"data_folder", plan.data_folder}};
  for (int rank = 1; rank < ranks().count; ++rank) send_to(rank, plan_tag, packed(definition));
  Assignments assignments{.db = Database(file, Database::write), .plan = plan};
  assignments.deadline = deadline_after(seconds);
  assignments.idle.assign(std::size_t(ranks().count), false), assignments.lost = assignments.idle;
  Watcher watcher = start_watching(load_study(assignments.db, false), plan);
  auto last_look = std::chrono::steady_clock::now(), last_beat = last_look;
  for (bool ends = false; !ends || !assignments.held.empty();) {
    for (int rank = 1; rank < ranks().count; ++rank)
      if (!assignments.lost[std::size_t(rank)] && is_lost(rank)) assignments.reassign(rank);
    if (std::find(assignments.lost.begin() + 1, assignments.lost.end(), false) ==
        assignments.lost.end())
      fail(
          "no rank is left to work; {} has every trial that ended; run the same command again to "
          "continue",
          file);
    if (termination_requested())
      throw Error(130, fmt::format("mpirun ends the job; {} has every trial that ended; run the "
                                   "same command again to continue",
                                   file));
    while (const std::optional<int> rank = sender_of(request_tag))
      assignments.receive_request(*rank);
    for (int rank = 1; rank < ranks().count; ++rank) {
      if (!assignments.idle[std::size_t(rank)]) continue;
      const Next next = assignments.assign(rank);
      ends = next == Next::end;
      if (next != Next::work) break;  // the other ranks get no work either
    }
    const auto now = std::chrono::steady_clock::now();
    if (now - last_beat > heartbeat_interval) {
      for (const auto& [rank, job] : assignments.held)
        store_heartbeat(assignments.db, job.number, assignments.worker(rank));
      last_beat = now;
    }
    if (now - last_look > look_interval)
      watcher.look(load_study(assignments.db, false)), last_look = now;
    std::this_thread::sleep_for(poll_interval);
  }
  const Study study = load_study(assignments.db, false);
  watcher.look(study);
  end_progress(watcher.progress);
  check_failures(study, plan);
}

void work_for_rank_0() {
  const Json definition = unpacked(receive_from(0, plan_tag));
  std::vector<Override> overrides;
  for (const Json& one : definition["overrides"]) overrides.push_back({one[0], one[1], one[2]});
  const StudyPlan plan =
      read_plan(definition["file"], definition["text"], overrides, definition["data_folder"]);
  Json result = Json::object();
  TrialQueue queue;
  queue.next = [&](Job& job) {
    send_to(0, request_tag, packed(result));
    result = Json::object();
    job = job_of(unpacked(receive_from(0, answer_tag)));
    return Next::work;
  };
  queue.submit = [&](const Job&, const Outcome& o, double seconds) {
    result = {{"state", int(o.state)},       {"reason", o.reason},
              {"epochs", o.rung.epochs},     {"value", o.rung.score.value},
              {"error", o.rung.score.error}, {"folds", json_of(o.folds)},
              {"seconds", seconds}};
  };
  queue.release = [](const Job&) {};  // rank 0 notices the end of this rank
  const int cores = int(std::max(1u, std::thread::hardware_concurrency()));
  work(plan, queue, std::max(1, cores / ranks().here), {});
}

}  // namespace sluice::tools
