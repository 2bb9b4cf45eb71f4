// sluice tune: searches for the best values of a recipe, in a study that can be continued, shared
// and read.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>

#include "../common/error.h"
#include "../common/hash.h"
#include "../common/print.h"
#include "../common/progress.h"
#include "../common/ranks.h"
#include "../common/safe_file.h"
#include "../data/files.h"
#include "../data/parse_number.h"
#include "../recipe/columns.h"
#include "../recipe/keys.h"
#include "../recipe/read.h"
#include "../recipe/write.h"
#include "../train/start.h"
#include "../tune/distribute.h"
#include "../tune/load.h"
#include "../tune/processes.h"
#include "../tune/show.h"
#include "../tune/suggest.h"
#include "../tune/widen.h"
#include "../tune/worker.h"
#include "command.h"
#include "seeds.h"

namespace sluice::tools {
namespace {

namespace fs = std::filesystem;

constexpr double many_points = 1e5;  // grids of more points need --yes

std::string full(const std::string& path) {
  return path.empty() ? "" : fs::absolute(path).lexically_normal().string();
}

std::vector<Override> overrides_of(const TuneOptions& options) {
  std::vector<Override> overrides;
  for (const std::string& text : options.set) overrides.push_back(parse_override(text));
  const auto add = [&](const char* key, const char* option, const std::string& value) {
    if (!value.empty()) overrides.push_back({key, value, fmt::format("{} {}", option, value)});
  };
  add("tune.method", "--method", options.method), add("tune.trials", "--trials", options.trials);
  add("tune.halving", "--halving", options.halving),
      add("tune.max_failures", "--max-failures", options.max_failures);
  add("train.threads", "--threads", options.threads);
  return overrides;
}

/// Returns the seconds of "30m", "90s", "2h" or "45".
double seconds_of(const std::string& text) {
  std::string_view number = text;
  double unit = 1;
  if (!number.empty() && std::string_view("smh").find(number.back()) != std::string_view::npos) {
    unit = number.back() == 'h' ? 3600 : number.back() == 'm' ? 60 : 1;
    number.remove_suffix(1);
  }
  const std::optional<float> value = parse_float(number);
  if (!value || !(*value > 0) || !std::isfinite(*value))
    refuse("--time {}: is not a time; give one such as 90s, 30m or 2h", text);
  return double(*value) * unit;
}

std::uint64_t count_of(const std::string& option, const std::string& text, std::uint64_t most) {
  const std::optional<long long> value = parse_integer(text);
  if (!value || *value < 1 || std::uint64_t(*value) > most)
    refuse("{} {}: is not a whole number from 1 to {}", option, text, most);
  return std::uint64_t(*value);
}

/// Returns a hash of all data that trials and the winner use: the training data, the bytes of the
/// test data, and those of the model that training begins from.
std::string hash_of_data(const Recipe& recipe) {
  std::string all =
      fmt::format("{:016x}", data_hash(read_data(recipe.train_file, columns_of(recipe))));
  for (const std::string& file : {recipe.validation_file, recipe.test_file, recipe.init_from})
    for (const std::string& one : files_named(file))
      all += fmt::format(" {:016x}", hash_of(read_file(one)));
  return recipe.validation_file.empty() && recipe.test_file.empty() && recipe.init_from.empty()
             ? all
             : fmt::format("{:016x}", hash_of(all));
}

/// Returns a new study with all that it records about recipe, data and build.
Study new_study(const std::string& file, const StudyPlan& plan) {
  Study study;
  study.file = file;
  study.recipe_file = full(plan.recipe_file), study.recipe = plan.text,
  study.data_folder = plan.data_folder;
  for (const Override& one : plan.overrides) study.overrides.emplace_back(one.key, one.value);
  study.version =
      fmt::format("{}.{}.{}", SLUICE_VERSION_MAJOR, SLUICE_VERSION_MINOR, SLUICE_VERSION_PATCH);
  std::error_code unreadable;
  study.code_hash = fs::exists("/proc/self/exe", unreadable)
                        ? fmt::format("{:016x}", hash_of(read_file("/proc/self/exe")))
                        : "";
  study.recipe_hash = recipe_hash(plan);
  study.data_hash = hash_of_data(plan.own);
  study.objective = plan.own.monitor, study.most_epochs = plan.own.epochs;
  study.core = plan.own.device_core;
  study.type = plan.own.quantize_aware || !plan.own.device_core.empty() ? device_format(plan.own)
                                                                        : SLUICE_F32;
  for (const auto& [name, amount] : budget_of(plan.own).limits)
    study.limits.push_back({name, amount});
  study.space = plan.space;
  return study;
}

/// Returns the plan of the recipe that the study contains.
StudyPlan recipe_of_study(const Study& study) {
  std::vector<Override> overrides;
  for (const auto& [key, value] : study.overrides)
    overrides.push_back({key, value, fmt::format("--set {}={}", key, value)});
  return read_plan(study.recipe_file, study.recipe, overrides, study.data_folder);
}

/// Refuses (exit code 2) to continue a study of another recipe or other data. A study of the same
/// recipe with narrower ranges gets the wider ones.
void check_same(const Study& old, const Study& now, const StudyPlan& plan) {
  if (old.data_hash != now.data_hash)
    refuse(
        "{}: is a study of other data than {} holds now; give another file to --study, or the data "
        "as it was",
        old.file, now.recipe_file);
  if (old.recipe_hash != now.recipe_hash) {
    const StudyPlan there = recipe_of_study(old);
    if (const std::string fault = fault_of_widening(there, plan); !fault.empty())
      refuse(
          "{}: is a study of another recipe: {}; give another file to --study, or the recipe as it "
          "was; only ranges and choices can be widened",
          old.file, fault);
    widen_study(old.file, there, plan, now);
    write_stderr(printable(fmt::format("{}: goes on with {} trials in a wider space: {}", old.file,
                                       old.trials.size(), widening_text(there, plan))) +
                 "\n");
  }
  if (old.code_hash != now.code_hash || old.version != now.version)
    write_stderr(
        printable(fmt::format(
            "warning: {}: was begun by another build of sluice; the bits of new trials may differ",
            old.file)) +
        "\n");
}

/// Returns the point that needs the least flash: the low end of each number and, one parameter
/// after another, the choice that makes the model smallest.
Point smallest_point(const StudyPlan& plan, Shapes& shapes) {
  Point point;
  for (const Parameter& p : plan.space.parameters)
    point.push_back(p.kind == Parameter::choice ? p.own : p.low);
  const auto flash = [&](const Point& of) -> std::uint64_t {
    try {
      return cost_of(recipe_of(plan, settled(plan.space, of)), shapes)->flash;
    } catch (const Error& error) {
      if (error.exit_code != 2) throw;
      return UINT64_MAX;
    }
  };
  for (std::size_t p = 0; p < point.size(); ++p) {
    Point best = point;
    for (std::size_t c = 0; c < plan.space.parameters[p].choices.size(); ++c) {
      Point other = point;
      other[p] = double(c);
      if (flash(other) < flash(best)) best = other;
    }
    point = best;
  }
  return settled(plan.space, point);
}

/// Refuses (exit code 2) a space in which no point fits the device.
void check_fits(const StudyPlan& plan, Shapes& shapes) {
  if (plan.own.device_core.empty()) return;
  constexpr std::uint64_t draws = 200;
  const std::size_t n = plan.space.parameters.size();
  if (objection(plan, settled(plan.space, Point(n, NAN)), shapes).empty()) return;
  const Point smallest = smallest_point(plan, shapes);
  const std::string why = objection(plan, smallest, shapes);
  if (why.empty()) return;
  // another point may need less RAM or fewer instructions
  for (std::uint64_t i = 0; i < draws; ++i) {
    Point point;
    for (std::size_t p = 0; p < n; ++p)
      point.push_back(
          value_of_share(plan.space.parameters[p],
                         draw(std::uint64_t(plan.own.tune_seed), i, std::uint32_t(p), 0)));
    if (objection(plan, settled(plan.space, point), shapes).empty()) return;
  }
  const Recipe recipe = recipe_of(plan, smallest);
  const DeviceCost cost = cost_on_device(recipe, shape_of(recipe, shapes));
  const std::vector<std::string> over = over_budget(cost, budget_of(plan.own));
  if (over.empty()) refuse("{}", why);
  refuse("{}: no model of the search space fits {}; the smallest, {}, needs {}: {}",
         where(plan.own, "device.core"), plan.own.device_core, point_text(plan.space, smallest),
         fmt::join(costs_of(cost, {}), ", "), fmt::join(over, "; "));
}

void check_grid(const StudyPlan& plan, bool yes) {
  if (plan.own.tune_method != SearchMethod::grid) return;
  const double points = grid_points(plan.space);
  if (std::isinf(points)) {
    for (const Parameter& p : plan.space.parameters)
      if (p.kind == Parameter::real && p.step == 0)
        refuse("{}: a grid needs a step or choices for every parameter; add step = ...", p.place);
  }
  if (points > many_points && !yes)
    refuse("{}: the grid has {} points; allow them with --yes, or give fewer choices",
           plan.recipe_file, with_commas(std::uint64_t(points)));
}

/// Trains the winner again, on all training data, with every seed.
void finish_winner(const std::string& file, const StudyPlan& plan,
                   const std::vector<std::string>& seeds) {
  const Study study = read_study(file);
  const Trial* const best = study.best();
  if (!best) {
    for (auto t = study.trials.rbegin(); t != study.trials.rend(); ++t)
      if (!t->reason.empty())
        fail("{}: no trial is complete; trial {}: {}", file, t->number, t->reason);
    return;
  }
  Database db(file, Database::write);
  Progress progress = start_progress(seeds.size());
  note_interrupts();
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    const std::int64_t seed = parse_integer(seeds[i]).value_or(0);
    const bool there = std::any_of(study.finals.begin(), study.finals.end(), [&](const Final& f) {
      return f.trial == best->number && f.seed == seed;
    });
    if (there) continue;
    show_progress(
        progress, i,
        fmt::format("the winner, trial {}, on all training data: seed {}", best->number, seed), "");
    try {
      const Finished finished = finish(recipe_of(plan, best->point), best->best_epoch(), seed);
      store_final(db, {best->number, seed, best->best_epoch(), finished.measures,
                       bytes_of(finished.model)});
      check_interrupt();
    } catch (const Error& error) {
      end_progress(progress);
      if (error.exit_code != 130) throw;
      throw Error(130, fmt::format("interrupted: {} has every trial, but not all trainings of the "
                                   "winner; run the same command again to continue",
                                   file));
    }
  }
  end_progress(progress);
}

StudyPlan plan_of(const TuneOptions& options, const std::vector<Override>& overrides) {
  return read_plan(options.recipe, read_file(options.recipe), overrides, full(options.data_folder));
}

/// Returns the plan of the study's recipe, with the overrides of the command line.
StudyPlan plan_of(const Study& study, const TuneOptions& options,
                  const std::vector<Override>& more = {}) {
  const StudyPlan own = recipe_of_study(study);
  std::vector<Override> overrides = own.overrides;
  overrides.insert(overrides.end(), more.begin(), more.end());
  return read_plan(study.recipe_file, study.recipe, overrides,
                   options.data_folder.empty() ? study.data_folder : full(options.data_folder));
}

void export_trial(const TuneOptions& options) {
  if (options.out.empty())
    refuse("--export {}: needs a file; give --out MODEL.slu", options.export_number);
  const Study study = read_study(options.study);
  check_output("--out", options.out, {options.study});
  const Trial& trial = trial_of(study, options.export_number, "--export");
  if (!trial.score())
    refuse("--export {}: the trial is {}, not complete{}{}", trial.number, state_name(trial.state),
           trial.reason.empty() ? "" : ": ", trial.reason);
  std::error_code none;
  if (fs::exists(options.out, none) && !options.force)
    refuse("--out {}: exists; give another file, or replace it with --force", options.out);
  const std::int64_t seed =
      parse_integer(seeds_of(options.seeds.empty() ? "1" : options.seeds).front()).value_or(0);
  const auto kept = std::find_if(study.finals.begin(), study.finals.end(), [&](const Final& f) {
    return f.trial == trial.number && f.seed == seed;
  });
  std::string model = kept != study.finals.end() ? kept->model : "";
  if (!model.empty())
    open_model(model, fmt::format("{}: the model of trial {}", options.study, trial.number));
  if (model.empty()) {
    const StudyPlan plan = plan_of(study, options);
    if (hash_of_data(plan.own) != study.data_hash)
      refuse("{}: is not the data of the study; give the folder of that data with --data-dir",
             shown_files(plan.own.train_file));
    model = bytes_of(finish(recipe_of(plan, trial.point), trial.best_epoch(), seed).model);
  }
  write_file(options.out, model);
  print("wrote {}: trial {}, seed {}, {} bytes", options.out, trial.number, seed,
        with_commas(model.size()));
  if (trial.cost)
    print("; on the device {}, without names and history (sluice export --strip)",
          with_commas(trial.cost->flash));
  print("\n");
}

/// Writes the recipe of a trial, with the trial's values in the place of ranges.
void write_recipe(const TuneOptions& options) {
  const Study study = read_study(options.study);
  check_output("--out", options.out, {options.study, study.recipe_file});
  const Trial& trial = trial_of(study, options.recipe_number, "--recipe");
  std::error_code none;
  if (!options.out.empty() && fs::exists(options.out, none) && !options.force)
    refuse("--out {}: exists; give another file, or replace it with --force", options.out);
  const std::string text = fmt::format(
      "# Trial {} of {}, {}.\n# Data files by their full names.\n{}", trial.number,
      printable(study.file),
      trial.rungs.empty() || trial.state == State::failed
          ? state_name(trial.state)
          : fmt::format("{}, validation {} {}", state_name(trial.state), word(study.objective),
                        score_text(study, trial.rungs.back().score)),
      recipe_toml(recipe_of(plan_of(study, options), trial.point)));
  if (options.out.empty()) return print_text(text);
  write_file(options.out, text);
  print("wrote {}: trial {}\n", options.out, trial.number);
}

/// Carries out the option that only reads the study. Returns false if no such option was given.
bool read_only(const TuneOptions& options) {
  const int shown = options.list + options.best + !options.show.empty(),
            written = !options.export_number.empty() + !options.recipe_number.empty();
  if (shown + written + options.json == 0) return false;
  if (!options.enqueue.empty())
    refuse(
        "--enqueue {}: works only with a search, not with --list, --show, --best, --json, --recipe "
        "or --export; leave it out",
        options.enqueue[0]);
  if (shown + written > 1)
    refuse(
        "sluice tune: --list, --show, --best, --recipe and --export exclude each other; give one "
        "of them");
  if (written && options.json)
    refuse("sluice tune: --json works only alone or with --list, --show or --best; leave it out");
  if (!options.recipe.empty())
    refuse(
        "sluice tune: {}: the study contains its recipe; leave the recipe out with --list, --show, "
        "--best, --json, --recipe and --export",
        options.recipe);
  if (!options.export_number.empty()) return export_trial(options), true;
  if (!options.recipe_number.empty()) return write_recipe(options), true;
  const Study study = read_study(options.study);
  if (options.json && shown == 0) print_text(study_json(study));
  if (options.list && options.json) print_text(list_json(study));
  if (options.list && !options.json) print_lines(list_text(study));
  if (options.best && options.json) print_text(best_json(study));
  if (options.best && !options.json) print_lines(best_text(study));
  if (options.show.empty()) return true;
  const Trial& trial = trial_of(study, options.show, "--show");
  if (options.json) print_text(trial_json(study, trial));
  if (!options.json) print_lines(trial_text(study, trial));
  return true;
}

}  // namespace

