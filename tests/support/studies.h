// Makes tuning studies, as a search would leave them, by formulas.
#pragma once
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "numbers.h"
#include "tune/study.h"

namespace sluice::tests {

using tools::FoldResult;
using tools::Parameter;
using tools::Score;
using tools::Space;
using tools::State;
using tools::Study;
using tools::Trial;

inline Parameter number_of(const std::string& name, Parameter::Kind kind, double low, double high,
                           double own, bool log = false, double step = 0) {
  Parameter p;
  p.name = name, p.kind = kind, p.low = low, p.high = high, p.own = own, p.log = log, p.step = step;
  return p;
}

inline Parameter choice_of(const std::string& name, const std::vector<std::string>& choices) {
  Parameter p;
  p.name = name, p.kind = Parameter::choice, p.high = double(choices.size()) - 1,
  p.choices = choices;
  return p;
}

/// Returns a point of the space, with a place for each parameter.
inline tools::Point random_point(const Space& space, Noise& noise) {
  tools::Point point;
  for (const Parameter& p : space.parameters)
    point.push_back(value_of_share(p, double(noise.number(0, 1))));
  return settled(space, point);
}

/// Returns a complete trial with one fold.
inline Trial complete_trial(std::uint64_t number, const tools::Point& point, double value,
                            double error = std::numeric_limits<double>::quiet_NaN()) {
  Trial trial;
  trial.number = number, trial.state = State::complete, trial.point = point,
  trial.origin = number ? "random" : "recipe";
  trial.rungs = {{30, {value, error}}};
  return trial;
}

/// Returns a space of six parameters, among them a logarithm, whole numbers, a choice and a
/// parameter that depends on it.
inline Space sample_space() {
  Space space;
  space.parameters = {number_of("train.learning_rate", Parameter::real, 1e-4, 1e-1, 1e-3, true),
                      number_of("model.layers.1.gru", Parameter::whole, 8, 64, 32, false, 8),
                      choice_of("train.optimizer", {"\"adam\"", "\"sgd\"", "\"rmsprop\""}),
                      number_of("train.momentum", Parameter::real, 0, 0.99, 0),
                      number_of("model.layers.1.dropout", Parameter::real, 0, 0.5, 0.1),
                      number_of("train.l2", Parameter::real, 1e-6, 1e-2, 1e-5, true)};
  space.parameters[3].when = {{2, {1}}};
  return space;
}

/// Returns a study with trials of all states: five folds of up to 27 epochs, with rungs at 3, 9 and
/// 27.
inline Study sample_study(int trials = 60, const Space& space = sample_space()) {
  Study study;
  study.file = "study.db", study.recipe_file = "/somewhere/else/vowels.toml";
  study.method = tools::SearchMethod::gaussian, study.halving = tools::Halving::hyperband,
  study.objective = tools::Monitor::loss;
  study.seed = 1, study.most_epochs = 27;
  study.core = "cortex-m4", study.type = SLUICE_INT8;
  study.limits = {{"flash", 16384}, {"ram", 1536}, {"instructions", 60000}};
  study.space = space;
  Noise noise(3);
  for (int n = 0; n < trials; ++n) {
    Trial trial;
    trial.number = std::uint64_t(n), trial.seed = n,
    trial.origin = n == 0   ? "recipe"
                   : n < 10 ? "random"
                            : "gaussian";
    trial.point = random_point(space, noise);
    const double rate = std::log10(trial.point[0]), width = trial.point[1],
                 l2 = std::log10(trial.point[5]);
    trial.cost = {{std::uint64_t(2200 + 90 * width + 3 * width * width),
                   std::uint64_t(220 + 17 * width),
                   std::uint64_t(4000 + 300 * width + 9 * width * width)}};
    if (trial.cost->flash > 16384 || trial.cost->ram > 1536 || trial.cost->instructions > 60000) {
      trial.state = State::unfit, trial.reason = "instructions: more than 60,000 a step";
      study.trials.push_back(trial);
      continue;
    }
    const double level = 0.06 + 0.12 * (rate + 2) * (rate + 2) + 0.8 / width +
                         (trial.point[2] == 1 ? 0.05 : 0) + 0.004 * (l2 + 4) * (l2 + 4) +
                         double(noise.number(0, 0.02f));
    if (rate > -1.15) {
      trial.state = State::failed, trial.reason = "the loss is not finite at epoch 2";
      study.trials.push_back(trial);
      continue;
    }
    const int epochs = level > 0.3 ? 3 : level > 0.2 ? 9 : 27;
    trial.state = epochs < 27 ? State::pruned : State::complete;
    for (int f = 0; f < 5; ++f) {
      FoldResult fold;
      fold.fold = f, fold.seed = 1, fold.epochs = epochs, fold.best_epoch = epochs - f % 2;
      const double own = level + double(noise.number(-0.02f, 0.02f));
      for (int e = 1; e <= epochs; ++e) {
        fold.epoch.push_back(e);
        fold.curve.push_back(own + 1.9 * std::exp(-0.35 * e) + double(noise.number(0, 0.01f)));
      }
      fold.value = fold.curve.back();
      trial.folds.push_back(fold);
    }
    for (const int rung : {3, 9, 27}) {
      if (rung > epochs) continue;
      double sum = 0, squares = 0;
      for (const FoldResult& fold : trial.folds) sum += fold.curve[std::size_t(rung) - 1] / 5;
      for (const FoldResult& fold : trial.folds)
        squares +=
            (fold.curve[std::size_t(rung) - 1] - sum) * (fold.curve[std::size_t(rung) - 1] - sum);
      trial.rungs.push_back({rung, {sum, std::sqrt(squares / 4 / 5)}});
    }
    study.trials.push_back(trial);
  }
  for (const char* measures : {R"({"loss": 0.101, "accuracy": 0.984, "balanced_accuracy": 0.98})",
                               R"({"loss": 0.107, "accuracy": 0.981, "balanced_accuracy": 0.979})",
                               R"({"loss": 0.098, "accuracy": 0.986, "balanced_accuracy": 0.983})"})
    study.finals.push_back({0, 1, 26, measures, ""});
  return study;
}

/// Returns a study that cross-validates lambda: L1, L2 and an elastic net by one ratio.
inline Study lambda_study() {
  Study study;
  study.file = "lambda.db", study.recipe_file = "etth1.toml",
  study.method = tools::SearchMethod::grid, study.objective = tools::Monitor::loss;
  study.most_epochs = 20, study.seed = 1;
  study.space.parameters = {choice_of("train.l1_ratio", {"1.0", "0.0", "0.5"}),
                            number_of("train.elastic", Parameter::real, 1e-6, 1e-2, 1e-5, true)};
  Noise noise(5);
  for (int ratio = 0; ratio < 3; ++ratio)
    for (int i = 0; i < 9; ++i) {
      const double at = -6 + 0.5 * i, low = ratio == 0 ? -4.5 : ratio == 1 ? -3.5 : -4;
      const double value =
          0.1317 + 0.004 * (at - low) * (at - low) * (at > low ? 1.5 : 0.5) + 0.001 * ratio;
      Trial trial = complete_trial(study.trials.size(), {double(ratio), std::pow(10, at)}, value,
                                   0.003 + double(noise.number(0, 0.002f)));
      trial.origin = "grid";
      study.trials.push_back(trial);
    }
  return study;
}

}  // namespace sluice::tests
