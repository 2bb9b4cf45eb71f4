// Computes networks in plain double precision, from the formulas alone. Shares nothing with the
// runtime except the weights.
#pragma once
#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "model/graph.h"
#include "model/network.h"
#include "numbers.h"
#include "sluice_train.h"

namespace sluice::tests {

using Frame = std::vector<double>;
using Frames = std::vector<Frame>;

/// A sequence and its targets; classes and values as in sluice_sequence.
struct Example {
  int steps = 0;
  std::vector<float> x;
  std::vector<int32_t> classes;
  std::vector<float> values;
  uint64_t number = 0;
  std::vector<int32_t> ids = {};  ///< in place of x
};

/// A loss as in sluice_train_options.
struct LossOf {
  sluice_loss kind = SLUICE_CROSS_ENTROPY;
  double delta = 1, smoothing = 0;
  bool sum_over_steps = false;
  std::vector<float> weights = {};
  struct Answer {
    sluice_loss kind;
    double weight;
    int outputs;
  };
  std::vector<Answer> answers = {};  ///< a loss for each part of the answer, in place of kind
};

struct Reference {
  struct Layer {
    sluice_layer_kind kind;
    sluice_activation activation;
    bool every_step;
    size_t in, out;
    std::map<std::string, std::vector<double>> arrays;
    bool mean = false, both = false;
    double parameter = 0;
    int tied = -1;
    std::vector<uint32_t> sources = {};  ///< 0 is the frame, n the n-th layer
    std::vector<int32_t> columns = {};
    sluice_activation candidate = SLUICE_TANH;
    double second = 0;
    size_t parts = 0, dilation = 0, stride = 1, ahead = 0;
    size_t first = 0;
    double cell_clip = 0;
    size_t cells = 0;  ///< of an LSTM with a projection
  };
  std::vector<Layer> layers;
  size_t inputs;

  /// The roundings of values that enter products (sluice_rounding). If `frozen`, each rounding adds
  /// instead the same amount as in the previous pass, so that the loss has the derivative that
  /// passes straight through roundings.
  std::vector<double> unit;  ///< [layers]; empty for no rounding
  double largest = 0;
  bool frozen = false;

  explicit Reference(const tools::Network& network) : inputs(size_t(tools::frame_width(network))) {
    for (const tools::Layer& from : network.layers) {
      Layer to{
          from.kind, from.activation, from.every_step, size_t(from.in),        size_t(from.out),
          {},        from.mean,       from.both,       double(from.parameter), from.tied};
      for (const tools::Array& a : from.arrays)
        to.arrays[a.name] = {a.values.begin(), a.values.end()};
      for (const tools::Array& a : from.arrays)
        to.columns.insert(to.columns.end(), a.integers.begin(), a.integers.end());
      to.candidate = from.candidate, to.second = double(from.second);
      to.parts = size_t(from.parts), to.dilation = size_t(from.dilation);
      to.stride = size_t(from.stride), to.ahead = size_t(from.ahead), to.first = size_t(from.first);
      to.cell_clip = double(from.cell_clip);
      to.cells = size_t(from.cells);
      to.sources =
          from.sources.empty() ? std::vector<uint32_t>{uint32_t(layers.size())} : from.sources;
      layers.push_back(to);
    }
    once = tools::one_row_per_sequence(network).back();
    answered = tools::answered_steps(network);
  }

  /// Returns the answers of every step or of the last one. x is as for a model, so ids are given by
  /// their bits. Batch normalization uses its running moments.
  Frames answers(const std::vector<float>& x) const {
    const bool ids = layers.front().kind == SLUICE_EMBEDDING;
    Frames frames;
    for (size_t at = 0; at < x.size(); at += inputs)
      if (ids)
        frames.push_back({double(int32_t(raw_bits(x[at])))});
      else
        frames.emplace_back(x.begin() + std::ptrdiff_t(at),
                            x.begin() + std::ptrdiff_t(at + inputs));
    std::vector<Frames> outputs = {frames};
    for (size_t l = 0; l < layers.size(); ++l) outputs.push_back(layer_answers(l, outputs));
    return outputs.back();
  }

