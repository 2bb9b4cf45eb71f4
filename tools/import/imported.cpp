#include "imported.h"

#include <algorithm>
#include <cmath>

namespace sluice::tools {

std::string Tensor::shape_text() const {
  std::string text;
  for (const std::size_t size : shape) text += fmt::format("[{}]", size);
  return text.empty() ? "a single number" : text;
}

void check_finite(const Tensor& tensor, const std::string& file) {
  const auto bad = std::find_if(tensor.values.begin(), tensor.values.end(),
                                [](float value) { return !std::isfinite(value); });
  if (bad != tensor.values.end())
    refuse("{}: {}: its number {} is {}, not a finite float; the training that wrote it failed",
           file, tensor.name, bad - tensor.values.begin(), *bad);
}

void Obstacles::refuse_any() const {
  constexpr std::size_t most = 20;
  if (found_.empty()) return;
  std::string text;
  for (std::size_t i = 0; i < std::min(most, found_.size()); ++i)
    text += (i ? "; " : "") + found_[i];
  if (found_.size() > most) text += fmt::format("; and {} more", found_.size() - most);
  refuse("{}: {}", file_, text);
}

}  // namespace sluice::tools
