// Follows the code of a TorchScript module line by line with symbols in place of numbers, and
// builds the network that it computes. torch_script.cpp follows functions, lines and attributes;
// torch_expression.cpp evaluates expressions; torch_modules.cpp knows the modules and functions of
// torch; torch_layers.cpp makes the layers.
#pragma once
#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "../common/print.h"
#include "../model/graph.h"
#include "torch_file.h"
#include "weights.h"

namespace sluice::tools::script {

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

inline Value state_value() {
  Value value;
  value.what = What::state;
  return value;
}
inline Value number_value(double number) {
  Value value;
  value.what = What::number;
  value.number = number;
  return value;
}
inline Value flow_value(std::uint32_t source) {
  Value value;
  value.what = What::flow;
  value.source = source;
  return value;
}
inline Value list_value(std::vector<Value> items) {
  Value value;
  value.what = What::list;
  value.items = std::move(items);
  return value;
}

inline bool depends_on_frame(const Value& value) {
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
  /// Evaluates the pieces of a line from `at` on.
  Value evaluate(const std::vector<Token>& tokens, std::size_t at, Locals& locals);
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

}  // namespace sluice::tools::script
