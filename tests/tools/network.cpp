// Tests the network that a recipe describes, before training; the batches of its epochs; and the
// folding of batch normalization into the layer that follows.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "../support/models.h"
#include "../support/refusal.h"
#include "common/safe_file.h"
#include "convert/fold.h"
#include "model/pack.h"
#include "recipe/read.h"
#include "train/batches.h"
#include "train/train.h"

using namespace sluice;
using namespace sluice::tests;
using tools::DataSet;
using tools::Recipe;
using tools::Split;

namespace {

Recipe recipe_of(const std::string& layers, const std::string& lines = "") {
  return tools::parse_recipe(
      "[data]\ntrain = \"t.csv\"\n[model]\nlayers = [" + layers + "]\n[train]\n" + lines, "r.toml",
      {});
}

/// Makes sequences of two frames, of which a quarter belongs to the second class.
DataSet two_classes(std::size_t sequences) {
  DataSet data;
  data.feature_names = {"a", "b", "c"}, data.labels = {"no", "yes"};
  Noise noise(150);
  data.x = noise.uniform(sequences * 6);
  for (std::size_t s = 0; s < sequences; ++s) {
    data.first.push_back(2 * s), data.target.push_back(s % 4 == 3);
    data.names.push_back(std::to_string(s));
  }
  data.first.push_back(2 * sequences);
  return data;
}

/// Returns an array of the first recurrent layer, initialized by the named initializer.
tools::Array drawn(const std::string& word, const std::string& layer, const std::string& name,
                   int in, int units) {
  Network network = random_network(in, {cell(layer == "lstm" ? SLUICE_LSTM : SLUICE_GRU, units)});
  const tools::Initializer how = tools::value_of_word<tools::Initializer>(word).value();
  tools::initialize(
      network, 7,
      {.input = how, .recurrent = how, .output = how, .bias = tools::Initializer::zeros});
  for (const tools::Array& a : network.layers[0].arrays)
    if (a.name == name) return a;
  FAIL("no array ", name);
  std::abort();
}

tools::Initializers all_zero(double forget_bias, double update_bias) {
  constexpr tools::Initializer zeros = tools::Initializer::zeros;
  return {.input = zeros,
          .recurrent = zeros,
          .output = zeros,
          .bias = zeros,
          .forget_bias = forget_bias,
          .update_bias = update_bias};
}

double mean_square(const tools::Array& a) {
  double sum = 0;
  for (const float v : a.values) sum += double(v) * double(v) / double(a.values.size());
  return sum;
}

}  // namespace

TEST_CASE(
    "uniform and normal initializers have the bound and the deviation of their formulas, with the "
    "fans of one gate") {
  constexpr int in = 40, units = 60;
  const struct {
    const char* name;
    double variance;
  } ways[] = {{"pytorch", 1.0 / units / 3},
              {"xavier_uniform", 2.0 / (in + units)},
              {"xavier_normal", 2.0 / (in + units)},
              {"kaiming_uniform", 2.0 / in},
              {"kaiming_normal", 2.0 / in}};
  for (const auto& way : ways) {
    const tools::Array a = drawn(way.name, "gru", "weight_ih", in, units);
    const double mean =
        std::accumulate(a.values.begin(), a.values.end(), 0.0) / double(a.values.size());
    const double most =
        std::fabs(*std::max_element(a.values.begin(), a.values.end(),
                                    [](float x, float y) { return std::fabs(x) < std::fabs(y); }));
    const double deviation = std::sqrt(way.variance), count = double(a.values.size());
    CAPTURE(std::string(way.name));
    CHECK(std::fabs(mean) <= 4 * deviation / std::sqrt(count));
    CHECK(std::fabs(mean_square(a) / way.variance - 1) <= 4 * std::sqrt(2 / count));
    if (std::string(way.name).ends_with("normal"))
      CHECK((most > 3 * deviation && most < 6 * deviation));
    else
      CHECK((most <= std::sqrt(3.0) * deviation * (1 + 1e-6) &&
             most > 0.99 * std::sqrt(3.0) * deviation));
  }
  for (const float v : drawn("zeros", "gru", "weight_hh", in, units).values) CHECK_EQ(v, 0.0f);
}

