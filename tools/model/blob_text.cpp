#include "blob_text.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace sluice::tools {

std::string section_text(const sluice_model& model, sluice_section_kind kind) {
  std::size_t bytes = 0;
  const auto* text = static_cast<const char*>(sluice_section(&model, kind, &bytes));
  return bytes ? std::string(text, bytes) : std::string();
}

std::vector<std::string> section_strings(const sluice_model& model, sluice_section_kind kind) {
  const std::string text = section_text(model, kind);
  std::vector<std::string> strings;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\0', begin), text.size());
    strings.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return strings;
}

std::string section_name(std::uint32_t kind) {
  constexpr const char* names[] = {"layers",    "weights",         "input names",
                                   "labels",    "how it was made", "scales",
                                   "self-test", "vocabulary",      "layer names"};
  static_assert(std::size(names) == SLUICE_SECTION_LAYER_NAMES,
                "a name for every kind of section, which count from 1");
  return kind >= 1 && kind <= std::size(names) ? names[kind - 1] : "kind " + std::to_string(kind);
}

}  // namespace sluice::tools
