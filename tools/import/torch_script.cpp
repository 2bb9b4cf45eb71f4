// Follows the code of a TorchScript module line by line with symbols in place of numbers, and
// builds the network that it computes.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <memory>

#include "../common/print.h"
#include "../model/graph.h"
#include "torch_file.h"
#include "weights.h"

namespace sluice::tools {
namespace {

using Kind = PickleNode::Kind;

/// A value while the code is followed.
struct Value {
  enum class What {
    none,
    number,  ///< also truth values
    text,
    list,      ///< also tuples
    constant,  ///< a tensor of the file
    module,
    flow,    ///< numbers that the network computes from the frame
    hidden,  ///< the last state of recurrent layers: the output of the last step
    state,   ///< anything that depends on states or sizes, which the network keeps by itself
  };
  What what = What::none;
  double number = 0;
  std::string text;
  std::vector<Value> items = {};
  const PickleNode* node = nullptr;     ///< of a constant or module
  const TorchValues* values = nullptr;  ///< that the constant lies in
  bool transposed = false;              ///< a constant whose two dimensions are exchanged
  std::uint32_t source = 0;             ///< of a flow: the frame, or a layer counted from 1
  std::vector<std::uint32_t> of = {};   ///< of hidden: layers
  /// Of hidden, if the layers go in both directions: 0 both, 1 the forward half, 2 the backward
  /// one.
  int half = 0;
  bool is(What other) const { return what == other; }
};
using What = Value::What;

Value state_value() {
  Value value;
  value.what = What::state;
  return value;
}
Value number_value(double number) {
  Value value;
  value.what = What::number;
  value.number = number;
  return value;
}
Value flow_value(std::uint32_t source) {
  Value value;
  value.what = What::flow;
  value.source = source;
  return value;
}
Value list_value(std::vector<Value> items) {
  Value value;
  value.what = What::list;
  value.items = std::move(items);
  return value;
}

bool depends_on_frame(const Value& value) {
  return value.is(What::flow) || value.is(What::hidden) ||
         std::any_of(value.items.begin(), value.items.end(), depends_on_frame);
}

/// The arguments of a call.
struct Arguments {
  std::vector<Value> items;
  std::map<std::string, Value> named;
  const Value* at(std::size_t i) const { return i < items.size() ? &items[i] : nullptr; }
  double number(std::size_t i, double otherwise) const {
    return i < items.size() && items[i].is(What::number) ? items[i].number : otherwise;
  }
};

class Follower {
 public:
  /// @param width  of the frame; 0: not known yet, and to be found out
  Follower(const TorchFile& file, TensorReader& reader, int width)
      : file_(file), reader_(reader), path_(reader.file()), begun_(width > 0) {
    result_.format = "TorchScript";
    result_.network.width = width;
  }

  Imported run();

 private:
  using Locals = std::map<std::string, Value>;

  template <class... Args>
  [[noreturn]] void stop(fmt::format_string<Args...> text, Args&&... args) const {
    refuse("{}: {}: {}; give --layers with the list of layers instead", path_, place_,
           fmt::format(text, std::forward<Args>(args)...));
  }

  // The code.
  Value call_function(const CodeFunction& function, const Arguments& arguments,
                      const std::string& name);
  bool follow(const std::vector<CodeLine>& lines, std::size_t& at, std::size_t indent,
              Locals& locals, Value& returned);
  void assign(const CodeLine& line, Locals& locals);
  Value call_module(const Value& module, const std::string& method, const Arguments& arguments);
  Value call_leaf(const Value& module, const std::string& type, const CodeClass& code,
                  const Arguments& arguments, bool& known);
  Value call_torch(const std::string& name, const Arguments& arguments);
  Value attribute(const Value& module, const std::string& name);

  friend class Expression;

  // The network.
  Tensor tensor(const Value& value, const std::string& name);
  std::uint32_t flow_of(const Value* value, const std::string& what);
  std::size_t width(std::uint32_t source) const {
    return std::size_t(width_of(result_.network, source));
  }
  void begin(std::size_t inputs);
  Value recurrent(sluice_layer_kind kind, const Value* input, const Value* start,
                  const std::vector<Value>& weights, bool biases, std::size_t layers, bool both,
                  const std::string& name, sluice_activation candidate = SLUICE_TANH);
  Value linear(const Value* input, const Value& weight, const Value* bias, const std::string& name);
  Value activate(const Value* input, const Curve& curve, const std::string& name);
  bool curve_of(const std::string& op, const Arguments& arguments, Curve& curve);
  Value scale(const Value* input, const Value& by, bool adds, bool inverted, double sign);
  Value last_step(const Value& value);
  Value select_state(const Value& hidden, double index);
  bool goes_both_ways(std::uint32_t layer) const { return result_.network.layers[layer - 1].both; }
  std::uint32_t put(Layer layer, std::uint32_t source, const std::string& name);
  void finish(const Value& answer);

