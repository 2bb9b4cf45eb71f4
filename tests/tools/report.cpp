// Tests the page of a run: its numbers against numbers computed by hand, finite differences and
// formulas; its markup with a reader that knows only tags.
#include "report/report.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "../support/markup.h"
#include "../support/models.h"
#include "../support/refusal.h"
#include "evaluate/evaluate.h"
#include "model/model_file.h"
#include "model/pack.h"
#include "recipe/values.h"
#include "report/charts.h"
#include "report/inside.h"
#include "report/markup.h"
#include "report/scale.h"

using namespace sluice;
using namespace sluice::tests;
using namespace sluice::tools;

namespace {

/// Makes a data set of one sequence.
DataSet one_sequence(int features, int steps) {
  DataSet data;
  Noise noise(7);
  for (int i = 0; i < features; ++i) data.feature_names.push_back("f" + std::to_string(i));
  data.labels = {"y"};
  data.classes = false;
  data.x = noise.uniform(size_t(features * steps), -1, 1);
  data.first = {0, size_t(steps)};
  data.names = {"one"};
  return data;
}

/// Returns a number of a network's answer to one sequence.
double answer_of(const Network& network, const DataSet& data, const AnswerAt& point) {
  const OwnedModel model = open_model(write_blob(network), "test");
  const sluice_info info = model.info();
  OwnedStream stream(model.model, {uint32_t(data.steps(0)), 1});
  std::vector<float> y((info.every_step ? data.steps(0) : 1) * info.outputs);
  run_rows(stream, data, 0, data.steps(0), y.data());
  return double(y[(info.every_step ? point.step : 0) * info.outputs + point.output]);
}

/// Returns the network without its last softmax or sigmoid.
Network logits_of(Network network) {
  network.layers.back().activation = SLUICE_LINEAR;
  return network;
}

/// Turns a gradient by the output of the front layers into one by the frames themselves. A
/// standardization scales it by 1 / deviation. With differences, a frame counts positively for its
/// own step and negatively for the next.
std::vector<double> by_raw_frames(const Network& network, const Steps& gradient) {
  std::vector<double> raw(gradient.values.begin(), gradient.values.end());
  const size_t width = gradient.width, rest = raw.size() - width;
  for (size_t l = front_layers(network); l-- > 0;) {
    const Layer& layer = network.layers[l];
    for (size_t i = 0; layer.kind == SLUICE_STANDARDIZE && i < raw.size(); ++i)
      raw[i] *= double(layer.arrays[0].values[i % width]);
    if (layer.kind != SLUICE_DIFFERENCE) continue;
    std::fill_n(raw.begin(), width, 0.0);  // the first difference is always 0
    for (size_t i = 0; i < rest; ++i) raw[i] -= raw[i + width];
  }
  return raw;
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

TEST_CASE("text of all kinds is escaped, and no byte of it can break the page's markup") {
  CHECK_EQ(escaped("a<b> & \"c\" 'd'"), "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;");
  CHECK_EQ(escaped("\xC3\xA9\xE2\x82\xAC\n"), "\xC3\xA9\xE2\x82\xAC\n");
  CHECK_EQ(escaped("\x01\xFF\xC3(\xEF\xBF\xBF"),
           "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD(\xEF\xBF\xBD");
  CHECK_EQ(shortened("abcdef", 6), "abcdef");
  CHECK_EQ(shortened("abcdefg", 6), "abcde\u2026");
  CHECK_EQ(shortened("\u00e9\u00e9\u00e9", 2), "\u00e9\u2026");
}

TEST_CASE("numbers are printed with about four digits, and a missing number as a dash") {
  CHECK_EQ(figure_text(0.0224123), "0.02241");
  CHECK_EQ(figure_text(1234.4), "1,234");
  CHECK_EQ(figure_text(-21862), "-21,862");
  CHECK_EQ(figure_text(3.14159e-7), "3.14e-7");
  CHECK_EQ(figure_text(2e12), "2e12");
  CHECK_EQ(figure_text(0), "0");
  CHECK_EQ(figure_text(std::nan("")), "\u2013");
  CHECK_EQ(figure_text(-std::numeric_limits<double>::infinity()), "\u2013");
}

TEST_CASE("ticks are at 1, 2 or 5 times a power of ten") {
  using Ticks = std::vector<double>;
  CHECK_EQ(linear_scale(0.3, 9.7, 5, true).ticks, Ticks{0, 2, 4, 6, 8, 10});
  CHECK_EQ(linear_scale(1, 100, 6, false, true).ticks, Ticks{20, 40, 60, 80, 100});
  CHECK_EQ(linear_scale(1, 3, 6, false, true).ticks, Ticks{1, 2, 3});
  CHECK_EQ(linear_scale(-0.12, 0.31, 5, true).ticks, Ticks{-0.2, -0.1, 0, 0.1, 0.2, 0.3, 0.4});
  CHECK_EQ(linear_scale(0.05, 0.05, 5, true).low, 0);
  CHECK_EQ(linear_scale(1, 1, 6, false, true).ticks, Ticks{1});
  CHECK_EQ(log_scale(0.02, 1.1).ticks, Ticks{0.01, 0.1, 1, 10});
  CHECK_EQ(log_scale(3, 40).ticks, Ticks{2, 5, 10, 20, 50});
  CHECK_EQ(log_scale(1, 10).ticks, Ticks{1, 2, 5, 10});
  CHECK(log_scale(1e-30, 1e30).ticks.size() <= 10);
}

TEST_CASE("ticks are printed with as many digits as distinguish them") {
  const auto texts = [](const Scale& scale) {
    std::vector<std::string> list;
    for (size_t i = 0; i < scale.ticks.size(); ++i) list.push_back(tick_text(scale, i));
    return list;
  };
  using Texts = std::vector<std::string>;
  CHECK_EQ(texts(linear_scale(-0.12, 0.31, 5, true)),
           Texts{"-0.2", "-0.1", "0", "0.1", "0.2", "0.3", "0.4"});
  CHECK_EQ(texts(linear_scale(0, 40000, 4, true)),
           Texts{"0", "10,000", "20,000", "30,000", "40,000"});
  CHECK_EQ(texts(linear_scale(0.9985, 0.9995, 2, true)), Texts{"0.9985", "0.9990", "0.9995"});
  CHECK_EQ(texts(log_scale(2e-7, 1e-4)), Texts{"1e-7", "1e-6", "1e-5", "0.0001"});
}

TEST_CASE(
    "a scale maps its ends to 0 and 1, and a logarithmic one maps the geometric mean to the "
    "middle") {
  const Scale linear = linear_scale(0, 10, 5, true), logarithmic = log_scale(0.01, 100);
  CHECK_EQ(linear.at(0), 0);
  CHECK_EQ(linear.at(10), 1);
  CHECK_EQ(linear.at(2.5), 0.25);
  CHECK_EQ(logarithmic.at(0.01), 0);
  CHECK_EQ(logarithmic.at(100), 1);
  CHECK_EQ(logarithmic.at(1), doctest::Approx(0.5).epsilon(1e-6));
}

TEST_CASE("a long curve keeps its peaks") {
  Series long_one{"", {}, {}, 1};
  for (int i = 0; i < 10000; ++i)
    long_one.x.push_back(i), long_one.y.push_back(i == 5003 ? 50 : i == 7001 ? -3 : i % 10 * 0.1);
  const Series few = thinned(long_one, 200);
  CHECK(few.x.size() <= 400);
  CHECK_EQ(*std::max_element(few.y.begin(), few.y.end()), 50);
  CHECK_EQ(*std::min_element(few.y.begin(), few.y.end()), -3);
  CHECK(std::is_sorted(few.x.begin(), few.x.end()));
}

TEST_CASE("a curve has a gap for a missing value, and a lone value is a dot") {
  const double none = std::nan("");
  const std::string chart =
      line_chart({.title = "t",
                  .x = {"x", true},
                  .y = {"y"},
                  .series = {{"", {1, 2, 3, 4, 5}, {0, none, 10, 0, none}, 1}}});
  CHECK(holds(chart, "M62 228h0M"));  // the first value is alone; a line of two follows
  // The lines are six of the grid, the axis, its four ticks and one of the curve.
  CHECK_EQ(std::count(chart.begin(), chart.end(), 'L'), 12);
  CHECK_EQ(markup_fault("\n" + chart), "");
  const std::string empty =
      line_chart({.title = "t", .x = {"x"}, .y = {"y"}, .series = {{"", {1, 2}, {none, none}, 1}}});
  CHECK(holds(empty, "no finite value"));
}

TEST_CASE(
    "a log gives every number of every epoch, and a line that is not valid is refused with its "
    "place") {
  const Log log = read_log(
      "{\"epoch\":1,\"loss\":2.5,\"weight_norm\":{\"input\":3}}\n{\"epoch\":4,\"loss\":null,"
      "\"validation_loss\":1}\n",
      "l");
  CHECK_EQ(log.epochs, std::vector<double>{1, 4});
  CHECK_EQ(log.find("loss")->values[0], 2.5);
  CHECK(std::isnan(log.find("loss")->values[1]));
  CHECK_EQ(log.find("weight_norm.input")->values[0], 3);
  CHECK(std::isnan(log.find("validation_loss")->values[0]));
  CHECK_EQ(log.find("validation_loss")->values[1], 1);
  CHECK_EQ(log.find("accuracy"), nullptr);
  CHECK_EQ(refusal_of([] { read_log("{\"epoch\":1}\n{\"epo", "run/log.jsonl"); }).substr(0, 17),
           "run/log.jsonl:2: ");
  CHECK_EQ(refusal_of([] { read_log("{\"epoch\":2}\n{\"epoch\":2}\n", "log"); }).substr(0, 7),
           "log:2: ");
  CHECK_EQ(refusal_of([] { read_log("{\"epoch\":1,\"loss\":\"much\"}\n", "log"); }).substr(0, 13),
           "log:1: loss: ");
  CHECK(read_log("", "log").epochs.empty());
}

TEST_CASE(
    "the gradient of a linear network by its input is its weight, at the answer's own step alone") {
  Network network = random_network(3, {dense(2)});
  network.layers[0].arrays[0].values = {1.5f, -2, 0.25f, 4, 5, -6};
  const DataSet data = one_sequence(3, 5);
  const Steps gradient = input_gradient(network, {data, 0, 5}, {3, 1});
  for (size_t t = 0; t < 5; ++t)
    for (size_t i = 0; i < 3; ++i)
      CHECK_EQ(gradient.values[t * 3 + i],
               doctest::Approx(t == 3 ? (double[]){4, 5, -6}[i] : 0).epsilon(1e-5));
}

TEST_CASE("the gradient by the input agrees with finite differences through every kind of layer") {
  const std::vector<std::vector<Spec>> kinds = {
      {gru(5), dense(3, SLUICE_SOFTMAX)},
      {standardize(), gru(5, every_step), cell(SLUICE_LSTM, 4), dense(3, SLUICE_SOFTMAX)},
      {mean(both(cell(SLUICE_GRU_BEFORE, 3))), dense(3, SLUICE_SIGMOID)},
      {both(cell(SLUICE_LSTM, 3, every_step)), norm(SLUICE_LAYER_NORM),
       cell(SLUICE_RNN, 4, every_step), dense(3)},
      {difference(), standardize(), gru(4, every_step), dense(3)},
      {standardize(), dense(6, SLUICE_TANH), gates(gru(4, every_step), SLUICE_HARD_SIGMOID, 0.2f),
       dense(3)}};
  for (const auto& specs : kinds) {
    const Network network = random_network(2, specs), logits = logits_of(network);
    DataSet data = one_sequence(2, 6);
    const AnswerAt point{4, 1};
    const std::vector<double> raw =
        by_raw_frames(network, input_gradient(network, {data, 0, 6}, point));
    for (size_t i = 0; i < data.x.size(); ++i) {
      const float x = data.x[i], far = 0.01f;
      data.x[i] = x + far;
      const double above = answer_of(logits, data, point);
      data.x[i] = x - far;
      const double below = answer_of(logits, data, point);
      data.x[i] = x;
      CHECK_EQ(raw[i],
               doctest::Approx((above - below) / (2 * double(far))).epsilon(0.02).scale(0.05));
    }
  }
}

TEST_CASE(
    "states equal the network's answers after so many steps, and gates follow their formula") {
  for (const sluice_layer_kind kind : every_cell) {
    const Network network = random_network(2, {cell(kind, 3)});
    const Layer& layer = network.layers[0];
    const DataSet data = one_sequence(2, 5);
    const std::vector<RecurrentLayer> layers = inside(network, {data, 0, 5});
    REQUIRE_EQ(layers.size(), 1);
    for (size_t steps = 1; steps <= 5; ++steps) {
      DataSet part = data;
      part.first[1] = steps;
      for (size_t unit = 0; unit < 3; ++unit)
        CHECK_EQ(double(layers[0].state.values[(steps - 1) * 3 + unit]),
                 answer_of(network, part, {0, unit}));
    }
    const size_t gates = kind == SLUICE_RNN        ? 0
                         : kind == SLUICE_LSTM     ? 3
                         : kind == SLUICE_FASTGRNN ? 1
                                                   : 2;
    REQUIRE_EQ(layers[0].gates.size(), gates);
    const std::vector<size_t> rows = kind == SLUICE_LSTM       ? std::vector<size_t>{0, 1, 3}
                                     : kind == SLUICE_FASTGRNN ? std::vector<size_t>{0}
                                                               : std::vector<size_t>{0, 1};
    for (size_t g = 0; g < gates; ++g)
      for (size_t t = 0; t < 5; ++t)
        for (size_t unit = 0; unit < 3; ++unit) {
          const size_t row = rows[g] * 3 + unit;
          const bool before = kind == SLUICE_GRU_BEFORE;
          double sum = double(layer.arrays[before ? 3 : 2].values[row]);
          if (layer.find(Role::state_bias)) sum += double(layer.arrays[3].values[row]);
          for (size_t i = 0; i < 2; ++i)
            sum += double(layer.arrays[0].values[row * 2 + i]) * double(data.x[t * 2 + i]);
          for (size_t i = 0; t > 0 && i < 3; ++i)
            sum += double(layer.arrays[1].values[row * 3 + i]) *
                   double(layers[0].state.values[(t - 1) * 3 + i]);
          CHECK_EQ(double(layers[0].gates[g].open.values[t * 3 + unit]),
                   doctest::Approx(sigmoid(sum)).epsilon(1e-5));
        }
  }
}

TEST_CASE(
    "both directions have gates; those of the backward direction use the state of the step after") {
  const Network network = random_network(2, {mean(both(gru(2)))});
  const Layer& layer = network.layers[0];
  const DataSet data = one_sequence(2, 4);
  const RecurrentLayer one = inside(network, {data, 0, 4}).at(0);
  REQUIRE_EQ(one.state.width, 4);
  for (size_t t = 0; t < 4; ++t) {
    const size_t row = 1 * 2 + 1;  // z of the second unit
    double sum = double(layer.arrays[6].values[row]) + double(layer.arrays[7].values[row]);
    for (size_t i = 0; i < 2; ++i)
      sum += double(layer.arrays[4].values[row * 2 + i]) * double(data.x[t * 2 + i]);
    for (size_t i = 0; t < 3 && i < 2; ++i)
      sum += double(layer.arrays[5].values[row * 2 + i]) *
             double(one.state.values[(t + 1) * 4 + 2 + i]);
    CHECK_EQ(double(one.gates[1].open.values[t * 4 + 3]),
             doctest::Approx(sigmoid(sum)).epsilon(1e-5));
  }
}

TEST_CASE(
    "the gradient of a text is by each token's vector, separately for the same token at different "
    "steps") {
  Network network = random_network(6, {embedding(3), dense(2)});
  network.layers[1].arrays[0].values = {1, 2, 3, -4, -5, -6};
  DataSet data = one_sequence(1, 4);
  data.ids = {2, 3, 2, 5};
  const Steps gradient = input_gradient(network, {data, 0, 4}, {2, 1});
  REQUIRE_EQ(gradient.width, 3);
  for (size_t i = 0; i < 12; ++i)
    CHECK_EQ(double(gradient.values[i]),
             doctest::Approx(i / 3 == 2 ? -4.0 - double(i % 3) : 0.0).epsilon(1e-5));
}

TEST_CASE(
    "a page has the confusion matrix counted by hand, names with all their characters, and valid "
    "markup") {
  ReportedRun run;
  run.folder = run.name = "a <run> & more";
  run.recipe = default_recipe();
  run.recipe.train_file = "data.csv";
  run.recipe.loss = LossKind::cross_entropy, run.recipe.target_type = TargetType::classes,
  run.recipe.target_per = TargetPer::row;
  run.log = read_log(
      "{\"epoch\":1,\"loss\":0.5,\"accuracy\":1,\"gradient_norm\":1,\"gradient_norm_clipped\":1,"
      "\"learning_rate\":0.1}\n",
      "log");
  // The network answers with the larger of two numbers.
  Network network = random_network(2, {dense(2, SLUICE_SOFTMAX)});
  network.layers[0].arrays[0].values = {10, 0, 0, 10}, network.layers[0].arrays[1].values = {0, 0};
  run.model = open_model(write_blob(network), "test");
  Input input;
  DataSet& data = input.train;
  data = one_sequence(2, 7);
  data.classes = data.per_row = true;
  data.labels = {"a<b&\"c\"", "\u00e9\x02's"};
  data.feature_names = {"<x>", "y"};
  data.x = {1, 0, 1, 0, 0, 1, 0, 1, 0, 1, 0, 1, 1, 0};
  // The third answer is the second class; the last row is masked.
  data.target = {0, 0, 0, 1, 1, 1, -1};
  input.split = {{}, {0}};
  run.input = std::move(input);
  const std::string page = run_page(run, {});
  CHECK_EQ(markup_fault(page), "");
  CHECK(page.starts_with(page_begin));
  CHECK(holds(page,
              "Confusion: 5 of 6 right; most often a&lt;b&amp;&quot;c&quot; is taken for "
              "\u00e9\uFFFD&#39;s (1 time)"));
  CHECK(holds(page,
              "<td>a&lt;b&amp;&quot;c&quot;</td><td class=\"n\">3</td><td class=\"n\">100.0 "
              "%</td><td class=\"n\">66.7 %</td>"));
  CHECK(holds(page, "a &lt;run&gt; &amp; more"));
  for (const char* cell : {">2</text>", ">1</text>", ">3</text>"}) CHECK(holds(page, cell));
  CHECK(!holds(page, "<script"));
  CHECK(!holds(page, "http-equiv"));
  CHECK_EQ(run_page(run, {"one"}), run_page(run, {"1"}));
  CHECK_EQ(refusal_of([&] { run_page(run, {"7"}); }),
           "--sequence 7: is not a sequence of the validation part; give a name, or a number "
           "from 1 to 1");
}
