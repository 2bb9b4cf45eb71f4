// Tests the answers of models against a worked example, PyTorch's numbers, the formulas in double,
// and the chains that runtime/README.md defines.
#include <doctest/doctest.h>

#include "../support/golden_network.h"
#include "../support/tables.h"

using namespace sluice;
using namespace sluice::tests;

namespace {

double sigma(double x) { return 1 / (1 + std::exp(-x)); }

/// Computes the GRU of runtime/README.md, operation by operation, with a table's own sigmoid and
/// tanh.
std::vector<float> literal_gru(const Kernels& table, const Layer& layer,
                               const std::vector<float>& x) {
  const size_t in = size_t(layer.in), n = size_t(layer.out);
  Layer& l = const_cast<Layer&>(layer);
  const std::vector<float>&w_ih = array(l, "weight_ih"), &w_hh = array(l, "weight_hh"),
        &b_ih = array(l, "bias_ih"), &b_hh = array(l, "bias_hh");
  std::vector<float> h(n), next(n), y;
  const auto chain = [](float start, const float* w, const float* v, size_t count) {
    for (size_t k = 0; k < count; ++k) start = std::fma(w[k], v[k], start);
    return start;
  };
  for (size_t at = 0; at < x.size(); at += in) {
    for (size_t j = 0; j < n; ++j) {
      float gate[2];
      for (size_t g = 0; g < 2; ++g) {
        const size_t row = g * n + j;
        gate[g] = chain(chain(b_ih[row] + b_hh[row], &w_ih[row * in], &x[at], in), &w_hh[row * n],
                        h.data(), n);
        table.activate_f32(Activation::sigmoid, &gate[g], 1, 1, 1);
      }
      const size_t row = 2 * n + j;
      const float g_x = chain(b_ih[row], &w_ih[row * in], &x[at], in),
                  g_h = chain(b_hh[row], &w_hh[row * n], h.data(), n);
      float candidate = std::fma(gate[0], g_h, g_x);
      table.activate_f32(Activation::tanh, &candidate, 1, 1, 1);
      next[j] = std::fma(gate[1], h[j] - candidate, candidate);
    }
    h = next;
    y.insert(y.end(), h.begin(), h.end());
  }
  return y;
}

}  // namespace

TEST_CASE("the worked example of two units and three inputs gives the numbers computed by hand") {
  Network network;
  network.layers.push_back(tools::make_layer(SLUICE_GRU, 3, 2, SLUICE_LINEAR, true));
  array(network.layers[0], "weight_ih") = {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f,   // r
                                           0.7f, 0.8f, 0.9f, 0.1f, 0.2f, 0.3f,   // z
                                           0.4f, 0.5f, 0.6f, 0.7f, 0.8f, 0.9f};  // n
  array(network.layers[0], "weight_hh") = {0.5f,  -0.5f, 0.25f, 1.0f,  -1.0f, 0.5f,
                                           0.75f, 0.25f, 1.0f,  -0.5f, 0.5f,  2.0f};
  for (const Kernels* table : every_table()) {
    const Opened m(network, table->name);
    const std::vector<float> y = run_stepwise(m, {0.1f, 0.2f, 0.3f, 0.1f, 0.2f, 0.3f});
    // In the first step, r = sigma(0.14), sigma(0.32) multiplies a state of zero; z = sigma(0.50),
    // sigma(0.14); n = tanh(0.32), tanh(0.50).
    const double h0 = (1 - sigma(0.50)) * std::tanh(0.32), h1 = (1 - sigma(0.14)) * std::tanh(0.50);
    CAPTURE(name_of(*table));
    CHECK(std::fabs(y[0] - h0) <= 1e-7);
    CHECK(std::fabs(y[1] - h1) <= 1e-7);
    // The second step is written out.
    const double r0 = sigma(0.14 + 0.5 * h0 - 0.5 * h1), r1 = sigma(0.32 + 0.25 * h0 + h1);
    const double z0 = sigma(0.50 - h0 + 0.5 * h1), z1 = sigma(0.14 + 0.75 * h0 + 0.25 * h1);
    const double n0 = std::tanh(0.32 + r0 * (h0 - 0.5 * h1)),
                 n1 = std::tanh(0.50 + r1 * (0.5 * h0 + 2 * h1));
    CHECK(std::fabs(y[2] - ((1 - z0) * n0 + z0 * h0)) <= 2e-7);
    CHECK(std::fabs(y[3] - ((1 - z1) * n1 + z1 * h1)) <= 2e-7);
  }
}

TEST_CASE("GRU agrees with PyTorch 2.13 to 2e-6 over 200 steps") {
  const Golden golden("forward.txt");
  for (const Kernels* table : every_table())
    for (const std::string shape : {"1x1x1", "3x7x1", "12x8x1", "5x9x1", "13x33x1", "4x6x2"}) {
      const Opened every(golden_network(golden, shape + ".", true), table->name),
          last(golden_network(golden, shape + ".", false), table->name);
      const std::vector<float> x = golden[shape + ".x"].floats();
      const std::vector<double>& expected = golden[shape + ".y"].values;
      const std::vector<float> y = run_whole(every, x), end = run_whole(last, x);
      CAPTURE(name_of(*table));
      CAPTURE(shape);
      REQUIRE_EQ(y.size(), expected.size());
      double worst = 0;
      for (size_t i = 0; i < y.size(); ++i)
        worst = std::fmax(worst, std::fabs(double(y[i]) - expected[i]));
      CHECK(worst <= 2e-6);
      CHECK(same_bits(end.data(), y.data() + y.size() - end.size(), end.size()));
    }
}