  const TorchFile& file_;
  TensorReader& reader_;
  const std::string path_;
  bool begun_;  ///< whether the width of the frame is known
  std::string place_ = "the code";
  Imported result_;
  std::map<std::pair<const PickleNode*, std::string>, Value> written_;  ///< attributes of modules
  std::map<const PickleNode*, std::string> names_;                      ///< of modules
  std::vector<std::uint32_t> last_;  ///< layers of which the last step alone is read
  int depth_ = 0;
};

/// Evaluates the pieces of an expression from left to right.
class Expression {
 public:
  Expression(Follower& follower, const std::vector<Token>& tokens, std::size_t at,
             Follower::Locals& locals)
      : follower_(follower), tokens_(tokens), at_(at), locals_(locals) {}

  Value value() {
    Value first = postfix();
    while (at().text == "," && depth_ == 0) {  // a tuple without parentheses
      std::vector<Value> items = {first};
      while (at().text == ",") {
        ++at_;
        if (at().kind == Token::Kind::end) break;
        items.push_back(postfix());
      }
      return list_value(std::move(items));
    }
    return first;
  }

 private:
  const Token& at() const { return tokens_[at_]; }
  void expect(const char* mark) {
    if (at().text != mark) follower_.stop("\"{}\" in place of \"{}\"", brief(at().text), mark);
    ++at_;
  }

  std::vector<Value> list(const char* close) {
    std::vector<Value> items;
    ++depth_;
    while (at().text != close && at().kind != Token::Kind::end) {
      items.push_back(postfix());
      if (at().text == ",") ++at_;
    }
    --depth_;
    expect(close);
    return items;
  }

  Arguments arguments() {
    Arguments result;
    ++depth_;
    while (at().text != ")" && at().kind != Token::Kind::end) {
      if (at().kind == Token::Kind::name && tokens_[at_ + 1].text == "=") {
        const std::string name = at().text;
        at_ += 2;
        result.named[name] = postfix();
      } else {
        result.items.push_back(postfix());
      }
      if (at().text == ",") ++at_;
    }
    --depth_;
    expect(")");
    return result;
  }

  Value postfix() {
    if (at().text == "-") {
      ++at_;
      Value value = postfix();
      value.number = -value.number;
      return value;
    }
    Value value = primary();
    for (;;) {
      if (at().text == ".") {
        ++at_;
        const std::string name = at().text;
        ++at_;
        if (at().text == "(" && value.is(What::module)) {
          ++at_;
          value = follower_.call_module(value, name, arguments());
        } else {
          value = follower_.attribute(value, name);
        }
      } else if (at().text == "[") {
        ++at_;
        const std::vector<Value> index = list("]");
        value = element(value, index);
      } else if (at().kind == Token::Kind::name && at().text == "if") {
        ++at_;
        const Value condition = postfix();
        if (at().text != "else") follower_.stop("an \"if\" without an \"else\"");
        ++at_;
        const Value otherwise = postfix();
        if (!condition.is(What::number)) follower_.stop("a branch that depends on the data");
        return condition.number != 0 ? value : otherwise;
      } else {
        return value;
      }
    }
  }

  Value element(const Value& value, const std::vector<Value>& index) {
    if (value.is(What::list) && index.size() == 1 && index[0].is(What::number)) {
      const auto size = std::ptrdiff_t(value.items.size());
      std::ptrdiff_t i = std::ptrdiff_t(index[0].number);
      if (i < 0) i += size;
      if (i >= 0 && i < size) return value.items[std::size_t(i)];
    }
    if (value.is(What::state)) return value;
    follower_.stop("an index of a value that is no list");
  }

