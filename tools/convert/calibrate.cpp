#include "calibrate.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "../common/error.h"
#include "../model/graph.h"
#include "../model/pack.h"
#include "gate_sums.h"
#include "kernels/kernels.h"
#include "run_rows.h"

namespace sluice::tools {
namespace {

/// Returns the network up to and including layer `last`, with an answer at every step and logits in
/// place of probabilities.
Network first_layers(const Network& network, std::size_t last) {
  Network part;
  part.width = frame_width(network);
  part.layers.assign(network.layers.begin(), network.layers.begin() + std::ptrdiff_t(last) + 1);
  for (Layer& layer : part.layers) layer.every_step = recurrent(layer), layer.mean = false;
  sluice_activation& end = part.layers.back().activation;
  if (end == SLUICE_SIGMOID || end == SLUICE_SOFTMAX) end = SLUICE_LINEAR;
  return part;
}

bool needs_peak(const Layer& layer, bool answer) {
  if (layer.kind == SLUICE_ADD || layer.kind == SLUICE_MULTIPLY || layer.anatomy().shifted_state ||
      layer.candidate != SLUICE_TANH)
    return true;
  if (layer.kind != SLUICE_DENSE) return false;
  return answer ? layer.activation != SLUICE_TANH
                : layer.activation == SLUICE_LINEAR || layer.activation == SLUICE_RELU;
}

/// Returns the range of a network's answer, with one at every step.
NumberRanges answer_range_of(const Network& network, const DataSet& data,
                             std::span<const std::size_t> sequences) {
  const OwnedModel model = open_model(write_blob(network), "calibration");
  OwnedStream stream(model.model, {64, 1});
  const std::size_t outputs = model.info().outputs;
  std::vector<float> y;
  NumberRanges range{std::vector<double>(outputs, std::numeric_limits<double>::infinity()),
                     std::vector<double>(outputs, -std::numeric_limits<double>::infinity())};
  for (const std::size_t s : sequences) {
    const std::size_t steps = data.steps(s);
    y.resize(steps * outputs);
    sluice_reset(&stream.stream);
    std::size_t answers = 0;
    if (model.info().every_step)
      answers = run_rows(stream, data, data.first[s], steps, y.data());
    else  // over the steps so far: its answer after each of them
      for (std::size_t t = 0; t < steps; ++t)
        answers += run_rows(stream, data, data.first[s] + t, 1, y.data() + answers * outputs);
    for (std::size_t i = 0; i < answers * outputs; ++i) {
      double &low = range.low[i % outputs], &high = range.high[i % outputs];
      low = std::min(low, double(y[i])), high = std::max(high, double(y[i]));
    }
  }
  return range;
}

/// Returns the largest magnitude of an LSTM's initial c; 0 if it begins from zero.
double peak_of_initial_c(const Layer& layer) {
  double peak = 0;
  if (const Array* const c = layer.find(Role::initial_c))
    for (const float value : c->values) peak = std::max(peak, double(std::fabs(value)));
  return peak;
}

/// Returns the peak of the cell state of a network's last layer, which is at the end of a stream's
/// state.
double cell_peak_of(const Network& network, const DataSet& data,
                    std::span<const std::size_t> sequences) {
  const OwnedModel model = open_model(write_blob(network), "calibration");
  OwnedStream stream(model.model, {1, 1});
  std::size_t bytes = 0;
  const auto* const state = static_cast<const float*>(sluice_state(&stream.stream, &bytes));
  const float* const c =
      state + bytes / sizeof(float) - std::size_t(padded(network.layers.back().out));
  std::vector<float> y(model.info().outputs);
  double peak = peak_of_initial_c(network.layers.back());
  for (const std::size_t s : sequences) {
    sluice_reset(&stream.stream);
    for (std::size_t t = 0; t < data.steps(s); ++t) {
      run_rows(stream, data, data.first[s] + t, 1, y.data());
      for (int i = 0; i < network.layers.back().out; ++i)
        peak = std::max(peak, double(std::fabs(c[i])));
    }
  }
  return peak;
}

/// Sums from which moments are computed.
struct Sums {
  std::size_t frames = 0;
  std::vector<double> first, second;

