// Follows the functions of a TorchScript module, their lines and its attributes.
#include <algorithm>
#include <functional>

#include "../model/graph.h"
#include "torch_follower.h"

namespace sluice::tools {
namespace script {

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
      locals[parameter] = evaluate(tokens, 0, locals);
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
    if (line.text.starts_with("return")) {
      const std::vector<Token> tokens = tokens_of(line.text);
      if (tokens.size() > 2) returned = evaluate(tokens, 1, locals);
      return true;
    }
    if (line.text.starts_with("if ")) {
      const std::vector<Token> tokens = tokens_of(line.text);
      const Value condition = evaluate(tokens, 1, locals);
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
  const Value value = evaluate(tokens, equals == 0 ? 0 : equals + 1, locals);
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
      return evaluate(tokens, 0, none);
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
      for (const PickleNode* const item : found->items) {
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

}  // namespace script

Imported model_of_script(const TorchFile& file, TensorReader& reader) {
  TensorReader first = reader;
  const int width = script::Follower(file, first, 0).run().network.width;
  return script::Follower(file, reader, width).run();
}

}  // namespace sluice::tools
