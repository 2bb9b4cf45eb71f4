// Tests evaluations: measures against numbers computed by hand and by scikit-learn, naive answers,
// intervals.
#include "evaluate/measures.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "../support/numbers.h"
#include "model/model_file.h"
#include "model/network.h"
#include "model/pack.h"

using namespace sluice::tools;
using sluice::tests::Noise;

namespace {

/// Returns an evaluation of one target per sequence, as evaluate() does. scores: [n][classes].
Evaluation classified(const std::vector<int>& truth, const std::vector<std::vector<float>>& p) {
  Evaluation e;
  const std::size_t classes = p[0].size();
  for (std::size_t c = 0; c < classes; ++c) e.labels.push_back(std::to_string(c));
  e.confusion.assign(classes * classes, 0);
  for (std::size_t i = 0; i < truth.size(); ++i) {
    Answer one;
    one.truth = truth[i];
    for (std::size_t c = 1; c < classes; ++c)
      if (p[i][c] > p[i][std::size_t(one.guess)]) one.guess = std::int32_t(c);
    one.p = p[i][std::size_t(truth[i])];
    one.cost = -std::log(double(one.p));
    e.loss += one.cost / double(truth.size());
    e.correct += one.guess == one.truth;
    ++e.confusion[std::size_t(one.truth) * classes + std::size_t(one.guess)];
    one.block = e.blocks++;
    e.answers.push_back(one);
    e.scores.insert(e.scores.end(), p[i].begin(), p[i].end());
  }
  e.targets = e.sequences = truth.size();
  return e;
}

Measure measure(const Evaluation& e, const std::string& name) {
  for (const Measure& m : measures(e))
    if (m.name == name) return m;
  FAIL("no measure ", name);
  return {};
}

bool near(double a, double b, double tolerance = 1e-9) { return std::fabs(a - b) <= tolerance; }

}  // namespace

TEST_CASE("balanced accuracy, macro F1 and AUC of two classes are those counted by hand") {
  // Class 0 has the scores .1 .4 .35 .5, class 1 has .8 .5. Of 8 pairs, .8 wins all 4; .5 wins 3
  // and ties one: 7.5 / 8.
  const Evaluation e =
      classified({0, 0, 0, 0, 1, 1},
                 {{.9f, .1f}, {.6f, .4f}, {.65f, .35f}, {.5f, .5f}, {.2f, .8f}, {.5f, .5f}});
  CHECK(near(measure(e, "AUC").value, 7.5 / 8));
  CHECK(near(*measure(e, "AUC").naive, 0.5));
  // The answers are 0 0 0 0 1 0. Recalls are 4/4 and 1/2; F1 is 2*4/(4+5) and 2*1/(2+1).
  CHECK(near(measure(e, "balanced accuracy").value, 0.75));
  CHECK(near(*measure(e, "balanced accuracy").naive, 0.5));
  CHECK(near(measure(e, "macro F1").value, (8.0 / 9 + 2.0 / 3) / 2));
  CHECK(near(*measure(e, "macro F1").naive, (2 * 4.0 / (4 + 6)) / 2));
  CHECK(near(measure(e, "accuracy").value, 5.0 / 6));
  CHECK(near(*measure(e, "accuracy").naive, 4.0 / 6));
  // The entropy of 4/6 and 2/6.
  CHECK(near(*measure(e, "loss").naive,
             -(4 / 6.0 * std::log(4 / 6.0) + 2 / 6.0 * std::log(2 / 6.0)), 1e-6));
  CHECK(!measure(e, "loss").interval);  // six sequences are too few for an interval
}

TEST_CASE("AUC of more classes is the mean of each against the rest") {
  // Class 0 (.7) against the rest (.2, .1, .3) has 1; class 1 (.5, .2) against (.2, .3): .5 wins
  // both, .2 ties one: 2.5 / 4; class 2 (.4) against (.1, .3, .7): 2 / 3.
  const Evaluation e = classified(
      {0, 1, 1, 2}, {{.7f, .2f, .1f}, {.2f, .5f, .3f}, {.1f, .2f, .7f}, {.3f, .3f, .4f}});
  CHECK(near(measure(e, "AUC").value, (1 + 2.5 / 4 + 2.0 / 3) / 3));
  // A class that does not occur has no AUC.
  const Evaluation two = classified({0, 1}, {{.7f, .2f, .1f}, {.2f, .5f, .3f}});
  CHECK(near(measure(two, "AUC").value, 1));
}