TEST_CASE(
    "the rows of an orthogonal matrix, or the columns if these are fewer, are orthonormal, gate by "
    "gate") {
  for (const auto& shape : {std::pair{9, 9}, {20, 6}, {6, 20}}) {
    const int in = shape.first, units = shape.second;
    const tools::Array a = drawn("orthogonal", "lstm", "weight_ih", in, units);
    const bool by_row = units <= in;
    const int vectors = by_row ? units : in, length = by_row ? in : units;
    for (int gate = 0; gate < 4; ++gate)
      for (int u = 0; u < vectors; ++u)
        for (int v = 0; v < vectors; ++v) {
          double dot = 0;
          for (int i = 0; i < length; ++i) {
            const auto at = [&](int vector) {
              const int row = by_row ? vector : i, col = by_row ? i : vector;
              return double(a.values[size_t(gate * units + row) * size_t(in) + size_t(col)]);
            };
            dot += at(u) * at(v);
          }
          CHECK(std::fabs(dot - (u == v)) <= 1e-6);
        }
  }
}

TEST_CASE("a FastGRNN begins with open gates and a small share of its candidate") {
  Network network = random_network(3, {both(cell(SLUICE_FASTGRNN, 5))});
  tools::initialize(network, 1, {});
  for (const tools::Array& a : network.layers[0].arrays) {
    if (a.is_matrix()) continue;
    CAPTURE(a.name);
    CHECK(a.values == std::vector<float>(a.values.size(), a.name.find("nu") == 0 ? -4.0f : 1.0f));
  }
  tools::initialize(network, 1, all_zero(0, 0));
  CHECK(array(network.layers[0], "bias_gate") == std::vector<float>(5));
  CHECK(array(network.layers[0], "zeta") == std::vector<float>{1});
}

TEST_CASE(
    "a bias is added to forget and update gates alone, and a positive one makes them remember") {
  for (const sluice_layer_kind kind : {SLUICE_LSTM, SLUICE_GRU, SLUICE_GRU_BEFORE}) {
    Network network = random_network(3, {cell(kind, 5)});
    tools::initialize(network, 1, all_zero(3, 2));
    const std::string name = "bias_ih";
    const std::vector<float>& bias = array(network.layers[0], name);
    for (size_t i = 0; i < bias.size(); ++i)
      CHECK_EQ(bias[i], i / 5 == 1 ? (kind == SLUICE_LSTM ? 3.0f : 2.0f) : 0.0f);
    // If all weights are zero, h decays by the gate alone: a larger bias makes it decay more
    // slowly.
    const auto left = [&](double more) {
      Network one = random_network(3, {cell(kind, 5)});
      tools::initialize(one, 1, all_zero(more, more));
      const Opened m(one);
      Streaming s(m.model, {1, 1});
      size_t bytes = 0;
      auto* const state = static_cast<float*>(sluice_state(&s.stream, &bytes));
      std::fill(state, state + bytes / sizeof(float), 0.5f);
      const float x[3] = {};
      float y[5];
      for (int t = 0; t < 3; ++t) sluice_step(&s.stream, x, y);
      return y[0];
    };
    CHECK(left(2) > left(0));
    CHECK(left(0) > left(-2));
  }
}

