#include "rank_desk.h"

#include <algorithm>
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
constexpr int plan_tag = 10, ask_tag = 11, answer_tag = 12;
constexpr std::chrono::milliseconds look_every{200}, beat_every{5000};
constexpr auto nap = std::chrono::milliseconds(1);

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

/// The state of rank 0: what each other rank works on.
struct Office {
  Database db;
  const Plan& plan;
  Deadline deadline = {};
  Shapes shapes = {};
  std::map<int, Job> held = {};            ///< the trial of each rank
  std::vector<bool> asks = {}, gone = {};  ///< [ranks]

  std::string worker(int rank) const { return fmt::format("{} rank {}", this_worker(), rank); }

  void take_in(int rank) {
    const Json message = unpacked(receive_from(rank, ask_tag));
    asks[std::size_t(rank)] = true;
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

  /// Answers a rank that asks for work. Returns what there is to do.
  Next answer(int rank) {
    if (deadline && std::chrono::steady_clock::now() >= *deadline) return Next::end;
    Job job;
    const Next next = take_next(db, plan, shapes, worker(rank), job);
    if (next != Next::work) return next;
    held[rank] = job;
    asks[std::size_t(rank)] = false;
    send_to(rank, answer_tag, packed(json_of(job)));
    return next;
  }

  void take_back(int rank) {
    gone[std::size_t(rank)] = true;
    asks[std::size_t(rank)] = false;
    if (held.contains(rank)) {
      release_trial(db, held[rank].number, worker(rank));
      tell(fmt::format("rank {} is lost; its trial {} is assigned again\n", rank,
                       held[rank].number));
      held.erase(rank);
    }
  }
};

}  // namespace

void serve_ranks(const std::string& file, const Plan& plan, double seconds) {
  Json overrides = Json::array();
  for (const Override& one : plan.overrides) overrides.push_back({one.key, one.value, one.origin});
  const Json said = {{"file", plan.recipe_file},
                     {"text", plan.text},
                     {"overrides", overrides},
                     {"data_folder", plan.data_folder}};
  for (int rank = 1; rank < ranks().count; ++rank) send_to(rank, plan_tag, packed(said));
  Office office{.db = Database(file, Database::write), .plan = plan};
  office.deadline = deadline_after(seconds);
  office.asks.assign(std::size_t(ranks().count), false), office.gone = office.asks;
  Watcher watcher = start_watching(load_study(office.db, false), plan);
  auto looked = std::chrono::steady_clock::now(), beaten = looked;
  for (bool ends = false; !ends || !office.held.empty();) {
    for (int rank = 1; rank < ranks().count; ++rank)
      if (!office.gone[std::size_t(rank)] && is_lost(rank)) office.take_back(rank);
    if (std::find(office.gone.begin() + 1, office.gone.end(), false) == office.gone.end())
      fail(
          "no rank is left to work; {} has every trial that ended; run the same command again to "
          "continue",
          file);
    if (told_to_end())
      throw Error(130, fmt::format("mpirun ends the job; {} has every trial that ended; run the "
                                   "same command again to continue",
                                   file));
    while (const std::optional<int> rank = sender_of(ask_tag)) office.take_in(*rank);
    for (int rank = 1; rank < ranks().count; ++rank) {
      if (!office.asks[std::size_t(rank)]) continue;
      const Next next = office.answer(rank);
      ends = next == Next::end;
      if (next != Next::work) break;  // the other ranks get no work either
    }
    const auto now = std::chrono::steady_clock::now();
    if (now - beaten > beat_every) {
      for (const auto& [rank, job] : office.held) beat(office.db, job.number, office.worker(rank));
      beaten = now;
    }
    if (now - looked > look_every) watcher.look(load_study(office.db, false)), looked = now;
    std::this_thread::sleep_for(nap);
  }
  const Study study = load_study(office.db, false);
  watcher.look(study);
  end_progress(watcher.progress);
  check_failures(study, plan);
}

void work_for_rank_0() {
  const Json said = unpacked(receive_from(0, plan_tag));
  std::vector<Override> overrides;
  for (const Json& one : said["overrides"]) overrides.push_back({one[0], one[1], one[2]});
  const Plan plan = read_plan(said["file"], said["text"], overrides, said["data_folder"]);
  Json result = Json::object();
  Desk desk;
  desk.next = [&](Job& job) {
    send_to(0, ask_tag, packed(result));
    result = Json::object();
    job = job_of(unpacked(receive_from(0, answer_tag)));
    return Next::work;
  };
  desk.hand_in = [&](const Job&, const Outcome& o, double seconds) {
    result = {{"state", int(o.state)},       {"reason", o.reason},
              {"epochs", o.rung.epochs},     {"value", o.rung.score.value},
              {"error", o.rung.score.error}, {"folds", json_of(o.folds)},
              {"seconds", seconds}};
  };
  desk.give_back = [](const Job&) {};  // rank 0 notices the end of this rank
  const int cores = int(std::max(1u, std::thread::hardware_concurrency()));
  work(plan, desk, std::max(1, cores / ranks().here), {});
}

}  // namespace sluice::tools