  /// Reads a name with dots, such as torch.nn.functional.linear, and its call.
  Value named() {
    std::string name = at().text;
    ++at_;
    const auto local = locals_.find(name);
    if (local != locals_.end()) return local->second;
    if (name == "None" || name == "uninitialized") {
      if (at().text == "(") ++at_, arguments();
      return {};
    }
    if (name == "True" || name == "False") return number_value(name == "True");
    if (name == "inf" || name == "nan") return number_value(name == "inf" ? INFINITY : NAN);
    while (at().text == ".") {
      name += "." + tokens_[at_ + 1].text;
      at_ += 2;
    }
    if (name.starts_with("CONSTANTS.c")) return constant(name.substr(11));
    if (at().text != "(") {  // a function that a local name will stand for
      Value value;
      value.what = What::text;
      value.text = name;
      return value;
    }
    ++at_;
    if (name == "annotate" || name == "unchecked_cast") {
      skip_type();
      const std::vector<Value> rest = list(")");
      return rest.empty() ? Value{} : rest.back();
    }
    return call(name, arguments());
  }

  /// Passes over a type and the comma behind it.
  void skip_type() {
    int depth = 0;
    while (at().kind != Token::Kind::end && !(depth == 0 && at().text == ",")) {
      depth += at().text == "[" ? 1 : at().text == "]" ? -1 : 0;
      ++at_;
    }
    if (at().text == ",") ++at_;
  }

  Value constant(const std::string& digits) {
    std::size_t index = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), index);
    const PickleNode* const root = follower_.file_.constants.pickle.root;
    if (!root || index >= root->items.size()) follower_.stop("a constant that is not in the file");
    Value value;
    value.what = What::constant;
    value.node = root->items[index];
    value.values = &follower_.file_.constants;
    if (!value.node->is(Kind::tensor)) return state_value();
    return value;
  }

  Value call(const std::string& name, const Arguments& given) {
    if (name == "getattr") {
      if (given.items.size() != 2) follower_.stop("getattr without a name");
      return follower_.attribute(given.items[0], given.items[1].text);
    }
    const auto function = follower_.file_.code.functions.find(name);
    if (function != follower_.file_.code.functions.end())
      return follower_.call_function(function->second, given, name);
    return follower_.call_torch(name, given);
  }

  Value primary() {
    const Token token = at();
    if (token.text == "(" && token.kind == Token::Kind::mark) {
      ++at_;
      ++depth_;
      std::vector<Value> items;
      bool tuple = false;
      while (at().text != ")" && at().kind != Token::Kind::end) {
        items.push_back(postfix());
        if (at().text == ",") ++at_, tuple = true;
      }
      --depth_;
      expect(")");
      return tuple || items.empty() ? list_value(std::move(items)) : items[0];
    }
    if (token.text == "[" && token.kind == Token::Kind::mark) {
      ++at_;
      return list_value(list("]"));
    }
    if (token.kind == Token::Kind::number) {
      ++at_;
      double number = 0;
      std::from_chars(token.text.data(), token.text.data() + token.text.size(), number);
      return number_value(number);
    }
    if (token.kind == Token::Kind::text) {
      ++at_;
      Value value;
      value.what = What::text;
      value.text = token.text;
      return value;
    }
    if (token.kind != Token::Kind::name)
      follower_.stop("\"{}\" in an expression", brief(token.text));
    Value value = named();
    // A local name of a function.
    if (value.is(What::text) && at().text == "(" && (value.text.find('.') != std::string::npos)) {
      ++at_;
      return call(value.text, arguments());
    }
    return value;
  }

  Follower& follower_;
  const std::vector<Token>& tokens_;
  std::size_t at_;
  Follower::Locals& locals_;
  int depth_ = 0;
};

Value Follower::call_function(const CodeFunction& function, const Arguments& arguments,
                              const std::string& name) {
  constexpr int most_depth = 64;
  if (++depth_ > most_depth) stop("calls deeper than {} levels", most_depth);
  Locals locals;
  for (std::size_t i = 0; i < function.parameters.size(); ++i) {
    const std::string& parameter = function.parameters[i];
    const auto named = arguments.named.find(parameter);
    const auto otherwise = function.defaults.find(parameter);
    if (i < arguments.items.size()) {
      locals[parameter] = arguments.items[i];
    } else if (named != arguments.named.end()) {
      locals[parameter] = named->second;
    } else if (otherwise != function.defaults.end()) {
      const std::vector<Token> tokens = tokens_of(otherwise->second);
      locals[parameter] = Expression(*this, tokens, 0, locals).value();
    } else {
      locals[parameter] = state_value();
    }
  }
  const std::string before = place_;
  place_ = name;
  Value returned;
  std::size_t at = 0;
  if (!function.lines.empty())
    follow(function.lines, at, function.lines[0].indent, locals, returned);
  place_ = before;
  --depth_;
  return returned;
}