void run_tune(const TuneOptions& options) {
  if (ranks().rank > 0) return work_for_rank_0();
  if (options.study.empty()) refuse("sluice tune: no study; give --study FILE.db");
  if (read_only(options)) return;
  wanted_isa();
  const std::vector<Override> overrides = overrides_of(options);
  const bool there = is_begun(options.study);
  if (options.recipe.empty() && !there)
    refuse("sluice tune: no recipe; give sluice tune RECIPE.toml --study {}", options.study);
  const StudyPlan plan = options.recipe.empty()
                             ? plan_of(read_study(options.study), options, overrides)
                             : plan_of(options, overrides);
  if (ranks().count > 1 && !options.jobs.empty())
    refuse("--jobs {}: under mpirun each rank runs one trial at a time; leave it out",
           options.jobs);
  const std::uint64_t jobs = options.jobs.empty() ? 1 : count_of("--jobs", options.jobs, 1024);
  const std::vector<std::string> seeds = seeds_of(options.seeds.empty() ? "1..5" : options.seeds);
  const double seconds = options.time.empty() ? 0 : seconds_of(options.time);
  std::vector<Point> points;
  for (const std::string& text : options.enqueue)
    points.push_back(point_of(plan.space, text, "--enqueue " + text));
  check_grid(plan, options.yes);
  Shapes shapes;
  const Study study = new_study(options.study, plan);
  check_fits(plan, shapes);
  {
    // Refuses data that the folds cannot split and data that the network does not fit, before any
    // file is written.
    Folds folds;
    Recipe own = plan.own;
    own.device_core.clear(), own.device_flash.clear(), own.device_ram.clear(),
        own.device_flash_total.clear(), own.device_ram_total.clear();
    own.device_instructions = 0;  // other points may fit even if the recipe's own values do not
    checked_start(own, folds_of(own, folds).front());
  }
  if (there) check_same(read_study(options.study), study, plan);
  begin_study(options.study, study);
  // another process may have begun the study first
  if (!there) check_same(read_study(options.study), study, plan);
  {
    Database db(options.study, Database::write);
    const std::size_t before = load_study(db, false).trials.size();
    const std::vector<std::uint64_t> added = enqueue(db, plan, shapes, points);
    const Study now = load_study(db, false);
    for (std::size_t i = before; i < now.trials.size(); ++i)
      if (now.trials[i].state == State::unfit)
        write_stderr(printable(fmt::format("trial {}: unfit: {}", i, now.trials[i].reason)) + "\n");
    if (added.size() < points.size())
      write_stderr(fmt::format("{} of the enqueued points were tried before\n",
                               points.size() - added.size()));
  }
  if (ranks().count > 1)
    serve_ranks(options.study, plan, seconds);
  else
    run_workers(options.study, plan, jobs, seconds);
  finish_winner(options.study, plan, seeds);
  print_lines(best_text(read_study(options.study)));
}

}  // namespace sluice::tools
