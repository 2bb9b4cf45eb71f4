// A model of another program as its file was read: the network, and the way it came to be.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "../common/error.h"
#include "../model/network.h"

namespace sluice::tools {

/// A tensor, node or setting of the file, and the part of the network that it became.
struct Origin {
  std::string from, became;
};

/// A sequence that the file holds for a test, and the answers that its author's program gave.
struct TestVector {
  std::vector<float> x;  ///< [steps][inputs]
  std::vector<float> y;  ///< [steps][outputs]
  std::size_t steps = 0;
};

struct Imported {
  std::string format;  ///< of the file, for people: "RTNeural JSON"
  Network network;
  std::vector<Origin> origins;
  std::vector<std::string> remarks;  ///< that a person should read in any case
  std::vector<TestVector> tests;
  /// The model leaves out frames whose numbers are all equal to this one; the caller does it.
  std::optional<float> mask;

  void note(std::string from, std::string became) {
    origins.push_back({std::move(from), std::move(became)});
  }
};

/// A numbered array of a file, as floats in row-major order.
struct Tensor {
  std::string name;
  std::vector<std::size_t> shape;
  std::vector<float> values;
  std::size_t size(std::size_t dimension) const { return shape[dimension]; }
  /// "[3][24]"
  std::string shape_text() const;
};

/// Refuses a tensor with a number that is not finite. `file` begins the message.
void check_finite(const Tensor& tensor, const std::string& file);

/// The parts of a file that the network cannot express. All are found before the file is refused.
class Obstacles {
 public:
  explicit Obstacles(std::string file) : file_(std::move(file)) {}
  /// Adds one. Names that the text quotes must be printable.
  template <class... Args>
  void add(fmt::format_string<Args...> text, Args&&... args) {
    found_.push_back(fmt::format(text, std::forward<Args>(args)...));
  }
  bool empty() const { return found_.empty(); }
  /// Refuses the file, with all that was found, if anything was.
  void refuse_any() const;

 private:
  std::string file_;
  std::vector<std::string> found_;
};

}  // namespace sluice::tools
