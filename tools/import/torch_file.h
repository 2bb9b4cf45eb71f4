// Files that torch.save and torch.jit.save write: a zip archive with a pickle and the numbers of
// each tensor, or, before PyTorch 1.6, pickles and numbers one behind another.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "imported.h"
#include "pickle.h"
#include "torch_code.h"

namespace sluice::tools {

/// A pickle of such a file, and the numbers of its tensors.
struct TorchValues {
  Pickle pickle;
  std::map<std::string, std::string> storages;  ///< bytes by their keys
};

/// Converts the tensors of a file to floats, as many as the file can hold.
class TensorReader {
 public:
  /// @param bytes  of the whole file
  TensorReader(std::size_t bytes, std::string file);
  /// Returns a tensor. Refuses (exit code 2) one that lies outside its numbers.
  Tensor read(const TorchValues& values, const PickleNode& node, const std::string& name);
  const std::string& file() const { return file_; }

 private:
  std::string file_;
  std::size_t left_;
};

struct TorchFile {
  TorchValues values;
  TorchValues constants;  ///< of TorchScript's code: a list
  TorchCode code;         ///< empty if the file holds tensors alone
  bool is_script() const { return !code.classes.empty(); }
};

/// Returns whether bytes begin as such a file.
bool is_torch_file(std::string_view bytes);

TorchFile read_torch_file(std::string_view bytes, const std::string& file);

/// Returns the tensors of a state dict, by their names; of a dict that holds a state dict beside
/// other things (a checkpoint) those of the state dict; of a TorchScript module those of all its
/// modules. Refuses (exit code 2) a file without tensors.
std::vector<Tensor> torch_tensors(const TorchFile& file, TensorReader& reader);

/// Returns the model that the code of a TorchScript file computes: modules of torch.nn, and
/// functions without branches. Refuses (exit code 2) other code, by its line.
Imported model_of_script(const TorchFile& file, TensorReader& reader);

}  // namespace sluice::tools