/// Follows the lines of one depth from `at` on. Returns true after a return.
bool Follower::follow(const std::vector<CodeLine>& lines, std::size_t& at, std::size_t indent,
                      Locals& locals, Value& returned) {
  while (at < lines.size() && lines[at].indent >= indent) {
    const CodeLine& line = lines[at];
    const std::string before = place_;
    if (line.text.starts_with("return")) {
      const std::vector<Token> tokens = tokens_of(line.text);
      if (tokens.size() > 2) returned = Expression(*this, tokens, 1, locals).value();
      return true;
    }
    if (line.text.starts_with("if ")) {
      const std::vector<Token> tokens = tokens_of(line.text);
      const Value condition = Expression(*this, tokens, 1, locals).value();
      if (!condition.is(What::number) && !condition.is(What::none))
        stop("a branch that depends on the data, \"{}\"", brief(line.text));
      const bool taken = condition.is(What::number) && condition.number != 0;
      const auto skip = [&] {
        const std::size_t deep = lines[at].indent;
        ++at;
        while (at < lines.size() && lines[at].indent > deep) ++at;
      };
      const auto enter = [&] {
        const std::size_t deep = lines[at].indent;
        ++at;
        const bool done = at < lines.size() && lines[at].indent > deep &&
                          follow(lines, at, lines[at].indent, locals, returned);
        return done;
      };
      if (taken ? enter() : (skip(), false)) return true;
      if (at < lines.size() && lines[at].indent == indent && lines[at].text == "else:" &&
          (taken ? (skip(), false) : enter()))
        return true;
      continue;
    }
    if (line.text.starts_with("for ") || line.text.starts_with("while "))
      stop("a loop, \"{}\"", brief(line.text));
    if (line.text.find("RaiseException") != std::string::npos)
      stop("the code refuses these inputs");
    if (line.text != "pass") assign(line, locals);
    ++at;
  }
  return false;
}

void Follower::assign(const CodeLine& line, Locals& locals) {
  const std::vector<Token> tokens = tokens_of(line.text);
  std::size_t equals = 0;
  int depth = 0;
  for (std::size_t i = 0; i < tokens.size() && equals == 0; ++i) {
    depth += tokens[i].text == "(" || tokens[i].text == "[" ? 1 : 0;
    depth -= tokens[i].text == ")" || tokens[i].text == "]" ? 1 : 0;
    if (tokens[i].kind == Token::Kind::mark && tokens[i].text == "=" && depth == 0) equals = i;
  }
  const Value value = Expression(*this, tokens, equals == 0 ? 0 : equals + 1, locals).value();
  if (equals == 0) return;
  if (equals >= 3 && tokens[equals - 2].text == ".") {  // self.name = value
    const auto self = locals.find(tokens[0].text);
    if (self != locals.end() && self->second.is(What::module) && equals == 3)
      written_[{self->second.node, tokens[2].text}] = value;
    return;
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < equals; ++i)
    if (tokens[i].kind == Token::Kind::name) names.push_back(tokens[i].text);
  if (equals == 1) {
    locals[names[0]] = value;
    return;
  }
  for (std::size_t i = 0; i < names.size(); ++i)
    locals[names[i]] = value.is(What::list) && i < value.items.size() ? value.items[i]
                       : value.is(What::list)                         ? Value{}
                                                                      : state_value();
  if (depends_on_frame(value) && !value.is(What::list)) stop("a tensor is taken apart");
}

