#include "pickle.h"

#include <bit>
#include <cstring>
#include <unordered_map>

#include "../common/error.h"
#include "../common/print.h"

namespace sluice::tools {
namespace {

using Kind = PickleNode::Kind;

/// The machine of pickles: a stack, marks on it, and a memo.
class Machine {
 public:
  Machine(std::string_view bytes, const std::string& file, const PickleRules& rules)
      : bytes_(bytes), file_(file), rules_(rules) {}

  Pickle run() {
    for (;;) {
      const auto opcode = static_cast<unsigned char>(take(1)[0]);
      if (opcode == '.') {
        result_.root = pop();
        return std::move(result_);
      }
      step(opcode);
    }
  }
  std::size_t end() const { return at_; }

 private:
  Pickled make(Kind kind) {
    result_.nodes.emplace_back();
    result_.nodes.back().kind = kind;
    return &result_.nodes.back();
  }

  [[noreturn]] void damaged() const {
    refuse("{}: a damaged pickle, at byte {} of it; write the file again", file_, at_);
  }

  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - at_) damaged();
    const std::string_view taken = bytes_.substr(at_, std::size_t(count));
    at_ += std::size_t(count);
    return taken;
  }

  std::uint64_t number(int count) {
    std::uint64_t value = 0;
    const std::string_view from = take(std::uint64_t(count));
    for (int i = 0; i < count; ++i)
      value |= std::uint64_t(static_cast<unsigned char>(from[std::size_t(i)])) << (8 * i);
    return value;
  }

  std::string line() {
    const std::size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) damaged();
    std::string text(bytes_.substr(at_, end - at_));
    at_ = end + 1;
    return text;
  }

  void push(Pickled value) {
    if (++values_ > rules_.most_values)
      refuse(
          "{}: a pickle with more values than a model of this size has; it is damaged or hostile",
          file_);
    stack_.push_back(value);
  }

  Pickled pop() {
    if (stack_.empty() || (!marks_.empty() && stack_.size() <= marks_.back())) damaged();
    PickleNode* const value = stack_.back();
    stack_.pop_back();
    return value;
  }

  Pickled top(Kind kind) {
    if (stack_.empty() || !stack_.back()->is(kind)) damaged();
    return stack_.back();
  }

  std::vector<Pickled> pop_to_mark() {
    if (marks_.empty()) damaged();
    const std::size_t mark = marks_.back();
    marks_.pop_back();
    std::vector<Pickled> values(stack_.begin() + std::ptrdiff_t(mark), stack_.end());
    stack_.resize(mark);
    return values;
  }

  void push_list(std::vector<Pickled> items) {
    Pickled list = make(Kind::list);
    list->items = std::move(items);
    push(list);
  }

  void push_text(std::string_view text) {
    Pickled value = make(Kind::text);
    value->text = text;
    push(value);
  }

  void push_integer(std::int64_t number, Kind kind = Kind::integer) {
    Pickled value = make(kind);
    value->integer = number;
    push(value);
  }

  void push_real(double real) {
    Pickled value = make(Kind::real);
    value->real = real;
    push(value);
  }

  /// Pushes a whole number of `count` bytes, in two's complement; one of more than eight becomes 0.
  void push_long(std::uint64_t count) {
    const std::string_view digits = take(count);
    if (count == 0 || count > 8) return push_integer(0);
    std::uint64_t value = static_cast<unsigned char>(digits.back()) & 0x80 ? ~std::uint64_t(0) : 0;
    for (std::size_t i = digits.size(); i-- > 0;)
      value = value << 8 | static_cast<unsigned char>(digits[i]);
    push_integer(std::int64_t(value));
  }

  static void set(PickleNode& dict, const std::vector<Pickled>& pairs) {
    for (std::size_t i = 0; i + 1 < pairs.size(); i += 2)
      dict.members.emplace_back(pairs[i], pairs[i + 1]);
  }

  void remember(std::uint64_t key) {
    if (stack_.empty()) damaged();
    memo_[key] = stack_.back();
  }

  void recall(std::uint64_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) damaged();
    push(found->second);
  }

  void push_global(const std::string& module, const std::string& name) {
    Pickled value = make(Kind::global);
    value->text = module + "." + name;
    push(value);
  }

  void step(unsigned char opcode);
  void read_scalar(unsigned char opcode);
  void call(const PickleNode& function, const Pickled& arguments);
  void make_object(const Pickled& type);
  void build();
  void load_storage(const PickleNode& identity);
  [[noreturn]] void refuse_call(const std::string& name) const;

  std::string_view bytes_;
  std::size_t at_ = 0, values_ = 0;
  Pickle result_;
  const std::string& file_;
  const PickleRules& rules_;
  std::vector<Pickled> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, Pickled> memo_;
};

