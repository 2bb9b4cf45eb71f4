// Tests the quantization of float networks: the answers stay close, and no accumulator can
// overflow.
#include "convert/quantize.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <exception>

#include "../support/fixed_models.h"
#include "../support/refusal.h"
#include "common/error.h"
#include "convert/analyze.h"
#include "convert/budget.h"
#include "convert/saturation.h"
#include "model/graph.h"
#include "model/model_file.h"
#include "model/pack.h"

using namespace sluice;
using namespace sluice::tests;
using namespace sluice::tools;

namespace {

DataSet made_up_data(int features, int sequences, int steps, float low, float high) {
  DataSet data;
  Noise noise(31);
  for (int i = 0; i < features; ++i) data.feature_names.push_back("f" + std::to_string(i));
  data.labels = {"y"};
  data.classes = false;
  data.x = noise.uniform(size_t(features) * size_t(sequences) * size_t(steps), low, high);
  for (int s = 0; s <= sequences; ++s) data.first.push_back(size_t(s * steps));
  for (int s = 0; s < sequences; ++s) data.names.push_back(std::to_string(s));
  return data;
}

std::vector<float> answers(const Network& network, const DataSet& data) {
  const OwnedModel model = open_model(write_blob(network), "test");
  OwnedStream stream(model.model, {1, 1});
  std::vector<float> all, y(model.info().outputs);
  for (size_t s = 0; s < data.sequences(); ++s) {
    sluice_reset(&stream.stream);
    for (size_t t = 0; t < data.steps(s); ++t) {
      stream.run(data.frames(s) + t * data.features(), y.data(), 1);
      all.insert(all.end(), y.begin(), y.end());
    }
  }
  return all;
}

double snr(const std::vector<float>& truth, const std::vector<float>& got) {
  double signal = 0, noise = 0;
  for (size_t i = 0; i < truth.size(); ++i)
    signal += double(truth[i]) * double(truth[i]),
        noise += double(truth[i] - got[i]) * double(truth[i] - got[i]);
  return 10 * std::log10(signal / noise);
}

Spec clipped(int units, float low, float high) {
  Spec s = dense(units, SLUICE_CLIP);
  return s.parameter = low, s.second = high, s;
}

Ranges ranges_for(const Network& network, const DataSet& data) {
  return choose_ranges(calibrate(network, data, all_sequences(data)), RangeChoice::min_max);
}

}  // namespace

TEST_CASE("a network in fixed point answers nearly as the float network") {
  const std::vector<std::vector<Spec>> kinds = {
      {gru(16)},
      {standardize(), gru(24, every_step), dense(5)},
      {gru(9, every_step), gru(12), dense(4, SLUICE_SOFTMAX)},
      {dense(12, SLUICE_RELU), gru(8, every_step), dense(6, SLUICE_TANH), dense(3, SLUICE_SIGMOID)},
      {dense(10, SLUICE_SIGMOID), dense(4)},
      {standardize(), cell(SLUICE_LSTM, 24, every_step), dense(5)},
      {cell(SLUICE_LSTM, 9, every_step), cell(SLUICE_LSTM, 12), dense(4, SLUICE_SOFTMAX)},
      {cell(SLUICE_RNN, 16)},
      {standardize(), cell(SLUICE_RNN, 9, every_step), dense(4, SLUICE_RELU), cell(SLUICE_RNN, 8),
       dense(3)},
      {standardize(), cell(SLUICE_GRU_BEFORE, 24, every_step), dense(5)},
      {cell(SLUICE_GRU_BEFORE, 9, every_step), cell(SLUICE_LSTM, 12), dense(4, SLUICE_SOFTMAX)},
      {standardize(), cell(SLUICE_FASTGRNN, 24, every_step), dense(5)},
      {cell(SLUICE_FASTGRNN, 9, every_step), cell(SLUICE_FASTGRNN, 12), dense(4, SLUICE_SOFTMAX)},
      {standardize(), candidate(gru(24, every_step), SLUICE_RELU), dense(5)},
      {standardize(), candidate(gru(24, every_step), SLUICE_LINEAR), dense(5)},
      {standardize(), candidate(cell(SLUICE_LSTM, 24, every_step), SLUICE_RELU), dense(5)},
      {standardize(), candidate(cell(SLUICE_LSTM, 24, every_step), SLUICE_LINEAR), dense(5)},
      {candidate(cell(SLUICE_GRU_BEFORE, 9, every_step), SLUICE_RELU),
       candidate(cell(SLUICE_LSTM, 12), SLUICE_RELU), dense(4, SLUICE_SOFTMAX)},
      {candidate(cell(SLUICE_RNN, 9), SLUICE_RELU), dense(4)},
      {dense(12, SLUICE_HARD_SIGMOID), gru(8, every_step), dense(6, SLUICE_HARD_SIGMOID)},
      {clipped(12, 0, 1.5f), gru(8, every_step), clipped(6, -0.25f, 0.25f)},
      {gates(gru(16, every_step), SLUICE_HARD_SIGMOID, 0.2f), dense(5)},
      {window(7, 3, 2), dense(12, SLUICE_RELU), gru(8)},
      {standardize(), window(7, 3), dense(12, SLUICE_RELU), window(12, 2), dense(4)},
      {with_zeros(select(18, 0)), for_parts(dense(8, SLUICE_RELU), 6), pool(SLUICE_MAX_POOL, 3, 8),
       gru(12)},
      {standardize(), with_zeros(select(18, 0)), for_parts(dense(4, SLUICE_TANH), 6), gru(12)},
      {select(16, 0), pool(SLUICE_NORM_POOL, 4, 2), for_parts(dense(6), 2),
       pool(SLUICE_MEAN_POOL, 3, 2), dense(5)},
      {dense(12, SLUICE_HARD_SIGMOID), for_parts(dense(3, SLUICE_HARD_SIGMOID), 4),
       curve(SLUICE_RELU), dense(4)},
      {gates(cell(SLUICE_LSTM, 16, every_step), SLUICE_HARD_SIGMOID, 1.0f / 6), dense(5)},
      {gates(candidate(cell(SLUICE_GRU_BEFORE, 16, every_step), SLUICE_RELU), SLUICE_HARD_SIGMOID,
             0.2f),
       dense(5)}};
  for (const auto& specs : kinds)
    for (const sluice_format format : fixed_formats) {
      const Network network = with_integer_form(random_network(7, specs, specs.size()), format);
      const DataSet data = made_up_data(7, 6, 30, -2, 3);
      const Quantized quantized = quantize(network, format, ranges_for(network, data));
      CHECK(quantized.warnings.empty());
      const std::vector<float> truth = answers(network, data),
                               got = answers(quantized.network, data);
      CAPTURE(&specs - kinds.data());
      CAPTURE(std::string(sluice_format_name(format)));
      // 8 bits of a state that nothing bounds have to hold its rare peaks too.
      const bool unbounded = std::any_of(
          specs.begin(), specs.end(), [](const Spec& s) { return s.candidate == SLUICE_LINEAR; });
      CHECK(snr(truth, got) > (format != SLUICE_INT8 ? 33 : unbounded ? 20 : 25));
    }
}

