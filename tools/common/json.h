// nlohmann's JSON, with bounds on foreign texts and a defined end if memory runs out.
#pragma once
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "ending.h"
#include "json_fwd.h"

namespace sluice::tools {

/// Ends the command if memory runs out. An exception would leave the library's values in a state in
/// which their destructors crash.
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

/// The most levels of nested arrays and objects, since the library prints, copies and compares by
/// recursion. The deepest text that this program writes has seven.
constexpr int json_levels = 64;

/// Returns the value of a text; a discarded one (is_discarded()) if the text is not JSON or nests
/// deeper than json_levels.
Json parse_json(std::string_view text);
OrderedJson parse_ordered_json(std::string_view text);

/// Returns whether a text nests deeper than json_levels before it ends or stops being JSON.
bool nests_too_deep(std::string_view text);

/// Returns the value at a path such as "/recipe/data/validation"; null if there is none.
template <class J>
const J* value_at(const J& json, const std::string& place) {
  const typename J::json_pointer at(place);
  return json.is_object() && json.contains(at) ? &json.at(at) : nullptr;
}

/// Returns the text of a value. Bytes that are not UTF-8 become U+FFFD.
template <class J>
std::string json_text(const J& json, int indent = -1) {
  return json.dump(indent, ' ', false, J::error_handler_t::replace);
}

}  // namespace sluice::tools
