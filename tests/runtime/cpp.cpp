// The C++ interface wraps the handles of the C interface in objects.
#include <doctest/doctest.h>

#include "../support/models.h"
#include "sluice.hpp"

using namespace sluice::tests;

TEST_CASE("the C++ interface gives the C interface's bits") {
  const Network network = random_network(3, {gru(9, every_step), gru(4), dense(2, SLUICE_SOFTMAX)});
  const Opened c(network);
  Noise noise(95);
  const std::vector<float> x = noise.uniform(3 * 8), expected = run_stepwise(c, x);

  sluice::Model model;
  REQUIRE_EQ(model.open(c.blob.data(), c.blob.size), SLUICE_OK);
  CHECK_EQ(model.info().outputs, 2u);
  CHECK_EQ(model.hash(), sluice_hash(&c.model));
  CHECK_EQ(std::string(model.isa()), sluice_isa(&c.model));
  const sluice_need need = model.needs({8, 1});
  CHECK_EQ(need.scratch, sluice_needs(&c.model, {8, 1}).scratch);
  Memory state(need.state), scratch(need.scratch);
  sluice::Stream stream;
  REQUIRE_EQ(stream.start(model, state.data(), state.size, scratch.data(), scratch.size, {8, 1}),
             SLUICE_OK);
  std::vector<float> y(2);
  stream.step(x.data(), y.data());
  CHECK(same_bits(y.data(), expected.data(), 2));
  stream.run(x.data() + 3, y.data(), 7);
  CHECK(same_bits(y.data(), &expected[7 * 2], 2));
  size_t bytes = 0;
  CHECK_EQ(stream.state(&bytes), static_cast<void*>(state.data()));
  CHECK_EQ(bytes, state.size);
  stream.reset();
  stream.step(x.data(), y.data());
  CHECK(same_bits(y.data(), expected.data(), 2));
  CHECK_EQ(model.open(c.blob.data(), 7), SLUICE_TRUNCATED);
}
