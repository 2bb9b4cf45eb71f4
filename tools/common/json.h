// JSON: nlohmann's, with bounds on what a text from elsewhere may ask for, and an end that is
// defined if memory runs out.
#pragma once
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "ending.h"
#include "json_fwd.h"

namespace sluice::tools {

/// Ends the command if memory runs out. The library's values are not whole when their allocator
/// throws: they crash as they are destroyed.
template <class T>
struct JsonAllocator {
  using value_type = T;
  JsonAllocator() = default;
  template <class U>
  JsonAllocator(const JsonAllocator<U>&) {}  // NOLINT: containers convert allocators
  T* allocate(std::size_t n) {
    if (void* p = std::malloc(n * sizeof(T))) return static_cast<T*>(p);
    end_out_of_memory();
  }
  void deallocate(T* p, std::size_t) { std::free(p); }
  template <class U>
  bool operator==(const JsonAllocator<U>&) const {
    return true;
  }
};

/// Arrays and objects inside each other, at most: the library prints, copies and compares by
/// recursion. What this program writes has seven.
constexpr int json_levels = 64;

/// The value that a text is; discarded (is_discarded()) if the text is not JSON, or nests deeper
/// than json_levels.
Json parse_json(std::string_view text);
OrderedJson parse_ordered_json(std::string_view text);

/// Whether a text nests deeper than json_levels before it ends, or ceases to be JSON.
bool nests_too_deep(std::string_view text);

/// The value at a place such as "/recipe/data/validation"; null if there is none.
template <class J>
const J* value_at(const J& json, const std::string& place) {
  const typename J::json_pointer at(place);
  return json.is_object() && json.contains(at) ? &json.at(at) : nullptr;
}

/// The text of a value. Bytes that are not UTF-8 become U+FFFD.
template <class J>
std::string json_text(const J& json, int indent = -1) {
  return json.dump(indent, ' ', false, J::error_handler_t::replace);
}

}  // namespace sluice::tools