TEST_CASE("a cell of low rank answers in fixed point nearly as the float one, gate by gate") {
  const DataSet data = made_up_data(7, 6, 30, -2, 3);
  for (const sluice_layer_kind kind : every_cell)
    for (const int rank : {3, 9})
      for (const sluice_format format : fixed_formats) {
        CAPTURE(std::string(sluice_layer_name(kind)));
        CAPTURE(rank);
        CAPTURE(std::string(sluice_format_name(format)));
        Network network = random_network(
            7, {standardize(), low_rank(cell(kind, 24, every_step), rank), dense(5)}, 3);
        for (tools::Array& a : network.layers[1].arrays)  // products of the size of whole matrices
          for (float& v : a.values)
            if (of_input_factor(a.role) || of_state_factor(a.role)) v *= 1.5f;
        const Calibration calibration = calibrate(network, data, all_sequences(data));
        const Ranges ranges = choose_ranges(calibration, RangeChoice::min_max);
        for (const bool by_moments : {true, false}) {
          const Quantized quantized =
              quantize(network, format, ranges,
                       by_moments ? calibration.moments : std::vector<LayerMoments>());
          CAPTURE(by_moments);
          prove_no_overflow(quantized.network, "test");
          for (const ValueError& v : analyze(network, quantized, data, all_sequences(data))) {
            CAPTURE(v.name);
            CHECK(v.snr() > (format == SLUICE_INT8 ? 20 : 30));  // both factors have 8 bits
          }
        }
        // The weights that the integers stand for are those of the network, nearly.
        const Quantized quantized = quantize(network, format, ranges);
        const double error = snr(answers(network, data), answers(quantized.rounded, data));
        CHECK(error > 30);
      }
}

TEST_CASE("cells of other curves answer in fixed point nearly as the float one, gate by gate") {
  const DataSet data = made_up_data(7, 6, 30, -2, 3);
  for (const sluice_layer_kind kind : {SLUICE_GRU, SLUICE_GRU_BEFORE, SLUICE_LSTM, SLUICE_RNN})
    for (const sluice_activation curve : {SLUICE_TANH, SLUICE_RELU, SLUICE_LINEAR})
      for (const float slope : {0.0f, 0.2f, 1.0f / 6})
        for (const sluice_format format : fixed_formats) {
          if (kind == SLUICE_RNN && slope > 0) continue;
          CAPTURE(std::string(sluice_layer_name(kind)));
          CAPTURE(std::string(sluice_activation_name(curve)));
          CAPTURE(slope);
          CAPTURE(std::string(sluice_format_name(format)));
          Spec spec = candidate(cell(kind, 24, every_step), curve);
          if (slope > 0) spec = gates(spec, SLUICE_HARD_SIGMOID, slope);
          Network network = random_network(7, {standardize(), spec, dense(5)}, 3);
          if (kind == SLUICE_RNN)  // else a state that nothing bounds would grow
            for (float& v : network.layers[1].array(Role::state_weight).values) v *= 0.4f;
          const Calibration calibration = calibrate(network, data, all_sequences(data));
          const Ranges ranges = choose_ranges(calibration, RangeChoice::min_max);
          const Quantized quantized = quantize(network, format, ranges, calibration.moments);
          prove_no_overflow(quantized.network, "test");
          for (const ValueError& v : analyze(network, quantized, data, all_sequences(data))) {
            CAPTURE(v.name);
            CHECK(v.snr() > (format == SLUICE_INT8 ? 20 : 30));
          }
        }
}

TEST_CASE(
    "a cell behind windows and strides answers in fixed point nearly as the float one, value by "
    "value") {
  const DataSet data = made_up_data(7, 6, 30, -2, 3);
  for (const sluice_layer_kind kind : every_cell)
    for (const sluice_format format : fixed_formats) {
      CAPTURE(std::string(sluice_layer_name(kind)));
      CAPTURE(std::string(sluice_format_name(format)));
      const Network network =
          random_network(7,
                         {standardize(), strided(window(7, 3), 2, true), dense(24, SLUICE_TANH),
                          window(24, 2), pool(SLUICE_MAX_POOL, 1, 24), cell(kind, 24, every_step),
                          over_steps(SLUICE_MEAN_OVER_STEPS), dense(5)},
                         3);
      const Calibration calibration = calibrate(network, data, all_sequences(data));
      const Ranges ranges = choose_ranges(calibration, RangeChoice::min_max);
      const Quantized quantized = quantize(network, format, ranges, calibration.moments);
      prove_no_overflow(quantized.network, "test");
      std::size_t cells = 0;
      for (const ValueError& v : analyze(network, quantized, data, all_sequences(data))) {
        CAPTURE(v.name);
        CHECK(v.snr() > (format == SLUICE_INT8 ? 20 : 30));
        if (v.name != "input" && v.layer == 5) CHECK_EQ(v.count, 6u * 14 * 24), ++cells;
      }
      CHECK(cells > 0);
    }
}

