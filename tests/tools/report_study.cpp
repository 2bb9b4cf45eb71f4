// Tests the page of a tuning study: its numbers against numbers computed by hand and by formulas,
// and unusual studies.
#if SLUICE_WITH_TUNE
#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>

#include "../support/markup.h"
#include "../support/studies.h"
#include "report/importance.h"
#include "report/scale.h"
#include "report/study.h"

using namespace sluice::tests;
using namespace sluice::tools;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity(),
                 none = std::numeric_limits<double>::quiet_NaN();

size_t count(const std::string& text, const std::string& part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

/// Returns the part of a page between a heading or title and the end of the figure or section.
std::string behind(const std::string& page, const std::string& title, const std::string& end) {
  const size_t at = page.find(title);
  return at == std::string::npos ? "" : page.substr(at, page.find(end, at) - at);
}

/// Words that are printed in place of a missing number.
std::string numberless(std::string page) {
  std::transform(page.begin(), page.end(), page.begin(),
                 [](unsigned char c) { return char(std::tolower(c)); });
  const auto letter = [&](size_t at) {
    return at < page.size() && std::isalpha(static_cast<unsigned char>(page[at]));
  };
  for (const char* word : {"nan", "inf", "infinity"})
    for (size_t at = page.find(word); at != std::string::npos; at = page.find(word, at + 1))
      if (!letter(at - 1) && !letter(at + std::string(word).size()))
        return page.substr(at > 40 ? at - 40 : 0, 80);
  return "";
}

/// Returns a study of two numbers and four trials with costs. Its front is known: trial 2 beats
/// trial 1 in everything, and trial 3 is small.
Study small_study() {
  Study study;
  study.file = "small.db", study.recipe_file = "small.toml", study.method = SearchMethod::random,
  study.halving = Halving::none;
  study.objective = Monitor::loss, study.most_epochs = 30, study.core = "cortex-m4",
  study.type = SLUICE_INT8;
  study.limits = {{"flash", 8192}, {"ram", 2048}};
  study.space.parameters = {
      number_of("train.learning_rate", Parameter::real, 1e-3, 1e-1, 1e-2, true),
      number_of("model.layers.1.gru", Parameter::whole, 4, 32, 16)};
  study.trials = {complete_trial(0, {0.01, 16}, 0.5, 0.0123),
                  complete_trial(1, {0.02, 32}, 0.45, 0.02),
                  complete_trial(2, {0.03, 24}, 0.4, 0.03), complete_trial(3, {0.1, 4}, 0.9, none)};
  study.trials[0].cost = {{3000, 600, 9000}};
  study.trials[1].cost = {{7000, 1500, 30001}};
  study.trials[2].cost = {{5000, 900, 20000}};
  study.trials[3].cost = {{1000, 100, 1000}};
  return study;
}

}  // namespace

TEST_CASE(
    "the ticks of a range are inside it, at 1, 2 or 5 times powers of ten, or only at powers if "
    "there are many") {
  using Ticks = std::vector<double>;
  CHECK_EQ(log_range(0.08, 1.5).ticks, Ticks{0.1, 0.2, 0.5, 1});
  CHECK_EQ(log_range(1e-4, 0.1).ticks, Ticks{1e-4, 1e-3, 1e-2, 1e-1});
  CHECK_EQ(log_range(2.1, 4.9).ticks, Ticks{2.1, 4.9});
  CHECK(log_range(1e-30, 1e30).ticks.size() <= 6);
  CHECK_EQ(log_range(0.08, 1.5).low, 0.08);
  CHECK_EQ(name_scale({"a", "b"}).ticks, Ticks{0, 1});
  CHECK_EQ(tick_text(name_scale({"a", "b"}), 1), "b");
  CHECK_EQ(name_scale({"a", "b"}).at(0), 0.25);
  Scale rimmed = log_range(0.01, 100);
  rimmed.rim = 0.1;
  CHECK_EQ(rimmed.at(0.01), doctest::Approx(0.1));
  CHECK_EQ(rimmed.at(1), doctest::Approx(0.5));
  CHECK_EQ(rimmed.value(0.5), doctest::Approx(1).epsilon(1e-5));
  CHECK_EQ(rimmed.value(0.7), doctest::Approx(10).epsilon(1e-5));
  CHECK_EQ(rimmed.value(0), doctest::Approx(0.01).epsilon(1e-5));
}

