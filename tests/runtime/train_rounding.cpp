// Tests training for fixed point: the passes use rounded weights and values, and gradients pass
// straight through the roundings.
#include <doctest/doctest.h>

#include "../support/tables.h"
#include "../support/training.h"

using namespace sluice;
using namespace sluice::tests;

namespace {

constexpr float weight_step = 1.0f / 32;

/// Rounds weights and biases to multiples of a step so large that the results plainly differ.
void coarse(void* floats, const float* weights, float* seen) {
  for (size_t i = 0; i < *static_cast<size_t*>(floats); ++i)
    seen[i] = std::nearbyint(weights[i] / weight_step) * weight_step;
}

/// A network, and the rounding of its values.
struct Rounded {
  Network network;
  std::vector<float> unit;
  size_t floats = 0;
  sluice_rounding rounding{};

  Rounded(int inputs, const std::vector<Spec>& specs, std::vector<float> units, float largest)
      : network(random_network(inputs, specs)), unit(std::move(units)) {
    const Opened model(network);
    sluice_section(&model.model, SLUICE_SECTION_WEIGHTS, &floats);
    floats /= sizeof(float);
    rounding = {&floats, coarse, unit.data(), largest};
  }
  Rounded(const Rounded&) = delete;
  Rounded& operator=(const Rounded&) = delete;
};

/// Returns the same network with the weights that the passes use.
Network seen_network(const Network& network) {
  Network seen = network;
  for (auto& layer : seen.layers)
    for (auto& array : layer.arrays)
      for (float& v : array.values) v = std::nearbyint(v / weight_step) * weight_step;
  return seen;
}

}  // namespace

TEST_CASE("the passes use the rounded weights and nothing else") {
  Rounded r(3, {gru(9, every_step), dense(5, SLUICE_TANH), gru(4), dense(3, SLUICE_SOFTMAX)},
            {0, 0, 0, 0}, 127);
  const std::vector<Example> batch = random_examples(r.network, 11, 6, true, 130);
  sluice_train_options options = test_options();
  Training plain(seen_network(r.network), options);
  options.rounding = &r.rounding;
  Training rounded(r.network, options);
  sluice_train_result expected, got;
  const std::vector<float> gradient = plain.raw_gradient(batch, &expected);
  CHECK(same_bits(rounded.raw_gradient(batch, &got), gradient));
  CHECK_EQ(got.loss_sum, expected.loss_sum);
  // Computing a gradient changes no weight.
  CHECK_EQ(rounded.stored(), Training(r.network, options).stored());
  const float before = rounded.weights()[0].at("weight_hh")[5];
  rounded.step(batch);
  const float moved = std::fabs(rounded.weights()[0].at("weight_hh")[5] - before);
  // Adam's first step moves the weights themselves.
  CHECK(std::fabs(moved - options.learning_rate) <= 0.01f * options.learning_rate);
}

TEST_CASE("gradients pass straight through the roundings of values, on every instruction set") {
  Rounded last(
      3,
      {standardize(), gru(9, every_step), dense(6, SLUICE_RELU), gru(5), dense(3, SLUICE_SOFTMAX)},
      {0, 1.0f / 128, 1.0f / 50, 1.0f / 128, 0}, 127);
  Rounded fine(2, {gru(17, every_step), gru(4, every_step), dense(2, SLUICE_SOFTMAX)},
               {1.0f / 32768, 1.0f / 32768, 0}, 32767);
  Rounded narrow(2, {gru(9, every_step), gru(5), dense(2, SLUICE_SOFTMAX)},
                 {1.0f / 16, 1.0f / 16, 0}, 3);  // clamps at 3/16
  for (Rounded* r : {&last, &fine, &narrow}) {
    const std::vector<Example> batch = random_examples(r->network, 11, 6, true, 131);
    Reference reference(seen_network(r->network));
    reference.unit.assign(r->unit.begin(), r->unit.end());
    reference.largest = double(r->rounding.largest);
    double sum = 0;
    reference.loss(batch, true, &sum);
    reference.frozen = true;
    sluice_train_options options = test_options();
    options.rounding = &r->rounding;
    std::vector<float> first;
    for (const Kernels* table : every_table()) {
      CAPTURE(name_of(*table));
      Training training(r->network, options, table->name);
      sluice_train_result result;
      const Plain gradient = training.gradient(batch, &result);
      CHECK(std::fabs(result.loss_sum - sum) <= 1e-5 * (1 + std::fabs(sum)));
      const std::vector<float> raw = training.raw_gradient(batch);
      if (!first.empty()) CHECK(same_bits(raw, first));
      if (!first.empty()) continue;
      first = raw;
      for (size_t l = 0; l < r->network.layers.size(); ++l)
        for (auto& named : reference.layers[l].arrays) {
          const std::string& name = named.first;
          std::vector<double>& weights = named.second;
          if (r->network.layers[l].kind == SLUICE_STANDARDIZE) continue;
          CAPTURE(l);
          CAPTURE(name);
          std::vector<double> expected;
          for (double& w : weights) {
            const double step = 1e-5, at = w;
            w = at + step;
            const double above = reference.loss(batch, true);
            w = at - step;
            expected.push_back((above - reference.loss(batch, true)) / (2 * step));
            w = at;
          }
          const std::vector<float>& got = gradient[l].at(name);
          CHECK(largest_difference(got, expected) <= 5e-5 * largest(got) + 1e-7);
        }
    }
  }
}

TEST_CASE("an incomplete rounding is refused") {
  Rounded r(2, {gru(3), dense(2, SLUICE_SOFTMAX)}, {1.0f / 128, 0}, 127);
  const Opened model(r.network);
  sluice_train_options options = test_options();
  options.rounding = &r.rounding;
  CHECK(sluice_train_needs(&model.model, &options) > 0);
  for (const sluice_rounding bad : {sluice_rounding{nullptr, nullptr, r.unit.data(), 127},
                                    {nullptr, coarse, nullptr, 127},
                                    {nullptr, coarse, r.unit.data(), 0},
                                    {nullptr, coarse, r.unit.data(), 1e6f}}) {
    options.rounding = &bad;
    CHECK_EQ(sluice_train_needs(&model.model, &options), 0);
  }
}