TEST_CASE("an initial state is rounded in the units of the state, and refused if it leaves them") {
  const DataSet data = made_up_data(7, 6, 5, -2, 3);  // of few steps, which the start decides
  for (const sluice_layer_kind kind : every_cell)
    for (const sluice_format format : fixed_formats) {
      CAPTURE(std::string(sluice_layer_name(kind)));
      CAPTURE(std::string(sluice_format_name(format)));
      Network network = random_network(
          7, {standardize(), initial_state(cell(kind, 24, every_step)), dense(5)}, 3);
      Layer& layer = network.layers[1];
      Noise noise(5);
      for (float& v : layer.array(Role::initial_h).values) v = noise.number(-1, 1);
      if (kind == SLUICE_LSTM)  // further than any step brings it
        for (float& v : layer.array(Role::initial_c).values) v = noise.number(-9, 9);
      const Calibration calibration = calibrate(network, data, all_sequences(data));
      const Ranges ranges = choose_ranges(calibration, RangeChoice::min_max);
      const Quantized quantized = quantize(network, format, ranges, calibration.moments);
      const std::vector<float> got = answers(quantized.network, data);
      CHECK(snr(answers(network, data), got) > (format == SLUICE_INT8 ? 20 : 30));
      for (const ValueError& v : analyze(network, quantized, data, all_sequences(data))) {
        CAPTURE(v.name);
        CHECK(v.snr() > (format == SLUICE_INT8 ? 20 : 30));
      }
      const Layer& fixed = quantized.network.layers[0];
      const double unit = std::ldexp(1.0, fixed.shift_c - 15);
      for (size_t i = 0; kind == SLUICE_LSTM && i < 24; ++i)
        CHECK(std::fabs(fixed.array(Role::initial_c).integers[i] * unit -
                        double(layer.array(Role::initial_c).values[i])) <= unit / 2);
      layer.array(Role::initial_h).values[3] = -1.25f;
      const std::string refusal = refusal_of([&] { quantize(network, format, ranges); });
      CHECK_EQ(
          refusal.find("layer 2 (" + std::string(sluice_layer_name(kind)) +
                       "): an initial state of -1.25, and its state in fixed point is -1 to 1; "
                       "it can be run in f32 only") != refusal.npos,
          kind != SLUICE_FASTGRNN);
    }
}

TEST_CASE("options of an LSTM that have no form in fixed point are refused by name") {
  const DataSet data = made_up_data(7, 6, 5, -2, 3);
  const std::pair<Spec, const char*> cases[] = {
      {projected(cell(SLUICE_LSTM, 9), 4), "a projection has no fixed-point kernel"},
      {peepholes(cell(SLUICE_LSTM, 9)), "peepholes have no fixed-point kernel"},
      {clipped_cells(cell(SLUICE_LSTM, 9), 10), "a clipped cell state has no fixed-point kernel"}};
  for (const auto& one : cases) {
    const Network network = random_network(7, {one.first, dense(5)}, 3);
    const std::string refusal =
        refusal_of([&] { quantize(network, SLUICE_INT8, ranges_for(network, data)); });
    CHECK_EQ(refusal, "layer 1 (lstm): " + std::string(one.second) + "; it can be run in f32 only");
  }
}

TEST_CASE("targets far from 0 and of different magnitudes lose no more than targets near 0") {
  // Each output is measured in its own scale, in which all should be as good as near 0.
  constexpr double scale[] = {1, 5e3, 1e-2, 5e-4, 5};
  double offset[] = {0, 98900, 0.0105, 48.1351, 123456};
  constexpr int outputs = 5;
  const DataSet data = made_up_data(7, 6, 30, -2, 3);
  for (const sluice_format format : fixed_formats)
    for (const bool read : {false, true}) {
      Network plain = random_network(7, {standardize(), gru(16, every_step), dense(outputs)}, 5);
      Array &w = plain.layers[2].array(Role::input_weight),
            &b = plain.layers[2].array(Role::input_bias);
      for (int row = 0; row < outputs; ++row) {  // the same output five times
        std::copy_n(w.values.begin(), 16, w.values.begin() + row * 16);
        b.values[size_t(row)] = 0.1f;
      }
      Network scaled = plain;
      for (int row = 0; row < outputs; ++row) {
        for (int k = 0; k < 16; ++k)
          scaled.layers[2].array(Role::input_weight).values[size_t(row * 16 + k)] *=
              float(scale[row]);
        float& bias = scaled.layers[2].array(Role::input_bias).values[size_t(row)];
        const double near_0 = double(bias) * scale[row];
        bias = float(near_0 + offset[row]);
        offset[row] = double(bias) - near_0;  // as a float has it
      }
      if (read) {  // the parts of the answer are two layers then
        for (Network* network : {&plain, &scaled}) {
          Layer more = make_layer(SLUICE_DENSE, 16, 1);
          more.sources = {2};
          more.array(Role::input_weight).values[3] = 1;
          Layer both;
          both.kind = SLUICE_CONCAT, both.in = both.out = outputs + 1, both.sources = {4, 3};
          network->layers.push_back(more);
          network->layers.push_back(with_arrays(both));
        }
      }
      const auto fixed_answers = [&](const Network& network) {
        return answers(quantize(network, format, ranges_for(network, data)).network, data);
      };
      const std::vector<float> truth = answers(plain, data), near = fixed_answers(plain),
                               far = fixed_answers(scaled);
      const size_t width = size_t(outputs + read);
      double error[2][outputs] = {};
      for (size_t i = 0; i < truth.size(); ++i) {
        if (i % width < width - outputs) continue;
        const size_t k = i % width - (width - outputs);
        const double mine = (double(far[i]) - offset[k]) / scale[k];
        error[0][k] += (double(near[i]) - double(truth[i])) * (double(near[i]) - double(truth[i]));
        error[1][k] += (mine - double(truth[i])) * (mine - double(truth[i]));
      }
      for (int k = 0; k < outputs; ++k) {
        CAPTURE(std::string(sluice_format_name(format)));
        CAPTURE(k);
        // A float of 123,456 or of 48.1351 has a spacing of its own.
        const double spacing = std::ldexp(1, std::ilogb(std::max(offset[k], scale[k])) - 23);
        const std::size_t rows = truth.size() / width;
        const double float_error = spacing * spacing / 12 / scale[k] / scale[k] * double(rows);
        CHECK(error[1][k] <= 1.1 * (error[0][k] + float_error));
        CHECK(error[0][k] > 0);
      }
    }
}