TEST_CASE("a study's page has every chart, in valid markup, and shows no missing value") {
  Study study = sample_study();
  for (Final& final : study.finals) final.trial = study.best()->number;
  const std::string page = study_page(study);
  CHECK_EQ(markup_fault(page), "");
  CHECK_EQ(numberless(page), "");
  for (const char* title :
       {">Search space<", ">On the test set<", ">Optimization history: the best loss is ",
        ">Validation while training: ", " matters most: alone it explains ", "fANOVA",
        ", the two that matter most: validation loss from ", " together: every line is a trial<",
        ">learning_rate: ", ">layers.1.gru: ", ">optimizer: ", ">momentum: ", ">l2: ",
        ">Validation loss against flash<", ">Validation loss against RAM<",
        ">Validation loss against instructions<", ">The ten best<", ">Failed trials<"})
    CHECK_MESSAGE(holds(page, title), title);
  for (const char* mark : {">budget: 16,384<", ">budget: 1,536<", ">budget: 60,000<"})
    CHECK_MESSAGE(holds(page, mark), mark);
  CHECK(!holds(page, "/somewhere"));  // a page shows no path
  CHECK(!holds(page, "<script"));
  CHECK_EQ(count(behind(page, ">The ten best<", "</section>"), "<tr>"), 11);
  CHECK_EQ(page, study_page(study));
}

TEST_CASE("the best trial, its error, the front and the test figures are those computed by hand") {
  Study study = small_study();
  // 0.984, 0.981 and 0.986 have the mean 0.98367 and the standard deviation 0.0025166; divided by
  // the root of 3, that is 0.00145.
  for (const char* measures :
       {R"({"loss": 0.1, "accuracy": 0.984})", R"({"loss": 0.2, "accuracy": 0.981})",
        R"({"loss": 0.3, "accuracy": 0.986, "why": "text", "none": null})"})
    study.finals.push_back({2, 1, 12, measures, ""});
  // Trial 0 was tested on request. The page shows the test of the winner, trial 2.
  study.finals.insert(study.finals.begin(), {0, 1, 9, R"({"loss": 7, "accuracy": 0.25})", ""});
  const std::string page = study_page(study);
  CHECK_EQ(markup_fault(page), "");
  CHECK(holds(page, "<dt>Best</dt><dd>0.4 \u00b1 0.03<small>loss by validation, trial 2</small>"));
  CHECK(holds(page,
              "<dt>Test</dt><dd>98.37 \u00b1 0.15 %<small>accuracy of trial 2, trained again on "
              "all training data, 3 seeds"));
  CHECK(holds(page, "<td>loss</td><td class=\"n\">0.2 \u00b1 0.058</td>"));
  CHECK(holds(page, "Trial 0, trained again on all training data for 9 epochs, by 1 seed."));
  CHECK(holds(page, "Trial 2, trained again on all training data for 12 epochs, by 3 seeds."));
  CHECK(holds(page, "<dd>4<small>4 complete</small>"));
  CHECK(holds(page, "int8, at most 8,192 bytes of flash, at most 2,048 bytes of RAM"));
  CHECK(holds(page,
              "<td>train.learning_rate</td><td>from 0.001 to 0.1, on a logarithmic scale</td><td "
              "class=\"n\">0.01</td><td "
              "class=\"n\">0.03</td>"));
  const std::string costs = behind(page, ">Quality against cost<", "</section>");
  CHECK(holds(costs, "3 trials are on the front"));
  for (const char* row :
       {"<tr><td class=\"n\">0</td><td class=\"n\">0.5 \u00b1 0.012</td><td "
        "class=\"n\">3,000</td><td class=\"n\">600</td>",
        "<tr><td class=\"n\">2</td><td class=\"n\">0.4 \u00b1 0.03</td><td class=\"n\">5,000</td>",
        "<tr><td class=\"n\">3</td><td class=\"n\">0.9</td><td class=\"n\">1,000</td>"})
    CHECK_MESSAGE(holds(costs, row), row);
  CHECK(!holds(costs, "<td class=\"n\">30,001</td>"));
  study.space.parameters[0].step = 10, study.space.parameters[1].step = 4;
  CHECK(holds(study_page(study), "<td>from 0.001 to 0.1 by factors of 10</td>"));
  CHECK(holds(study_page(study), "<td>from 4 to 32 in steps of 4</td>"));
  CHECK(holds(costs, ">budget: 8,192<"));
  CHECK(holds(costs, "Validation loss against instructions, which has no budget"));
  const std::string ten = behind(page, ">The ten best<", "</section>");
  CHECK(ten.find(">0.4 ") < ten.find(">0.45 "));
  CHECK(ten.find(">0.45 ") < ten.find(">0.5 "));
  CHECK(holds(page, "Fewer than 10 trials can be compared"));
}

