#include "torch_code.h"

#include <algorithm>
#include <cctype>

#include "../common/error.h"

namespace sluice::tools {
namespace {

bool begins_name(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

std::vector<CodeLine> lines_of(std::string_view text) {
  std::vector<CodeLine> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::size_t first = line.find_first_not_of(' ');
    if (first == line.npos || line[first] == '#') continue;
    lines.push_back({first, std::string(line.substr(first))});
  }
  return lines;
}

/// Reads the names of parameters and their defaults out of "f(self: T, x: int=1) -> T:".
void read_parameters(const std::string& head, CodeFunction& function) {
  const std::vector<Token> tokens = tokens_of(head);
  int depth = 0;
  std::string name;
  bool fresh = false;
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    const Token& token = tokens[i];
    if (token.text == "(" || token.text == "[") {
      if (++depth == 1) fresh = true;
      continue;
    }
    if ((token.text == ")" || token.text == "]") && --depth == 0) return;
    if (depth != 1) continue;
    if (token.text == ",") fresh = true;
    if (fresh && token.kind == Token::Kind::name) {
      function.parameters.push_back(name = token.text);
      fresh = false;
    } else if (token.text == "=") {
      std::string value;
      for (++i; i < tokens.size() && tokens[i].text != "," && tokens[i].text != ")"; ++i)
        value +=
            tokens[i].kind == Token::Kind::text ? "\"" + tokens[i].text + "\"" : tokens[i].text;
      function.defaults[name] = value;
      --i;
    }
  }
}

/// Reads a function whose "def" is at `at`, and moves `at` behind it.
CodeFunction read_function(const std::vector<CodeLine>& lines, std::size_t& at, std::string& name) {
  CodeFunction function;
  const std::size_t indent = lines[at].indent;
  std::string head = lines[at].text;
  while (!head.ends_with(':') && at + 1 < lines.size()) head += " " + lines[++at].text;
  ++at;
  const std::size_t open = std::min(head.find('('), head.size());
  name = head.substr(4, open - std::min<std::size_t>(open, 4));
  read_parameters(head.substr(open), function);
  while (at < lines.size() && lines[at].indent > indent) function.lines.push_back(lines[at++]);
  return function;
}

}  // namespace

void TorchCode::add(const std::string& module, std::string_view text) {
  const std::vector<CodeLine> lines = lines_of(text);
  CodeClass* open = nullptr;
  for (std::size_t at = 0; at < lines.size();) {
    const CodeLine& line = lines[at];
    if (line.indent == 0) open = nullptr;
    if (line.text.starts_with("class ")) {
      const std::size_t end = std::min(line.text.find('('), line.text.size());
      open = &classes[module + "." + line.text.substr(6, end - 6)];
      ++at;
    } else if (line.text.starts_with("def ")) {
      std::string name;
      CodeFunction function = read_function(lines, at, name);
      if (open)
        open->methods[name] = std::move(function);
      else
        functions[fmt::format("{}.{}", module, name)] = std::move(function);
    } else {
      const std::size_t equals = line.text.find("] = "), colon = line.text.find(" : Final[");
      if (open && colon != std::string::npos && equals != std::string::npos)
        open->constants[line.text.substr(0, colon)] = line.text.substr(equals + 4);
      ++at;
    }
  }
}

std::vector<Token> tokens_of(std::string_view line) {
  std::vector<Token> tokens;
  for (std::size_t at = 0; at < line.size();) {
    const char c = line[at];
    if (c == ' ') {
      ++at;
      continue;
    }
    Token token;
    std::size_t end = at + 1;
    if (begins_name(c)) {
      token.kind = Token::Kind::name;
      while (end < line.size() && (begins_name(line[end]) || is_digit(line[end]))) ++end;
      token.text = line.substr(at, end - at);
    } else if (is_digit(c)) {
      token.kind = Token::Kind::number;
      while (end < line.size() &&
             (is_digit(line[end]) || line[end] == '.' || line[end] == 'e' ||
              ((line[end] == '-' || line[end] == '+') && line[end - 1] == 'e')))
        ++end;
      token.text = line.substr(at, end - at);
    } else if (c == '"' || c == '\'') {
      token.kind = Token::Kind::text;
      while (end < line.size() && line[end] != c) {
        if (line[end] == '\\') ++end;
        if (end < line.size()) token.text += line[end++];
      }
      ++end;
    } else {
      token.kind = Token::Kind::mark;
      token.text = c;
    }
    tokens.push_back(std::move(token));
    at = end;
  }
  tokens.emplace_back();
  return tokens;
}

}  // namespace sluice::tools