TEST_CASE("a network that adds numbers of its frame to the answer does so in fixed point") {
  DataSet data = made_up_data(4, 6, 30, -2, 3);
  for (size_t i = 0; i < data.x.size(); i += 4)  // one feature is far from 0
    data.x[i] = 20000 + 100 * data.x[i];
  for (const sluice_format format : fixed_formats)
    for (const bool standardizes : {false, true}) {
      Network network = standardizes
                            ? random_network(4, {standardize(), gru(9, every_step), dense(2)}, 6)
                            : random_network(4, {gru(9, every_step), dense(2)}, 6);
      if (standardizes) {
        network.layers[0].array(Role::mean).values[0] = 20000;
        network.layers[0].array(Role::scale).values[0] = 0.01f;
      } else {
        for (Array& a : network.layers[0].arrays)
          if (a.role == Role::input_weight)
            for (size_t i = 0; i < a.values.size(); i += 4) a.values[i] = 0;
      }
      add_frame_columns(network, {0, 2});
      const Network ready = with_integer_form(network, format);
      CHECK(answers(ready, data) == answers(network, data));
      const Quantized quantized = quantize(ready, format, ranges_for(ready, data));
      prove_no_overflow(quantized.network, "test");
      CHECK_EQ(quantized.network.wide_frame, format == SLUICE_INT8);
      const std::vector<float> truth = answers(network, data),
                               got = answers(quantized.network, data);
      std::vector<float> moved = truth, moved_got = got;  // the spread counts, not the offset
      for (size_t i = 0; i < truth.size(); i += 2) moved[i] -= 20000, moved_got[i] -= 20000;
      CAPTURE(std::string(sluice_format_name(format)));
      CAPTURE(standardizes);
      CHECK(snr(moved, moved_got) > 55);  // 8 bits of a frame would give 47
    }
}

TEST_CASE("the terms of a sum keep units of their own, however different they are") {
  DataSet data = made_up_data(4, 6, 30, -2, 3);
  for (size_t i = 2; i < data.x.size(); i += 4) data.x[i] *= 1e-6f;
  Network network = random_network(4, {gru(9, every_step), dense(2)}, 6);
  for (Array& a : network.layers[0].arrays)
    for (size_t i = 2; a.role == Role::input_weight && i < a.values.size(); i += 4) a.values[i] = 0;
  for (Array& a : network.layers[1].arrays)  // the second output is a millionth of the first
    for (size_t i = a.values.size() / 2; i < a.values.size(); ++i) a.values[i] *= 1e-6f;
  const std::vector<float> differences = answers(network, data);
  add_frame_columns(network, {0, 2});
  for (const sluice_format format : fixed_formats) {
    const Network ready = with_integer_form(network, format);
    const Quantized quantized = quantize(ready, format, ranges_for(ready, data));
    prove_no_overflow(quantized.network, "test");
    const std::vector<float> got = answers(quantized.network, data);
    for (const size_t output : {0u, 1u}) {
      std::vector<float> truth, moved;
      for (size_t i = output; i < got.size(); i += 2) {
        const float frame = data.x[i / 2 * 4 + 2 * output];
        truth.push_back(differences[i]), moved.push_back(got[i] - frame);
      }
      CAPTURE(std::string(sluice_format_name(format)));
      CAPTURE(output);
      CHECK(snr(truth, moved) > (format == SLUICE_INT8 ? 25 : 33));
    }
  }
}

TEST_CASE("an answer that hardly changes in the calibration data gets a coarser unit") {
  const DataSet data = made_up_data(3, 6, 30, -1, 1);
  Network network = random_network(3, {gru(9, every_step), dense(2)}, 6);
  std::vector<float>& bias = network.layers[0].array(Role::input_bias).values;
  for (size_t i = 9; i < 18; ++i) bias[i] = 100;  // the state stays at 0
  network.layers[1].array(Role::input_bias).values = {48.1351f, -3};
  for (const sluice_format format : fixed_formats) {
    const Quantized quantized = quantize(network, format, ranges_for(network, data));
    prove_no_overflow(quantized.network, "test");
    const std::vector<float> truth = answers(network, data), got = answers(quantized.network, data);
    for (size_t i = 0; i < truth.size(); ++i) CHECK(std::fabs(got[i] - truth[i]) < 1e-3f);
  }
}

