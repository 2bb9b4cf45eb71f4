// Forward declarations of the JSON types in json.h.
#pragma once
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace sluice::tools {

template <class T>
struct JsonAllocator;

/// Json keeps keys in alphabetical order, OrderedJson in the order in which they were added.
using Json = nlohmann::basic_json<std::map, std::vector, std::string, bool, std::int64_t,
                                  std::uint64_t, double, JsonAllocator>;
using OrderedJson = nlohmann::basic_json<nlohmann::ordered_map, std::vector, std::string, bool,
                                         std::int64_t, std::uint64_t, double, JsonAllocator>;

}  // namespace sluice::tools