TEST_CASE(
    "an interval of a mean is close to the normal distribution's, and contains the truth about 19 "
    "times in 20") {
  Noise noise(5);
  int holds = 0;
  constexpr int rounds = 200, n = 100;
  for (int round = 0; round < rounds; ++round) {
    Evaluation e;
    e.classes = false;
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < n; ++i) {
      Answer one;
      one.error = double(noise.number(0, 1));
      sum += one.error, squares += one.error * one.error;
      one.block = e.blocks++;
      e.answers.push_back(one);
    }
    e.targets = n;
    const Measure mae = measure(e, "MAE");
    const double mean = sum / n, error = std::sqrt((squares / n - mean * mean) / n);
    CHECK(near(mae.value, mean));
    CHECK(near(mae.interval->low, mean - 1.96 * error, error / 2));
    CHECK(near(mae.interval->high, mean + 1.96 * error, error / 2));
    holds += mae.interval->low <= 0.5 && 0.5 <= mae.interval->high;
  }
  CHECK(holds >= 180);
  CHECK(holds <= 199);
}

TEST_CASE(
    "rows of one block are resampled together, so that the width of the interval follows the "
    "differences of blocks") {
  Evaluation blocks, single;
  blocks.classes = single.classes = false;
  for (std::size_t i = 0; i < 400; ++i) {
    Answer one;
    one.error = double(i / 20 % 2);  // 20 blocks, all 0 or all 1
    one.block = std::uint32_t(i / 20);
    blocks.answers.push_back(one);
    one.block = std::uint32_t(i);
    single.answers.push_back(one);
  }
  blocks.targets = single.targets = 400;
  blocks.blocks = 20, single.blocks = 400;
  const auto width = [](const Evaluation& e) {
    const Measure mae = measure(e, "MAE");
    return mae.interval->high - mae.interval->low;
  };
  CHECK(near(width(blocks) / width(single), std::sqrt(20.0), 0.5));
}

TEST_CASE(
    "errors of values are squared, root mean squared, absolute, and in units of the deviation") {
  Evaluation e;
  e.classes = false, e.windows = true;
  const double errors[] = {1, -2, 0, 3}, naive[] = {2, 2, -2, 2};
  for (std::size_t i = 0; i < 4; ++i) {
    Answer one;
    one.error = errors[i], one.naive_error = naive[i], one.unit = i % 2 ? 4 : 2;
    e.answers.push_back(one);
  }
  e.blocks = 1;
  e.targets = 4;
  e.units.deviation = {2, 4};
  CHECK(near(measure(e, "MSE").value, 3.5));
  CHECK(near(measure(e, "RMSE").value, std::sqrt(3.5)));
  CHECK(near(measure(e, "MAE").value, 1.5));
  CHECK(near(*measure(e, "MAE").naive, 2));
  CHECK(near(measure(e, "standardized MSE").value, (0.25 + 0.25 + 0 + 0.5625) / 4));
  CHECK(near(measure(e, "standardized MAE").value, (0.5 + 0.5 + 0 + 0.75) / 4));
}

