// The modules and functions of torch that a network can express.
#include <algorithm>
#include <string_view>

#include "torch_follower.h"

namespace sluice::tools::script {

/// Computes a module of torch.nn by its meaning. Sets `known` to false if its code must be
/// followed.
Value Follower::call_leaf(const Value& module, const std::string& type, const CodeClass& code,
                          const Arguments& arguments, bool& known) {
  const std::string& name = names_[module.node];
  const auto constant = [&](const char* key) {
    const Value value = attribute(module, key);
    return value.is(What::number) ? value.number : 0;
  };
  const Value* const input = arguments.at(0);
  if ((type == "LSTM" || type == "GRU" || type == "RNN") && code.constants.count("hidden_size")) {
    const auto mode = code.constants.find("mode");
    const bool relu = type == "RNN" && mode != code.constants.end() &&
                      mode->second.find("RELU") != std::string::npos;
    const bool biases = constant("bias") != 0, both = constant("bidirectional") != 0,
               projects = constant("proj_size") > 0;
    const auto layers = std::size_t(std::clamp(constant("num_layers"), 1.0, 4096.0));
    std::vector<Value> weights;
    for (std::size_t l = 0; l < layers; ++l)
      for (int backward = 0; backward <= int(both); ++backward)
        for (const std::string_view array :
             {"weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"})
          if (array == "weight_hr" ? projects : biases || array.starts_with("weight"))
            weights.push_back(
                attribute(module, fmt::format("{}_l{}{}", array, l, backward ? "_reverse" : "")));
    return recurrent(type == "LSTM"  ? SLUICE_LSTM
                     : type == "GRU" ? SLUICE_GRU
                                     : SLUICE_RNN,
                     input, arguments.at(1), weights, biases, layers, both, name,
                     relu ? SLUICE_RELU : SLUICE_TANH);
  }
  if (type == "Linear") {
    const Value bias = attribute(module, "bias");
    return linear(input, attribute(module, "weight"), bias.is(What::constant) ? &bias : nullptr,
                  name);
  }
  const struct {
    const char *type, *op;
    std::vector<const char*> settings;  ///< in the order of the function's arguments
  } curves[] = {{"ReLU", "relu", {}},
                {"ReLU6", "relu6", {}},
                {"Tanh", "tanh", {}},
                {"Sigmoid", "sigmoid", {}},
                {"Softmax", "softmax", {}},
                {"ELU", "elu", {"alpha"}},
                {"SELU", "selu", {}},
                {"LeakyReLU", "leaky_relu", {"negative_slope"}},
                {"SiLU", "silu", {}},
                {"GELU", "gelu", {"approximate"}},
                {"Softplus", "softplus", {"beta", "threshold"}},
                {"Softsign", "softsign", {}},
                {"Hardtanh", "hardtanh", {"min_val", "max_val"}},
                {"Hardsigmoid", "hardsigmoid", {}},
                {"Hardswish", "hardswish", {}},
                {"PReLU", "prelu", {"weight"}}};
  for (const auto& curve : curves) {
    if (type != curve.type) continue;
    Arguments with_settings;
    with_settings.items.push_back(input ? *input : Value{});
    for (const char* setting : curve.settings)
      with_settings.items.push_back(attribute(module, setting));
    // The constants of a traced module stand in its code.
    const bool complete = std::none_of(with_settings.items.begin() + 1, with_settings.items.end(),
                                       [](const Value& value) { return value.is(What::state); });
    if (!complete) break;
    Curve made;
    if (curve_of(curve.op, with_settings, made)) return activate(input, made, name);
  }
  if (type == "Identity" || type.starts_with("Dropout") || type == "AlphaDropout")
    return input ? *input : Value{};
  known = false;
  return {};
}

/// Returns the activation that a function of torch is. Returns false for every other function.
bool Follower::curve_of(const std::string& op, const Arguments& arguments, Curve& curve) {
  const auto number = [&](std::size_t i, double otherwise) {
    return float(arguments.number(i, otherwise));
  };
  if (op == "relu")
    curve = {SLUICE_RELU};
  else if (op == "tanh")
    curve = {SLUICE_TANH};
  else if (op == "sigmoid")
    curve = {SLUICE_SIGMOID};
  else if (op == "softmax")
    curve = {SLUICE_SOFTMAX};
  else if (op == "elu")
    curve = {SLUICE_ELU, 0, number(1, 1)};
  else if (op == "selu")
    curve = {SLUICE_SELU};
  else if (op == "leaky_relu")
    curve = {SLUICE_LEAKY_RELU, 0, number(1, 0.01)};
  else if (op == "silu")
    curve = {SLUICE_SILU};
  else if (op == "softsign")
    curve = {SLUICE_SOFTSIGN};
  else if (op == "relu6")
    curve = {SLUICE_CLIP, 0, 6};
  else if (op == "hardtanh" || op == "clamp")
    curve = {SLUICE_CLIP, number(1, -1), number(2, 1)};
  else if (op == "hardsigmoid")
    curve = {SLUICE_HARD_SIGMOID, 1.0f / 6};
  else if (op == "hardswish")
    curve = {SLUICE_HARD_SILU, 1.0f / 6};
  else if (op == "exp")
    curve = {SLUICE_EXPONENTIAL};
  else if (op == "gelu") {
    const Value* const way = arguments.at(1);
    const auto named = arguments.named.find("approximate");
    const std::string text = way                              ? way->text
                             : named != arguments.named.end() ? named->second.text
                                                              : "none";
    curve = {text == "tanh" ? SLUICE_GELU_TANH : SLUICE_GELU};
  } else if (op == "softplus") {
    if (number(1, 1) != 1) stop("softplus with beta {}", number(1, 1));
    curve = {SLUICE_SOFTPLUS};
  } else if (op == "prelu") {
    if (arguments.items.size() < 2) return false;
    curve = {SLUICE_PRELU};
    curve.slopes = tensor(arguments.items[1], "the slopes of a PReLU").values;
    if (curve.slopes.empty()) return false;
  } else {
    return false;
  }
  return true;
}

Value Follower::call_torch(const std::string& name, const Arguments& arguments) {
  const Value* const first = arguments.at(0);
  const bool flows = std::any_of(arguments.items.begin(), arguments.items.end(), depends_on_frame);
  const std::string op = name.substr(name.rfind('.') + 1);
  const auto is = [&](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), op) != names.end();
  };
  if (op == "__is__" || op == "__isnot__") {
    const bool none = first && first->is(What::none);
    return number_value((op == "__is__") == none);
  }
  if (op == "__not__") {
    if (first && first->is(What::number)) return number_value(first->number == 0);
    return state_value();
  }
  if (is({"eq", "ne", "gt", "ge", "lt", "le"}) && arguments.items.size() == 2 &&
      first->is(What::number) && arguments.items[1].is(What::number)) {
    const double a = first->number, b = arguments.items[1].number;
    return number_value(op == "eq"   ? a == b
                        : op == "ne" ? a != b
                        : op == "gt" ? a > b
                        : op == "ge" ? a >= b
                        : op == "lt" ? a < b
                                     : a <= b);
  }
  if (first && first->is(What::constant) && !flows) {
    if (is({"t", "numpy_T"}) || (is({"transpose", "permute"}))) {
      Value exchanged = *first;
      exchanged.transposed = !exchanged.transposed;
      return exchanged;
    }
    if (is({"detach", "clone", "contiguous", "to", "unsqueeze", "squeeze"})) return *first;
  }
  if (!flows) return state_value();
  if (is({"size", "dim", "len", "numel", "NumToTensor", "dtype", "device", "shape"}))
    return state_value();
  if (is({"unsqueeze", "squeeze", "contiguous", "detach", "clone", "to", "transpose", "dropout",
          "dropout_", "feature_dropout", "alias", "unsqueeze_", "squeeze_", "float", "type_as",
          "permute"}) &&
      first)
    return *first;
  if (op == "copy_") return state_value();  // a state is kept
  if (op == "slice" && first) {
    // All of a dimension; only the last of it; or a part of the numbers.
    const double begin = arguments.number(2, 0);
    if (begin == -1 && first->is(What::flow)) return last_step(*first);
    if (begin == 0 && arguments.number(3, 1e18) >= 1e9) return *first;
    stop("a part of a tensor ({})", op);
  }
  if (op == "select" && first) {
    if (first->is(What::hidden)) return select_state(*first, arguments.number(2, 0));
    if (arguments.number(2, 0) == -1) return last_step(*first);
    stop("one step of a sequence that is not the last");
  }
  if (op == "linear" && arguments.items.size() >= 2)
    return linear(first, arguments.items[1],
                  arguments.items.size() > 2 && arguments.items[2].is(What::constant)
                      ? &arguments.items[2]
                      : nullptr,
                  place_);
  if (op == "addmm" && arguments.items.size() >= 3) {
    Value weight = arguments.items[2];
    weight.transposed = !weight.transposed;
    return linear(&arguments.items[1], weight, first->is(What::constant) ? first : nullptr, place_);
  }
  if (is({"matmul", "mm"}) && arguments.items.size() == 2 &&
      arguments.items[1].is(What::constant)) {
    Value weight = arguments.items[1];
    weight.transposed = !weight.transposed;
    return linear(first, weight, nullptr, place_);
  }
  if (is({"lstm", "gru", "rnn_tanh", "rnn_relu"}) && arguments.items.size() >= 9 &&
      arguments.items[2].is(What::list)) {
    Value result =
        recurrent(op == "lstm"  ? SLUICE_LSTM
                  : op == "gru" ? SLUICE_GRU
                                : SLUICE_RNN,
                  first, &arguments.items[1], arguments.items[2].items, arguments.number(3, 1) != 0,
                  std::size_t(arguments.number(4, 1)), arguments.number(7, 0) != 0, place_,
                  op == "rnn_relu" ? SLUICE_RELU : SLUICE_TANH);
    if (op != "lstm") return result;  // (output, h); of an LSTM (output, h, c)
    return list_value({result.items[0], result.items[1].items[0], state_value()});
  }
  Curve curve;
  if (curve_of(op.ends_with('_') ? op.substr(0, op.size() - 1) : op, arguments, curve))
    return activate(first, curve, place_);
  if (is({"mul", "mul_", "div", "div_", "add", "add_", "sub", "sub_"}) &&
      arguments.items.size() >= 2) {
    const Value& second = arguments.items[1];
    const bool adds = op.starts_with("add") || op.starts_with("sub"), sub = op.starts_with("sub");
    const bool by_second = second.is(What::constant) || second.is(What::number);
    const double alpha = arguments.named.count("alpha") ? arguments.named.at("alpha").number
                                                        : arguments.number(2, 1);
    if (adds && alpha != 1) stop("{} with alpha", op);
    if (by_second) return scale(first, second, adds, op.starts_with("div"), sub ? -1 : 1);
    if (!sub && !op.starts_with("div") && (first->is(What::constant) || first->is(What::number)))
      return scale(&second, *first, adds, false, 1);
    if (!sub && !op.starts_with("div") && depends_on_frame(second)) {
      const std::uint32_t a = flow_of(first, op), b = flow_of(&second, op);
      if (!begun_ || width(a) != width(b)) stop("{} of tensors of unequal widths", op);
      const std::uint32_t made =
          append_join(result_.network, adds ? SLUICE_ADD : SLUICE_MULTIPLY, {a, b});
      result_.note("the code", fmt::format("layer {}: {}", made, op));
      return flow_value(made);
    }
  }
  if (op == "cat" && first && first->is(What::list)) {
    const std::vector<Value>& parts = first->items;
    if (parts.size() == 2 && parts[0].half == 1 && parts[1].half == 2 &&
        parts[0].of == parts[1].of) {
      Value whole = parts[0];
      whole.half = 0;
      return last_step(whole);
    }
    std::vector<std::uint32_t> sources;
    for (const Value& item : parts) sources.push_back(flow_of(&item, op));
    if (sources.size() < 2 || !begun_) stop("{} of a list of one", op);
    const std::uint32_t made = append_join(result_.network, SLUICE_CONCAT, sources);
    result_.note("the code", fmt::format("layer {}: concat", made));
    return flow_value(made);
  }
  stop("the operation {} cannot be expressed", brief(name));
}

}  // namespace sluice::tools::script
