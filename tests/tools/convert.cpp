// Tests the way from networks to blobs and back, and the exactness of printed numbers.
#include <doctest/doctest.h>

#include <cstdlib>

#include "../support/fixed_models.h"
#include "../support/forge.h"
#include "common/hex.h"
#include "convert/cost.h"
#include "data/parse_number.h"
#include "model/blob_text.h"
#include "model/pack.h"

using namespace sluice;
using namespace sluice::tests;

TEST_CASE("a network is read from its blob as it was written") {
  std::vector<Named> networks = every_network();
  for (const Named& named : every_whole_network()) networks.push_back(named);
  for (const Named& named : networks) {
    Network network = named.network;
    network.made = "{\"a\": 1}";
    for (int i = 0;
         i < network.layers.front().in && network.layers.front().kind != SLUICE_EMBEDDING; ++i)
      network.inputs.push_back("input " + std::to_string(i));
    for (int i = 0; i < network.layers.back().out; ++i)
      network.labels.push_back("\xC3\xA9" + std::to_string(i));
    const std::string blob = tools::write_blob(network);
    const Opened m(blob);
    const Network back = tools::read_network(m.model);
    CAPTURE(named.name);
    CHECK_EQ(back.inputs, network.inputs);
    CHECK_EQ(back.labels, network.labels);
    CHECK_EQ(back.made, network.made);
    CHECK(tools::write_blob(back) == blob);
    REQUIRE_EQ(back.layers.size(), network.layers.size());
    for (size_t l = 0; l < network.layers.size(); ++l) {
      const Layer &a = network.layers[l], &b = back.layers[l];
      CHECK_EQ(a.kind, b.kind);
      CHECK_EQ(a.activation, b.activation);
      CHECK_EQ(a.every_step, b.every_step);
      CHECK_EQ(a.mean, b.mean);
      CHECK_EQ(a.both, b.both);
      CHECK_EQ(a.parameter, b.parameter);
      CHECK_EQ(a.tied, b.tied);
      CHECK_EQ(a.in, b.in);
      CHECK_EQ(a.out, b.out);
      REQUIRE_EQ(a.arrays.size(), b.arrays.size());
      for (size_t i = 0; i < a.arrays.size(); ++i) {
        CHECK_EQ(a.arrays[i].name, b.arrays[i].name);
        CHECK(same_bits(a.arrays[i].values, b.arrays[i].values));
      }
    }
  }
}

TEST_CASE("a blob is little-endian, with aligned sections and weights in strips") {
  const Network network = random_network(2, {gru(9)}, 7);
  const Forged blob(tools::write_blob(network));
  CHECK_EQ(blob.bytes.substr(0, 4), std::string("SLU\x1a"));
  CHECK_EQ(blob.bytes.substr(4, 4), std::string("\1\0\0\0", 4));
  CHECK_EQ(blob.read<uint32_t>(8), uint32_t(blob.bytes.size()));
  CHECK_EQ(blob.section_offset(SLUICE_SECTION_LAYERS) % 16, 0u);
  CHECK_EQ(blob.section_offset(SLUICE_SECTION_WEIGHTS) % 64, 0u);
  // 9 units take 16 rows per gate. These 48 rows are one strip of 6 panels, which holds all rows of
  // column 0, then all rows of column 1.
  Network plain = network;
  const std::vector<float>& w = array(plain.layers[0], "weight_ih");
  const size_t at = blob.read<uint32_t>(blob.layer(0) + offsetof(LayerRecord, w_ih));
  CHECK_EQ(at % 64, 0u);
  for (size_t k = 0; k < 2; ++k)
    for (size_t gate = 0; gate < 3; ++gate)
      for (size_t row = 0; row < 16; ++row) {
        const float got = blob.read<float>(at + 4 * (k * 48 + gate * 16 + row));
        CHECK_EQ(got, row < 9 ? w[(gate * 9 + row) * 2 + k] : 0.0f);
      }
}

TEST_CASE("numbers are printed and read back to the bit, NaN in one form") {
  Noise noise(150);
  for (int i = 0; i < 20000; ++i) {
    const float x = from_bits(noise.word());
    CHECK_EQ(std::strtoul(tools::hex_bits(x).c_str(), nullptr, 16), bits(x));
    const std::optional<float> back = tools::parse_float(tools::decimal(x));
    REQUIRE(back.has_value());
    REQUIRE_EQ(bits(*back), bits(x));
  }
  CHECK_EQ(tools::hex_bits(1.0f), "3f800000");
  CHECK_EQ(tools::hex_bits(-std::numeric_limits<float>::quiet_NaN()), "7fc00000");
  CHECK_EQ(tools::decimal(-std::numeric_limits<float>::quiet_NaN()), "nan");
  for (const char* not_a_number : {"", " 1", "1 ", "1,5", "0x10", "one", "--1", "1e", "+-1"})
    CHECK(!tools::parse_float(not_a_number).has_value());
  CHECK_EQ(*tools::parse_float("+1.5e3"), 1500.0f);
  CHECK_EQ(*tools::parse_float("1e-60"), 0.0f);
}

TEST_CASE(
    "in fixed point a part of an answer costs the same whatever its function: it is given as "
    "logits") {
  const auto features = [](sluice_activation one, sluice_activation other) {
    const Network network =
        random_fixed_network(4, {gru(9), dense(5, one), from(dense(7, other), 1), concat({2, 3})},
                             SLUICE_INT8, Numbers::trained, 160);
    return tools::cost_features_of(network, "cortex-m4");
  };
  CHECK(features(SLUICE_SIGMOID, SLUICE_SOFTMAX) == features(SLUICE_LINEAR, SLUICE_LINEAR));
  CHECK(features(SLUICE_TANH, SLUICE_LINEAR) != features(SLUICE_LINEAR, SLUICE_LINEAR));
}