  /// Returns the answers of a batch in training: batch normalization uses the batch's moments.
  std::vector<Frames> batch_answers(const std::vector<Example>& examples) const {
    // For each example the frames, then the output of each layer.
    std::vector<std::vector<Frames>> all;
    for (const Example& e : examples) {
      Frames frames;
      for (int t = 0; t < e.steps; ++t)
        if (e.ids.empty())
          frames.emplace_back(e.x.begin() + std::ptrdiff_t(size_t(t) * inputs),
                              e.x.begin() + std::ptrdiff_t(size_t(t + 1) * inputs));
        else
          frames.push_back({double(e.ids[size_t(t)])});
      all.push_back({frames});
    }
    for (size_t l = 0; l < layers.size(); ++l) {
      if (layers[l].kind == SLUICE_BATCH_NORM) {
        std::vector<Frames> batch;
        for (const std::vector<Frames>& outputs : all)
          batch.push_back(outputs[layers[l].sources[0]]);
        normalize_batch(layers[l], batch);
        for (size_t i = 0; i < all.size(); ++i) all[i].push_back(batch[i]);
        continue;
      }
      for (std::vector<Frames>& outputs : all) outputs.push_back(layer_answers(l, outputs));
    }
    std::vector<Frames> answers;
    for (const std::vector<Frames>& outputs : all) answers.push_back(outputs.back());
    return answers;
  }

  /// Returns the mean loss over valid targets, which sluice_train_result reports and whose gradient
  /// the trainer computes.
  double loss(const std::vector<Example>& examples, bool cross_entropy, double* sum = nullptr,
              uint64_t* count = nullptr) const {
    LossOf of;
    of.kind = cross_entropy ? SLUICE_CROSS_ENTROPY : SLUICE_MSE;
    return loss(examples, of, sum, count);
  }

  double loss(const std::vector<Example>& examples, const LossOf& of, double* sum = nullptr,
              uint64_t* count = nullptr) const {
    if (!frozen) added.clear();
    rounding = 0;
    double total = 0, weight = 0;
    uint64_t valid = 0;
    const std::vector<Frames> answers = batch_answers(examples);
    if (!of.answers.empty()) return loss_of_parts(examples, answers, of);
    for (size_t i = 0; i < examples.size(); ++i) {
      double own = 0;
      for (size_t t = 0; t < answers[i].size(); ++t)
        add_targets(examples[i], target_of(t), answers[i][t], of, total, own, valid);
      weight += of.sum_over_steps ? own > 0 : own;
    }
    if (sum) *sum = total;
    if (count) *count = valid;
    return total / weight;
  }

 private:
  bool once = false;  ///< one answer a sequence
  Clock answered;

  /// Returns the row of targets of an answer.
  size_t target_of(size_t answer) const { return once ? 0 : answered.frame(answer); }

  /// Returns the sum of the parts' weighted means. The targets are values; cross entropy takes one
  /// value, the class.
  double loss_of_parts(const std::vector<Example>& examples, const std::vector<Frames>& answers,
                       const LossOf& of) const {
    double sum = 0;
    int first = 0, target = 0, width = 0;
    for (const LossOf::Answer& answer : of.answers)
      width += answer.kind == SLUICE_CROSS_ENTROPY ? 1 : answer.outputs;
    for (const LossOf::Answer& answer : of.answers) {
      LossOf own;
      own.kind = answer.kind;
      double total = 0, weight = 0;
      uint64_t valid = 0;
      const int targets = answer.kind == SLUICE_CROSS_ENTROPY ? 1 : answer.outputs;
      for (size_t i = 0; i < examples.size(); ++i)
        for (size_t t = 0; t < answers[i].size(); ++t) {
          Example one;
          const auto values =
              examples[i].values.begin() + std::ptrdiff_t(target_of(t)) * width + target;
          if (answer.kind == SLUICE_CROSS_ENTROPY)
            one.classes = {std::isnan(*values) ? -1 : int32_t(*values)};
          else
            one.values.assign(values, values + targets);
          const auto begin = answers[i][t].begin() + first;
          add_targets(one, 0, Frame(begin, begin + answer.outputs), own, total, weight, valid);
        }
      sum += answer.weight * total / weight;
      first += answer.outputs, target += targets;
    }
    return sum;
  }

