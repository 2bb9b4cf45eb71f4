#include "checkpoint.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "../../runtime/blob.h"
#include "../common/error.h"
#include "../common/json.h"

namespace sluice::tools {
namespace {

constexpr std::uint8_t magic[8] = {'S', 'L', 'U', 'C', 'K', 'P', 'T', 0x1A};
constexpr std::uint32_t checkpoint_version = 5;  // raised with every change of the fields in each()

/// The CRC is at the same place as in a blob, so that blob_crc() works here too.
struct Header {
  std::uint8_t magic[8];
  std::uint32_t version;
  std::uint32_t crc;
  std::uint64_t bytes;  ///< of the whole checkpoint
  std::uint8_t zero[40];
};
static_assert(sizeof(Header) == sizeof(BlobHeader) &&
              offsetof(Header, crc) == offsetof(BlobHeader, crc));

struct StateWriter {
  std::string bytes;

  void raw(const void* from, std::size_t n) { bytes.append(static_cast<const char*>(from), n); }
  void count(std::size_t& n) {
    const std::uint64_t value = n;
    raw(&value, sizeof value);
  }
  void count(std::size_t& n, std::size_t) { count(n); }
};

/// Reads nothing beyond the end; `bad` records a checkpoint that is cut short.
struct StateReader {
  const std::string& bytes;
  std::size_t at;
  bool bad = false;

