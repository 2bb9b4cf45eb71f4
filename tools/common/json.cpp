#include "json.h"

#include <cstdint>

namespace sluice::tools {
namespace {

/// Stops the parser at the first value that is too deep. The parser itself does not recurse.
struct Levels : nlohmann::json_sax<Json> {
  int level = 0;
  bool deep = false;

  bool down() {
    deep = ++level > json_levels;
    return !deep;
  }
  bool up() {
    --level;
    return true;
  }
  bool start_object(std::size_t) override { return down(); }
  bool end_object() override { return up(); }
  bool start_array(std::size_t) override { return down(); }
  bool end_array() override { return up(); }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(std::int64_t) override { return true; }
  bool number_unsigned(std::uint64_t) override { return true; }
  bool number_float(double, const std::string&) override { return true; }
  bool string(std::string&) override { return true; }
  bool binary(Json::binary_t&) override { return true; }
  bool key(std::string&) override { return true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }
};

template <class J>
J parse(std::string_view text) {
  return nests_too_deep(text) ? J(J::value_t::discarded) : J::parse(text, nullptr, false);
}

}  // namespace

Json parse_json(std::string_view text) { return parse<Json>(text); }

OrderedJson parse_ordered_json(std::string_view text) { return parse<OrderedJson>(text); }

bool nests_too_deep(std::string_view text) {
  Levels levels;
  Json::sax_parse(text, &levels);
  return levels.deep;
}

}  // namespace sluice::tools