Value Follower::attribute(const Value& module, const std::string& name) {
  if (module.is(What::state)) return module;
  if (!module.is(What::module)) {
    if (!depends_on_frame(module)) return state_value();
    stop("an attribute, \"{}\", of a tensor", brief(name));
  }
  const auto written = written_.find({module.node, name});
  if (written != written_.end()) return written->second;
  const PickleNode* const members = module.node->items.empty() ? nullptr : module.node->items[0];
  const PickleNode* const found = members ? members->find(name) : nullptr;
  if (!found) {
    const auto code = file_.code.classes.find(module.node->text);
    if (code != file_.code.classes.end() && code->second.constants.count(name)) {
      Locals none;
      const std::vector<Token> tokens = tokens_of(code->second.constants.at(name));
      return Expression(*this, tokens, 0, none).value();
    }
    return state_value();
  }
  Value value;
  value.node = found;
  value.values = &file_.values;
  switch (found->kind) {
    case Kind::tensor:
      value.what = What::constant;
      break;
    case Kind::object:
      value.what = What::module;
      if (!names_.count(found))
        names_[found] = names_[module.node].empty() ? name : names_[module.node] + "." + name;
      break;
    case Kind::integer:
    case Kind::boolean:
      return number_value(double(found->integer));
    case Kind::real:
      return number_value(found->real);
    case Kind::text:
      value.what = What::text;
      value.text = found->text;
      break;
    case Kind::list: {
      value.what = What::list;
      for (const Pickled item : found->items) {
        Value element;
        element.what = item->is(Kind::tensor) ? What::constant : What::state;
        element.node = item;
        element.values = &file_.values;
        value.items.push_back(std::move(element));
      }
      break;
    }
    default:
      break;
  }
  return value;
}

/// Returns whether a class is one of torch.nn, and its name alone.
bool is_torch_class(const std::string& type, std::string& name) {
  name = type.substr(type.rfind('.') + 1);
  return type.starts_with("__torch__.torch.nn.");
}

Value Follower::call_module(const Value& module, const std::string& method,
                            const Arguments& arguments) {
  const std::string& type = module.node->text;
  const auto code = file_.code.classes.find(type);
  if (code == file_.code.classes.end()) stop("the class {} is not in the file", brief(type));
  std::string name;
  if (is_torch_class(type, name) && method.starts_with("forward")) {
    bool known = true;
    Value result = call_leaf(module, name, code->second, arguments, known);
    if (known) return result;
  }
  const auto function = code->second.methods.find(method);
  if (function == code->second.methods.end())
    stop("the function {} of {} is not in the file", brief(method), brief(type));
  Arguments with_self = arguments;
  with_self.items.insert(with_self.items.begin(), module);
  return call_function(function->second, with_self,
                       names_[module.node].empty() ? method : names_[module.node]);
}

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
    if (constant("proj_size") > 0) stop("{}: a projection of the state", brief(name));
    const auto mode = code.constants.find("mode");
    const bool relu = type == "RNN" && mode != code.constants.end() &&
                      mode->second.find("RELU") != std::string::npos;
    const bool biases = constant("bias") != 0, both = constant("bidirectional") != 0;
    const auto layers = std::size_t(std::clamp(constant("num_layers"), 1.0, 4096.0));
    std::vector<Value> weights;
    for (std::size_t l = 0; l < layers; ++l)
      for (int backward = 0; backward <= int(both); ++backward)
        for (const char* array : {"weight_ih", "weight_hh", "bias_ih", "bias_hh"})
          if (biases || std::string_view(array).starts_with("weight"))
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

Tensor Follower::tensor(const Value& value, const std::string& name) {
  if (!value.is(What::constant)) stop("{}: its weights are not tensors of the file", brief(name));
  Tensor result = reader_.read(*value.values, *value.node, name);
  check_finite(result, path_);
  if (!value.transposed || result.shape.size() != 2) return result;
  Tensor exchanged = result;
  std::swap(exchanged.shape[0], exchanged.shape[1]);
  const View from = matrix_of(result.values, result.shape[0], result.shape[1]).transposed();
  for (std::size_t i = 0; i < exchanged.values.size(); ++i)
    exchanged.values[i] = from.at(i / from.cols, i % from.cols);
  return exchanged;
}

std::uint32_t Follower::flow_of(const Value* value, const std::string& what) {
  if (value && value->is(What::hidden)) {
    const Value last = last_step(*value);
    return last.source;
  }
  if (!value || !value->is(What::flow))
    stop("{}: its input does not come from the frame", brief(what));
  return value->source;
}

void Follower::begin(std::size_t inputs) {
  if (!begun_) result_.network.width = int(inputs);
  begun_ = true;
}

std::uint32_t Follower::put(Layer layer, std::uint32_t source, const std::string& name) {
  const std::string kind = layer.anatomy().name;
  const std::uint32_t number = append(result_.network, std::move(layer), source);
  result_.note(name.empty() ? "the code" : name, fmt::format("layer {}: {}", number, kind));
  return number;
}