TEST_CASE("each target has errors of its own, as those counted by hand") {
  // Two columns at two steps: outputs 0 and 2 are "a", 1 and 3 are "b"; the third target of "b+2"
  // is masked.
  Evaluation e;
  e.classes = false, e.windows = true;
  e.labels = {"a+1", "b+1", "a+2", "b+2"};
  e.units.deviation = {2, 10, 2, 10};
  const double errors[3][4] = {{1, -20, 0, 5}, {-3, 10, 2, -5}, {2, 30, -2, 0}};
  for (std::uint32_t i = 0; i < 12; ++i) {
    if (i == 11) continue;
    Answer one;
    one.output = i % 4, one.error = errors[i / 4][i % 4], one.naive_error = 2 * one.error;
    one.unit = e.units.deviation[i % 4], one.block = e.blocks++;
    e.answers.push_back(one);
  }
  e.targets = e.answers.size();
  const std::vector<TargetErrors> each = target_errors(e);
  REQUIRE_EQ(each.size(), 4);
  CHECK_EQ(each[1].label, "b+1");
  CHECK(near(each[0].squared, 14.0 / 3));
  CHECK(near(each[1].absolute, 20));
  CHECK(near(each[1].standardized, 14.0 / 3));
  CHECK(near(each[2].naive_absolute, 8.0 / 3));
  CHECK_EQ(each[3].targets, 2);
  CHECK(near(each[3].naive_squared, 100));
  const std::vector<TargetErrors> columns = column_errors(e);
  REQUIRE_EQ(columns.size(), 2);
  CHECK_EQ(columns[0].label, "a+1 to 2");
  CHECK_EQ(columns[1].targets, 5);
  CHECK(near(columns[0].squared, 22.0 / 6));
  CHECK(near(columns[1].absolute, 14));
  CHECK_EQ(target_rows(e)[4], std::vector<std::string>{"b+2", "25", "5", "5", "10", "0.5"});
  CHECK(json_text(e).find("\"label\": \"b+2\"") != std::string::npos);
  e.labels[3] = "c+2";  // not the second step of "b"
  CHECK_EQ(column_errors(e).size(), 4);
  e.labels = {"y"};
  CHECK(target_table(e).empty());
}

TEST_CASE("of many classes the confused pairs take the place of the matrix") {
  const auto one_of = [](std::size_t classes) {
    std::vector<int> truth;
    std::vector<std::vector<float>> p;
    for (std::size_t i = 0; i < 3 * classes; ++i) {
      truth.push_back(int(i % classes));
      p.emplace_back(classes, 0.0f);
      p.back()[i < 9 ? (i % 3 + 1) % classes : i % classes] = 1;
    }
    return classified(truth, p);
  };
  const Evaluation few = one_of(20), many = one_of(21), most = one_of(101);
  CHECK(confusion_table(few).starts_with("true \\ predicted"));
  CHECK(class_table(few).find("lowest recall") == std::string::npos);
  // 0 to 8 are taken for 1, 2, 3, 1, ...; 1, 2 and 3 are not confused when they meet themselves
  const std::vector<Mistake> pairs = mistakes(many);
  REQUIRE_EQ(pairs.size(), 9);
  CHECK_EQ(pairs[0].truth, 0);
  CHECK_EQ(pairs[0].guess, 1);
  CHECK_EQ(pairs[0].count, 1);
  CHECK(confusion_table(many).starts_with("true  predicted  times\n"));
  CHECK(class_table(many).find("These 20 of 21 classes have the lowest recall") !=
        std::string::npos);
  CHECK(json_text(many).find("\"confusion\": [") != std::string::npos);
  CHECK(json_text(most).find("\"confusion\": [") == std::string::npos);
  CHECK(json_text(most).find("\"confused\": [") != std::string::npos);
  CHECK_LT(confusion_table(most).size(), 2000);
}

TEST_CASE(
    "a stream of tokens is evaluated through the embedding, in pieces, and compared with the "
    "unigram") {
  // The model knows that b follows a and a follows b. It has two units, one per token, and a
  // softmax of 9 times their value.
  Network network;
  Layer embedding = make_layer(SLUICE_EMBEDDING, 4, 2);
  embedding.arrays[0].values = {0, 0, 1, 0, 0, 0, 0, 1};  // [units][ids]
  Layer dense = make_layer(SLUICE_DENSE, 2, 4, SLUICE_SOFTMAX);
  dense.arrays[0].values = {0, 0, 0, 0, 0, 9, 9, 0};  // [ids][units]
  network.layers = {embedding, dense};
  const OwnedModel model = open_model(write_blob(network), "model");
  std::string text;
  for (int i = 0; i < 301; ++i) text += "ab"[i % 2];
  text[151] = 'a';  // a follows a twice here
  Columns c;
  c.format = Format::text, c.per_row = true;
  DataSet data = read_stream(text, "t.txt", c, {});
  learn_vocabulary(data, all_sequences(data), 0, "t.txt");
  CHECK_EQ(data.tokens.texts, std::vector<std::string>{"a", "b"});
  const Evaluation one = evaluate(model.model, data, all_sequences(data), 1),
                   two = evaluate(model.model, data, all_sequences(data), 2);
  CHECK_EQ(one.loss, two.loss);
  const double z = std::exp(9.0) + 3, right = std::log(z) - 9, wrong = std::log(z);
  const double loss = (298 * right + 2 * wrong) / 300;
  CHECK(near(one.loss, loss, 1e-5));
  CHECK(near(measure(one, "perplexity").value, std::exp(loss), 1e-5));
  CHECK(one.confusion.empty());
  double a = 0;
  for (std::size_t i = 1; i < text.size(); ++i) a += text[i] == 'a';
  const double share = a / 300,
               entropy = -(share * std::log(share) + (1 - share) * std::log(1 - share));
  CHECK(near(*measure(one, "perplexity").naive, std::exp(entropy), 1e-5));
  CHECK(measure(one, "perplexity").interval->low <= std::exp(loss));
}