TEST_CASE("layers are repeated, and tied layers share one set of weights") {
  const DataSet data = two_classes(8);
  const Split all{all_sequences(data), {}};
  const Network apart = make_network(
      recipe_of("{ dense = 6 }, { gru = 6, repeat = 3 }, { dense = 2, activation = \"softmax\" }"),
      data, all);
  const Network tied = make_network(recipe_of("{ dense = 6 }, { gru = 6, repeat = 3, tied = true "
                                              "}, { dense = 2, activation = \"softmax\" }"),
                                    data, all);
  REQUIRE_EQ(apart.layers.size(), 6u);  // the first one is the standardization
  for (size_t l = 2; l < 5; ++l) {
    CHECK_EQ(apart.layers[l].every_step, l < 4);
    CHECK_EQ(tied.layers[l].tied, l == 2 ? -1 : 2);
    CHECK_EQ(apart.layers[l].arrays[0].values == apart.layers[2].arrays[0].values, l == 2);
    CHECK(tied.layers[l].arrays[0].values == tied.layers[2].arrays[0].values);
  }
  CHECK(tools::write_blob(tied).size() + 2 * 4 * 3 * 8 * (6 + 6 + 2) <=
        tools::write_blob(apart).size() + 64);
}

TEST_CASE(
    "an epoch's batches hold all sequences once, or sequences drawn by class, or the pieces of "
    "streams in order") {
  const DataSet data = two_classes(403);
  const Split all{all_sequences(data), {}};
  const std::string layers = "{ gru = 4 }, { dense = 2, activation = \"softmax\" }";
  std::vector<std::size_t> order = epoch_order(recipe_of(layers), data, all, 1);
  CHECK(order != epoch_order(recipe_of(layers), data, all, 2));
  std::sort(order.begin(), order.end());
  CHECK(order == all.train);
  // Of 403 draws, half are expected to be of the class to which a quarter of the sequences belongs.
  const std::vector<std::size_t> balanced =
      epoch_order(recipe_of(layers, "sampling = \"balanced\""), data, all, 1);
  CHECK_EQ(balanced.size(), 403u);
  const auto second = std::count_if(balanced.begin(), balanced.end(),
                                    [&](std::size_t s) { return data.target[s] == 1; });
  CHECK(std::fabs(double(second) - 403.0 / 2) <= 4 * std::sqrt(403.0 / 4));
  // Ten pieces in four streams are two per stream, and two are left over.
  Recipe carried = recipe_of(layers, "batch = 4");
  carried.carry = true;
  const DataSet ten = two_classes(10);
  const Split pieces{all_sequences(ten), {}};
  CHECK_EQ(batches_of(carried, pieces), 2u);
  CHECK(epoch_order(carried, ten, pieces, 1) == std::vector<std::size_t>{0, 2, 4, 6, 1, 3, 5, 7});
}

TEST_CASE("balanced weights of classes are targets / (classes * targets of the class)") {
  const DataSet data = two_classes(8);
  const Split all{all_sequences(data), {}};
  const Recipe recipe = recipe_of("{ gru = 4 }, { dense = 2, activation = \"softmax\" }",
                                  "class_weights = \"balanced\"");
  const tools::TrainPlan plan = train_plan(recipe, data, all, make_network(recipe, data, all));
  CHECK(plan.class_weights == std::vector<float>{8.0f / (2 * 6), 8.0f / (2 * 2)});
}

TEST_CASE(
    "batch normalization is folded into the layer that follows, and the answers do not change") {
  for (const sluice_layer_kind kind : every_cell)
    for (const int rank : {0, 5})
      for (const bool both_ways : {false, true}) {
        const Spec one = low_rank(cell(kind, 6), rank), next = both_ways ? both(one) : one;
        const Network network = random_network(
            5,
            {gru(7, every_step), norm(SLUICE_BATCH_NORM), next, norm(SLUICE_BATCH_NORM), dense(3)},
            160);
        const Network less = tools::folded(network);
        REQUIRE_EQ(less.layers.size(), 3u);
        Noise noise(161);
        const std::vector<float> x = noise.uniform(5 * 12),
                                 expected = run_whole(Opened(network), x),
                                 got = run_whole(Opened(less), x);
        CAPTURE(std::string(sluice_layer_name(kind)));
        CAPTURE(rank);
        for (size_t i = 0; i < got.size(); ++i)
          CHECK(std::fabs(got[i] - expected[i]) <= 2e-5f * (1 + std::fabs(expected[i])));
      }
  // Nothing follows, or something that cannot take it over, or a layer that is applied elsewhere
  // too.
  CHECK_EQ(tools::folded(random_network(5, {gru(7), norm(SLUICE_BATCH_NORM)})).layers.size(), 2u);
  CHECK_EQ(
      tools::folded(random_network(5, {norm(SLUICE_BATCH_NORM), norm(SLUICE_LAYER_NORM), dense(2)}))
          .layers.size(),
      3u);
  CHECK_EQ(tools::folded(
               random_network(5, {norm(SLUICE_BATCH_NORM), gru(5, every_step), tied(gru(5), 1)}))
               .layers.size(),
           3u);
}