Value Follower::recurrent(sluice_layer_kind kind, const Value* input, const Value* start,
                          const std::vector<Value>& weights, bool biases, std::size_t layers,
                          bool both, const std::string& name, sluice_activation candidate) {
  std::uint32_t source = flow_of(input, name);
  if (start && depends_on_frame(*start))
    stop("{}: its state is computed from the frame", brief(name));
  const std::function<void(const Value&)> check = [&](const Value& value) {
    for (const Value& item : value.items) check(item);
    if (!value.is(What::constant)) return;
    const Tensor initial = tensor(value, name + ", initial state");
    if (std::any_of(initial.values.begin(), initial.values.end(), [](float v) { return v != 0; }))
      stop("{}: an initial state that is not zero", brief(name));
  };
  if (start) check(*start);
  const std::size_t gates = anatomy_of(std::uint32_t(kind)).gates, arrays = biases ? 4 : 2,
                    directions = both ? 2 : 1;
  if (weights.size() != layers * directions * arrays)
    stop("{}: {} arrays for {} layers", brief(name), weights.size(), layers);
  std::vector<std::uint32_t> made;
  for (std::size_t l = 0; l < layers; ++l) {
    Layer layer;
    for (std::size_t d = 0; d < directions; ++d) {
      const std::size_t first = (l * directions + d) * arrays;
      const auto array = [&](std::size_t i) {
        return tensor(weights[first + i], fmt::format("{}, array {}", name, first + i));
      };
      const Tensor w = array(0), u = array(1);
      Tensor b, second;
      if (biases) b = array(2), second = array(3);
      const std::size_t rows = w.shape.size() == 2 ? w.shape[0] : 0, units = rows / gates;
      if (rows == 0 || rows % gates != 0 || u.shape != std::vector<std::size_t>{rows, units} ||
          (biases && (b.values.size() != rows || second.values.size() != rows)))
        stop("{}: weights of the shapes {} and {}", brief(name), w.shape_text(), u.shape_text());
      begin(w.shape[1]);
      if (w.shape[1] != width(source))
        stop("{}: {} numbers enter weights for {}", brief(name), width(source), w.shape[1]);
      if (d == 0) layer = recurrent_layer(kind, w.shape[1], units, both, true);
      CellWeights cell;
      cell.input = matrix_of(w.values, rows, w.shape[1]);
      cell.state = matrix_of(u.values, rows, units);
      if (biases) cell.bias = column_of(b.values), cell.second_bias = column_of(second.values);
      put_cell(layer, d == 1, cell);
    }
    layer.candidate = candidate;
    source =
        put(std::move(layer), source, layers > 1 ? fmt::format("{}, layer {}", name, l) : name);
    made.push_back(source);
  }
  Value hidden;
  hidden.what = What::hidden;
  hidden.of = made;
  const Value states = kind == SLUICE_LSTM ? list_value({hidden, state_value()}) : hidden;
  return list_value({flow_value(source), states});
}

Value Follower::linear(const Value* input, const Value& weight, const Value* bias,
                       const std::string& name) {
  const std::uint32_t source = flow_of(input, name);
  const Tensor w = tensor(weight, name + ".weight");
  Tensor b;
  if (bias) b = tensor(*bias, name + ".bias");
  if (w.shape.size() != 2 || (bias && b.values.size() != w.shape[0]))
    stop("{}: a weight of the shape {}", brief(name), w.shape_text());
  begin(w.shape[1]);
  if (w.shape[1] != width(source))
    stop("{}: {} numbers enter weights for {}", brief(name), width(source), w.shape[1]);
  return flow_value(put(
      dense_layer(matrix_of(w.values, w.shape[0], w.shape[1]), bias ? column_of(b.values) : View()),
      source, name));
}

Value Follower::activate(const Value* input, const Curve& curve, const std::string& name) {
  const std::uint32_t source = flow_of(input, name);
  if (source == 0) {
    if (!begun_) return *input;  // the width is still to be found out
  }
  const std::uint32_t made = append_curve(result_.network, source, curve);
  result_.note(name.empty() ? "the code" : name, fmt::format("the activation of layer {}", made));
  return flow_value(made);
}

