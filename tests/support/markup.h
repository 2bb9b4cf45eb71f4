// Checks pages with a reader that knows only tags.
#pragma once
#include <string>
#include <vector>

namespace sluice::tests {

/// Returns the first fault of a page's markup; empty if all tags are closed in order and all
/// special characters are escaped.
inline std::string markup_fault(const std::string& html) {
  std::vector<std::string> open;
  std::size_t at = html.find('\n') + 1;  // behind <!DOCTYPE html>
  for (std::size_t begin; (begin = html.find_first_of("<&", at)) != std::string::npos;) {
    if (html[begin] == '&') {
      const std::size_t end = html.find(';', begin);
      if (end == std::string::npos || end - begin > 6)
        return "a bare & at " + html.substr(begin, 40);
      at = end + 1;
      continue;
    }
    const std::size_t end = html.find_first_of("<>", begin + 1);
    if (end == std::string::npos || html[end] == '<')
      return "a bare < at " + html.substr(begin, 40);
    const std::string tag = html.substr(begin + 1, end - begin - 1),
                      name = tag.substr(0, tag.find_first_of(" /", 1));
    at = end + 1;
    if (tag.ends_with("/")) continue;
    if (tag[0] != '/') {
      open.push_back(name);
      continue;
    }
    if (open.empty() || open.back() != tag.substr(1)) return "<" + tag + "> closes nothing";
    open.pop_back();
  }
  return open.empty() ? "" : "<" + open.back() + "> stays open";
}

inline bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace sluice::tests
