// Keras's convolutions and pooling of one dimension, over the steps of a sequence or over the
// positions of a row that a TimeDistributed layer hands to them.
#include <algorithm>
#include <cmath>

#include "../common/print.h"
#include "keras_network.h"
#include "step_window.h"

namespace sluice::tools {

/// A kernel that moves over steps, or over the positions of a row, of so many channels.
struct KerasNetwork::Kernel {
  StepKernel moves;
  std::size_t channels = 0;
  bool over_steps = false;

  std::size_t positions() const { return std::size_t(std::max<std::int64_t>(0, moves.outputs())); }
  std::size_t taps() const { return std::size_t(moves.taps); }
};

namespace {

using Json = JsonNode::Kind;

/// Returns the only number of a list; 1 if there is no list, 0 if it has several numbers.
std::int64_t only(const std::optional<std::vector<double>>& numbers) {
  return !numbers ? 1 : numbers->size() == 1 ? std::int64_t(numbers->front()) : 0;
}

}  // namespace

/// Reads the settings of a kernel over a sequence, or over a row of [positions][channels]. Adds an
/// obstacle and returns nothing if it cannot be expressed.
/// @param names  of the settings of its size and of its stride, two each
std::optional<KerasNetwork::Kernel> KerasNetwork::kernel_of(const Use& use, const KerasValue& from,
                                                            const char* const* names, bool pools) {
  const auto numbers = [&](const char* name, const char* older) {
    const JsonNode* const node = use.config.find({name, older});
    return node && !node->is(Json::null) ? whole_numbers(node) : std::nullopt;
  };
  if (!has_last_channels(use)) return std::nullopt;
  Kernel kernel;
  StepKernel& moves = kernel.moves;
  const auto size = numbers(names[0], names[1]), strides = numbers(names[2], names[3]);
  moves.taps = size ? only(size) : pools ? 2 : 0;
  moves.stride = strides ? only(strides) : pools ? moves.taps : 1;
  moves.dilation = pools ? 1 : only(numbers("dilation_rate", "atrous_rate"));
  constexpr std::int64_t most = 65535;
  const char* reason = nullptr;
  if (std::min({moves.taps, moves.stride, moves.dilation}) < 1 ||
      std::max({moves.taps, moves.stride, moves.dilation}) > most)
    reason = "a kernel that makes no sense";
  else if (from.sequence && from.dims.size() != 1)
    reason = "frames of several dimensions";
  else if (!from.sequence && from.dims.size() != 2)
    reason = "a row without positions";
  else if (from.sequence && from.once)
    reason =
        "reads the answer to the last step as a sequence, and a network goes over its frames once";
  else if (from.is_padded() && from.padded_steps != from.sequence)
    reason = "zeros between the steps of one layer and the positions of another";
  else if (from.masked && !(pools && moves.taps == 1 && moves.stride == 1))
    reason = "reads steps of which some are masked";
  else if (from.sequence && (moves.taps > 1 || moves.stride > 1) && from.reversed)
    reason = "reads steps from the last one to the first";
  if (reason) {
    obstacles_.add("{}: {}", use.at, reason);
    return std::nullopt;
  }
  kernel.over_steps = from.sequence, kernel.channels = from.dims.back();
  moves.steps = std::int64_t(from.sequence ? from.steps : from.dims[0]);
  const std::string padding = use.config.word({"padding", "border_mode"}, "valid");
  if (padding == "causal") {
    moves.front = moves.reach();
  } else if (padding == "same") {
    // Of the steps with the zeros that were put around them.
    StepKernel padded = moves;
    if (padded.steps > 0) padded.steps += std::int64_t(from.front + from.back);
    const bool known = pad_same(padded);
    moves.front = padded.front, moves.back = padded.back;
    if (!known) {
      obstacles_.add(
          "{}: pads by \"same\" for a stride of {}, and the number of steps is not known", use.at,
          moves.stride);
      return std::nullopt;
    }
  } else if (padding != "valid") {
    obstacles_.add("{}: padding \"{}\"", use.at, brief(padding));
    return std::nullopt;
  }
  moves.front += std::int64_t(from.front), moves.back += std::int64_t(from.back);
  if (moves.steps > 0 && kernel.positions() == 0) {
    obstacles_.add("{}: a kernel of {} steps over {}, which has no output", use.at, moves.taps,
                   moves.steps);
    return std::nullopt;
  }
  return kernel;
}

/// Returns the steps that a kernel reads, side by side, the oldest first.
KerasValue KerasNetwork::step_window(const Use& use, const KerasValue& from, const Kernel& kernel) {
  Layer window;
  if (const std::string reason = window_of(kernel.moves, kernel.channels, window);
      !reason.empty()) {
    obstacles_.add("{}: {}", use.at, reason);
    return {};
  }
  KerasValue to = from;
  to.front = to.back = 0;
  if (kernel.moves.taps == 1 && kernel.moves.stride == 1 && window.first == 0) return to;
  const bool thins = window.thins();
  to = add(use, with_arrays(std::move(window)), to);
  if (kernel.moves.steps > 0) to.steps = kernel.positions();
  if (thins) to.left_out = to.source;
  return to;
}

/// Returns the positions of a row that a kernel reads, side by side, for each of its outputs.
/// @param largest  a pooling that takes the largest number: one more of them replaces padding that
///                 is not a number
KerasValue KerasNetwork::patches(const Use& use, const KerasValue& from, const Kernel& kernel,
                                 bool largest) {
  const StepKernel& moves = kernel.moves;
  const std::size_t all = kernel.positions() * kernel.taps() * kernel.channels;
  if (all > widest) {
    obstacles_.add("{}: {} patches of {} numbers; at most {} in all are possible", use.at,
                   kernel.positions(), kernel.taps() * kernel.channels, widest);
    return {};
  }
  std::vector<std::int32_t> columns;
  bool same = all == from.width();
  for (std::size_t position = 0; position < kernel.positions(); ++position) {
    const std::int64_t begin = std::int64_t(position) * moves.stride - moves.front;
    const auto is_number = [&](std::int64_t at) {  // or a zero that ZeroPadding1D put there
      return at >= -std::int64_t(from.front) && at < moves.steps + std::int64_t(from.back);
    };
    std::int64_t inside = 0;
    for (std::int64_t tap = 0; tap < moves.taps; ++tap)
      if (const std::int64_t at = begin + tap * moves.dilation; is_number(at)) inside = at;
    for (std::int64_t tap = 0; tap < moves.taps; ++tap) {
      std::int64_t at = begin + tap * moves.dilation;
      if (largest && !is_number(at)) at = inside;
      const bool outside = at < 0 || at >= moves.steps;
      for (std::size_t channel = 0; channel < kernel.channels; ++channel) {
        columns.push_back(outside ? -1 : std::int32_t(std::size_t(at) * kernel.channels + channel));
        same = same && columns.back() == std::int32_t(columns.size() - 1);
      }
    }
  }
  KerasValue to = from;
  to.front = to.back = 0;
  if (same) return to;
  take(columns.size());
  to.source = append_select(to_.network, source_of(from), columns);
  to.dims = {columns.size()}, to.input = false;
  return to;
}

/// @param weights  [filters][taps * channels]
KerasValue KerasNetwork::kernel_product(const Use& use, const KerasValue& from,
                                        const Kernel& kernel, std::size_t filters,
                                        const std::vector<float>& weights, const View& bias,
                                        const Curve& curve) {
  const std::size_t columns = kernel.taps() * kernel.channels;
  const bool known = obstacles_.empty();
  const KerasValue read =
      kernel.over_steps ? step_window(use, from, kernel) : patches(use, from, kernel, false);
  if (known && !obstacles_.empty()) return {};
  Layer layer = dense_layer(matrix_of(weights, filters, columns), bias, curve);
  if (kernel.over_steps) return add(use, std::move(layer), read);
  const std::size_t positions = kernel.positions();
  if (positions * filters > widest) {
    obstacles_.add("{}: {} numbers, and {} are the most", use.at, positions * filters, widest);
    return {};
  }
  if (positions > 1) {
    Layer parted = layer;
    parted.parts = int(positions);
    parted.in *= int(positions), parted.out *= int(positions);
    layer = std::move(parted);
  }
  KerasValue to = add(use, std::move(layer), read);
  to.dims = {positions, filters};
  return to;
}

KerasValues KerasNetwork::read_convolution(const Use& use, const KerasValues& inputs) {
  const bool depthwise = use.layer.type == "DepthwiseConv1D",
             separable = use.layer.type.starts_with("Separable");
  const bool bias = use.config.truth({"use_bias", "bias"}, true);
  const auto curve = curve_of(use.config.word({"activation"}, "linear"), nullptr, use.at);
  const double groups = use.config.number({"groups"}, 1),
               wide = use.config.number({"depth_multiplier"}, 1);
  std::size_t filters = use.config.size({"filters", "nb_filter"}, 0);
  if (!depthwise && filters == 0)
    refuse("{}: filters: is missing or 0; write the file again", use.config.place);
  if (!takes_one(use, inputs)) return {KerasValue()};
  constexpr const char* names[] = {"kernel_size", "filter_length", "strides", "subsample_length"};
  const std::optional<Kernel> kernel = kernel_of(use, inputs[0], names, false);
  if (!kernel || !curve) return {KerasValue()};
  const std::size_t channels = kernel->channels, taps = kernel->taps(), columns = taps * channels;
  const auto whole_between = [](double number, double most) {
    return number >= 1 && number <= most && number == std::floor(number);
  };
  if (!whole_between(groups, double(channels)) || !whole_between(wide, double(widest)) ||
      channels % std::size_t(groups) || (!depthwise && filters % std::size_t(groups)) ||
      columns > widest || double(channels) * wide > double(widest)) {
    obstacles_.add("{}: {} channels in {} groups", use.at, channels, groups);
    return {KerasValue()};
  }
  const std::size_t own = channels / std::size_t(groups),  // channels of a group
      multiple = std::size_t(wide);
  if (depthwise || separable) {
    // Each channel has filters of its own.
    std::vector<Wanted> wanted = {{"weight, transposed", {taps, channels, multiple}}};
    if (separable) wanted.push_back({"weight", {1, channels * multiple, filters}});
    if (bias) wanted.push_back({"bias", {separable ? filters : channels * multiple}});
    const std::vector<Tensor> found = arrays(use.place, use.at, wanted);
    const std::size_t deep = channels * multiple;
    take(deep * columns + deep + (separable ? deep * filters + filters : 0));
    std::vector<float> weights(deep * columns);
    for (std::size_t tap = 0; tap < taps; ++tap)
      for (std::size_t channel = 0; channel < channels; ++channel)
        for (std::size_t k = 0; k < multiple; ++k)
          weights[(channel * multiple + k) * columns + tap * channels + channel] =
              found[0].values[(tap * channels + channel) * multiple + k];
    const View last = bias ? column_of(found.back().values) : View();
    KerasValue to = kernel_product(use, inputs[0], *kernel, deep, weights,
                                   separable ? View() : last, separable ? Curve{} : *curve);
    if (!separable || !to.known) return {to};
    Kernel pointwise;
    pointwise.over_steps = kernel->over_steps, pointwise.channels = deep;
    pointwise.moves.steps = std::int64_t(kernel->over_steps ? to.steps : to.dims[0]);
    std::vector<float> mixing(filters * deep);
    for (std::size_t i = 0; i < mixing.size(); ++i)
      mixing[i] = found[1].values[i % deep * filters + i / deep];
    return {kernel_product(use, to, pointwise, filters, mixing, last, *curve)};
  }
  std::vector<Wanted> wanted = {{"weight, transposed", {taps, own, filters}}};
  if (bias) wanted.push_back({"bias", {filters}});
  const std::vector<Tensor> found = arrays(use.place, use.at, wanted);
  take(columns * filters + filters);
  std::vector<float> weights(filters * columns);
  for (std::size_t tap = 0; tap < taps; ++tap)
    for (std::size_t channel = 0; channel < own; ++channel)
      for (std::size_t filter = 0; filter < filters; ++filter) {
        const std::size_t group = filter / (filters / std::size_t(groups));
        weights[filter * columns + tap * channels + group * own + channel] =
            found[0].values[(tap * own + channel) * filters + filter];
      }
  return {kernel_product(use, inputs[0], *kernel, filters, weights,
                         bias ? column_of(found[1].values) : View(), *curve)};
}

KerasValues KerasNetwork::read_pooling(const Use& use, const KerasValues& inputs) {
  if (!takes_one(use, inputs)) return {KerasValue()};
  const bool largest = use.layer.type == "MaxPooling1D";
  constexpr const char* names[] = {"pool_size", "pool_length", "strides", "stride"};
  const std::optional<Kernel> kernel = kernel_of(use, inputs[0], names, true);
  if (!kernel) return {KerasValue()};
  if (kernel->moves.taps == 1 && kernel->moves.stride == 1) return read_nothing(use, inputs);
  const bool zeros = reads_zeros(kernel->moves);
  if (zeros && (kernel->over_steps || !largest)) {
    obstacles_.add("{}: leaves out the padding of its first and last steps, by \"same\"", use.at);
    return {KerasValue()};
  }
  const std::size_t before = obstacles_.empty();
  KerasValue read = kernel->over_steps ? step_window(use, inputs[0], *kernel)
                                       : patches(use, inputs[0], *kernel, largest);
  if (before && !obstacles_.empty()) return {KerasValue()};
  if (kernel->moves.taps == 1) {
    if (!kernel->over_steps) read.dims = {kernel->positions(), kernel->channels};
    return {read};
  }
  const std::size_t positions = kernel->over_steps ? 1 : kernel->positions();
  Layer pool;
  pool.kind = largest ? SLUICE_MAX_POOL : SLUICE_MEAN_POOL;
  pool.in = int(positions * kernel->taps() * kernel->channels);
  pool.out = int(positions * kernel->channels), pool.parts = int(positions);
  KerasValue to = add(use, with_arrays(std::move(pool)), read);
  if (!kernel->over_steps) to.dims = {positions, kernel->channels};
  return {to};
}

bool KerasNetwork::has_last_channels(const Use& use) {
  if (use.config.word({"data_format"}, "channels_last") == "channels_last") return true;
  obstacles_.add("{}: channels before the steps", use.at);
  return false;
}

/// Zeros in front of steps or positions and behind them, which the next convolution reads.
KerasValues KerasNetwork::read_padding(const Use& use, const KerasValues& inputs) {
  const auto numbers = whole_numbers(use.config.find({"padding"}));
  if (!takes_one(use, inputs) || !has_last_channels(use)) return {KerasValue()};
  KerasValue to = inputs[0];
  const bool fits = to.sequence ? to.dims.size() == 1 && !to.masked && !to.reversed && !to.once
                                : to.dims.size() == 2;
  constexpr double most = 65535;
  const bool good = numbers && !numbers->empty() && numbers->size() <= 2 && numbers->front() >= 0 &&
                    numbers->back() >= 0 && std::max(numbers->front(), numbers->back()) <= most;
  if (!good || !fits || use.readers != std::vector<std::size_t>{1}) {
    obstacles_.add("{}: zeros that other layers than one convolution read", use.at);
    return {KerasValue()};
  }
  if (to.is_padded() && to.padded_steps != to.sequence) {
    obstacles_.add("{}: zeros beside other zeros", use.at);
    return {KerasValue()};
  }
  to.front += std::size_t(numbers->front()), to.back += std::size_t(numbers->back());
  to.padded_steps = to.sequence;
  note(use, "padding of the convolution behind it");
  return {to};
}

KerasValues KerasNetwork::read_over_steps(const Use& use, const KerasValues& inputs) {
  const bool keeps = use.config.truth({"keepdims"}, false),
             largest = use.layer.type == "GlobalMaxPooling1D";
  if (!takes_one(use, inputs) || !has_last_channels(use)) return {KerasValue()};
  KerasValue out = inputs[0];
  if (keeps) {
    obstacles_.add("{}: keepdims, a sequence of one step", use.at);
    return {KerasValue()};
  }
  if (!out.sequence && out.dims.size() == 2) {  // inside a row
    Layer pool;
    pool.kind = largest ? SLUICE_MAX_POOL : SLUICE_MEAN_POOL;
    pool.in = int(out.width()), pool.out = int(out.dims[1]), pool.parts = 1;
    return {add(use, with_arrays(std::move(pool)), out)};
  }
  if (!takes_sequence(use, inputs)) return {KerasValue()};
  if (largest && out.masked) {
    obstacles_.add("{}: the largest number over all steps, of which some are masked", use.at);
    return {KerasValue()};
  }
  if (!largest && once_a_sequence(out, true)) {
    note(use, "the mean over the steps of the recurrent layer before it");
    return {out};
  }
  out = add(use,
            with_arrays(make_layer(largest ? SLUICE_MAX_OVER_STEPS : SLUICE_MEAN_OVER_STEPS,
                                   int(out.width()), int(out.width()))),
            out);
  out.sequence = out.reversed = out.masked = false;
  out.once = true, out.steps = 0;
  return {out};
}

}  // namespace sluice::tools