void Machine::refuse_call(const std::string& name) const {
  refuse(
      "{}: its pickle uses {}, which no tensor needs, and no code of a file is run; save the "
      "state_dict() of the model alone, or a .safetensors file",
      file_, brief(name));
}

std::vector<std::int64_t> integers(const PickleNode& list) {
  std::vector<std::int64_t> result;
  for (const Pickled& item : list.items) result.push_back(item->integer);
  return result;
}

void Machine::call(const PickleNode& function, const Pickled& arguments) {
  const std::string& name = function.text;
  const std::vector<Pickled>& given = arguments->items;
  if (!arguments->is(Kind::list)) damaged();
  if (!function.is(Kind::global)) damaged();
  if (name == "collections.OrderedDict") {
    Pickled dict = make(Kind::dict);
    if (!given.empty()) {  // a list of pairs
      for (const Pickled& pair : given[0]->items)
        if (pair->items.size() == 2) dict->members.emplace_back(pair->items[0], pair->items[1]);
    }
    return push(dict);
  }
  if (name == "torch._utils._rebuild_tensor_v2" || name == "torch._utils._rebuild_tensor") {
    if (given.size() < 4 || !given[0]->is(Kind::storage) || !given[1]->is(Kind::integer) ||
        !given[2]->is(Kind::list) || !given[3]->is(Kind::list) ||
        given[2]->items.size() != given[3]->items.size())
      damaged();
    Pickled tensor = make(Kind::tensor);
    tensor->items = {given[0]};
    tensor->integer = given[1]->integer;
    tensor->shape = integers(*given[2]), tensor->strides = integers(*given[3]);
    return push(tensor);
  }
  if (name == "torch._utils._rebuild_parameter" || name == "torch.jit._pickle.restore_type_tag" ||
      name == "torch._utils._rebuild_parameter_with_state") {
    if (given.empty()) damaged();
    return push(given[0]);
  }
  if (name == "torch.Size" || name.starts_with("torch.jit._pickle.build_")) {
    if (given.empty()) return push_list({});
    return push(given[0]);
  }
  if (name == "torch.device" || name == "torch.set" || name == "builtins.set")
    return push(make(Kind::none));
  refuse_call(name);
}

void Machine::make_object(const Pickled& type) {
  if (!type->is(Kind::global)) damaged();
  if (type->text == "collections.OrderedDict") return push(make(Kind::dict));
  if (!rules_.objects || !type->text.starts_with("__torch__")) refuse_call(type->text);
  Pickled object = make(Kind::object);
  object->text = type->text;
  push(object);
}

/// Gives an object its state. The attributes of a dict, such as a state dict's versions, are passed
/// over.
void Machine::build() {
  Pickled state = pop();
  if (stack_.empty()) damaged();
  if (stack_.back()->is(Kind::object)) stack_.back()->items = {state};
}

void Machine::load_storage(const PickleNode& identity) {
  const std::vector<Pickled>& parts = identity.items;
  if (parts.size() < 5 || parts[0]->text != "storage" || !parts[1]->is(Kind::global)) damaged();
  Pickled storage = make(Kind::storage);
  storage->type = parts[1]->text;
  storage->text =
      parts[2]->is(Kind::integer) ? fmt::format("{}", parts[2]->integer) : parts[2]->text;
  storage->integer = parts[4]->integer;
  push(storage);
}

