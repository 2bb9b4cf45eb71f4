// The Python-like code in a TorchScript file: its classes, their constants and functions, line by
// line. It is read, never run.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::tools {

/// A line of a function: its depth, and the text without it.
struct CodeLine {
  std::size_t indent = 0;
  std::string text;
};

struct CodeFunction {
  std::vector<std::string> parameters;          ///< names, "self" first in a method
  std::map<std::string, std::string> defaults;  ///< of parameters, as text
  std::vector<CodeLine> lines;
};

struct CodeClass {
  std::map<std::string, std::string> constants;  ///< "hidden_size" -> "64"
  std::map<std::string, CodeFunction> methods;
};

/// The code of a file: classes and functions by their names with dots, "__torch__.a.b.Class".
struct TorchCode {
  std::map<std::string, CodeClass> classes;
  std::map<std::string, CodeFunction> functions;
  /// Adds a file of code, whose module has that name: "__torch__.a.b".
  void add(const std::string& module, std::string_view text);
};

/// A piece of an expression.
struct Token {
  enum class Kind { name, number, text, mark, end };
  Kind kind = Kind::end;
  std::string text;
};

/// Returns the pieces of a line.
std::vector<Token> tokens_of(std::string_view line);

}  // namespace sluice::tools
