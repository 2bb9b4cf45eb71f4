// Networks by the words of a shape: 12 gru 32 tanh 9. A word is a cell (gru+relu: with that
// candidate, gru+hard: with gates of a hard sigmoid, gru+start: with an initial state,
// lstm+peek+clip: with peepholes and its cell state clipped, lstm+proj: projected, gru.8: of rank
// 8, gru+relu+hard.8), embedding, standardize, difference, select, padded (a select with zeros),
// dense, or a Dense's activation (relu@6: for each of 6 parts, each with that many units); window.2
// (of so many steps, each the second), max_pool@3, mean_pool@3 or norm_pool@3 (of 3 parts, each
// with so many numbers), unit_norm, curve+tanh; or concat, add or multiply, which join the layer
// before with itself, so many times. In fixed point a shape may begin with sparse.
#ifndef SLUICE_TESTS_FIRMWARE_SHAPE_H
#define SLUICE_TESTS_FIRMWARE_SHAPE_H

#include <algorithm>
#include <cstdint>
#include <string>

#include "model/network.h"

/// The layer of a word, all zeros, behind `before` others; a cell hands every step on. Its kind is
/// 0 for a word that is none.
inline sluice::tools::Layer layer_of_word(const std::string& word, int in, int units,
                                          sluice_format format, std::size_t before = 0) {
  using sluice::tools::make_layer;
  for (const sluice_layer_kind kind : {SLUICE_CONCAT, SLUICE_ADD, SLUICE_MULTIPLY})
    if (word == sluice_layer_name(kind)) {
      const int out = kind == SLUICE_CONCAT ? units * in : in;
      sluice::tools::Layer layer = make_layer(kind, out, out, SLUICE_LINEAR, false, format);
      layer.sources.assign(std::size_t(units), std::uint32_t(before));
      return with_arrays(std::move(layer));
    }
  using sluice::tools::Layer;
  const std::size_t at = word.find('@');
  const int parts = at == std::string::npos ? 0 : std::stoi(word.substr(at + 1));
  if (at != std::string::npos) {
    Layer layer = layer_of_word(word.substr(0, at), in / parts, units, format, before);
    layer.in = in, layer.out = units * parts, layer.parts = parts;
    for (const sluice_layer_kind pool : {SLUICE_MAX_POOL, SLUICE_MEAN_POOL, SLUICE_NORM_POOL})
      if (word.substr(0, at) == sluice_layer_name(pool)) layer.kind = pool, layer.format = format;
    return with_arrays(std::move(layer));
  }
  if (word.substr(0, word.find_first_of("./")) == "window") {
    Layer layer;
    layer.kind = SLUICE_WINDOW, layer.format = format;
    layer.in = in, layer.out = in * units, layer.parts = units;
    const std::size_t dot = word.find('.');
    layer.dilation = dot == std::string::npos ? 1 : std::stoi(word.substr(dot + 1));
    const std::size_t slash = word.find('/');  // the stride, without zeros
    if (slash != std::string::npos)
      layer.stride = std::stoi(word.substr(slash + 1)), layer.first = (units - 1) * layer.dilation;
    return with_arrays(std::move(layer));
  }
  if (word == "unit_norm" || word.substr(0, word.find('+')) == "curve") {
    Layer layer;
    if (word != "unit_norm")
      layer = layer_of_word(word.substr(word.find('+') + 1), in, in, format, before);
    layer.kind = word == "unit_norm" ? SLUICE_UNIT_NORM : SLUICE_CURVE;
    layer.in = layer.out = in, layer.format = format;
    if (word == "unit_norm") layer.parameter = 1e-12f;
    return with_arrays(std::move(layer));
  }
  if (word == "select" || word == "padded") {
    sluice::tools::Layer layer = make_layer(SLUICE_SELECT, in, units, SLUICE_LINEAR, false, format);
    for (int i = 0; i < units; ++i)
      layer.array(sluice::Role::columns).integers[std::size_t(i)] =
          word == "padded" && i % 5 == 4 ? -1 : i * 7 % in;
    return layer;
  }
  const std::size_t dot = word.find('.'), plus = word.find('+');
  const std::string options = plus < dot ? word.substr(plus, dot - plus) + "+" : "";
  for (const sluice_layer_kind cell :
       {SLUICE_GRU, SLUICE_GRU_BEFORE, SLUICE_LSTM, SLUICE_RNN, SLUICE_FASTGRNN})
    if (word.substr(0, std::min(dot, plus)) == sluice_layer_name(cell)) {
      sluice::tools::Layer layer = make_layer(cell, in, units, SLUICE_LINEAR, true, format);
      if (dot != std::string::npos) layer.rank = std::stoi(word.substr(dot + 1));
      for (const sluice_activation f : {SLUICE_LINEAR, SLUICE_RELU, SLUICE_SOFTSIGN, SLUICE_SELU})
        if (options.find("+" + std::string(sluice_activation_name(f)) + "+") != std::string::npos)
          layer.candidate = f;
      if (options.find("+proj+") != std::string::npos) layer.cells = units + 5;
      layer.peepholes = options.find("+peek+") != std::string::npos;
      layer.cell_clip = options.find("+clip+") != std::string::npos ? 0.5f : 0;
      layer.initial_state = options.find("+start+") != std::string::npos;
      if (options.find("+hard+") != std::string::npos)
        layer.activation = SLUICE_HARD_SIGMOID, layer.parameter = 0.2f;
      return with_arrays(std::move(layer));
    }
  if (word == "embedding")
    return make_layer(SLUICE_EMBEDDING, in, units, SLUICE_LINEAR, false, format);
  if (word == "standardize")
    return make_layer(SLUICE_STANDARDIZE, in, in, SLUICE_LINEAR, false, format);
  if (word == "difference")
    return make_layer(SLUICE_DIFFERENCE, in, in, SLUICE_LINEAR, false, format);
  if (word == "dense") return make_layer(SLUICE_DENSE, in, units, SLUICE_LINEAR, false, format);
  for (int f = SLUICE_TANH; f <= SLUICE_LOG; ++f)
    if (word == sluice_activation_name(std::uint32_t(f))) {
      sluice::tools::Layer layer =
          make_layer(SLUICE_DENSE, in, units, sluice_activation(f), false, format);
      if (f == SLUICE_HARD_SIGMOID || f == SLUICE_HARD_SILU) layer.parameter = 1.0f / 6;
      if (f == SLUICE_ELU || f == SLUICE_LEAKY_RELU) layer.second = 0.5f;
      if (f == SLUICE_CLIP) layer.parameter = -0.5f, layer.second = 0.75f;
      return layer;
    }
  sluice::tools::Layer none;
  none.kind = sluice_layer_kind(0);
  return none;
}

/// Keeps one in ten blocks of 8 x 4 weights of each matrix, and stores the matrices sparse.
inline void leave_one_block_in_ten(sluice::tools::Layer& layer) {
  layer.sparse = true;
  for (sluice::tools::Array& a : layer.arrays) {
    if (!a.is_matrix()) continue;
    int block = 0;
    for (int gate = 0; gate < a.gates; ++gate)
      for (int panel = 0; panel < a.rows; panel += 8)
        for (int first = 0; first < a.cols; first += 4) {
          if (block++ % 10 == 0) continue;
          for (int row = panel; row < a.rows && row < panel + 8; ++row)
            for (int col = first; col < a.cols && col < first + 4; ++col)
              a.integers[std::size_t(gate * a.rows + row) * std::size_t(a.cols) +
                         std::size_t(col)] = 0;
        }
  }
}

#endif
