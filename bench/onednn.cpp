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
using Forward = dnnl::lbr_gru_forward;
using Backward = dnnl::lbr_gru_backward;

constexpr auto direction = dnnl::rnn_direction::unidirectional_left2right;

memory::desc described(memory::dims dims, Tag tag) { return {std::move(dims), memory::data_type::f32, tag}; }

struct Gru {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  memory::desc x, h, y, w_x, w_h, bias;  ///< weights in whatever order oneDNN likes

  Gru(int in, int hidden, int steps, int batch) {
    omp_set_num_threads(1);
    x = described({steps, batch, in}, Tag::tnc);
    h = described({1, 1, batch, hidden}, Tag::ldnc);
    y = described({steps, batch, hidden}, Tag::tnc);
    w_x = described({1, 1, in, 3, hidden}, Tag::any);
    w_h = described({1, 1, hidden, 3, hidden}, Tag::any);
    bias = described({1, 1, 4, hidden}, Tag::ldgo);
  }

  Forward::primitive_desc forward(dnnl::prop_kind kind) const {
    return {{kind, direction, x, h, w_x, w_h, bias, y, h}, engine};
  }

  Backward::primitive_desc backward(const Forward::primitive_desc& hint) const {
    return {{dnnl::prop_kind::backward, direction, x, h, w_x, w_h, bias, y, h, x, h, w_x, w_h, bias, y, h}, engine, hint};
  }

  /// Memory of that layout with numbers like those of our models. A repacked order may hold more than its elements.
  memory filled(const memory::desc& desc, float range = 1.0f) const {
    memory m(desc, engine);
    fill(static_cast<float*>(m.get_data_handle()), desc.get_size() / sizeof(float), range);
    return m;
  }

  /// Weights come in plain and are put into oneDNN's own order, which may hold offsets and padding of its own.
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
  auto gru = std::make_shared<Gru>(in, hidden, steps, 1);
  const auto desc = gru->forward(dnnl::prop_kind::forward_inference);
  const float range = 1.0f / std::sqrt(float(hidden));
  const memory state[2] = {gru->filled(gru->h), gru->filled(gru->h)};
  const auto arguments = [&](int from) -> Arguments {
    return {{DNNL_ARG_SRC_LAYER, gru->filled(gru->x)},
            {DNNL_ARG_SRC_ITER, state[from]},
            {DNNL_ARG_WEIGHTS_LAYER, gru->weights(desc.weights_layer_desc(), {1, 1, in, 3, hidden}, range)},
            {DNNL_ARG_WEIGHTS_ITER, gru->weights(desc.weights_iter_desc(), {1, 1, hidden, 3, hidden}, range)},
            {DNNL_ARG_BIAS, gru->filled(gru->bias, range)},
            {DNNL_ARG_DST_LAYER, gru->filled(gru->y)},
            {DNNL_ARG_DST_ITER, state[1 - from]},
            {DNNL_ARG_WORKSPACE, memory(desc.workspace_desc(), gru->engine)}};
  };
  // The state goes to and fro between two arrays; everything else is the same memory.
  const Arguments there = arguments(0);
  Arguments back = there;
  std::swap(back[DNNL_ARG_SRC_ITER], back[DNNL_ARG_DST_ITER]);
  return [gru, primitive = Forward(desc), there, back, turn = false]() mutable {
    primitive.execute(gru->stream, turn ? back : there);
    gru->stream.wait();
    turn = !turn;
  };
}

std::function<void()> onednn_training(int in, int hidden, int steps, int batch) {
  auto gru = std::make_shared<Gru>(in, hidden, steps, batch);
  const auto forward = gru->forward(dnnl::prop_kind::forward_training);
  const auto backward = gru->backward(forward);
  const float range = 1.0f / std::sqrt(float(hidden));
  const memory::dims over_x{1, 1, in, 3, hidden}, over_h{1, 1, hidden, 3, hidden};
  const Arguments ahead{{DNNL_ARG_SRC_LAYER, gru->filled(gru->x)},
                        {DNNL_ARG_SRC_ITER, gru->filled(gru->h)},
                        {DNNL_ARG_WEIGHTS_LAYER, gru->weights(forward.weights_layer_desc(), over_x, range)},
                        {DNNL_ARG_WEIGHTS_ITER, gru->weights(forward.weights_iter_desc(), over_h, range)},
                        {DNNL_ARG_BIAS, gru->filled(gru->bias, range)},
                        {DNNL_ARG_DST_LAYER, gru->filled(gru->y)},
                        {DNNL_ARG_DST_ITER, gru->filled(gru->h)},
                        {DNNL_ARG_WORKSPACE, memory(forward.workspace_desc(), gru->engine)}};
  Arguments behind = ahead;
  behind[DNNL_ARG_WEIGHTS_LAYER] = gru->weights(backward.weights_layer_desc(), over_x, range);
  behind[DNNL_ARG_WEIGHTS_ITER] = gru->weights(backward.weights_iter_desc(), over_h, range);
  behind[DNNL_ARG_DIFF_SRC_LAYER] = gru->filled(gru->x);
  behind[DNNL_ARG_DIFF_SRC_ITER] = gru->filled(gru->h);
  behind[DNNL_ARG_DIFF_WEIGHTS_LAYER] = memory(backward.diff_weights_layer_desc(), gru->engine);
  behind[DNNL_ARG_DIFF_WEIGHTS_ITER] = memory(backward.diff_weights_iter_desc(), gru->engine);
  behind[DNNL_ARG_DIFF_BIAS] = memory(gru->bias, gru->engine);
  behind[DNNL_ARG_DIFF_DST_LAYER] = gru->filled(gru->y, 1e-3f);
  behind[DNNL_ARG_DIFF_DST_ITER] = gru->filled(gru->h, 1e-3f);
  return [gru, first = Forward(forward), second = Backward(backward), ahead, behind] {
    first.execute(gru->stream, ahead);
    second.execute(gru->stream, behind);
    gru->stream.wait();
  };
}

}  // namespace sluice::bench

#else

namespace sluice::bench {

std::string onednn_version() { return ""; }
std::function<void()> onednn_run(int, int, int) { return {}; }
std::function<void()> onednn_training(int, int, int, int) { return {}; }

}  // namespace sluice::bench

#endif