TEST_CASE("a network of its frames' differences answers nearly as the float network") {
  // Random walks around a number beside which a step is small: as a level is beside its changes.
  DataSet data = made_up_data(4, 6, 60, -1, 1);
  const std::array<float, 4> offset = {20000, 0, -3, 500}, step = {5, 0.01f, 1, 40};
  for (size_t s = 0; s < data.sequences(); ++s)
    for (size_t i = 0; i < data.steps(s) * 4; ++i) {
      float& x = data.x[data.first[s] * 4 + i];
      x = step[i % 4] * x + (i < 4 ? offset[i] : data.x[data.first[s] * 4 + i - 4]);
    }
  for (const sluice_format format : fixed_formats)
    for (const bool adds : {false, true}) {
      Network network =
          random_network(4, {difference(), standardize(), gru(13, every_step), dense(2)}, 6);
      for (size_t k = 0; k < 4; ++k) {
        network.layers[1].array(Role::mean).values[k] = 0;
        network.layers[1].array(Role::scale).values[k] = 1 / step[k];
      }
      if (adds) add_frame_columns(network, {0, 2});
      const Network ready = with_integer_form(network, format);
      CHECK_EQ(ready.layers.size(), network.layers.size());  // no copy of the frame
      const Quantized quantized = quantize(ready, format, ranges_for(ready, data));
      prove_no_overflow(quantized.network, "test");
      CHECK(quantized.warnings.empty());
      CHECK_EQ(quantized.network.wide_frame, format == SLUICE_INT8);
      std::vector<float> truth = answers(network, data), got = answers(quantized.network, data);
      for (size_t i = 0; adds && i < truth.size(); i += 2)  // the spread counts, not the offset
        truth[i] -= 20000, got[i] -= 20000;
      CAPTURE(std::string(sluice_format_name(format)));
      CAPTURE(adds);
      CHECK(snr(truth, got) > (format == SLUICE_INT8 ? 25 : 33));
    }
}

TEST_CASE("a feature that is constant, or changes between sequences alone, has no difference") {
  DataSet data = made_up_data(3, 6, 30, -1, 1);
  for (size_t s = 0; s < data.sequences(); ++s)
    for (size_t t = 0; t < data.steps(s); ++t) {
      data.x[(data.first[s] + t) * 3] = 7;
      data.x[(data.first[s] + t) * 3 + 1] = float(s);
    }
  const Network network = random_network(3, {difference(), gru(9, every_step), dense(2)}, 6);
  for (const sluice_format format : fixed_formats) {
    const Quantized quantized = quantize(network, format, ranges_for(network, data));
    REQUIRE_EQ(quantized.warnings.size(), 2u);
    CHECK(quantized.warnings[0].find("x0: is 7 in all calibration data") == 0);
    CHECK(quantized.warnings[1].find("x1: does not change from step to step") == 0);
    CHECK(snr(answers(network, data), answers(quantized.network, data)) >
          (format == SLUICE_INT8 ? 25 : 33));
  }
}

TEST_CASE("a layer whose outputs are 0 in all calibration data is quantized") {
  const DataSet data = made_up_data(7, 6, 30, -2, 3);
  for (const sluice_format format : fixed_formats) {
    Network network = random_network(7, {dense(6, SLUICE_RELU), gru(9, every_step), dense(3)}, 4);
    std::vector<float>& bias = array(network.layers[0], "bias");
    std::fill(bias.begin(), bias.end(), -100.0f);
    const Quantized quantized = quantize(network, format, ranges_for(network, data));
    CHECK(snr(answers(network, data), answers(quantized.network, data)) > 25);
  }
}

TEST_CASE("a factor's product that is always 0 costs the others no precision") {
  const DataSet data = made_up_data(7, 6, 30, -2, 3);
  for (const sluice_layer_kind kind : every_cell)
    for (const sluice_format format : fixed_formats) {
      CAPTURE(std::string(sluice_layer_name(kind)));
      CAPTURE(std::string(sluice_format_name(format)));
      Network network = random_network(7, {low_rank(cell(kind, 24, every_step), 5), dense(5)}, 3);
      for (tools::Array& a : network.layers[0].arrays)
        if (a.role == Role::input_factor || a.role == Role::state_factor)
          std::fill_n(a.values.begin() + a.cols, a.cols, 0.0f);
      const Quantized quantized = quantize(network, format, ranges_for(network, data));
      CHECK(quantized.network.layers[0].factor_shift_ih < 12);
      CHECK(quantized.network.layers[0].factor_shift_hh < 12);
      CHECK(snr(answers(network, data), answers(quantized.network, data)) >
            (format == SLUICE_INT8 ? 20 : 30));
    }
}

namespace {

/// Makes one sequence of so many ids.
DataSet made_up_text(int ids, int steps) {
  DataSet data;
  Noise noise(32);
  data.feature_names = {"id"}, data.labels = {"y"}, data.per_row = true;
  for (int i = 0; i < steps; ++i) data.ids.push_back(noise.below(ids)), data.target.push_back(0);
  data.first = {0, size_t(steps)}, data.names = {"0"};
  return data;
}

std::vector<float> answers_to_ids(const Network& network, const DataSet& data) {
  const OwnedModel model = open_model(write_blob(network), "test");
  OwnedStream stream(model.model, {1, 1});
  std::vector<float> y(model.info().outputs), all;
  for (const int32_t& id : data.ids) {
    stream.run(&id, y.data(), 1);
    all.insert(all.end(), y.begin(), y.end());
  }
  return all;
}

}  // namespace