/// Reads numbers, texts and other values without parts. Refuses other opcodes.
void Machine::read_scalar(unsigned char opcode) {
  switch (opcode) {
    case 'N':
      return push(make(Kind::none));
    case 0x88:
    case 0x89:
      return push_integer(opcode == 0x88, Kind::boolean);
    case 'I': {
      const std::string text = line();
      if (text == "01" || text == "00") return push_integer(text == "01", Kind::boolean);
      return push_integer(std::strtoll(text.c_str(), nullptr, 10));
    }
    case 'L':
      return push_integer(std::strtoll(line().c_str(), nullptr, 10));
    case 'J':
      return push_integer(std::int32_t(number(4)));
    case 'K':
      return push_integer(std::int64_t(number(1)));
    case 'M':
      return push_integer(std::int64_t(number(2)));
    case 0x8a:
      return push_long(number(1));
    case 0x8b:
      return push_long(number(4));
    case 'F':
      return push_real(std::strtod(line().c_str(), nullptr));
    case 'G': {
      std::uint64_t bits = 0;
      for (const char byte : take(8)) bits = bits << 8 | static_cast<unsigned char>(byte);
      return push_real(std::bit_cast<double>(bits));
    }
    case 'X':
    case 'T':
    case 'B':
      return push_text(take(number(4)));
    case 0x8c:
    case 'U':
    case 'C':
      return push_text(take(number(1)));
    case 0x8d:
    case 0x8e:
      return push_text(take(number(8)));
    case 'V':
      return push_text(line());
    case 'S': {
      const std::string text = line();
      return push_text(text.size() >= 2 ? std::string_view(text).substr(1, text.size() - 2) : "");
    }
    default:
      refuse("{}: a pickle with the opcode {:#04x}, which tensors do not need, or a damaged one",
             file_, opcode);
  }
}

void Machine::step(unsigned char opcode) {
  switch (opcode) {
    case 0x80:  // PROTO
      take(1);
      return;
    case 0x95:  // FRAME
      take(8);
      return;
    case '(':
      return marks_.push_back(stack_.size());
    case '0':
      pop();
      return;
    case '1':
      pop_to_mark();
      return;
    case '2':
      if (stack_.empty()) damaged();
      return push(stack_.back());
    case ')':
    case ']':
    case 0x8f:
      return push_list({});
    case '}':
      return push(make(Kind::dict));
    case 't':
    case 'l':
    case 0x91:
      return push_list(pop_to_mark());
    case 'd': {
      Pickled dict = make(Kind::dict);
      set(*dict, pop_to_mark());
      return push(dict);
    }
    case 0x85:
    case 0x86:
    case 0x87: {
      std::vector<Pickled> items(std::size_t(opcode - 0x84));
      for (std::size_t i = items.size(); i-- > 0;) items[i] = pop();
      return push_list(std::move(items));
    }
    case 'a': {
      Pickled item = pop();
      top(Kind::list)->items.push_back(item);
      return;
    }
    case 'e':
    case 0x90: {
      std::vector<Pickled> items = pop_to_mark();
      std::vector<Pickled>& to = top(Kind::list)->items;
      to.insert(to.end(), items.begin(), items.end());
      return;
    }
    case 's': {
      Pickled value = pop(), key = pop();
      top(Kind::dict)->members.emplace_back(key, value);
      return;
    }
    case 'u': {
      const std::vector<Pickled> pairs = pop_to_mark();
      return set(*top(Kind::dict), pairs);
    }
    case 'q':
      return remember(number(1));
    case 'r':
      return remember(number(4));
    case 'p':
      return remember(std::strtoull(line().c_str(), nullptr, 10));
    case 0x94:
      return remember(memo_.size());
    case 'h':
      return recall(number(1));
    case 'j':
      return recall(number(4));
    case 'g':
      return recall(std::strtoull(line().c_str(), nullptr, 10));
    case 'c': {
      const std::string module = line();
      return push_global(module, line());
    }
    case 0x93: {
      PickleNode *const name = pop(), *const module = pop();
      return push_global(module->text, name->text);
    }
    case 'R': {
      PickleNode *const arguments = pop(), *const function = pop();
      return call(*function, arguments);
    }
    case 0x81: {
      pop();
      return make_object(pop());
    }
    case 'b':
      return build();
    case 'Q': {
      PickleNode* const identity = pop();
      return load_storage(*identity);
    }
    default:
      return read_scalar(opcode);
  }
}

}  // namespace

const PickleNode* PickleNode::find(std::string_view key) const {
  for (const auto& [name, value] : members)
    if (name->is(Kind::text) && name->text == key) return value;
  return nullptr;
}

Pickle read_pickle(std::string_view& bytes, const std::string& file, const PickleRules& rules) {
  Machine machine(bytes, file, rules);
  Pickle result = machine.run();
  bytes.remove_prefix(machine.end());
  return result;
}

}  // namespace sluice::tools