TEST_CASE("matrices of low rank multiplied out are the same cell") {
  for (const sluice_layer_kind kind : every_cell)
    for (const bool both_ways : {false, true}) {
      const Spec one = low_rank(cell(kind, 9, every_step), 4);
      const Network network = random_network(5, {both_ways ? both(one) : one}, 162);
      Network whole = network;
      whole.layers[0] = tools::multiplied_out(network.layers[0]);
      CHECK_EQ(whole.layers[0].rank, 0);
      Noise noise(163);
      const std::vector<float> x = noise.uniform(5 * 12), expected = run_whole(Opened(network), x),
                               got = run_whole(Opened(whole), x);
      CAPTURE(std::string(sluice_layer_name(kind)));
      for (size_t i = 0; i < got.size(); ++i)
        CHECK(std::fabs(got[i] - expected[i]) <= 2e-5f * (1 + std::fabs(expected[i])));
    }
}

namespace {

/// Makes 16 sequences of two frames of `features` numbers, in two classes.
DataSet frames_of(int features) {
  DataSet data;
  Noise noise(151);
  data.labels = {"no", "yes"}, data.x = noise.uniform(std::size_t(32 * features));
  for (int f = 0; f < features; ++f) data.feature_names.push_back("x" + std::to_string(f));
  for (std::size_t s = 0; s < 16; ++s) {
    data.first.push_back(2 * s), data.target.push_back(int(s % 2));
    data.names.push_back(std::to_string(s));
  }
  data.first.push_back(32);
  return data;
}

Recipe recipe_with(const std::string& layers, const std::vector<std::string>& keys) {
  std::vector<tools::Override> overrides;
  for (const std::string& key : keys) overrides.push_back(tools::parse_override(key));
  return tools::parse_recipe("[data]\ntrain = \"t.csv\"\n[model]\nlayers = [" + layers + "]\n",
                             "r.toml", overrides);
}

/// Returns the refusal of a network of six features; "accepted" if training may begin.
std::string start_of(const std::string& layers, const std::vector<std::string>& keys = {}) {
  return refusal_of([&] {
    const Recipe recipe = recipe_with(layers, keys);
    const DataSet data = frames_of(6);
    const Split parts = tools::split(data, 0.25, 1);
    const Network start = tools::make_network(recipe, data, parts);
    tools::check_device(recipe, start);
    tools::train_plan(recipe, data, parts, start);
  });
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

const std::string two = ", { dense = 2, activation = \"softmax\" }";

}  // namespace

TEST_CASE("a network that is too large for a device is refused with one that fits, of any graph") {
  const auto too_large = [](const std::string& layers, const char* flash) {
    return start_of(layers + two, {"device.core=cortex-m4", "device.type=int8",
                                   std::string("device.flash=") + flash});
  };
  // The smaller network is accepted, or nothing smaller fits.
  const struct {
    const char *layers, *flash, *fits;
  } cases[] = {
      {"{ dense = 6, name = \"a\" }, { add = [\"a\", \"frame\"] }, { gru = 16 }", "2 KiB",
       "dense = 6, gru = "},
      {"{ dense = 6, name = \"a\" }, { add = [\"a\", \"frame\"] }, { gru = 16 }", "1 KiB", ""},
      {"{ dense = 9, activation = \"sigmoid\", name = \"a\" }, { dense = 6, name = \"m\" }, "
       "{ multiply = [\"m\", \"frame\"] }, { gru = 16 }",
       "2 KiB", "dense = "},
      {"{ gru = 32, rank = 20 }", "4 KiB", "gru = 24, rank = 15, dense"},
      {"{ gru = 32, rank = 20 }", "2 KiB", "gru = 8, rank = 5, dense"},
      {"{ gru = 6, rank = 5, steps = \"every\", name = \"a\" }, { add = [\"a\", \"frame\"] }, "
       "{ lstm = 20 }",
       "3 KiB", "gru = 6, rank = "},
      {"{ dense = 10, name = \"a\" }, { gru = 20, steps = \"every\", name = \"b\" }, "
       "{ concat = [\"a\", \"a\"], name = \"c\" }, { add = [\"b\", \"c\"] }, { gru = 16 }",
       "6 KiB", "dense = 10, gru = 20, gru = "},
      {"{ gru = 20, steps = \"every\", name = \"a\" }, { gru = 20, steps = \"every\", name = "
       "\"b\" }, { add = [\"a\", \"b\"] }, { gru = 16 }",
       "4 KiB", "gru = "},
      {"{ gru = 24, repeat = 3, tied = true, steps = \"every\", from = \"e\" }, { gru = 16 }",
       "4 KiB", ""},
      {"{ gru = 6, repeat = 3, tied = true, steps = \"every\" }, { gru = 40 }", "4 KiB",
       "gru = 6, gru = 6, gru = 6, gru = "},
  };
  for (const auto& one : cases) {
    std::string layers = one.layers;
    if (holds(layers, "\"e\"")) layers = "{ dense = 24, name = \"e\" }, " + layers;
    const std::string what = too_large(layers, one.flash);
    CAPTURE(layers);
    CAPTURE(what);
    CHECK(what.starts_with(
        "--set device.core=cortex-m4: the network does not fit cortex-m4: flash "));
    if (*one.fits)
      CHECK((holds(what, std::string("; ") + one.fits) && what.ends_with(" would fit")));
  }
  CHECK(
      too_large("{ gru = 4 }", "1 B")
          .ends_with("; with one unit in each layer whose width is free it would not fit either"));
}

TEST_CASE("only the embedding reads the ids of a text") {
  const auto text = [](const std::string& layers) {
    return refusal_of([&] {
      recipe_with(layers + two,
                  {"data.format=tsv", "data.target=[\"label\"]", "data.text=\"text\""});
    });
  };
  const char* const message = "reads \"frame\", but the frame of a text is an id";
  CHECK_EQ(text("{ embedding = 8 }, { gru = 8 }"), "accepted");
  for (const char* layers :
       {"{ embedding = 8 }, { gru = 8, from = \"frame\" }",
        "{ embedding = 8, name = \"e\" }, { concat = [\"e\", \"frame\"] }, { gru = 8 }",
        "{ embedding = 8, name = \"e\" }, { add = [\"frame\", \"e\"] }, { gru = 8 }"})
    CHECK(holds(text(layers), std::string("model.layers: layer 2: ") + message));
}

TEST_CASE("a network of more layers than a blob holds is refused, with all repeats counted") {
  std::string layers;
  for (int i = 0; i < 63; ++i) layers += "{ rnn = 2, repeat = 64, steps = \"every\" }, ";
  const std::string more = layers + "{ rnn = 2, repeat = 64 }";
  CHECK(holds(start_of(more + two),
              "model.layers: 4097 layers, 4032 of them by repeat; a network has at most 4095"));
  const std::string last = layers + "{ rnn = 2, repeat = 62 }";
  CHECK_EQ(refusal_of([&] { recipe_with(last + two, {}); }), "accepted");
  CHECK(holds(refusal_of([&] { recipe_with(last + two, {"data.differences=true"}); }),
              "4095 layers, 4030 of them by repeat; a network has at most 4094"));
}

TEST_CASE("pieces of sequences do not go with differences of frames") {
  const std::vector<std::string> keys = {"data.target_per=row", "train.truncate=4"};
  CHECK_EQ(refusal_of([&] { recipe_with("{ gru = 4 }" + two, keys); }), "accepted");
  std::vector<std::string> both = keys;
  both.push_back("data.differences=true");
  const std::string what = refusal_of([&] { recipe_with("{ gru = 4 }" + two, both); });
  CHECK(what.starts_with("--set train.truncate=4: "));
  CHECK(holds(what, "data.differences"));
}

TEST_CASE("the weights of a layer of low rank are those of its factors") {
  // Whole matrices would have 3 * 60,000 * 60,000 numbers.
  CHECK_EQ(start_of("{ gru = 60000, rank = 1 }" + two), "accepted");
  CHECK(holds(start_of("{ gru = 60000 }" + two), " weights; a blob holds at most "));
  CHECK(holds(start_of("{ gru = 60000, rank = 20000 }" + two), " weights; a blob holds at most "));
  // Tied copies share one layer's arrays: 3 * 9,000 * 9,000 numbers twice.
  CHECK(holds(start_of("{ dense = 9000 }, { gru = 9000, repeat = 9 }" + two),
              " weights; a blob holds at most "));
}

TEST_CASE(
    "a layer without anything to learn is not frozen, and does not count as one that learns") {
  const std::string layers =
      "{ dense = 6, name = \"a\" }, { add = [\"a\", \"frame\"] }, { gru = 3 }" + two;
  CHECK_EQ(start_of(layers, {"model.freeze=[\"1\", \"3\"]"}), "accepted");
  CHECK(holds(start_of(layers, {"model.freeze=[\"2\"]"}),
              "layer 2 is of kind add, which has nothing to learn; leave it out"));
  CHECK(holds(start_of(layers, {"model.freeze=[\"1\", \"3\", \"4\"]"}),
              "every layer; then nothing is left to learn"));
}

TEST_CASE("a model to start from is refused with each property in which it differs") {
  const std::string file = "/tmp/sluice-test-init.slu";
  const auto init = [&](const Network& network, const std::string& layers) {
    tools::write_file(file, tools::write_blob(network));
    return start_of(layers + two, {"model.init_from=\"" + file + "\"", "data.standardize=false"});
  };
  Spec tanh_gates = gru(5);
  tanh_gates.activation = SLUICE_TANH;
  const Network same = random_network(6, {dense(6), gru(5), dense(2, SLUICE_SOFTMAX)});
  CHECK_EQ(init(same, "{ dense = 6 }, { gru = 5 }"), "accepted");
  const struct {
    Network network;
    const char *layers, *differs;
  } cases[] = {
      {random_network(6, {dense(6), tanh_gates, dense(2, SLUICE_SOFTMAX)}),
       "{ dense = 6 }, { gru = 5 }", "gates tanh, but sigmoid here;"},
      {random_network(6, {dense(6), from(gru(5), 0), dense(2, SLUICE_SOFTMAX)}),
       "{ dense = 6 }, { gru = 5 }", "sources the frame, but the layer before here;"},
      {same, "{ dense = 6, activation = \"elu\" }, { gru = 5, activation = \"relu\" }",
       "activation linear, but elu here; alpha or high 0, but 1 here"},
      {same, "{ dense = 6 }, { gru = 5, activation = \"relu\" }", "candidate tanh, but relu here"},
      {same, "{ dense = 6 }, { lstm = 5, rank = 2 }",
       "kind gru, but lstm here; rank 0, but 2 here;"},
      {same, "{ dense = 6 }, { dense = 5, activation = \"tanh\" }, { gru = 3 }", "3 layers"},
  };
  for (const auto& one : cases) CHECK(holds(init(one.network, one.layers), one.differs));
  std::remove(file.c_str());
}