TEST_CASE("a network that reads ids answers in fixed point nearly as the float network") {
  const std::vector<std::vector<Spec>> kinds = {
      {embedding(12), cell(SLUICE_LSTM, 16), dense(20, SLUICE_SOFTMAX)},
      {embedding(9), gru(16, every_step), cell(SLUICE_GRU_BEFORE, 9)},
      {embedding(7), dense(5, SLUICE_TANH), dense(3)},
      {embedding(6)}};
  const DataSet data = made_up_text(30, 200);
  for (const auto& specs : kinds)
    for (const sluice_format format : fixed_formats) {
      CAPTURE(specs.size());
      CAPTURE(std::string(sluice_format_name(format)));
      Network network = random_network(30, specs, specs.size());
      std::vector<float>& w = array(network.layers[0], "weight");
      constexpr float size_of[] = {0.01f, 20, 0};  // features of very different size
      for (size_t i = 0; i < 90; ++i) w[i] *= size_of[i / 30];
      if (network.layers.size() > 1)
        for (size_t i = 0; i < network.layers[1].arrays[0].values.size(); ++i)
          if (int(i) % network.layers[1].in == 1) network.layers[1].arrays[0].values[i] /= 20;
      const Calibration calibration = calibrate(network, data, all_sequences(data));
      const Ranges ranges = choose_ranges(calibration, RangeChoice::min_max);
      CHECK(ranges.low.empty());
      const Quantized quantized = quantize(network, format, ranges, calibration.moments);
      CHECK(quantized.warnings.empty());
      prove_no_overflow(quantized.network, "test");
      CHECK(snr(answers_to_ids(network, data), answers_to_ids(quantized.network, data)) > 30);
      for (const ValueError& v : analyze(network, quantized, data, all_sequences(data))) {
        CAPTURE(v.name);
        CHECK(v.name != "inputs");
        CHECK(v.snr() > 25);
      }
      // An embedding's columns are rounded to 8 bits, and nothing else is lost: its output is
      // exactly the rounded vector.
      for (size_t i = 0; i < w.size(); ++i)
        CHECK_EQ(quantized.rounded.layers[0].arrays[0].values[i],
                 doctest::Approx(quantized.network.layers[0].arrays[0].integers[i] * 256 *
                                 quantized.units[0].unit[i / 30])
                     .epsilon(1e-6));
    }
}

TEST_CASE(
    "a cell state's unit has room for twice the range of the calibration, and not for more than "
    "that") {
  const DataSet data = made_up_data(2, 1, 200, 1, 2);
  for (const float bias : {-8.0f, 0.0f, 3.0f, 8.0f}) {  // gates that forget everything, or nothing
    Network network = random_network(2, {cell(SLUICE_LSTM, 3, every_step)});
    std::vector<float>& b = array(network.layers[0], "bias_ih");
    for (size_t i = 0; i < b.size(); ++i) b[i] = i / 3 == 1 ? bias : 2;
    const Ranges ranges = ranges_for(network, data);
    const int e = quantize(network, SLUICE_W8A16, ranges).network.layers[0].shift_c;
    CAPTURE(ranges.outputs.peak[0]);
    CHECK(ranges.outputs.peak[0] > 0);
    CHECK(2 * ranges.outputs.peak[0] <= std::ldexp(1, e));
    CHECK((e == 0 || 2 * ranges.outputs.peak[0] > std::ldexp(1, e - 1)));
  }
}

TEST_CASE(
    "a FastGRNN's state may exceed 1 in a unit with room for twice the range of the calibration; "
    "its two numbers are sigmoids") {
  const DataSet data = made_up_data(2, 1, 200, 1, 2);
  for (const float nu : {-4.0f, 4.0f}) {
    Network network = random_network(2, {cell(SLUICE_FASTGRNN, 3, every_step)});
    Layer& layer = network.layers[0];
    for (float& b : array(layer, "bias_gate")) b = 3;  // a gate that keeps the state
    for (float& b : array(layer, "bias_update")) b = 2;
    array(layer, "zeta") = {1}, array(layer, "nu") = {nu};
    const Ranges ranges = ranges_for(network, data);
    const Quantized quantized = quantize(network, SLUICE_W8A16, ranges);
    const Layer& fixed = quantized.network.layers[0];
    const double e = std::ldexp(1, fixed.shift_c);
    if (nu > 0) CHECK(ranges.outputs.peak[0] > 2);
    CHECK(2 * ranges.outputs.peak[0] <= e);
    CHECK((e == 1 || 4 * ranges.outputs.peak[0] > e));
    CHECK_EQ(quantized.units[0].common(), e / 32768);
    CHECK_EQ(fixed.array(Role::zeta).integers[0], 23955);  // 1 / (1 + 1/e) * 32768
    CHECK_EQ(fixed.array(Role::nu).integers[0], nu > 0 ? 32179 : 589);
    CHECK_EQ(fixed.array(Role::gate_bias).integers[0], 3 * 4096);
    CHECK_EQ(fixed.array(Role::candidate_bias).integers[0], 2 * 4096);
    prove_no_overflow(quantized.network, "test");
    CHECK(snr(answers(network, data), answers(quantized.network, data)) > 33);
    Network forged = quantized.network;
    forged.layers[0].array(Role::zeta).integers[0] = 32768;
    CHECK_THROWS_WITH_AS(prove_no_overflow(forged, "test"),
                         "test: layer 1 (fastgrnn): zeta is 32768; it lies in 0 to 32767", Error);
    forged = quantized.network;
    forged.layers[0].array(Role::gate_bias).integers[1] = INT32_MAX;
    CHECK_THROWS_WITH_AS(prove_no_overflow(forged, "test"),
                         "test: layer 1 (fastgrnn): the sum of gate 1 can overflow; make the model "
                         "anew with sluice quantize",
                         Error);
  }
}