TEST_CASE("every network agrees with its formulas in double") {
  std::vector<Named> networks = every_network();
  for (const Named& named : every_whole_network()) networks.push_back(named);
  for (const Named& named : networks) {
    const Opened m(named.network);
    const std::vector<float> x = random_frames(m.info(), 20, 50), y = run_whole(m, x);
    const Frames expected = Reference(named.network).answers(x);
    CAPTURE(named.name);
    REQUIRE_EQ(y.size(), expected.size() * expected[0].size());
    double worst = 0, most = 1;  // with tanh as a gate a state may exceed 1
    for (size_t i = 0; i < y.size(); ++i) {
      const double truth = expected[i / m.info().outputs][i % m.info().outputs];
      worst = std::fmax(worst, std::fabs(double(y[i]) - truth));
      most = std::fmax(most, std::fabs(truth));
    }
    CHECK(worst <= 5e-6 * most);
  }
}

TEST_CASE("a GRU computes the documented chains, to the bit, on every instruction set") {
  Noise noise(51);
  for (const Kernels* table : every_table())
    for (const int inputs : {1, 3, 40})
      for (const int units : {1, 7, 8, 9, 33, 64, 100}) {
        const Network network = random_network(inputs, {gru(units, every_step)}, uint64_t(units));
        const std::vector<float> x = noise.uniform(size_t(inputs) * 6, -2, 2);
        CAPTURE(name_of(*table));
        CAPTURE(units);
        REQUIRE(same_bits(run_whole(Opened(network, table->name), x),
                          literal_gru(*table, network.layers[0], x)));
      }
}

TEST_CASE("a whole network gives the same bits on every instruction set") {
  std::vector<Named> networks = every_network();
  for (const Named& named : every_whole_network()) networks.push_back(named);
  for (const Named& named : networks) {
    const Opened scalar(named.network, "scalar");
    const std::vector<float> x = random_frames(scalar.info(), 33, 52),
                             expected = run_whole(scalar, x);
    for (const Kernels* table : every_table()) {
      const Opened m(named.network, table->name);
      CAPTURE(named.name);
      CAPTURE(name_of(*table));
      CHECK_EQ(std::string(sluice_isa(&m.model)), table->name);
      REQUIRE(same_bits(run_whole(m, x), expected));
    }
  }
}

TEST_CASE("a NaN in the input gives NaN answers until the stream is reset") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const Kernels* table : every_table()) {
    const Opened m(random_network(3, {standardize(), gru(9, every_step), dense(2, SLUICE_SOFTMAX)}),
                   table->name);
    Streaming s(m.model, {1, 1});
    const std::vector<float> good = {0.1f, -0.2f, 0.3f};
    std::vector<float> first(2), y(2);
    CAPTURE(name_of(*table));
    sluice_step(&s.stream, good.data(), first.data());
    for (size_t bad = 0; bad < 3; ++bad) {
      std::vector<float> x = good;
      x[bad] = nan;
      sluice_step(&s.stream, x.data(), y.data());
      CHECK((std::isnan(y[0]) && std::isnan(y[1])));
      for (int i = 0; i < 20; ++i) sluice_step(&s.stream, good.data(), y.data());
      CHECK((std::isnan(y[0]) && std::isnan(y[1])));
      sluice_reset(&s.stream);
      sluice_step(&s.stream, good.data(), y.data());
      CHECK(same_bits(y, first));
    }
  }
}

TEST_CASE("attention gives no weight to a score of minus infinity") {
  Network network;
  network.width = 3;
  const std::vector<std::vector<int32_t>> columns = {{0}, {1, 2}};
  for (const std::vector<int32_t>& own : columns) {
    Layer layer = tools::make_layer(SLUICE_SELECT, 3, int(own.size()));
    layer.array(Role::columns).integers = own;
    layer.sources = {0};
    network.layers.push_back(layer);
  }
  Layer join = tools::make_layer(SLUICE_ATTENTION, 2, 2);
  join.sources = {1, 2};
  network.layers.push_back(join);
  const float none = -std::numeric_limits<float>::infinity();
  for (const Kernels* table : every_table()) {
    const Opened m(network, table->name);
    CHECK_EQ(run_whole(m, {none, 5, 6, 0, 1, 2, 0, 3, 4}), std::vector<float>{2, 3});
    CHECK_EQ(run_whole(m, {0, 1, 2, none, 5, 6, 0, 3, 4}), std::vector<float>{2, 3});
  }
}

TEST_CASE("infinite and huge inputs saturate the gates") {
  const Opened m(random_network(2, {gru(8, every_step)}));
  for (const float big : {1e30f, std::numeric_limits<float>::max()}) {
    const std::vector<float> y = run_whole(m, {big, 0, -big, 0, big, 0});
    for (const float v : y) CHECK(std::fabs(v) <= 1.0f);
  }
}
