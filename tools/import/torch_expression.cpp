// Evaluates the expressions of TorchScript's code.
#include <charconv>
#include <cmath>

#include "torch_follower.h"

namespace sluice::tools::script {

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

Value Follower::evaluate(const std::vector<Token>& tokens, std::size_t at, Locals& locals) {
  return Expression(*this, tokens, at, locals).value();
}

}  // namespace sluice::tools::script