TEST_CASE(
    "weights rounded by the moments of their inputs answer these inputs better than weights "
    "rounded to nearest") {
  for (const sluice_format format : fixed_formats)
    for (const sluice_layer_kind kind : every_cell) {
      CAPTURE(std::string(sluice_layer_name(kind)));
      const Network network =
          random_network(9, {standardize(), cell(kind, 20, every_step), dense(3)}, 8);
      DataSet data = made_up_data(9, 8, 40, -1, 1);
      // Makes the features correlated.
      for (size_t i = 0; i < data.x.size(); ++i) data.x[i] = data.x[i / 9 * 9] + 0.2f * data.x[i];
      const Calibration calibration = calibrate(network, data, all_sequences(data));
      const Ranges ranges = choose_ranges(calibration, RangeChoice::min_max);
      const std::vector<float> truth = answers(network, data);
      const auto noise_of = [&](const Quantized& quantized) {
        const std::vector<float> got = answers(quantized.network, data);
        double noise = 0;
        for (size_t i = 0; i < truth.size(); ++i)
          noise += double(truth[i] - got[i]) * double(truth[i] - got[i]);
        return noise;
      };
      const double nearest = noise_of(quantize(network, format, ranges));
      const double chosen = noise_of(quantize(network, format, ranges, calibration.moments));
      // In int8, the rounding of a FastGRNN's state, which has room for twice its peak, is larger
      // than that of the weights.
      CHECK(chosen < (format != SLUICE_INT8 ? 0.5 : kind == SLUICE_FASTGRNN ? 1.1 : 0.9) * nearest);
    }
}

TEST_CASE("no input can make an accumulator overflow, and weights are made coarser if one could") {
  for (const sluice_format format : fixed_formats)
    for (const sluice_layer_kind kind : every_cell) {
      // With long rows of large weights, the finest unit would overflow in w8a16.
      const bool before = kind == SLUICE_GRU_BEFORE;
      Network network = random_network(1500, {cell(kind, 16), dense(3)}, 3);
      for (float& w : array(network.layers[0], "weight_ih")) w = w < 0 ? -0.9f : 1.0f;
      array(network.layers[0], kind == SLUICE_FASTGRNN ? "bias_gate" : "bias_ih")[3] = 1e3f;
      const DataSet data = made_up_data(1500, 2, 3, -1, 1);
      const Quantized quantized = quantize(network, format, ranges_for(network, data));
      const int64_t largest = format == SLUICE_INT8 ? 128 : 32768;
      for (const Layer& layer : quantized.network.layers)
        for (const size_t w : {0, 1, 2}) {
          const bool recurrent = w > 0;
          if (recurrent && (layer.kind == SLUICE_DENSE || (w == 2 && !before))) continue;
          const size_t b = layer.kind == SLUICE_DENSE ? 1 : (before ? 3 : 2) + (recurrent ? 1 : 0),
                       first = w == 2 ? 2 * 16 : 0;
          const tools::Array &weights = layer.arrays[w], &bias = layer.arrays[b];
          const size_t rows = size_t(weights.gates) * size_t(weights.rows),
                       cols = size_t(weights.cols);
          for (size_t r = 0; r < rows; ++r) {
            int64_t worst = std::abs(int64_t(bias.integers[first + r]));
            for (size_t k = 0; k < cols; ++k) {
              REQUIRE(std::abs(weights.integers[r * cols + k]) <= 127);
              worst += largest * std::abs(weights.integers[r * cols + k]);
            }
            const int64_t shifted = worst << (recurrent ? layer.shift_hh : layer.shift_ih);
            REQUIRE(shifted <= INT32_MAX);
            REQUIRE(bias.integers[bias.integers.size() / 2 + first + r] >= 0);
          }
        }
      prove_no_overflow(quantized.network, "test");
      Network forged = quantized.network;
      forged.layers[0].shift_hh = 30;
      CHECK_THROWS_WITH_AS(prove_no_overflow(forged, "test"),
                           ("test: layer 1 (" + std::string(sluice_layer_name(kind)) +
                            "): the accumulator of row 0 of weight_hh can overflow; make the model "
                            "anew with sluice quantize")
                               .c_str(),
                           Error);
      CHECK_EQ(quantized.warnings.size(), format == SLUICE_INT8 ? 0u : 1u);
      if (format == SLUICE_W8A16) CHECK(quantized.warnings[0].find("layer 1 (") == 0);
    }
}

TEST_CASE("saturated values are counted from the ends of the curve") {
  const DataSet data = made_up_data(2, 2, 4, -1, 1);
  for (const bool beyond : {false, true}) {
    Network network = random_network(2, {gru(3)});
    for (tools::Array& a : network.layers[0].arrays)
      std::fill(a.values.begin(), a.values.end(), 0.0f);
    // r, z, n; sigmoid ends at 131071 / 12288, tanh at half of that.
    std::vector<float>& bias = array(network.layers[0], "bias_ih");
    for (size_t i = 0; i < bias.size(); ++i)
      bias[i] = i < 6 ? (beyond ? -10.7f : 10.6f) : (beyond ? 5.36f : -5.3f);
    const Quantized quantized = quantize(network, SLUICE_INT8, ranges_for(network, data));
    const std::vector<ValueError> values = analyze(network, quantized, data, all_sequences(data));
    for (const ValueError& v : values)
      if (v.name == "r" || v.name == "z" || v.name == "n") {
        CAPTURE(v.name);
        CHECK_EQ(v.saturated, beyond ? v.count : 0);
        CHECK_EQ(v.count, 3u * 8u);
      }
  }
}