  mutable std::vector<double> added;  ///< the amounts that roundings added, in order
  mutable size_t rounding = 0;

  Frame seen(size_t layer, Frame v) const {
    if (unit.empty() || unit[layer] == 0) return v;
    for (double& value : v) {
      const double clamped = std::fmin(std::fmax(value / unit[layer], -largest - 1), largest);
      if (!frozen) added.push_back(std::nearbyint(clamped) * unit[layer] - value);
      value += added[rounding++];
    }
    return v;
  }

  static double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

  static Frame affine(const std::vector<double>& w, const std::vector<double>& b, const Frame& x) {
    Frame y = b;
    for (size_t row = 0; row < y.size(); ++row)
      for (size_t k = 0; k < x.size(); ++k) y[row] += w[row * x.size() + k] * x[k];
    return y;
  }

  static void add_targets(const Example& e, size_t t, const Frame& y, const LossOf& of,
                          double& total, double& weight, uint64_t& valid) {
    const auto weight_of = [&](size_t c) {
      return of.weights.empty() ? 1.0 : double(of.weights[c]);
    };
    if (of.kind == SLUICE_CROSS_ENTROPY) {
      if (e.classes[t] < 0) return;
      for (size_t c = 0; c < y.size(); ++c) {
        const double target =
            (c == size_t(e.classes[t]) ? 1 - of.smoothing : 0) + of.smoothing / double(y.size());
        total -= target * weight_of(c) * std::log(y[c]);
      }
      weight += weight_of(size_t(e.classes[t]));
      ++valid;
      return;
    }
    for (size_t o = 0; o < y.size(); ++o) {
      const double v = e.classes.empty()  ? double(e.values[t * y.size() + o])
                       : e.classes[t] < 0 ? NAN
                                          : double(e.classes[t]);
      if (std::isnan(v)) continue;
      ++valid;
      const double error = y[o] - v, size = std::fabs(error);
      if (of.kind == SLUICE_BINARY) {
        const double w = weight_of(v >= 0.5), smooth = v * (1 - of.smoothing) + of.smoothing / 2;
        total -= w * (smooth * std::log(y[o]) + (1 - smooth) * std::log(1 - y[o]));
        weight += w;
      } else {
        total += of.kind == SLUICE_MSE ? error * error
                 : size <= of.delta    ? error * error / 2
                                       : of.delta * (size - of.delta / 2);
        weight += 1;
      }
    }
  }