TEST_CASE("an error of values is not a percentage, on the page and on a terminal") {
  Study study = small_study();
  study.finals = {
      {2, 1, 12, R"({"loss": 0.5, "mean_absolute_error": 0.25, "macro_f1": 0.75})", ""}};
  CHECK(holds(study_page(study), "<td>mean absolute error</td><td class=\"n\">0.25</td>"));
  CHECK(holds(study_page(study), "<td>macro f1</td><td class=\"n\">75.00 %</td>"));
  CHECK(holds(best_text(study), "mean absolute error 0.25,"));
  CHECK(holds(best_text(study), "macro f1 75.00 %"));
}

TEST_CASE("a measure for which higher is better is shown with its own sign, in percent") {
  Study study = small_study();
  study.objective = Monitor::accuracy;
  for (Trial& trial : study.trials)
    trial.rungs[0].score.value = -1 + trial.rungs[0].score.value / 10;
  const std::string page = study_page(study);
  CHECK(holds(page, "<dt>Best</dt><dd>96.00 \u00b1 3.00 %<small>accuracy by validation, trial 2"));
  CHECK(holds(page, "validation accuracy (%)"));
  CHECK(holds(page, "the best accuracy is 96.00 \u00b1 3.00 %, of trial 2 of 4"));
}

TEST_CASE("the importance of additive parameters is each one's share of the variance") {
  // y = 3 a + b + c. a and b are uniform on [0, 1], c is 0, 0 or 1 by choice (variance 2/9), and d
  // has no effect.
  Space space;
  space.parameters = {number_of("a", Parameter::real, 0, 1, 0.5),
                      number_of("b", Parameter::real, 1e-4, 1, 0.01, true),
                      choice_of("c", {"1", "2", "3"}), number_of("d", Parameter::whole, 1, 10, 5)};
  Noise noise(11);
  std::vector<Point> points;
  std::vector<double> values;
  for (int i = 0; i < 600; ++i) {
    points.push_back(random_point(space, noise));
    const Point& p = points.back();
    values.push_back(3 * p[0] + (std::log10(p[1]) + 4) / 4 + (p[2] == 2 ? 1 : 0));
  }
  const double a = 9.0 / 12, b = 1.0 / 12, c = 2.0 / 9, all = a + b + c;
  const Importance importance = importance_of(space, points, values);
  REQUIRE_EQ(importance.alone.size(), 4);
  CHECK_EQ(importance.alone[0], doctest::Approx(a / all).epsilon(0.08));
  CHECK(std::fabs(importance.alone[1] - b / all) < 0.03);
  CHECK(std::fabs(importance.alone[2] - c / all) < 0.04);
  CHECK(importance.alone[3] < 0.01);
  CHECK(importance.together < 0.06);
  CHECK(importance.unseen > 0.9);
  CHECK_EQ(importance.first, 0);
  CHECK_EQ(importance.second, 2);
  // The pair has the value 3 a + c plus the mean of b, 0.5. a has 32 cells.
  REQUIRE_EQ(importance.pair.size(), 3 * 32);
  for (size_t choice = 0; choice < 3; ++choice)
    for (size_t cell = 2; cell < 30; ++cell)
      CHECK(std::fabs(importance.pair[choice * 32 + cell] -
                      (3 * (double(cell) + 0.5) / 32 + (choice == 2) + 0.5)) < 0.3);
}

TEST_CASE("a joint effect of parameters is reported, and noise is reported as noise") {
  Space space;
  space.parameters = {number_of("a", Parameter::real, 0, 1, 0.5),
                      number_of("b", Parameter::real, 0, 1, 0.5)};
  Noise noise(12);
  std::vector<Point> points;
  std::vector<double> both, nothing;
  for (int i = 0; i < 600; ++i) {
    points.push_back(random_point(space, noise));
    both.push_back((points.back()[0] - 0.5) * (points.back()[1] - 0.5));
    nothing.push_back(double(noise.number(0, 1)));
  }
  const Importance importance = importance_of(space, points, both);
  CHECK(importance.alone[0] + importance.alone[1] < 0.15);
  CHECK(importance.together > 0.85);
  CHECK(importance_of(space, points, nothing).unseen <= 0.05);
  const Importance same = importance_of(space, points, std::vector<double>(600, 0.25));
  CHECK_EQ(same.alone, std::vector<double>{0, 0});
  CHECK_EQ(same.together, 0);
}

