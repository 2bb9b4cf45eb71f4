// Reads golden files, which tests/golden/generate.py makes. Their lines are
// `name rows cols v v v ...`.
#pragma once
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace sluice::tests {

struct GoldenArray {
  int rows = 0, cols = 0;
  std::vector<double> values;
  std::vector<float> floats() const { return {values.begin(), values.end()}; }
};

struct Golden {
  std::map<std::string, GoldenArray> arrays;

  explicit Golden(const std::string& file) {
    std::ifstream in(std::string(SLUICE_TESTS_FOLDER "/golden/") + file);
    if (!in) throw std::runtime_error("missing golden file " + file);
    for (std::string line; std::getline(in, line);) {
      if (line.empty() || line[0] == '#') continue;
      std::istringstream words(line);
      std::string name, word;
      GoldenArray a;
      words >> name >> a.rows >> a.cols;
      while (words >> word) a.values.push_back(std::stod(word));  // reads "nan" too
      if (a.values.size() != size_t(a.rows) * size_t(a.cols))
        throw std::runtime_error(std::string(file).append(": ").append(name) + " is cut short");
      arrays[name] = std::move(a);
    }
  }

  bool has(const std::string& name) const { return arrays.count(name) != 0; }
  const GoldenArray& operator[](const std::string& name) const {
    const auto it = arrays.find(name);
    if (it == arrays.end()) throw std::runtime_error("no golden array " + name);
    return it->second;
  }
};

}  // namespace sluice::tests
