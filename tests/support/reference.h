// Networks in plain double precision, from the formulas alone; shares nothing with the runtime but the numbers of the weights.
#pragma once
#include <cmath>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "convert/network.h"

namespace sluice::tests {

using Frame = std::vector<double>;
using Frames = std::vector<Frame>;

/// A sequence and what a model learns from it; classes and values as in sluice_sequence.
struct Example {
  int steps = 0;
  std::vector<float> x;
  std::vector<int32_t> classes;
  std::vector<float> values;
  uint64_t number = 0;
};

struct Reference {
  struct Layer {
    sluice_layer_kind kind;
    sluice_activation activation;
    bool every_step;
    size_t in, out;
    std::map<std::string, std::vector<double>> arrays;
  };
  std::vector<Layer> layers;

  /// Values rounded where they enter products (sluice_rounding). Where `frozen`, each rounding adds what it added in the pass
  /// before instead: then the loss has the derivative that goes straight through roundings.
  std::vector<double> unit;  ///< [layers]; empty: none
  double largest = 0;
  bool frozen = false;

  explicit Reference(const tools::Network& network) {
    for (const tools::Layer& from : network.layers) {
      Layer to{from.kind, from.activation, from.every_step, size_t(from.in), size_t(from.out), {}};
      for (const tools::Array& a : from.arrays) to.arrays[a.name] = {a.values.begin(), a.values.end()};
      layers.push_back(to);
    }
  }

  /// The answers: of every step, or of the last one.
  Frames answers(const std::vector<float>& x) const {
    const size_t inputs = layers.front().in;
    Frames frames;
    for (size_t at = 0; at < x.size(); at += inputs)
      frames.emplace_back(x.begin() + std::ptrdiff_t(at), x.begin() + std::ptrdiff_t(at + inputs));
    for (size_t l = 0; l < layers.size(); ++l) {
      for (Frame& frame : frames)
        if (l > 0) frame = seen(l - 1, frame);
      frames = layers[l].kind == SLUICE_GRU ? gru(l, frames) : through(layers[l], frames);
    }
    return frames;
  }

  /// Mean over valid targets; what sluice_train_result and its gradient are about.
  double loss(const std::vector<Example>& examples, bool cross_entropy, double* sum = nullptr,
              uint64_t* count = nullptr) const {
    if (!frozen) added.clear();
    rounding = 0;
    double total = 0;
    uint64_t valid = 0;
    for (const Example& e : examples) {
      const Frames y = answers(e.x);
      const size_t outputs = layers.back().out;
      for (size_t t = 0; t < y.size(); ++t) {
        if (cross_entropy) {
          if (e.classes[t] < 0) continue;
          total -= std::log(y[t][size_t(e.classes[t])]);
          ++valid;
        } else {
          for (size_t o = 0; o < outputs; ++o) {
            const double v = e.values[t * outputs + o];
            if (std::isnan(v)) continue;
            total += (y[t][o] - v) * (y[t][o] - v);
            ++valid;
          }
        }
      }
    }
    if (sum) *sum = total;
    if (count) *count = valid;
    return total / double(valid);
  }

 private:
  mutable std::vector<double> added;  ///< by roundings, in order
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

  static void activate(sluice_activation f, Frame& y) {
    double sum = 0;
    for (double& v : y) {
      if (f == SLUICE_TANH) v = std::tanh(v);
      if (f == SLUICE_SIGMOID) v = sigmoid(v);
      if (f == SLUICE_RELU) v = v > 0 ? v : 0;
      if (f == SLUICE_SOFTMAX) sum += v = std::exp(v);
    }
    if (f == SLUICE_SOFTMAX)
      for (double& v : y) v /= sum;
  }

  Frames gru(size_t l, const Frames& x) const {
    const Layer& layer = layers[l];
    const auto& a = layer.arrays;
    const size_t n = layer.out;
    Frame h(n);
    Frames out;
    for (const Frame& frame : x) {
      const Frame i = affine(a.at("weight_ih"), a.at("bias_ih"), frame);
      const Frame r = affine(a.at("weight_hh"), a.at("bias_hh"), seen(l, h));
      for (size_t j = 0; j < n; ++j) {
        const double reset = sigmoid(i[j] + r[j]), update = sigmoid(i[n + j] + r[n + j]);
        const double candidate = std::tanh(i[2 * n + j] + reset * r[2 * n + j]);
        h[j] = (1 - update) * candidate + update * h[j];
      }
      out.push_back(h);
    }
    return layer.every_step ? out : Frames{h};
  }

  static Frames through(const Layer& layer, Frames x) {
    switch (layer.kind) {
      case SLUICE_GRU:
        break;
      case SLUICE_DENSE:
        for (Frame& frame : x) {
          frame = affine(layer.arrays.at("weight"), layer.arrays.at("bias"), frame);
          activate(layer.activation, frame);
        }
        return x;
      case SLUICE_STANDARDIZE:
        for (Frame& frame : x)
          for (size_t j = 0; j < frame.size(); ++j)
            frame[j] = (frame[j] - layer.arrays.at("mean")[j]) * layer.arrays.at("scale")[j];
        return x;
    }
    throw std::logic_error("a layer without a reference");
  }
};

}  // namespace sluice::tests