TEST_CASE("the effect of a choice is not attributed to a parameter that it puts in force") {
  const Space space = sample_space();
  Noise noise(13);
  std::vector<Point> points;
  std::vector<double> values;
  for (int i = 0; i < 300; ++i) {
    points.push_back(random_point(space, noise));
    values.push_back(points.back()[2] == 1 ? 1 + 0.01 * points.back()[3] : 0);
  }
  const Importance importance = importance_of(space, points, values);
  CHECK_EQ(importance.first, 2);
  CHECK(importance.alone[2] > 0.9);
  CHECK(importance.alone[3] < 0.03);
}

TEST_CASE("a study of one number and one choice has a curve per choice, with standard errors") {
  const std::string page = study_page(lambda_study());
  CHECK_EQ(markup_fault(page), "");
  CHECK_EQ(numberless(page), "");
  // The lowest value by the formula of lambda_study is at ratio 1.0 and 10^-4.5.
  const std::string chart =
      behind(page, ">Validation loss against elastic: lowest 0.1317 \u00b1 ", "</figure>");
  CHECK(holds(chart, "at l1_ratio = 1.0, elastic = 3.16e-5<"));
  for (const char* name : {"l1_ratio = 1.0<", "l1_ratio = 0.0<", "l1_ratio = 0.5<"})
    CHECK_MESSAGE(holds(chart, name), name);
  CHECK_EQ(count(chart, "class=\"errors s"), 3);
  // The two ends of each bar.
  CHECK_EQ(count(behind(chart, "class=\"errors s1", "/>"), "h6"), 2 * 9);
  CHECK(holds(chart, "elastic, logarithmic"));
  CHECK(!holds(page, ">elastic: "));  // no separate chart of a slice
}

TEST_CASE("if conditions leave one number each in force, each number has a curve") {
  Study study = lambda_study();
  study.space.parameters = {choice_of("train.penalty", {"\"l1\"", "\"l2\""}),
                            number_of("train.l1", Parameter::real, 1e-6, 1e-2, 1e-4, true),
                            number_of("train.l2", Parameter::real, 1e-5, 1e-1, 1e-4, true)};
  study.space.parameters[1].when = {{0, {0}}}, study.space.parameters[2].when = {{0, {1}}};
  study.trials.clear();
  for (int i = 0; i < 10; ++i)
    study.trials.push_back(complete_trial(
        uint64_t(i), {double(i % 2), i % 2 ? none : 1e-5 * (i + 1), i % 2 ? 1e-4 * (i + 1) : none},
        0.5 + 0.01 * i, 0.01));
  const std::string page = study_page(study);
  CHECK_EQ(markup_fault(page), "");
  const std::string chart =
      behind(page, ">Validation loss against the number in force: lowest 0.5 \u00b1 0.01 at ",
             "</figure>");
  CHECK(holds(chart, "l1, penalty = &quot;l1&quot;<"));
  CHECK(holds(chart, "l2, penalty = &quot;l2&quot;<"));
}

TEST_CASE("if a chart cannot be drawn, a sentence says why") {
  Study study = small_study();
  study.core.clear(), study.limits.clear();
  for (Trial& trial : study.trials) trial.cost.reset();
  std::string page = study_page(study);
  CHECK(holds(page, "names no device"));
  CHECK(holds(page, "the test set has not been used"));
  CHECK(holds(page, "No trial has a validation curve"));
  CHECK_EQ(markup_fault(page), "");

  study.trials.resize(1);
  page = study_page(study);
  CHECK(holds(page, "Fewer than two trials have a value"));
  CHECK(holds(page, "the best loss is 0.5 \u00b1 0.012, of trial 0 of 1"));
  CHECK_EQ(markup_fault(page), "");

  study = small_study();
  for (Trial& trial : study.trials)
    trial.state = State::failed, trial.rungs.clear(), trial.reason = "the loss is not finite";
  page = study_page(study);
  CHECK(holds(page, "<small>no trial is complete yet</small>"));
  CHECK(holds(page, "No trial has a value yet"));
  CHECK(holds(page, "No trial is complete whose cost on the device is known"));
  CHECK(holds(page, "<td>the loss is not finite</td><td class=\"n\">4</td><td class=\"n\">0</td>"));
  CHECK_EQ(markup_fault(page), "");

  study.trials.clear();
  page = study_page(study);
  CHECK(holds(page, "No trial has begun yet"));
  CHECK(holds(page, "No trial is complete yet"));
  CHECK_EQ(markup_fault(page), "");

  study = small_study();
  for (int i = 4; i < 20; ++i)
    study.trials.push_back(complete_trial(uint64_t(i), {0.01, double(i)}, 0.5));
  for (Trial& trial : study.trials) trial.rungs[0].score = {0.5, none};
  page = study_page(study);
  CHECK(holds(page, "is the same for all, so no parameter has an effect"));
  CHECK_EQ(markup_fault(page), "");
  CHECK_EQ(numberless(page), "");
}