  /// @param j  the number's place in its row, for a PReLU
  static double curve(const Layer& layer, sluice_activation f, double v, size_t j = 0) {
    const double hard = std::fmin(1, std::fmax(0, layer.parameter * v + 0.5));
    // Klambauer et al. 2017
    const double scale = 1.0507009873554804934, alpha = 1.6732632423543772848;
    switch (f) {
      case SLUICE_TANH:
        return std::tanh(v);
      case SLUICE_SIGMOID:
        return sigmoid(v);
      case SLUICE_RELU:
        return v > 0 ? v : 0;
      case SLUICE_HARD_SIGMOID:
        return hard;
      case SLUICE_ELU:
        return v > 0 ? v : layer.second * std::expm1(v);
      case SLUICE_LEAKY_RELU:
        return v > 0 ? v : layer.second * v;
      case SLUICE_PRELU:
        return v > 0 ? v : layer.arrays.at("slope")[j] * v;
      case SLUICE_SILU:
        return v * sigmoid(v);
      case SLUICE_GELU:
        return v * std::erfc(-v / std::sqrt(2.0)) / 2;
      case SLUICE_GELU_TANH:
        return v / 2 * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (v + 0.044715 * v * v * v)));
      case SLUICE_SOFTPLUS:
        return std::fmax(v, 0) + std::log1p(std::exp(-std::fabs(v)));
      case SLUICE_CLIP:
        return std::fmin(layer.second, std::fmax(layer.parameter, v));
      case SLUICE_SOFTSIGN:
        return v / (1 + std::fabs(v));
      case SLUICE_EXPONENTIAL:
        return std::exp(v);
      case SLUICE_SELU:
        return scale * (v > 0 ? v : alpha * std::expm1(v));
      case SLUICE_HARD_SILU:
        return v * hard;
      case SLUICE_SQRT:
        return v > 0 ? std::sqrt(v) : 0;
      case SLUICE_LOG:
        return std::log(v);
      default:
        return v;
    }
  }
  static double squash(const Layer& layer, double v) { return curve(layer, layer.candidate, v); }
  static double gate(const Layer& layer, double v) {
    return curve(layer, layer.activation == SLUICE_LINEAR ? SLUICE_SIGMOID : layer.activation, v);
  }

  static void activate(const Layer& layer, Frame& y) {
    double sum = 0;
    for (size_t j = 0; j < y.size(); ++j) {
      double& v = y[j];
      v = curve(layer, layer.activation, v, j);
      if (layer.activation == SLUICE_SOFTMAX) sum += v = std::exp(v);
    }
    if (layer.activation == SLUICE_SOFTMAX)
      for (double& v : y) v /= sum;
  }

  /// Returns the arrays by name; for a tied layer, those of the layer that it shares with.
  const std::vector<double>& array(size_t l, const std::string& name) const {
    return layers[layers[l].tied >= 0 ? size_t(layers[l].tied) : l].arrays.at(name);
  }

  struct CellState {
    Frame h, c;
  };

  /// Returns W x + b for a cell's matrix; W = W1 W2 if it has low rank.
  Frame product(size_t l, const std::string& name, const std::string& suffix, const Frame& bias,
                Frame x) const {
    const std::string factor = (name == "weight_ih" ? "factor_ih" : "factor_hh") + suffix;
    const Layer& layer = layers[layers[l].tied >= 0 ? size_t(layers[l].tied) : l];
    if (const auto w2 = layer.arrays.find(factor); w2 != layer.arrays.end())
      x = affine(w2->second, Frame(w2->second.size() / x.size()), x);
    return affine(array(l, name + suffix), bias, x);
  }

  /// Computes one step of a cell by PyTorch's formulas; GRU_BEFORE by those of Cho et al. 2014,
  /// FASTGRNN by those of Kusupati et al. 2018.
  void cell_step(size_t l, const std::string& suffix, const Frame& frame, CellState& s) const {
    const Layer& layer = layers[l];
    const size_t n = layer.kind == SLUICE_LSTM ? s.c.size() : s.h.size();
    const Frame zero(n);
    if (layer.kind == SLUICE_GRU_BEFORE) {
      const Frame i = product(l, "weight_ih", suffix, array(l, "bias_ih" + suffix), frame);
      const Frame h = seen(l, s.h), u = product(l, "weight_hh", suffix, Frame(2 * n), h);
      Frame reset(n);
      for (size_t j = 0; j < n; ++j) reset[j] = gate(layer, i[j] + u[j]) * h[j];
      const Frame candidate = product(l, "weight_hn", suffix, zero, reset);
      for (size_t j = 0; j < n; ++j) {
        const double z = gate(layer, i[n + j] + u[n + j]);
        s.h[j] = (1 - z) * squash(layer, i[2 * n + j] + candidate[j]) + z * s.h[j];
      }
      return;
    }
    if (layer.kind == SLUICE_FASTGRNN) {
      const Frame i = product(l, "weight_ih", suffix, zero, frame);
      const Frame r = product(l, "weight_hh", suffix, zero, seen(l, s.h));
      const double zeta = sigmoid(array(l, "zeta" + suffix)[0]),
                   nu = sigmoid(array(l, "nu" + suffix)[0]);
      for (size_t j = 0; j < n; ++j) {
        const double z = gate(layer, i[j] + r[j] + array(l, "bias_gate" + suffix)[j]);
        const double candidate = std::tanh(i[j] + r[j] + array(l, "bias_update" + suffix)[j]);
        s.h[j] = (zeta * (1 - z) + nu) * candidate + z * s.h[j];
      }
      return;
    }
    const Frame i = product(l, "weight_ih", suffix, array(l, "bias_ih" + suffix), frame);
    const Frame r = product(l, "weight_hh", suffix, array(l, "bias_hh" + suffix), seen(l, s.h));
    Frame h(n);
    for (size_t j = 0; j < n; ++j) {
      if (layer.kind == SLUICE_GRU) {
        const double reset = gate(layer, i[j] + r[j]), update = gate(layer, i[n + j] + r[n + j]);
        const double candidate = squash(layer, i[2 * n + j] + reset * r[2 * n + j]);
        s.h[j] = (1 - update) * candidate + update * s.h[j];
      } else if (layer.kind == SLUICE_LSTM) {
        // What the gate reads of its own unit's cell state.
        const auto& arrays = layers[layer.tied >= 0 ? size_t(layer.tied) : l].arrays;
        const auto p = arrays.find("peephole" + suffix);
        const auto peeked = [&](size_t which) {
          return p == arrays.end() ? 0 : p->second[which * n + j] * s.c[j];
        };
        const double in = gate(layer, i[j] + r[j] + peeked(0)),
                     forget = gate(layer, i[n + j] + r[n + j] + peeked(1));
        const double g = squash(layer, i[2 * n + j] + r[2 * n + j]);
        s.c[j] = forget * s.c[j] + in * g;
        const double most = layer.cell_clip;
        if (most > 0) s.c[j] = std::fmin(most, std::fmax(-most, s.c[j]));
        h[j] = gate(layer, i[3 * n + j] + r[3 * n + j] + peeked(2)) * squash(layer, s.c[j]);
      } else {
        s.h[j] = squash(layer, i[j] + r[j]);
      }
    }
    if (layer.kind == SLUICE_LSTM)
      s.h = layer.cells ? affine(array(l, "weight_hr" + suffix), Frame(s.h.size()), h) : h;
  }

  Frames one_direction(size_t l, const std::string& suffix, const Frames& x, size_t n) const {
    const Layer& layer = layers[l];
    const auto start = [&](const std::string& name) {
      const Layer& own = layers[layer.tied >= 0 ? size_t(layer.tied) : l];
      const auto found = own.arrays.find(name + suffix);
      const bool wide = name == "initial_c" && layer.cells;
      return found == own.arrays.end() ? Frame(wide ? layer.cells : n) : found->second;
    };
    CellState s{start("initial_h"), start("initial_c")};
    Frames out;
    Frame sum(n);
    for (const Frame& frame : x) {
      cell_step(l, suffix, frame, s);
      for (size_t j = 0; j < n; ++j) sum[j] += s.h[j] / double(x.size());
      out.push_back(s.h);
    }
    if (layer.mean) return {sum};
    return layer.every_step ? out : Frames{s.h};
  }

  Frames recurrent(size_t l, Frames x) const {
    if (!layers[l].both) return one_direction(l, "", x, layers[l].out);
    const size_t n = layers[l].out / 2;
    Frames out = one_direction(l, "", x, n);
    std::reverse(x.begin(), x.end());
    Frames back = one_direction(l, "_reverse", x, n);
    std::reverse(back.begin(), back.end());
    for (size_t t = 0; t < out.size(); ++t)
      out[t].insert(out[t].end(), back[t].begin(), back[t].end());
    return out;
  }

  static void normalize_batch(const Layer& layer, std::vector<Frames>& all) {
    for (size_t j = 0; j < layer.out; ++j) {
      double sum = 0, squares = 0, n = 0;
      for (const Frames& frames : all)
        for (const Frame& f : frames) sum += f[j], n += 1;
      for (const Frames& frames : all)
        for (const Frame& f : frames) squares += (f[j] - sum / n) * (f[j] - sum / n);
      for (Frames& frames : all)
        for (Frame& f : frames)
          f[j] = (f[j] - sum / n) / std::sqrt(squares / n + layer.parameter) *
                     layer.arrays.at("weight")[j] +
                 layer.arrays.at("bias")[j];
    }
  }

  static Frame normalized(const Layer& layer, const Frame& x) {
    double mean = 0, var = 0;
    for (const double v : x) mean += v / double(x.size());
    for (const double v : x) var += (v - mean) * (v - mean) / double(x.size());
    Frame y(x.size());
    for (size_t j = 0; j < x.size(); ++j) {
      const bool batch = layer.kind == SLUICE_BATCH_NORM;
      const double center = batch ? layer.arrays.at("running_mean")[j] : mean,
                   spread = batch ? layer.arrays.at("running_var")[j] : var;
      y[j] = (x[j] - center) / std::sqrt(spread + layer.parameter) * layer.arrays.at("weight")[j] +
             layer.arrays.at("bias")[j];
    }
    return y;
  }

  /// Returns the mean of x over the steps, weighted by the exponentials of the scores.
  static Frame attended(const Frames& scores, const Frames& x) {
    double most = scores[0][0], sum = 0;
    for (const Frame& score : scores) most = std::fmax(most, score[0]);
    Frame y(x[0].size());
    for (size_t t = 0; t < x.size(); ++t) {
      const double weight = std::exp(scores[t][0] - most);
      sum += weight;
      for (size_t i = 0; i < y.size(); ++i) y[i] += weight * x[t][i];
    }
    for (double& v : y) v /= sum;
    return y;
  }

  /// Returns the output of a layer that joins its sources. It has as many rows as the source with
  /// the fewest, and takes the last rows of the others.
  Frames joined(const Layer& layer, const std::vector<Frames>& outputs) const {
    if (layer.kind == SLUICE_ATTENTION)
      return {attended(outputs[layer.sources[0]], outputs[layer.sources[1]])};
    size_t rows = outputs[layer.sources[0]].size();
    for (const uint32_t source : layer.sources) rows = std::min(rows, outputs[source].size());
    Frames result(rows);
    for (const uint32_t source : layer.sources)
      for (size_t t = 0; t < rows; ++t) {
        Frame x = outputs[source][outputs[source].size() - rows + t];
        if (layer.kind == SLUICE_CONCAT) {
          if (source) x = seen(source - 1, x);
          result[t].insert(result[t].end(), x.begin(), x.end());
        } else if (result[t].empty()) {
          result[t] = x;
        } else {
          for (size_t j = 0; j < x.size(); ++j)
            result[t][j] = layer.kind == SLUICE_ADD ? result[t][j] + x[j] : result[t][j] * x[j];
        }
      }
    return result;
  }

  /// @param outputs the model's frames, then the output of each earlier layer
  static Frames windows(const Layer& layer, const Frames& x) {
    Frames y;
    for (size_t t = layer.first; t < x.size(); t += layer.stride) {
      Frame window;
      for (size_t part = layer.parts; part-- > 0;) {
        const size_t back = part * layer.dilation, newest = t + layer.ahead;
        const bool inside = back <= newest && newest - back < x.size();
        const Frame from = inside ? x[newest - back] : Frame(layer.in, 0);
        window.insert(window.end(), from.begin(), from.end());
      }
      y.push_back(window);
    }
    return y;
  }

  static Frame pooled(const Layer& layer, const Frame& x) {
    const size_t columns = layer.out / layer.parts, rows = layer.in / layer.out;
    Frame y;
    for (size_t i = 0; i < layer.out; ++i) {
      const double* const first = x.data() + i / columns * rows * columns + i % columns;
      double most = *first, sum = 0, squares = 0;
      for (size_t row = 0; row < rows; ++row) {
        const double v = first[row * columns];
        most = std::fmax(most, v), sum += v, squares += v * v;
      }
      y.push_back(layer.kind == SLUICE_MAX_POOL    ? most
                  : layer.kind == SLUICE_MEAN_POOL ? sum / double(rows)
                                                   : std::sqrt(squares));
    }
    return y;
  }

  Frames layer_answers(size_t l, const std::vector<Frames>& outputs) const {
    const Layer& layer = layers[l];
    if (anatomy_of(uint32_t(layer.kind)).joins) return joined(layer, outputs);
    Frames x = outputs[layer.sources[0]];
    for (Frame& frame : x)
      if (layer.sources[0] > 0) frame = seen(layer.sources[0] - 1, frame);
    switch (layer.kind) {
      case SLUICE_DENSE:
        for (Frame& frame : x) {
          const std::size_t parts = std::max<std::size_t>(layer.parts, 1);
          Frame y;
          for (std::size_t part = 0; part < parts; ++part) {
            const auto begin = frame.begin() + std::ptrdiff_t(part * frame.size() / parts);
            Frame one = affine(array(l, "weight"), array(l, "bias"),
                               Frame(begin, begin + std::ptrdiff_t(frame.size() / parts)));
            activate(layer, one);
            y.insert(y.end(), one.begin(), one.end());
          }
          frame = y;
        }
        return x;
      case SLUICE_CURVE:
        for (Frame& frame : x) activate(layer, frame);
        return x;
      case SLUICE_WINDOW:
        return windows(layer, x);
      case SLUICE_MAX_OVER_STEPS:
      case SLUICE_MEAN_OVER_STEPS: {
        Frame all = x[0];
        for (size_t t = 1; t < x.size(); ++t)
          for (size_t i = 0; i < all.size(); ++i)
            all[i] = layer.kind == SLUICE_MEAN_OVER_STEPS ? all[i] + x[t][i]
                                                          : std::fmax(all[i], x[t][i]);
        for (double& v : all) v /= layer.kind == SLUICE_MEAN_OVER_STEPS ? double(x.size()) : 1;
        return {all};
      }
      case SLUICE_MAX_POOL:
      case SLUICE_MEAN_POOL:
      case SLUICE_NORM_POOL:
        for (Frame& frame : x) frame = pooled(layer, frame);
        return x;
      case SLUICE_UNIT_NORM:
        for (Frame& frame : x) {
          double square = 0;
          for (const double v : frame) square += v * v;
          for (double& v : frame) v /= std::fmax(std::sqrt(square), layer.parameter);
        }
        return x;
      case SLUICE_EMBEDDING:
        for (Frame& frame : x) {
          const double id = frame[0] >= 0 && frame[0] < double(layer.in) ? frame[0] : layer.in > 1;
          frame.resize(layer.out);
          for (size_t j = 0; j < layer.out; ++j)
            frame[j] = layer.arrays.at("weight")[j * layer.in + size_t(id)];
        }
        return x;
      case SLUICE_STANDARDIZE:
        for (Frame& frame : x)
          for (size_t j = 0; j < frame.size(); ++j)
            frame[j] = (frame[j] - layer.arrays.at("mean")[j]) * layer.arrays.at("scale")[j];
        return x;
      case SLUICE_DIFFERENCE:
        for (size_t t = x.size(); t-- > 0;)
          for (size_t j = 0; j < layer.in; ++j) x[t][j] = t ? x[t][j] - x[t - 1][j] : 0;
        return x;
      case SLUICE_SELECT:
        for (Frame& frame : x) {
          const Frame all = frame;
          frame.resize(layer.out);
          for (size_t j = 0; j < layer.out; ++j)
            frame[j] = layer.columns[j] < 0 ? 0 : all[size_t(layer.columns[j])];
        }
        return x;
      case SLUICE_BATCH_NORM:
      case SLUICE_LAYER_NORM:
        for (Frame& frame : x) frame = normalized(layer, frame);
        return x;
      default:
        return recurrent(l, x);
    }
  }
};

}  // namespace sluice::tests