  void add(const std::vector<double>& v) {
    const std::size_t n = v.size();
    first.resize(n), second.resize(n * n), ++frames;
    for (std::size_t i = 0; i < n; ++i) {
      first[i] += v[i];
      for (std::size_t j = 0; j <= i; ++j) second[i * n + j] += v[i] * v[j];
    }
  }
  Moments moments() const {
    const std::size_t n = first.size();
    const auto count = double(std::max<std::size_t>(frames, 1));
    Moments m{first, second};
    for (double& v : m.mean) v /= count;
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j <= i; ++j)
        m.covariance[i * n + j] = m.covariance[j * n + i] =
            second[i * n + j] / count - m.mean[i] * m.mean[j];
    return m;
  }
};

/// Returns the values of each feature, or its differences from step to step, in ascending order.
std::vector<std::vector<float>> sorted_features(const DataSet& data,
                                                std::span<const std::size_t> sequences,
                                                bool differences = false) {
  if (data.is_text()) return {};
  const std::size_t n = data.features();
  std::vector<std::vector<float>> features(n);
  for (const std::size_t s : sequences) {
    const float* const x = data.frames(s);
    for (std::size_t i = differences ? n : 0; i < data.steps(s) * n; ++i)
      features[i % n].push_back(differences ? x[i] - x[i - n] : x[i]);
  }
  for (std::vector<float>& values : features) std::sort(values.begin(), values.end());
  return features;
}

/// Returns the differences of each feature if the network takes differences of its frames.
std::vector<std::vector<float>> sorted_differences(const Network& real, const DataSet& data,
                                                   std::span<const std::size_t> sequences) {
  const bool differs = std::any_of(real.layers.begin(), real.layers.end(), [](const Layer& layer) {
    return layer.kind == SLUICE_DIFFERENCE;
  });
  if (!differs) return {};
  return sorted_features(data, sequences, true);
}

/// Returns how many values percentiles exclude at either end.
std::size_t cut_of(const std::vector<float>& values) { return values.size() / 2000; }

/// Collects the inputs of each layer while a stream is traced. Input values beyond the percentiles
/// count as the percentiles: an outlier saturates later, but would outweigh all other values here.
struct MomentCollector {
  const Network& network;
  const std::vector<std::vector<float>>& features;  ///< ascending; empty if frames are ids
  std::vector<Sums> input, state, reset;
  std::vector<FactorPeaks> factors;                 ///< of layers of low rank
  std::vector<std::vector<double>> before;          ///< states
  std::vector<std::vector<std::uint32_t>> readers;  ///< of the frame, then of each layer's output
  /// For wider inputs, moments take more memory than they are worth.
  static constexpr std::size_t widest = 1024;

  static void take(void* context, std::uint32_t layer, const void* numbers, std::uint32_t n) {
    MomentCollector& w = *static_cast<MomentCollector*>(context);
    if (layer == 0 && w.features.empty()) return;
    const auto* values = static_cast<const float*>(numbers);
    std::vector<double> v(values, values + n);
    for (std::size_t i = 0; i < n && layer == 0; ++i) {
      const std::vector<float>& all = w.features[i];
      v[i] = std::clamp(v[i], double(all[cut_of(all)]), double(all[all.size() - 1 - cut_of(all)]));
    }
    if (layer > 0 && recurrent(w.network.layers[layer - 1])) {
      const Layer& own = w.network.layers[layer - 1];
      w.note_factor(own, Role::state_factor, v, w.factors[layer - 1].state);
      if (n <= widest) w.state[layer - 1].add(w.before[layer - 1]);
      w.before[layer - 1] = v;
    }
    for (const std::uint32_t reader : w.readers[layer]) {
      const Layer& next = w.network.layers[reader - 1];
      if (next.anatomy().joins) continue;  // a layer that joins has no product
      w.note_factor(next, Role::input_factor, v, w.factors[reader - 1].input);
      if (n <= widest && next.parts == 0) w.input[reader - 1].add(v);
      if (!next.find(Role::candidate_weight)) continue;
      const std::vector<double> reset =
          reset_state(next, {values, values + n}, w.before[reader - 1]);
      w.note_factor(next, Role::state_factor, reset, w.factors[reader - 1].state);
      if (std::size_t(next.out) <= widest) w.reset[reader - 1].add(reset);
    }
  }

  /// Raises the peaks of a factor's product over v. A layer without the factor has none.
  static void note_factor(const Layer& layer, Role role, const std::vector<double>& v,
                          std::vector<double>& peaks) {
    if (!layer.find(role)) return;
    const std::vector<double> product = over_factor(layer, role, v);
    peaks.resize(product.size());
    for (std::size_t i = 0; i < peaks.size(); ++i)
      peaks[i] = std::max(peaks[i], std::fabs(product[i]));
  }