TEST_CASE(
    "a study that prunes most trials is analyzed at the highest rung that ten trials reached") {
  Study study;
  study.objective = Monitor::loss;
  study.space.parameters = {number_of("train.l2", Parameter::real, 0, 1, 0)};
  for (int i = 0; i < 40; ++i) {
    Trial trial = complete_trial(uint64_t(i), {i / 40.0}, 0);
    trial.rungs.clear();
    for (const int epochs : {3, 9, 27})
      if (epochs == 3 || i < (epochs == 9 ? 13 : 4))
        trial.rungs.push_back({epochs, {1.0 / epochs + i, none}});
    if (i >= 4) trial.state = State::pruned;
    study.trials.push_back(trial);
  }
  const Comparable comparable = comparable_trials(study);
  CHECK_EQ(comparable.epochs, 9);
  REQUIRE_EQ(comparable.trials.size(), 13);
  CHECK_EQ(comparable.trials[12].value, 1.0 / 9 + 12);
  CHECK(holds(study_page(study), "13 trials after 9 epochs"));
  study.trials[5].state = State::failed;
  CHECK_EQ(comparable_trials(study).trials.size(), 12);
}

TEST_CASE("names, choices and reasons are escaped, whatever characters they have") {
  const std::string bad = "<b>&\"'</svg></title>\x01\xFF";
  Study study = sample_study();
  study.file = "a<b>.db", study.recipe_file = bad, study.overrides = {{bad, bad}}, study.core = bad;
  for (Parameter& p : study.space.parameters) p.name = "train." + bad + p.name;
  for (std::string& choice : study.space.parameters[2].choices) choice += bad;
  for (Trial& trial : study.trials) trial.reason += bad, trial.origin += bad;
  study.finals = {{0, 1, 2, "{\"<b>&\": 1, \"accuracy\": 0.5}", ""},
                  {1, 1, 2, "<b>", ""},
                  {2, 1, 2, "[1]", ""}};
  const std::string page = study_page(study);
  CHECK_EQ(markup_fault(page), "");
  CHECK(!holds(page, "<b>"));
  CHECK(holds(page, "&lt;b&gt;&amp;"));
  CHECK(!holds(page, "\xFF"));
  study = lambda_study();
  for (Parameter& p : study.space.parameters) p.name = bad + p.name;
  for (std::string& choice : study.space.parameters[0].choices) choice += bad;
  CHECK_EQ(markup_fault(study_page(study)), "");
}

TEST_CASE("values that are not numbers, or too large for a chart, are nowhere on the page") {
  Study study = sample_study();
  const std::vector<double> odd = {none, infinity, -infinity, 1e308, -1e308, 1e-320, 1e200};
  size_t next = 0;
  for (Trial& trial : study.trials) {
    for (Rung& rung : trial.rungs) {
      rung.score.error = odd[next++ % odd.size()];
      if (next % 3 == 0) rung.score.value = odd[next % odd.size()];
    }
    for (FoldResult& fold : trial.folds)
      for (double& value : fold.curve)
        if (++next % 5 == 0) value = odd[next % odd.size()];
  }
  study.finals = {{0, 1, 2, "{\"loss\": 1e999, \"accuracy\": 1e308}", ""},
                  {0, 2, 2, "{\"accuracy\": 1e308}", ""}};
  for (const Monitor objective : {Monitor::loss, Monitor::accuracy}) {
    study.objective = objective;
    const std::string page = study_page(study);
    CHECK_EQ(markup_fault(page), "");
    CHECK_EQ(numberless(page), "");
  }
  for (Trial& trial : study.trials)
    for (Rung& rung : trial.rungs) rung.score = {none, none};
  CHECK_EQ(numberless(study_page(study)), "");
  study = lambda_study();
  for (Trial& trial : study.trials) trial.rungs[0].score.error = odd[next++ % odd.size()];
  CHECK_EQ(numberless(study_page(study)), "");
}

TEST_CASE("two thousand trials give a page of moderate size") {
  const std::string page = study_page(sample_study(2000));
  CHECK(page.size() < 1000000);
  CHECK_EQ(markup_fault(page), "");
  CHECK(holds(page, "The best 150 of "));
  CHECK(holds(page, "<dd>2,000<small>"));
}
#endif
