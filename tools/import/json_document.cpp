#include "json_document.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "../common/error.h"
#include "../common/json.h"
#include "../common/print.h"

namespace sluice::tools {
namespace {

/// Builds the tree from the parser's calls. An array is one of numbers until its first other value.
class Builder {
 public:
  Builder(std::string_view text, const std::string& file, std::size_t size)
      : text_(text),
        file_(file),
        values_left_(1024 + size / bytes_of_a_value),
        numbers_left_(1024 + size / bytes_of_a_number) {}

  bool null() { return add({}); }
  bool boolean(bool value) { return add(number_node(JsonNode::Kind::boolean, value)); }
  bool number_integer(std::int64_t value) { return number(double(value)); }
  bool number_unsigned(std::uint64_t value) { return number(double(value)); }
  bool number_float(double value, const std::string&) { return number(value); }
  bool string(std::string& value) {
    JsonNode node;
    node.kind = JsonNode::Kind::text;
    node.text = std::move(value);
    return add(std::move(node));
  }
  bool binary(std::vector<std::uint8_t>&) { return false; }  // not in a text
  bool start_object(std::size_t) { return open(JsonNode::Kind::object); }
  bool start_array(std::size_t) { return open(JsonNode::Kind::numbers); }
  bool key(std::string& name) {
    names_.push_back(std::move(name));
    return true;
  }
  bool end_object() { return close(); }
  bool end_array() {
    JsonNode& array = open_.back();
    if (array.is(JsonNode::Kind::numbers) && array.numbers.empty())
      array.kind = JsonNode::Kind::list;
    array.numbers.shrink_to_fit();
    return close();
  }
  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::json::exception&) {
    const auto line =
        1 + std::count(text_.begin(),
                       text_.begin() + std::ptrdiff_t(std::min(position, text_.size())), '\n');
    const std::string last = token.substr(token.size() - std::min<std::size_t>(token.size(), 24));
    refuse(
        "{}:{}: not JSON after \"{}\"{}", file_, line, brief(last),
        last.ends_with("N") || last.ends_with("I") || last.ends_with("-I")
            ? "; NaN and infinities are no numbers of JSON, and a training that writes them failed"
            : "; write the file again");
  }

  JsonNode root;

 private:
  /// A node takes this much memory beside its own text, so this many bytes of the file may be one.
  static constexpr std::size_t bytes_of_a_value = sizeof(JsonNode) / 3;

  static constexpr std::size_t bytes_of_a_number = 3;

  static JsonNode number_node(JsonNode::Kind kind, double value) {
    JsonNode node;
    node.kind = kind;
    node.number = value;
    return node;
  }

  bool number(double value) {
    if (!open_.empty() && open_.back().is(JsonNode::Kind::numbers)) {
      if (numbers_left_-- == 0) too_many();
      open_.back().numbers.push_back(value);
      return true;
    }
    return add(number_node(JsonNode::Kind::number, value));
  }

  void count() {
    if (values_left_-- == 0) too_many();
  }

  [[noreturn]] void too_many() const {
    refuse("{}: consists of too many small values to be a model; give the file of a model", file_);
  }

  bool open(JsonNode::Kind kind) {
    if (open_.size() == std::size_t(json_levels))
      refuse("{}: nests deeper than {} levels; give the file of a model", file_, json_levels);
    count();
    open_.emplace_back();
    open_.back().kind = kind;
    return true;
  }

  bool close() {
    JsonNode node = std::move(open_.back());
    open_.pop_back();
    return put(std::move(node));
  }

  bool add(JsonNode node) {
    count();
    return put(std::move(node));
  }

  bool put(JsonNode node) {
    if (open_.empty()) {
      root = std::move(node);
      return true;
    }
    JsonNode& parent = open_.back();
    if (parent.is(JsonNode::Kind::object)) {
      parent.members.push_back({std::move(names_.back()), std::move(node)});
      names_.pop_back();
      return true;
    }
    if (parent.is(JsonNode::Kind::numbers)) {
      parent.kind = JsonNode::Kind::list;
      for (const double value : parent.numbers) {
        count();
        parent.items.push_back(number_node(JsonNode::Kind::number, value));
      }
      parent.numbers = {};
    }
    parent.items.push_back(std::move(node));
    return true;
  }

  std::string_view text_;
  const std::string& file_;
  std::vector<JsonNode> open_;
  std::vector<std::string> names_;
  std::size_t values_left_, numbers_left_;
};

/// Appends the numbers of a nested array; `depth` is the dimension of its elements.
void flatten(const JsonNode& node, std::size_t depth, Tensor& tensor, const std::string& file) {
  if (!node.is_list() || node.size() == 0)
    refuse("{}: {}: not an array of numbers; write the file again", file, tensor.name);
  if (depth == tensor.shape.size()) {
    if (!tensor.values.empty())
      refuse("{}: {}: mixes numbers and arrays; write the file again", file, tensor.name);
    tensor.shape.push_back(node.size());
  }
  if (node.size() != tensor.shape[depth])
    refuse("{}: {}: a row of {} numbers beside one of {}; write the file again", file, tensor.name,
           node.size(), tensor.shape[depth]);
  if (node.is(JsonNode::Kind::list)) {
    for (const JsonNode& item : node.items) flatten(item, depth + 1, tensor, file);
    return;
  }
  if (depth + 1 != tensor.shape.size())
    refuse("{}: {}: mixes numbers and arrays; write the file again", file, tensor.name);
  for (const double value : node.numbers) tensor.values.push_back(float(value));
}

}  // namespace

const JsonNode* JsonNode::find(std::string_view name) const {
  for (const auto& [key, value] : members)
    if (key == name) return &value;
  return nullptr;
}

JsonNode parse_json_document(std::string_view text, const std::string& file, std::size_t size) {
  Builder builder(text, file, size ? size : text.size());
  nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  return std::move(builder.root);
}

Tensor tensor_of(const JsonNode& node, const std::string& name, const std::string& file) {
  Tensor tensor;
  tensor.name = name;
  flatten(node, 0, tensor, file);
  check_finite(tensor, file);
  return tensor;
}

}  // namespace sluice::tools