  void raw(void* to, std::size_t n) {
    bad = bad || n > bytes.size() - at;
    if (bad) return;
    std::memcpy(to, bytes.data() + at, n);
    at += n;
  }
  void count(std::size_t& n) {
    std::uint64_t value = 0;
    raw(&value, sizeof value);
    bad = bad || value > bytes.size() - at;
    n = bad ? 0 : std::size_t(value);
  }
  /// Does the same for the length of a list whose elements take at least `least` bytes each, so
  /// that the file's size bounds the memory it allocates.
  void count(std::size_t& n, std::size_t least) {
    count(n);
    bad = bad || n > (bytes.size() - at) / least;
    if (bad) n = 0;
  }
};

// each(archive, value) writes a value to a StateWriter and reads it from a StateReader, so that
// contents and order are defined once.

template <class A, class T>
  requires std::is_arithmetic_v<T>
void each(A& a, T& value) {
  a.raw(&value, sizeof value);
}

template <class A>
void each(A& a, bool& value) {
  std::uint8_t byte = value;  // a file may contain any byte
  a.raw(&byte, sizeof byte);
  value = byte != 0;
}

/// The least bytes of an element in a checkpoint.
template <class T>
constexpr std::size_t least_bytes = sizeof(T);
template <>
constexpr std::size_t least_bytes<std::string> = sizeof(std::uint64_t);
template <>
constexpr std::size_t least_bytes<Epoch> =
    sizeof(int) + (5 + weight_group_count) * sizeof(double) + sizeof(std::uint64_t) + 1;
template <>
constexpr std::size_t least_bytes<HeadScore> =
    sizeof(std::uint64_t) + 2 * sizeof(double) + sizeof(std::uint8_t);
template <>
constexpr std::size_t least_bytes<NumberRanges> = 2 * sizeof(std::uint64_t);

template <class A, class List>
void each_of_list(A& a, List& list) {
  std::size_t n = list.size();
  a.count(n, least_bytes<typename List::value_type>);
  list.resize(n);
  for (auto& item : list) each(a, item);
}

template <class A>
void each(A& a, std::string& text) {
  std::size_t n = text.size();
  a.count(n);
  text.resize(n);
  a.raw(text.data(), n);
}

template <class A>
void each(A& a, HeadScore& h) {
  each(a, h.name), each(a, h.loss), each(a, h.measure), each(a, h.share);
}

template <class A>
void each(A& a, HeldOut& h) {
  each(a, h.loss), each(a, h.accuracy), each(a, h.watched), each_of_list(a, h.heads);
}

template <class A>
void each(A& a, Epoch& e) {
  each(a, e.number), each(a, e.loss), each(a, e.accuracy), each(a, e.gradient_norm),
      each(a, e.gradient_norm_clipped);
  each(a, e.learning_rate);
  for (double& norm : e.weight_norms) each(a, norm);
  each_of_list(a, e.zero_blocks);
  bool validated = e.held_out.has_value();
  each(a, validated);
  if (validated && !e.held_out) e.held_out.emplace();
  if (validated) each(a, *e.held_out);
}

template <class A>
void each(A& a, Sums& s) {
  each(a, s.batches), each(a, s.loss), each(a, s.weight), each(a, s.norms),
      each(a, s.clipped_norms), each(a, s.targets), each(a, s.correct);
  each(a, s.learning_rate);
}

template <class A>
void each(A& a, Best& b) {
  each(a, b.epoch), each(a, b.value), each(a, b.model), each(a, b.real),
      each_of_list(a, b.warnings);
}

template <class A>
void each(A& a, NumberRanges& r) {
  each_of_list(a, r.low), each_of_list(a, r.high);
}

template <class A>
void each(A& a, TrainState& s) {
  each_of_list(a, s.epochs), each(a, s.sums), each(a, s.best);
  each(a, s.patience.best), each(a, s.patience.worse);
  each(a, s.plateau.best), each(a, s.plateau.worse), each(a, s.plateau.factor);
  each(a, s.trainer), each_of_list(a, s.carried), each_of_list(a, s.mask), each_of_list(a, s.unit),
      each_of_list(a, s.outputs.peak), each(a, s.outputs.answer), each_of_list(a, s.outputs.each);
}

/// Returns the first difference of two trainings as a recipe names it: "train.batch".
std::string first_difference(const std::string& made, const std::string& other) {
  const Json changes = Json::diff(parse_json(made), parse_json(other));
  if (changes.empty()) return "";
  std::string path = changes[0].value("path", "");
  if (path.empty()) return "all of it";  // one of them is not a JSON object
  std::replace(path.begin(), path.end(), '/', '.');
  return path.starts_with(".recipe.") ? path.substr(std::strlen(".recipe.")) : path.substr(1);
}

[[noreturn]] void refuse_other(const std::string& made, const std::string& other,
                               const std::string& file) {
  const std::string what = first_difference(made, other);
  if (what == "data_hash")
    refuse("{}: the data have changed since; restore them, or train from the start", file);
  if (what == "version")
    refuse(
        "{}: was written by another version of sluice; continue with that version, or train from "
        "the start",
        file);
  refuse("{}: belongs to another recipe ({} differs); undo the change, or train from the start",
         file, what);
}

}  // namespace

std::string checkpoint_bytes(const TrainState& state, const std::string& made) {
  StateWriter writer;
  Header header{};
  writer.raw(&header, sizeof header);
  std::string of = made;
  each(writer, of);
  each(writer, const_cast<TrainState&>(state));  // a StateWriter only reads
  std::memcpy(header.magic, magic, sizeof magic);
  header.version = checkpoint_version;
  header.bytes = writer.bytes.size();
  std::memcpy(writer.bytes.data(), &header, sizeof header);
  header.crc =
      blob_crc(reinterpret_cast<const std::uint8_t*>(writer.bytes.data()), writer.bytes.size());
  std::memcpy(writer.bytes.data(), &header, sizeof header);
  return std::move(writer.bytes);
}

TrainState read_checkpoint(const std::string& bytes, const std::string& made,
                           const std::string& file) {
  Header header{};
  std::memcpy(&header, bytes.data(), std::min(bytes.size(), sizeof header));
  if (std::memcmp(header.magic, magic, sizeof magic) != 0)
    refuse("{}: is not a checkpoint; train from the start", file);
  if (header.version != checkpoint_version)
    refuse(
        "{}: was written by another version of sluice; continue with that version, or train from "
        "the start",
        file);
  if (header.bytes != bytes.size() || bytes.size() < sizeof header ||
      header.crc != blob_crc(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()))
    refuse("{}: is damaged; train from the start", file);
  StateReader reader{bytes, sizeof header};
  std::string of;
  TrainState state;
  each(reader, of);
  if (of != made) refuse_other(of, made, file);
  each(reader, state);
  if (reader.bad || reader.at != bytes.size()) refuse("{}: is damaged; train from the start", file);
  return state;
}

}  // namespace sluice::tools