  /// Returns r * h of a GRU that resets before, to float accuracy. The curves are the runtime's,
  /// whose bits are the same on every machine.
  static std::vector<double> reset_state(const Layer& gru, const std::vector<double>& frame,
                                         std::vector<double> h) {
    const std::vector<double> x = over_factor(gru, Role::input_factor, frame),
                              state = over_factor(gru, Role::state_factor, h);
    const GateSums ih{gru.array(Role::input_weight), gru.find(Role::input_bias), -1},
        hh{gru.array(Role::state_weight), nullptr, -1};
    std::vector<float> r;
    for (int row = 0; row < gru.out; ++row)
      r.push_back(float(hh.more(ih.at(0, row, x), 0, row, state)));
    const Curve gate = gru.activation == SLUICE_HARD_SIGMOID
                           ? Curve(Activation::hard_sigmoid, gru.parameter)
                           : Curve(Activation::sigmoid);
    pick_kernels("scalar")->activate_f32(gate, r.data(), 1, gru.out, 0);
    for (std::size_t row = 0; row < h.size(); ++row) h[row] *= double(r[row]);
    return h;
  }
};

/// Steps the float network over some thousand frames.
MomentCollector watch(const Network& real, const DataSet& data,
                      std::span<const std::size_t> sequences,
                      const std::vector<std::vector<float>>& features) {
  constexpr std::size_t enough = 8192;  // frames
  std::size_t frames = 0;
  for (const std::size_t s : sequences) frames += data.steps(s);
  const std::size_t every = frames / enough + 1;
  const OwnedModel model = open_model(write_blob(real), "calibration");
  OwnedStream stream(model.model, {1, 1});
  const std::size_t layers = real.layers.size();
  MomentCollector watching{.network = real,
                           .features = features,
                           .input = std::vector<Sums>(layers),
                           .state = std::vector<Sums>(layers),
                           .reset = std::vector<Sums>(layers),
                           .factors = std::vector<FactorPeaks>(layers),
                           .before = std::vector<std::vector<double>>(layers),
                           .readers = {}};
  for (std::uint32_t source = 0; source <= layers; ++source)
    watching.readers.push_back(readers_of(real, source));
  sluice_trace(&stream.stream, MomentCollector::take, &watching);
  std::vector<float> y(model.info().outputs);
  for (std::size_t i = 0; i < sequences.size(); i += every) {
    sluice_reset(&stream.stream);
    for (std::size_t l = 0; l < layers; ++l) watching.before[l] = state_at_start(real.layers[l]);
    // A text is one long sequence.
    const std::size_t steps =
        data.is_text() ? std::min(data.steps(sequences[i]), enough) : data.steps(sequences[i]);
    for (std::size_t t = 0; t < steps; ++t)
      run_rows(stream, data, data.first[sequences[i]] + t, 1, y.data());
  }
  return watching;
}

std::vector<LayerMoments> moments_of(const MomentCollector& watching) {
  std::vector<LayerMoments> result;
  for (std::size_t l = 0; l < watching.network.layers.size(); ++l)
    result.push_back(
        {watching.input[l].moments(), watching.state[l].moments(), watching.reset[l].moments()});
  return result;
}

/// Returns the squared error of values in 256 equal steps from low to high.
double squared_error(const std::vector<float>& values, std::size_t every, double low, double high) {
  const double step = (high - low) / 255;
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); i += every) {
    const double at = std::floor((double(values[i]) - low) / step + 0.5);
    const double error = low + std::clamp(at, 0.0, 255.0) * step - double(values[i]);
    sum += error * error;
  }
  return sum;
}

struct Range {
  float low, high;
};

Range least_error(const std::vector<float>& values) {
  constexpr std::size_t enough = 8192;
  const std::size_t every = values.size() / enough + 1;
  double mean = 0;
  for (const float v : values) mean += double(v);
  mean /= double(values.size());
  Range best{values.front(), values.back()};
  double least = squared_error(values, every, best.low, best.high);
  for (int percent = 95; percent >= 20; percent -= 5) {
    const double share = percent / 100.0;
    const Range range{float(mean + share * (values.front() - mean)),
                      float(mean + share * (values.back() - mean))};
    const double error = squared_error(values, every, range.low, range.high);
    if (error < least) best = range, least = error;
  }
  return best;
}

Range range_of(const std::vector<float>& values, RangeChoice choice) {
  const std::size_t cut = choice == RangeChoice::percentile ? cut_of(values) : 0;
  const Range all{values[cut], values[values.size() - 1 - cut]};
  return choice == RangeChoice::min_error && all.low < all.high ? least_error(values) : all;
}

}  // namespace

double NumberRanges::peak() const {
  double most = 0;
  for (std::size_t i = 0; i < low.size(); ++i)
    most = std::max({most, std::fabs(low[i]), std::fabs(high[i])});
  return most;
}

std::vector<double> state_at_start(const Layer& layer) {
  std::vector<double> state(recurrent(layer) ? std::size_t(layer.out) : 0);
  if (const Array* const h = layer.find(Role::initial_h))
    state.assign(h->values.begin(), h->values.end());
  return state;
}

