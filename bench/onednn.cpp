#include "onednn.h"

#if defined(SLUICE_WITH_ONEDNN)

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>

#include "bench.h"

namespace sluice::bench {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;
using Arguments = std::unordered_map<int, memory>;

constexpr auto direction = dnnl::rnn_direction::unidirectional_left2right;

memory::desc described(memory::dims dims, Tag tag) {
  return {std::move(dims), memory::data_type::f32, tag};
}

/// The arrays of a cell's primitives. An LSTM also has c, as large as h.
struct Gru {
  static constexpr int gates = 3, biases = 4;
  using Forward = dnnl::lbr_gru_forward;
  using Backward = dnnl::lbr_gru_backward;
};
struct Lstm {
  static constexpr int gates = 4, biases = 4;
  using Forward = dnnl::lstm_forward;
  using Backward = dnnl::lstm_backward;
};

template <class Cell>
struct Layer {
  static constexpr bool has_c = std::is_same_v<Cell, Lstm>;
  using Forward = typename Cell::Forward;
  using Backward = typename Cell::Backward;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  memory::desc x, h, y, w_x, w_h, bias;  ///< weights in the order that oneDNN prefers

  Layer(int in, int hidden, int steps, int batch) {
    omp_set_num_threads(1);
    x = described({steps, batch, in}, Tag::tnc);
    h = described({1, 1, batch, hidden}, Tag::ldnc);
    y = described({steps, batch, hidden}, Tag::tnc);
    w_x = described({1, 1, in, Cell::gates, hidden}, Tag::any);
    w_h = described({1, 1, hidden, Cell::gates, hidden}, Tag::any);
    bias = described({1, 1, Cell::biases, hidden}, Tag::ldgo);
  }

  typename Forward::primitive_desc forward(dnnl::prop_kind kind) const {
    if constexpr (has_c)
      return {{kind, direction, x, h, h, w_x, w_h, bias, y, h, h}, engine};
    else
      return {{kind, direction, x, h, w_x, w_h, bias, y, h}, engine};
  }

  typename Backward::primitive_desc backward(const typename Forward::primitive_desc& hint) const {
    constexpr auto kind = dnnl::prop_kind::backward;
    if constexpr (has_c)
      return {{kind, direction, x, h, h, w_x, w_h, bias, y, h, h, x, h, h, w_x, w_h, bias, y, h, h},
              engine,
              hint};
    else
      return {
          {kind, direction, x, h, w_x, w_h, bias, y, h, x, h, w_x, w_h, bias, y, h}, engine, hint};
  }

  /// Returns memory of that layout with numbers like those of our models. A repacked order may take
  /// more room than its elements.
  memory filled(const memory::desc& desc, float range = 1.0f) const {
    memory m(desc, engine);
    fill(static_cast<float*>(m.get_data_handle()), desc.get_size() / sizeof(float), range);
    return m;
  }

  /// Reorders plain weights into oneDNN's own order, which may hold offsets and padding of its own.
  memory weights(const memory::desc& wanted, memory::dims dims, float range) {
    const memory plain = filled(described(std::move(dims), Tag::ldigo), range);
    memory packed(wanted, engine);
    dnnl::reorder(plain, packed).execute(stream, const_cast<memory&>(plain), packed);
    stream.wait();
    return packed;
  }
};

}  // namespace

std::string onednn_version() {
  const dnnl_version_t* v = dnnl::version();
  return std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
}

std::function<void()> onednn_run(int in, int hidden, int steps) {
  auto gru = std::make_shared<Layer<Gru>>(in, hidden, steps, 1);
  const auto desc = gru->forward(dnnl::prop_kind::forward_inference);
  const float range = 1.0f / std::sqrt(float(hidden));
  const memory state[2] = {gru->filled(gru->h), gru->filled(gru->h)};
  const auto arguments = [&](int from) -> Arguments {
    return {{DNNL_ARG_SRC_LAYER, gru->filled(gru->x)},
            {DNNL_ARG_SRC_ITER, state[from]},
            {DNNL_ARG_WEIGHTS_LAYER,
             gru->weights(desc.weights_layer_desc(), {1, 1, in, 3, hidden}, range)},
            {DNNL_ARG_WEIGHTS_ITER,
             gru->weights(desc.weights_iter_desc(), {1, 1, hidden, 3, hidden}, range)},
            {DNNL_ARG_BIAS, gru->filled(gru->bias, range)},
            {DNNL_ARG_DST_LAYER, gru->filled(gru->y)},
            {DNNL_ARG_DST_ITER, state[1 - from]},
            {DNNL_ARG_WORKSPACE, memory(desc.workspace_desc(), gru->engine)}};
  };
  // The state alternates between two arrays; everything else is the same memory.
  const Arguments there = arguments(0);
  Arguments back = there;
  std::swap(back[DNNL_ARG_SRC_ITER], back[DNNL_ARG_DST_ITER]);
  return [gru, primitive = Gru::Forward(desc), there, back, turn = false]() mutable {
    primitive.execute(gru->stream, turn ? back : there);
    gru->stream.wait();
    turn = !turn;
  };
}