TEST_CASE(
    "an outlier that leaves too few steps to other values is named, with a remedy; weights rounded "
    "by moments ignore it") {
  Network network = random_network(3, {standardize(), gru(6)});
  network.inputs = {"a", "odd", "c"};
  DataSet data = made_up_data(3, 40, 100, -1, 1);
  data.x[100 * 3 + 1] = 1e9f;
  const Calibration calibration = calibrate(network, data, all_sequences(data));
  CHECK(calibration.moments[0].input.covariance[4] < 1);
  CHECK_THROWS_WITH_AS(
      quantize(network, SLUICE_INT8, choose_ranges(calibration, RangeChoice::min_max)),
      doctest::Contains("odd goes from -"), Error);
  CHECK(quantize(network, SLUICE_INT8, choose_ranges(calibration, RangeChoice::percentile),
                 calibration.moments)
            .warnings.empty());
}

TEST_CASE("a feature that is constant in training and calibration raises no doubt about the data") {
  DataSet data = made_up_data(3, 6, 30, -2, 3);
  Network network = random_network(3, {standardize(), gru(9), dense(2)}, 4);
  for (size_t i = 0; i < data.x.size(); i += 3) data.x[i] = 518.67f, data.x[i + 1] = 1e-3f;
  const Standardization s = standardization(data, all_sequences(data));
  network.layers[0].array(Role::mean).values = s.mean;
  network.layers[0].array(Role::scale).values = s.scale;
  CHECK(unlike_training(network, calibrate(network, data, all_sequences(data))).empty());
  for (size_t i = 0; i < data.x.size(); i += 3) data.x[i + 2] = 7.5f;  // it varied in training
  CHECK(unlike_training(network, calibrate(network, data, all_sequences(data))).empty());
  const Quantized quantized = quantize(network, SLUICE_INT8, ranges_for(network, data));
  CHECK_EQ(quantized.warnings.size(), 3);  // it is reported as constant
}

TEST_CASE("a feature that never changed is named, and changes nothing afterwards") {
  Network network = random_network(3, {standardize(), gru(6)});
  network.inputs = {"a", "still", "c"};
  DataSet data = made_up_data(3, 3, 10, -1, 1);
  for (size_t i = 1; i < data.x.size(); i += 3) data.x[i] = 4.25f;
  const Quantized quantized = quantize(network, SLUICE_INT8, ranges_for(network, data));
  REQUIRE_EQ(quantized.warnings.size(), 1u);
  CHECK(quantized.warnings[0].find("still: is 4.25") == 0);
  DataSet other = data;
  for (size_t i = 1; i < other.x.size(); i += 3) other.x[i] = float(i) * 1000;
  CHECK(same_bits(answers(quantized.network, data), answers(quantized.network, other)));
  const OwnedModel model = open_model(write_blob(quantized.network), "test");
  CHECK(saturated_inputs(model, data, all_sequences(data)).empty());
  // The feature has another value, which does not change here either.
  for (size_t i = 1; i < other.x.size(); i += 3) other.x[i] = 99;
  const std::vector<InputSaturation> found = saturated_inputs(model, other, all_sequences(other));
  REQUIRE_EQ(found.size(), 1u);
  CHECK(found[0].differs);
  CHECK_EQ(found[0].name, "f1");
}

TEST_CASE("a layer without an integer form is refused by its name") {
  const DataSet data = made_up_data(3, 2, 5, -1, 1);
  const auto refused = [&](const std::vector<Spec>& specs) {
    const Network network = random_network(3, specs);
    try {
      quantize(network, SLUICE_INT8, ranges_for(network, data));
    } catch (const std::exception& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  for (const sluice_layer_kind kind : every_cell) {
    const std::string name = "layer 1 (" + std::string(sluice_layer_name(kind)) + "): ";
    CHECK(refused({mean(cell(kind, 4))}) ==
          name + "the mean over steps has no fixed-point kernel; it can be run in f32 only");
    if (kind != SLUICE_FASTGRNN)
      for (const sluice_activation f : {SLUICE_ELU, SLUICE_SELU, SLUICE_SOFTSIGN})
        CHECK(refused({candidate(cell(kind, 4), f)}) ==
              name + "a candidate of " + sluice_activation_name(f) +
                  " has no fixed-point kernel; it can be run in f32 only");
    if (kind == SLUICE_RNN) continue;
    CHECK(refused({gates(cell(kind, 4), SLUICE_HARD_SIGMOID, 0.2f)}) ==
          (kind != SLUICE_FASTGRNN
               ? ""
               : name + "with a hard sigmoid as a gate it has no fixed-point kernel, since gate "
                        "and candidate share a sum; it can be run in f32 only"));
    CHECK(refused({gates(cell(kind, 4), SLUICE_TANH)}).find(name + "with tanh as a gate") == 0);
  }
  CHECK(refused({norm(SLUICE_LAYER_NORM), gru(3)}).find("layer 1 (layer_norm): ") == 0);
  CHECK(refused({gru(4), standardize(), dense(2)}).find("layer 2 (standardize)") == 0);
  CHECK(refused({dense(4, SLUICE_SOFTMAX), dense(2)}).find("layer 1 (dense)") == 0);
  CHECK(refused({dense(4, SLUICE_GELU), dense(2)}) ==
        "layer 1 (dense): gelu has no fixed-point kernel; it can be run in f32 only");
  CHECK(refused({clipped(4, -0.5f, 0.75f)}) ==
        "layer 1 (dense): a clip has an integer form only from 0, or from the negative of its "
        "highest value; it can be run in f32 only");
  CHECK(refused({dense(4), difference(), gru(3)}).find("layer 2 (difference)") == 0);
  CHECK(refused({standardize()}) != "");
}

TEST_CASE("amounts of memory are read in their usual notations") {
  CHECK_EQ(parse_amount("16 KiB").value_or(0), 16384u);
  CHECK_EQ(parse_amount("2MiB").value_or(0), 2097152u);
  CHECK_EQ(parse_amount("200000").value_or(0), 200000u);
  for (const char* bad : {"", "KiB", "16 kB", "1.5KiB", "-1", "16 KiB each"})
    CHECK(!parse_amount(bad));
}