TEST_CASE("the loss of values is the loss of the training") {
  Network network;
  Layer dense = make_layer(SLUICE_DENSE, 1, 1);
  dense.arrays[0].values = {1};
  network.layers = {dense};
  const OwnedModel model = open_model(write_blob(network), "model");
  Columns c;
  c.sequence = "s", c.target = {"v"}, c.classes = false, c.per_row = true;
  // The answers are x. The errors are 0.5, -2, none (masked) and 0.25.
  const DataSet data =
      assemble(read_csv("s,v,x\n1,0,0.5\n1,2,0\n1,,7\n2,0.5,0.75\n", "data.csv", c, {}), c, {});
  const auto loss = [&](const Loss& by) {
    return evaluate(model.model, data, all_sequences(data), 1, by).loss;
  };
  CHECK(near(loss({}), (0.25 + 4 + 0.0625) / 3));
  CHECK(near(loss({LossKind::mse_sum}), (0.25 + 4 + 0.0625) / 2));
  CHECK(near(loss({LossKind::huber, 1}), (0.125 + 1.5 + 0.03125) / 3));
  CHECK(near(loss({LossKind::huber, 0.2}), (0.2 * 0.4 + 0.2 * 1.9 + 0.2 * 0.15) / 3));
  const DataSet shares =
      assemble(read_csv("s,v,x\n1,0,0.5\n1,1,0.25\n2,0.5,0.75\n", "data.csv", c, {}), c, {});
  const double binary =
      -(std::log(0.5) + std::log(0.25) + 0.5 * std::log(0.75) + 0.5 * std::log(0.25)) / 3;
  CHECK(near(evaluate(model.model, shares, all_sequences(shares), 1, {LossKind::binary}).loss,
             binary, 1e-6));
}

TEST_CASE(
    "dependent answers form one block: those of a sequence, of a group, and of windows that share "
    "rows") {
  Network network;
  network.layers = {make_layer(SLUICE_GRU, 1, 1)};
  const OwnedModel model = open_model(write_blob(network), "model");
  const auto blocks = [&](const DataSet& data) {
    const Evaluation e = evaluate(model.model, data, all_sequences(data), 1);
    std::vector<std::uint32_t> list;
    for (const Answer& one : e.answers) list.push_back(one.block);
    CHECK_EQ(e.blocks, *std::max_element(list.begin(), list.end()) + 1);
    return list;
  };
  Columns c;
  c.sequence = "s", c.target = {"v"}, c.classes = false, c.group = "g";
  const std::string csv = "s,v,g,x\n1,0,a,0\n2,0,b,0\n3,0,a,0\n4,0,c,0\n";
  CHECK_EQ(blocks(assemble(read_csv(csv, "data.csv", c, {}), c, {})),
           std::vector<std::uint32_t>{0, 1, 0, 2});
  c.group.clear(), c.ignore = {"g"};
  CHECK_EQ(blocks(assemble(read_csv(csv, "data.csv", c, {}), c, {})),
           std::vector<std::uint32_t>{0, 1, 2, 3});
  Columns w;
  w.classes = false, w.target = {"x"};
  w.windows.length = 3;
  Columns plain;
  const Expected all{{}, {}, false};
  DataSet series =
      assemble(read_csv("x\n0\n1\n2\n3\n4\n5\n6\n7\n8\n", "series.csv", plain, all), plain, all);
  CHECK_EQ(blocks(cut_windows(std::move(series), w, {}, "series.csv")),
           std::vector<std::uint32_t>{0, 0, 0, 1, 1, 1});
}