namespace {

template <class Cell>
std::function<void()> training(int in, int hidden, int steps, int batch) {
  using Forward = typename Cell::Forward;
  using Backward = typename Cell::Backward;
  auto layer = std::make_shared<Layer<Cell>>(in, hidden, steps, batch);
  const auto forward = layer->forward(dnnl::prop_kind::forward_training);
  const auto backward = layer->backward(forward);
  const float range = 1.0f / std::sqrt(float(hidden));
  const memory::dims over_x{1, 1, in, Cell::gates, hidden},
      over_h{1, 1, hidden, Cell::gates, hidden};
  Arguments ahead{
      {DNNL_ARG_SRC_LAYER, layer->filled(layer->x)},
      {DNNL_ARG_SRC_ITER, layer->filled(layer->h)},
      {DNNL_ARG_WEIGHTS_LAYER, layer->weights(forward.weights_layer_desc(), over_x, range)},
      {DNNL_ARG_WEIGHTS_ITER, layer->weights(forward.weights_iter_desc(), over_h, range)},
      {DNNL_ARG_BIAS, layer->filled(layer->bias, range)},
      {DNNL_ARG_DST_LAYER, layer->filled(layer->y)},
      {DNNL_ARG_DST_ITER, layer->filled(layer->h)},
      {DNNL_ARG_WORKSPACE, memory(forward.workspace_desc(), layer->engine)}};
  if (layer->has_c)
    ahead[DNNL_ARG_SRC_ITER_C] = layer->filled(layer->h),
    ahead[DNNL_ARG_DST_ITER_C] = layer->filled(layer->h);
  Arguments behind = ahead;
  behind[DNNL_ARG_WEIGHTS_LAYER] = layer->weights(backward.weights_layer_desc(), over_x, range);
  behind[DNNL_ARG_WEIGHTS_ITER] = layer->weights(backward.weights_iter_desc(), over_h, range);
  behind[DNNL_ARG_DIFF_SRC_LAYER] = layer->filled(layer->x);
  behind[DNNL_ARG_DIFF_SRC_ITER] = layer->filled(layer->h);
  behind[DNNL_ARG_DIFF_WEIGHTS_LAYER] = memory(backward.diff_weights_layer_desc(), layer->engine);
  behind[DNNL_ARG_DIFF_WEIGHTS_ITER] = memory(backward.diff_weights_iter_desc(), layer->engine);
  behind[DNNL_ARG_DIFF_BIAS] = memory(layer->bias, layer->engine);
  behind[DNNL_ARG_DIFF_DST_LAYER] = layer->filled(layer->y, 1e-3f);
  behind[DNNL_ARG_DIFF_DST_ITER] = layer->filled(layer->h, 1e-3f);
  if (layer->has_c)
    behind[DNNL_ARG_DIFF_SRC_ITER_C] = layer->filled(layer->h),
    behind[DNNL_ARG_DIFF_DST_ITER_C] = layer->filled(layer->h, 1e-3f);
  return [layer, first = Forward(forward), second = Backward(backward), ahead, behind] {
    first.execute(layer->stream, ahead);
    second.execute(layer->stream, behind);
    layer->stream.wait();
  };
}

}  // namespace

std::function<void()> onednn_training(bool lstm, int in, int hidden, int steps, int batch) {
  return lstm ? training<Lstm>(in, hidden, steps, batch) : training<Gru>(in, hidden, steps, batch);
}

}  // namespace sluice::bench

#else

namespace sluice::bench {

std::string onednn_version() { return ""; }
std::function<void()> onednn_run(int, int, int) { return {}; }
std::function<void()> onednn_training(bool, int, int, int, int) { return {}; }

}  // namespace sluice::bench

#endif