namespace {

/// Extends the range of a cell's outputs, if it is measured, by its initial state.
void include_start(const Layer& layer, NumberRanges& range) {
  const Array* const h = layer.find(Role::initial_h);
  for (std::size_t i = 0; h && i < range.low.size(); ++i) {
    const auto value = double(h->values[i]);
    range.low[i] = std::min(range.low[i], value), range.high[i] = std::max(range.high[i], value);
  }
}

}  // namespace

OutputRanges output_ranges(const Network& real, const DataSet& data,
                           std::span<const std::size_t> sequences) {
  OutputRanges result;
  const std::vector<std::uint32_t> answers = answers_of(real);
  std::vector<NumberRanges>& ranges = result.each;
  ranges.resize(real.layers.size());
  for (std::size_t l = 0; l < real.layers.size(); ++l) {
    const bool answer =
        l + 1 == real.layers.size() || std::count(answers.begin(), answers.end(), l + 1) > 0;
    if (real.layers[l].anatomy().states == 2 && !real.layers[l].both) {
      const Network part = first_layers(real, l);
      result.peak.push_back(cell_peak_of(part, data, sequences));
      if (real.layers[l].candidate != SLUICE_TANH)
        ranges[l] = answer_range_of(part, data, sequences);
      include_start(real.layers[l], ranges[l]);
      continue;
    }
    const bool measured = needs_peak(real.layers[l], answer);
    if (measured) ranges[l] = answer_range_of(first_layers(real, l), data, sequences);
    include_start(real.layers[l], ranges[l]);
    result.peak.push_back(measured ? ranges[l].peak() : 1);
  }
  for (const std::uint32_t answer : answers) {  // a part without a range of its own gets -1 to 1
    const auto width = std::size_t(width_of(real, answer));
    NumberRanges part = answer ? ranges[answer - 1] : NumberRanges{};
    part.low.resize(width, -1), part.high.resize(width, 1);
    NumberRanges& all = result.answer;
    all.low.insert(all.low.end(), part.low.begin(), part.low.end());
    all.high.insert(all.high.end(), part.high.begin(), part.high.end());
  }
  return result;
}

Ranges feature_ranges(const Network& real, const DataSet& data,
                      std::span<const std::size_t> sequences, RangeChoice choice) {
  return choose_ranges({.features = sorted_features(data, sequences),
                        .differences = sorted_differences(real, data, sequences)},
                       choice);
}

Calibration calibrate(const Network& real, const DataSet& data,
                      std::span<const std::size_t> sequences) {
  Calibration result{.features = sorted_features(data, sequences),
                     .differences = sorted_differences(real, data, sequences),
                     .outputs = output_ranges(real, data, sequences)};
  MomentCollector watching = watch(real, data, sequences, result.features);
  result.moments = moments_of(watching);
  result.factors = std::move(watching.factors);
  return result;
}

std::vector<std::string> unlike_training(const Network& real, const Calibration& calibration) {
  std::vector<std::string> lines;
  const Layer* const first = frame_standardization(real);
  for (std::size_t k = 0; first && k < calibration.features.size(); ++k) {
    const std::vector<float>& values = calibration.features[k];
    const double mean_there = double(first->array(Role::mean).values[k]);
    const double per_deviation = double(first->array(Role::scale).values[k]);
    // A feature that is constant here is reported as such by quantize().
    if (per_deviation == 0 || values.empty() || values.front() == values.back()) continue;
    double mean = 0, variance = 0;
    for (const float v : values) mean += double(v) / double(values.size());
    for (const float v : values)
      variance += (double(v) - mean) * (double(v) - mean) / double(values.size());
    const double spread = std::sqrt(variance) * per_deviation,
                 shift = (mean - mean_there) * per_deviation;
    const std::string name = input_name(real, k);
    if (spread > 2 || (spread < 0.5 && spread > 0))
      lines.push_back(fmt::format(
          "{}: its values are spread {:.2g} times as wide as in training; are these the same data?",
          name, spread));
    else if (std::fabs(shift) > 2)
      lines.push_back(fmt::format(
          "{}: its mean lies {:.2g} deviations from that in training; are these the same data?",
          name, shift));
  }
  return lines;
}

Ranges choose_ranges(const Calibration& calibration, RangeChoice choice) {
  Ranges ranges{.choice = choice, .outputs = calibration.outputs, .factors = calibration.factors};
  for (const std::vector<float>& values : calibration.features) {
    const Range range = range_of(values, choice);
    ranges.low.push_back(range.low);
    ranges.high.push_back(range.high);
  }
  for (const std::vector<float>& values : calibration.differences) {
    const Range range = values.empty() ? Range{0, 0} : range_of(values, choice);
    ranges.difference.push_back(
        std::max(std::fabs(double(range.low)), std::fabs(double(range.high))));
  }
  return ranges;
}

}  // namespace sluice::tools