/// Multiplies by a constant, divides by it, or adds it, number by number.
Value Follower::scale(const Value* input, const Value& by, bool adds, bool inverted, double sign) {
  std::vector<float> numbers;
  if (by.is(What::number)) numbers = {float(by.number)};
  if (by.is(What::constant)) numbers = tensor(by, "a factor").values;
  if (!begun_ && numbers.size() > 1) begin(numbers.size());
  if (!begun_) return *input;  // the width is still to be found out
  const std::uint32_t source = flow_of(input, "a factor");
  const std::size_t size = width(source);
  if (numbers.size() != 1 && numbers.size() != size)
    stop("{} factors of {} numbers", numbers.size(), size);
  if (numbers.size() == 1) numbers.resize(size, numbers[0]);
  std::vector<float> factor(size, 1), shift(size, 0);
  for (std::size_t i = 0; i < size; ++i)
    (adds ? shift : factor)[i] = adds       ? float(sign) * numbers[i]
                                 : inverted ? 1 / numbers[i]
                                            : numbers[i];
  const std::uint32_t made = append_scale(result_.network, source, factor, shift);
  result_.note("the code",
               fmt::format("layer {}: {}", made, adds ? "a sum with constants" : "factors"));
  return flow_value(made);
}

/// Returns the last step of a flow, or of a hidden state.
Value Follower::last_step(const Value& value) {
  std::uint32_t layer = value.is(What::hidden) ? value.of.back() : value.source;
  if (layer == 0) stop("the last step of the frames themselves");
  // Through layers without a state, back to the recurrent layer.
  while (!tools::recurrent(result_.network.layers[layer - 1])) {
    const std::vector<std::uint32_t> sources = sources_of(result_.network, layer - 1);
    if (sources.size() != 1 || sources[0] == 0) stop("the last step of a layer without a state");
    layer = sources[0];
  }
  if (value.is(What::flow)) {
    // There the backward direction has read one frame, and at the end of a sequence all of them.
    if (goes_both_ways(layer))
      result_.remarks.emplace_back(
          "the answer is that of the last step; the model answers every step, since its last step "
          "has read one frame alone in the backward direction");
    else
      last_.push_back(layer);
    return value;
  }
  last_.push_back(layer);
  if (value.half == 0) return flow_value(layer);
  const int units = result_.network.layers[layer - 1].out / 2;
  std::vector<std::int32_t> columns;
  for (int i = 0; i < units; ++i) columns.push_back((value.half == 2 ? units : 0) + i);
  return flow_value(append_select(result_.network, layer, columns));
}

/// Returns the state of one layer and direction out of those of all.
Value Follower::select_state(const Value& hidden, double index) {
  const bool both = goes_both_ways(hidden.of.back());
  const auto states = double(hidden.of.size() * (both ? 2 : 1));
  if (index < 0) index += states;
  if (hidden.half != 0 || !(index >= 0 && index < states)) return hidden;  // a dimension of one
  Value one = hidden;
  const auto at = std::size_t(index);
  one.of = {hidden.of[both ? at / 2 : at]};
  if (both) one.half = at % 2 ? 2 : 1;
  if (one.of[0] != hidden.of.back()) stop("the last state of a layer that others read every step");
  return one;
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

void Follower::finish(const Value& answer) {
  std::vector<std::uint32_t> parts;
  const std::function<void(const Value&)> collect = [&](const Value& value) {
    if (value.is(What::flow)) parts.push_back(value.source);
    if (value.is(What::list))
      for (const Value& item : value.items) collect(item);
  };
  if (answer.is(What::hidden))
    parts.push_back(flow_of(&answer, "the answer"));
  else
    collect(answer);
  // The states beside an output come after it.
  if (parts.empty()) stop("its answer does not come from the frame");
  Network& network = result_.network;
  if (network.layers.empty()) stop("it has no layer");
  if (parts.size() > 1) append_join(network, SLUICE_CONCAT, parts);
  if (parts.size() == 1 && parts[0] != network.layers.size())
    stop("its answer is not its last layer");
  for (const std::uint32_t layer : last_) network.layers[layer - 1].every_step = false;
}

Imported Follower::run() {
  const PickleNode* const root = file_.values.pickle.root;
  if (!root || !root->is(Kind::object)) refuse("{}: holds no module; write it again", path_);
  Value module;
  module.what = What::module;
  module.node = root;
  module.values = &file_.values;
  Arguments arguments;
  arguments.items.push_back(flow_value(0));
  finish(call_module(module, "forward", arguments));
  return std::move(result_);
}

}  // namespace

Imported model_of_script(const TorchFile& file, TensorReader& reader) {
  TensorReader first = reader;
  const int width = Follower(file, first, 0).run().network.width;
  return Follower(file, reader, width).run();
}

}  // namespace sluice::tools
