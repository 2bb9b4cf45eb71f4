// open or start reports every fault of a blob or of a use by its own status.
#include <doctest/doctest.h>

#include <set>

#include "../support/fixed_models.h"
#include "../support/forge.h"
#include "../support/tables.h"
#include "model/pack.h"

using namespace sluice;
using namespace sluice::tests;

namespace {

std::string good_blob() {
  Network network =
      random_network(3, {standardize(), gru(5, every_step), gru(9), dense(2, SLUICE_SOFTMAX)});
  network.inputs = {"a", "b", "c"};
  network.labels = {"yes", "no"};
  network.made = "{\"by\":\"a test\"}";
  return tools::write_blob(network);
}

/// Returns the status after one number was overwritten and the checksum corrected.
template <class T>
sluice_status with(size_t at, T value, const std::string& blob = good_blob()) {
  Forged f(blob);
  f.write(at, value);
  return f.checksum().open();
}

}  // namespace

TEST_CASE("a good blob opens, also if more bytes follow it") {
  CHECK_EQ(Forged(good_blob()).open(), SLUICE_OK);
  CHECK_EQ(Forged(good_blob()).checksum().open(), SLUICE_OK);
  CHECK_EQ(Forged(good_blob() + std::string(100, 'x')).open(), SLUICE_OK);
}

TEST_CASE("the checksum is the CRC-32 of zip and Ethernet") {
  // Every catalogue gives "123456789" the CRC-32 cbf43926. The test also puts it at the end of 64
  // bytes whose CRC it computes bit by bit.
  Memory blob(std::string(60, '\x5c') + "123456789");
  for (size_t i = 0; i < 4; ++i) blob.data()[offsetof(BlobHeader, crc) + i] = uint8_t(0xEE);
  uint32_t crc = ~0u;
  const auto add = [&crc](uint8_t byte) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0xEDB88320u : 0);
  };
  for (const char c : std::string("123456789")) add(uint8_t(c));
  CHECK_EQ(~crc, 0xCBF43926u);
  crc = ~0u;
  for (size_t i = 0; i < blob.size; ++i)
    add(i >= offsetof(BlobHeader, crc) && i < offsetof(BlobHeader, crc) + 4 ? 0 : blob.data()[i]);
  CHECK_EQ(blob_crc(blob.data(), blob.size), ~crc);
}

TEST_CASE("a blob that is cut short anywhere is truncated") {
  const std::string blob = good_blob();
  for (size_t n = 0; n < blob.size(); ++n) {
    CAPTURE(n);
    REQUIRE_EQ(Forged(blob.substr(0, n)).open(), SLUICE_TRUNCATED);
  }
}

TEST_CASE("every single flipped bit is found") {
  const std::string blob = tools::write_blob(random_network(2, {gru(3), dense(2)}));
  Memory memory(blob);
  sluice_model model;
  for (size_t bit = 0; bit < blob.size() * 8; ++bit) {
    const auto flip = uint8_t(1u << bit % 8);
    memory.data()[bit / 8] ^= flip;
    const sluice_status status = sluice_open(&model, memory.data(), memory.size, nullptr);
    memory.data()[bit / 8] ^= flip;
    const size_t byte = bit / 8;
    CAPTURE(byte);
    if (byte < 4)
      REQUIRE_EQ(status, SLUICE_NOT_A_BLOB);
    else if (byte >= 64)
      REQUIRE_EQ(status, SLUICE_CHECKSUM);
    else
      REQUIRE((status == SLUICE_CHECKSUM || status == SLUICE_NEWER_FORMAT ||
               status == SLUICE_TRUNCATED || status == SLUICE_STRUCTURE));
  }
}

TEST_CASE("bytes that do not begin with the magic number are not a blob") {
  CHECK_EQ(Forged(std::string("sequence,x1,x2,label\n") + std::string(200, ' ')).open(),
           SLUICE_NOT_A_BLOB);
  CHECK_EQ(Forged(std::string("\x7f"
                              "ELF"))
               .open(),
           SLUICE_NOT_A_BLOB);
  CHECK_EQ(Forged(std::string(1000, '\0')).open(), SLUICE_NOT_A_BLOB);
}

TEST_CASE("a newer major format is refused as such, a newer minor one is read") {
  const size_t major = offsetof(BlobHeader, major);
  CHECK_EQ(with<uint16_t>(major, 2), SLUICE_NEWER_FORMAT);
  CHECK_EQ(with<uint16_t>(major, 0xFFFF), SLUICE_NEWER_FORMAT);
  CHECK_EQ(with<uint16_t>(major, 0), SLUICE_STRUCTURE);
  CHECK_EQ(with<uint16_t>(offsetof(BlobHeader, minor), 7), SLUICE_OK);
  Forged unchecked(good_blob());  // a newer format may have another checksum
  unchecked.write<uint16_t>(major, 3);
  CHECK_EQ(unchecked.open(), SLUICE_NEWER_FORMAT);
}

TEST_CASE("a blob that is misaligned in memory is refused") {
  const std::string blob = good_blob();
  Memory room(blob.size() + 64);
  sluice_model model;
  for (size_t at = 0; at <= 64; ++at) {
    std::memcpy(room.data() + at, blob.data(), blob.size());
    CAPTURE(at);
    REQUIRE_EQ(sluice_open(&model, room.data() + at, blob.size(), nullptr),
               at % 16 ? SLUICE_MISALIGNED : SLUICE_OK);
  }
}

TEST_CASE("null pointers are refused") {
  const Memory blob(good_blob());
  sluice_model model;
  CHECK_EQ(sluice_open(nullptr, blob.data(), blob.size, nullptr), SLUICE_NULL);
  CHECK_EQ(sluice_open(&model, nullptr, blob.size, nullptr), SLUICE_NULL);
}

TEST_CASE(
    "frames of int16 in int8 are checked: only layers that select or join read them, and a "
    "difference, which reads no other ones") {
  const auto opened = [](const Network& network) { return Forged(write_blob(network)).open(); };
  const Network chain =
                    random_fixed_network(5, {gru(9), dense(3)}, SLUICE_INT8, Numbers::trained, 1),
                sum = with_frame_sum(chain);
  CHECK_EQ(opened(chain), SLUICE_OK);
  CHECK_EQ(opened(sum), SLUICE_OK);
  Network wide = chain;
  wide.wide_frame = true;  // the GRU reads the frame
  CHECK_EQ(opened(wide), SLUICE_SHAPE);
  const std::vector<Spec> begins_with_difference = {difference(), gru(9), dense(3)};
  Network differs = with_difference(begins_with_difference, SLUICE_INT8, Numbers::trained, 1);
  CHECK_EQ(opened(differs), SLUICE_OK);
  differs.wide_frame = false;
  CHECK_EQ(opened(differs), SLUICE_SHAPE);
  CHECK_EQ(opened(with_difference(begins_with_difference, SLUICE_W8A16, Numbers::trained, 1)),
           SLUICE_OK);
  Forged number(write_blob(sum));
  number.write<uint32_t>(offsetof(BlobHeader, wide_frame), 2);
  CHECK_EQ(number.checksum().open(), SLUICE_STRUCTURE);
  for (const sluice_format format : {SLUICE_F32, SLUICE_W8A16}) {
    Network other = format == SLUICE_F32
                        ? random_network(5, {gru(9), dense(3)}, 1)
                        : random_fixed_network(5, {gru(9), dense(3)}, format, Numbers::trained, 1);
    other.wide_frame = true;
    CHECK_EQ(opened(other), SLUICE_STRUCTURE);
  }
}

TEST_CASE("sizes and reserved fields of the header are checked") {
  const std::string blob = good_blob();
  for (size_t i = 0; i < 7; ++i)
    CHECK_EQ(with<uint32_t>(offsetof(BlobHeader, reserved) + 4 * i, 1), SLUICE_STRUCTURE);
  CHECK_EQ(with<uint32_t>(offsetof(BlobHeader, sections), 0), SLUICE_STRUCTURE);
  CHECK_EQ(with<uint32_t>(offsetof(BlobHeader, sections), 0xFFFFFFFF), SLUICE_STRUCTURE);
  CHECK_EQ(with<uint32_t>(offsetof(BlobHeader, sections), 0x10000000), SLUICE_STRUCTURE);
  CHECK_EQ(with<uint32_t>(offsetof(BlobHeader, layers), 0), SLUICE_STRUCTURE);
  CHECK_EQ(with<uint32_t>(offsetof(BlobHeader, layers), 3), SLUICE_STRUCTURE);
  // 64 times this number of layers is 256 in 32 bits.
  CHECK_EQ(with<uint32_t>(offsetof(BlobHeader, layers), 0x04000004), SLUICE_STRUCTURE);
  CHECK_EQ(with<uint32_t>(offsetof(BlobHeader, bytes), uint32_t(blob.size() + 1)),
           SLUICE_TRUNCATED);
  CHECK_EQ(with<uint32_t>(offsetof(BlobHeader, bytes), 0xFFFFFFFF), SLUICE_TRUNCATED);
  for (const uint32_t bytes : {0u, 1u, 63u})
    CHECK_EQ(with<uint32_t>(offsetof(BlobHeader, bytes), bytes), SLUICE_STRUCTURE);
  CHECK_EQ(with<uint32_t>(offsetof(BlobHeader, inputs), 4), SLUICE_SHAPE);
  CHECK_EQ(with<uint32_t>(offsetof(BlobHeader, outputs), 3), SLUICE_SHAPE);
}

TEST_CASE("sections that are out of bounds, overlap the table or occur twice are refused") {
  const Forged blob(good_blob());
  for (const uint32_t kind : {SLUICE_SECTION_LAYERS, SLUICE_SECTION_WEIGHTS, SLUICE_SECTION_NAMES,
                              SLUICE_SECTION_LABELS, SLUICE_SECTION_MADE}) {
    const size_t entry = blob.section_of(kind), offset = entry + offsetof(BlobSection, offset),
                 bytes = entry + offsetof(BlobSection, bytes);
    CAPTURE(kind);
    CHECK_EQ(with<uint32_t>(offset, 0), SLUICE_STRUCTURE);
    CHECK_EQ(with<uint32_t>(offset, blob.read<uint32_t>(offset) + 4), SLUICE_STRUCTURE);
    CHECK_EQ(with<uint32_t>(offset, 0xFFFFFFC0), SLUICE_STRUCTURE);
    CHECK_EQ(with<uint32_t>(bytes, 0xFFFFFFFF), SLUICE_STRUCTURE);
    CHECK_EQ(with<uint32_t>(bytes, uint32_t(-int32_t(blob.read<uint32_t>(offset)))),
             SLUICE_STRUCTURE);  // ends at 2^32
    CHECK_EQ(with<uint32_t>(entry + offsetof(BlobSection, reserved), 1), SLUICE_STRUCTURE);
    const uint32_t twice = kind == SLUICE_SECTION_MADE ? uint32_t(SLUICE_SECTION_LABELS) : kind + 1;
    CHECK_EQ(with<uint32_t>(entry, twice), SLUICE_STRUCTURE);
  }
  CHECK_EQ(with<uint32_t>(blob.section_of(SLUICE_SECTION_LAYERS), 99), SLUICE_STRUCTURE);
  CHECK_EQ(with<uint32_t>(blob.section_of(SLUICE_SECTION_WEIGHTS), 99), SLUICE_STRUCTURE);
  const size_t weights = blob.section_of(SLUICE_SECTION_WEIGHTS) + offsetof(BlobSection, bytes);
  CHECK_EQ(with<uint32_t>(weights, blob.read<uint32_t>(weights) - 64), SLUICE_STRUCTURE);
}

TEST_CASE("strings end inside their section") {
  const Forged blob(good_blob());
  for (const uint32_t kind : {SLUICE_SECTION_NAMES, SLUICE_SECTION_LABELS}) {
    const size_t entry = blob.section_of(kind);
    const uint32_t offset = blob.read<uint32_t>(entry + 4), bytes = blob.read<uint32_t>(entry + 8);
    CHECK_EQ(with<char>(offset + bytes - 1, 'x'), SLUICE_STRUCTURE);
    CHECK_EQ(with<uint32_t>(entry + offsetof(BlobSection, bytes), 0), SLUICE_STRUCTURE);
  }
}

TEST_CASE("a section of an unknown kind is skipped, and names may be stripped") {
  Forged blob(good_blob());
  blob.write<uint32_t>(blob.section_of(SLUICE_SECTION_NAMES), 77);
  const Opened m(blob.checksum().bytes);
  size_t bytes = 5;
  CHECK(sluice_section(&m.model, SLUICE_SECTION_NAMES, &bytes) == nullptr);
  CHECK_EQ(bytes, 0u);
  const void* labels = sluice_section(&m.model, SLUICE_SECTION_LABELS, &bytes);
  REQUIRE(labels != nullptr);
  CHECK_EQ(std::string(static_cast<const char*>(labels), bytes), std::string("yes\0no\0", 7));
}

TEST_CASE(
    "layers that this build does not know and layers that do not fit have different statuses") {
  const Forged blob(good_blob());
  const size_t standardization = blob.layer(0), first = blob.layer(1), second = blob.layer(2),
               last = blob.layer(3);
  for (const uint8_t kind : {0, 99, 255})
    CHECK_EQ(with<uint8_t>(first + offsetof(LayerRecord, kind), kind), SLUICE_LAYER_MISSING);
  for (const uint8_t format : {3, 4, 255})
    CHECK_EQ(with<uint8_t>(first + offsetof(LayerRecord, format), format), SLUICE_FORMAT_MISSING);
  CHECK_EQ(with<uint8_t>(standardization + offsetof(LayerRecord, format), SLUICE_INT8),
           SLUICE_LAYER_MISSING);
  for (const int activation : {SLUICE_ELU, SLUICE_LEAKY_RELU, SLUICE_CLIP, SLUICE_HARD_SILU})
    CHECK_EQ(with<uint8_t>(last + offsetof(LayerRecord, activation), uint8_t(activation)),
             SLUICE_STRUCTURE);  // without its parameter
  for (const int activation : {SLUICE_LOG + 1, 31, 32, 64})
    CHECK_EQ(with<uint8_t>(last + offsetof(LayerRecord, activation), uint8_t(activation)),
             SLUICE_STRUCTURE);
  CHECK_EQ(with<uint8_t>(last + offsetof(LayerRecord, activation), 200), SLUICE_STRUCTURE);
  CHECK_EQ(with<uint8_t>(first + offsetof(LayerRecord, activation), SLUICE_SIGMOID),
           SLUICE_STRUCTURE);  // 0 stands for it
  CHECK_EQ(with<uint8_t>(first + offsetof(LayerRecord, activation), SLUICE_HARD_SIGMOID),
           SLUICE_STRUCTURE);  // without a slope
  CHECK_EQ(with<uint8_t>(first + offsetof(LayerRecord, flags), every_step_flag | mean_flag),
           SLUICE_STRUCTURE);
  CHECK_EQ(
      with<uint8_t>(first + offsetof(LayerRecord, flags), every_step_flag | both_directions_flag),
      SLUICE_STRUCTURE);  // an odd number of units
  CHECK_EQ(with<uint8_t>(first + offsetof(LayerRecord, flags), 64), SLUICE_STRUCTURE);
  CHECK_EQ(with<uint8_t>(last + offsetof(LayerRecord, flags), 32), SLUICE_STRUCTURE);
  // The first layer must output every step.
  for (const uint8_t flags : {0, every_step_flag | once_flag, every_step_flag | answer_flag})
    CHECK_EQ(with<uint8_t>(first + offsetof(LayerRecord, flags), flags), SLUICE_SHAPE);
  CHECK_EQ(with<uint8_t>(last + offsetof(LayerRecord, flags), 1), SLUICE_STRUCTURE);
  for (size_t i = 0; i < 5; ++i)  // the backward direction's offsets, the parameter
    CHECK_EQ(with<uint32_t>(second + offsetof(LayerRecord, back) + 4 * i, 1), SLUICE_STRUCTURE);
  CHECK_EQ(with<uint16_t>(second + offsetof(LayerRecord, rank),
                          uint16_t(blob.read<uint32_t>(second + offsetof(LayerRecord, out)))),
           SLUICE_STRUCTURE);
  CHECK_EQ(with<uint16_t>(last + offsetof(LayerRecord, rank), 1), SLUICE_STRUCTURE);
  for (const size_t shift :
       {offsetof(LayerRecord, factor_shift_ih), offsetof(LayerRecord, factor_shift_hh)})
    CHECK_EQ(with<uint8_t>(second + shift, 1), SLUICE_STRUCTURE);
  CHECK_EQ(with<uint16_t>(second + offsetof(LayerRecord, parts), 1), SLUICE_STRUCTURE);
  CHECK_EQ(with<uint8_t>(second + offsetof(LayerRecord, shift_c), 1), SLUICE_STRUCTURE);
  CHECK_EQ(with<uint8_t>(second + offsetof(LayerRecord, shift_ih), 1), SLUICE_STRUCTURE);
  for (const uint32_t n : {0u, 4u, 6u, 65537u, 0x80000000u, 0xFFFFFFFFu}) {
    CAPTURE(n);
    CHECK((with<uint32_t>(second + offsetof(LayerRecord, in), n) == SLUICE_SHAPE ||
           with<uint32_t>(second + offsetof(LayerRecord, in), n) == SLUICE_STRUCTURE));
    CHECK((with<uint32_t>(first + offsetof(LayerRecord, out), n) == SLUICE_SHAPE ||
           with<uint32_t>(first + offsetof(LayerRecord, out), n) == SLUICE_STRUCTURE));
  }
  CHECK_EQ(with<uint32_t>(second + offsetof(LayerRecord, in), 4), SLUICE_SHAPE);
  CHECK_EQ(with<uint32_t>(standardization + offsetof(LayerRecord, out), 2), SLUICE_SHAPE);
  // A GRU cannot follow a layer that outputs only its last step.
  CHECK_EQ(with<uint8_t>(first + offsetof(LayerRecord, flags), 0), SLUICE_SHAPE);
}

TEST_CASE(
    "a record has the parameters of its curves and no others, and nothing in its last bytes") {
  const Network network = random_network(
      3, {candidate(gru(9, every_step), SLUICE_ELU), candidate(gru(9, every_step), SLUICE_RELU),
          dense(5, SLUICE_CLIP), dense(5, SLUICE_LEAKY_RELU), dense(5, SLUICE_PRELU),
          dense(2, SLUICE_HARD_SILU)});
  const std::string good = tools::write_blob(network);
  const Forged blob(good);
  const auto forged = [&](uint32_t layer, size_t field, auto value) {
    return with(blob.layer(layer) + field, value, good);
  };
  CHECK_EQ(forged(0, offsetof(LayerRecord, second), 0.7f), SLUICE_OK);
  const float inf = std::numeric_limits<float>::infinity();
  for (const uint32_t layer : {0u, 3u})  // alpha
    for (const float bad : {0.0f, -0.5f, inf, -inf, std::nanf("")})
      CHECK_EQ(forged(layer, offsetof(LayerRecord, second), bad), SLUICE_STRUCTURE);
  for (const uint32_t layer : {1u, 4u, 5u})
    CHECK_EQ(forged(layer, offsetof(LayerRecord, second), 0.5f), SLUICE_STRUCTURE);
  for (const uint32_t layer : {0u, 1u, 3u, 4u})
    CHECK_EQ(forged(layer, offsetof(LayerRecord, parameter), 0.5f), SLUICE_STRUCTURE);
  for (const float bad : {0.0f, -1.0f, inf})
    CHECK_EQ(forged(5, offsetof(LayerRecord, parameter), bad), SLUICE_STRUCTURE);
  // A clip has two finite bounds, of either sign or 0, in ascending order.
  for (const float low : {0.0f, -6.0f, 0.7f})
    CHECK_EQ(forged(2, offsetof(LayerRecord, parameter), low), SLUICE_OK);
  for (const float low : {0.75f, 1.0f, inf, -inf, std::nanf("")})
    CHECK_EQ(forged(2, offsetof(LayerRecord, parameter), low), SLUICE_STRUCTURE);
  for (const float high : {-0.5f, -1.0f, inf, -inf, std::nanf("")})
    CHECK_EQ(forged(2, offsetof(LayerRecord, second), high), SLUICE_STRUCTURE);
  // Candidates: the permitted ones alone, and only of cells.
  for (int curve = 0; curve < 64; ++curve) {
    CAPTURE(curve);
    const auto code = uint8_t(unsigned(curve) ^ unsigned(SLUICE_TANH));
    const bool permitted = curve < 32 && (candidates >> curve & 1);
    const bool alpha = curve == SLUICE_ELU || curve == SLUICE_LEAKY_RELU;
    CHECK_EQ(forged(1, offsetof(LayerRecord, candidate), code),
             permitted && !alpha ? SLUICE_OK : SLUICE_STRUCTURE);
    if (curve == SLUICE_TANH) continue;
    CHECK_EQ(forged(4, offsetof(LayerRecord, candidate), code), SLUICE_STRUCTURE);
  }
  CHECK_EQ(forged(1, offsetof(LayerRecord, candidate), uint8_t(200)), SLUICE_STRUCTURE);
  for (uint32_t layer = 0; layer < 6; ++layer) {
    for (const int option : {1, 2, 4, 8, 16, 128})
      CHECK_EQ(forged(layer, offsetof(LayerRecord, options), uint8_t(option)), SLUICE_STRUCTURE);
    CHECK_EQ(forged(layer, offsetof(LayerRecord, shift_h), uint8_t(1)), SLUICE_STRUCTURE);
    CHECK_EQ(forged(layer, offsetof(LayerRecord, reserved_8), uint8_t(1)), SLUICE_STRUCTURE);
    CHECK_EQ(forged(layer, offsetof(LayerRecord, cell_clip), 1.0f), SLUICE_STRUCTURE);
    CHECK_EQ(forged(layer, offsetof(LayerRecord, cells), 1u), SLUICE_STRUCTURE);
  }
  // The slopes of a PReLU are an array like others.
  const size_t slopes = blob.layer(4) + offsetof(LayerRecord, w_hh);
  CHECK_EQ(with(slopes, 0u, good), SLUICE_STRUCTURE);
  CHECK_EQ(with(slopes, uint32_t(good.size()), good), SLUICE_STRUCTURE);
  CHECK_EQ(with(blob.layer(3) + offsetof(LayerRecord, w_hh), blob.read<uint32_t>(slopes), good),
           SLUICE_STRUCTURE);
  CHECK_EQ(with(blob.read<uint32_t>(slopes), inf, good), SLUICE_WEIGHTS);
}

namespace {

/// A blob whose layer records are forged, the layers counted from 1.
struct ForgedGraph {
  std::string blob;

  size_t at(uint32_t layer, size_t field) const { return Forged(blob).layer(layer - 1) + field; }
  template <class T>
  T read(uint32_t layer, size_t field) const {
    return Forged(blob).read<T>(at(layer, field));
  }
  template <class T>
  sluice_status with(uint32_t layer, size_t field, T value) const {
    return ::with<T>(at(layer, field), value, blob);
  }
  sluice_status with_source(uint32_t layer, uint16_t source) const {
    return with<uint16_t>(layer, offsetof(LayerRecord, source), source);
  }
  sluice_status with_part(uint32_t layer, uint32_t part, uint16_t source) const {
    return with<uint16_t>(layer, offsetof(LayerRecord, sources) + 2 * part, source);
  }
  sluice_status with_place(uint32_t layer, uint32_t y) const {
    return with<uint32_t>(layer, offsetof(LayerRecord, y), y);
  }
  sluice_status with_other_flag(uint32_t layer, uint8_t flag) const {
    return with<uint8_t>(layer, offsetof(LayerRecord, flags),
                         uint8_t(read<uint8_t>(layer, offsetof(LayerRecord, flags)) ^ flag));
  }
  uint32_t place(uint32_t layer) const { return read<uint32_t>(layer, offsetof(LayerRecord, y)); }
};

ForgedGraph residual() {
  return {tools::write_blob(random_network(
      9, {dense(9), gru(9, every_step), add({1, 2}), gru(9, every_step), add({3, 4}), dense(3)}))};
}

}  // namespace

TEST_CASE("a layer reads the frame or a layer before it") {
  const ForgedGraph f = residual();
  REQUIRE_EQ(Forged(f.blob).open(), SLUICE_OK);
  for (const uint16_t source : {4, 5, 6, 7, 0x7FFF, 0xFFFF}) {
    CHECK_EQ(f.with_source(4, source), SLUICE_SHAPE);
    CHECK_EQ(f.with_part(3, 0, source), SLUICE_SHAPE);
  }
  CHECK_EQ(f.with_part(3, 0, 3), SLUICE_SHAPE);  // itself
}

TEST_CASE("no output lies where another is still to be read") {
  const ForgedGraph f = residual();
  const uint32_t first = f.place(1), second = f.place(2);
  CHECK_EQ(f.with_place(2, first), SLUICE_SHAPE);  // layer 3 reads both
  CHECK_EQ(f.with_place(1, second), SLUICE_SHAPE);
  CHECK_EQ(f.with_place(2, first + 8), SLUICE_SHAPE);   // 9 units take 16 numbers
  CHECK_EQ(f.with_place(3, second), SLUICE_SHAPE);      // a sum over one of its parts
  CHECK_EQ(f.with_place(4, f.place(3)), SLUICE_SHAPE);  // layer 5 reads layer 3 later
  CHECK_EQ(f.with_place(6, f.place(5)), SLUICE_SHAPE);  // the last layer over its source
  CHECK_EQ(f.with_source(6, 2), SLUICE_SHAPE);          // which layer 4 or 5 has replaced
  for (const uint32_t y : {1u, 4u, 7u, 1u << 16, 0x80000000u, 0xFFFFFFF0u, 0xFFFFFFF8u})
    CHECK_EQ(f.with_place(3, y), SLUICE_STRUCTURE);
}

TEST_CASE("a join has two to eight sources, and zeros behind them") {
  const ForgedGraph f = residual();
  for (const uint16_t parts : {0, 1, 9, 0xFFFF})
    CHECK_EQ(f.with<uint16_t>(3, offsetof(LayerRecord, parts), parts), SLUICE_STRUCTURE);
  // The other layers' flags are checked against the sources of the last one.
  const ForgedGraph heads{tools::write_blob(
      random_network(4, {dense(4), dense(2), from(dense(3), 1), concat({2, 3})}))};
  for (const uint16_t parts : {9, 0x7FFF, 0xFFFF})
    CHECK_EQ(heads.with<uint16_t>(4, offsetof(LayerRecord, parts), parts), SLUICE_STRUCTURE);
  const ForgedGraph with_frame{tools::write_blob(random_network(4, {dense(4), add({1, 0})}))};
  CHECK_EQ(with_frame.with<uint16_t>(2, offsetof(LayerRecord, parts), 1), SLUICE_STRUCTURE);
  for (uint32_t part = 2; part < most_sources; ++part)
    CHECK_EQ(f.with_part(3, part, 1), SLUICE_STRUCTURE);
  CHECK_EQ(f.with_source(3, 1), SLUICE_STRUCTURE);
  for (const uint16_t parts : {1, 2})
    CHECK_EQ(f.with<uint16_t>(4, offsetof(LayerRecord, parts), parts), SLUICE_STRUCTURE);
}

TEST_CASE("the widths of sources fit the layers that read them") {
  const std::string of_joins =
      tools::write_blob(random_network(5, {dense(5), dense(7), from(dense(5), 1), add({1, 3}),
                                           multiply({4, 0}), concat({5, 2, 0}), dense(2)}));
  const ForgedGraph f{of_joins};
  REQUIRE_EQ(Forged(of_joins).open(), SLUICE_OK);
  CHECK_EQ(f.with_source(3, 2), SLUICE_SHAPE);
  CHECK_EQ(f.with_part(4, 0, 2), SLUICE_SHAPE);
  CHECK_EQ(f.with_part(4, 1, 2), SLUICE_SHAPE);
  CHECK_EQ(f.with_part(5, 0, 2), SLUICE_SHAPE);
  CHECK_EQ(f.with_part(6, 1, 0), SLUICE_SHAPE);
  CHECK_EQ(f.with_part(6, 2, 2), SLUICE_SHAPE);
  CHECK_EQ(f.with<uint32_t>(6, offsetof(LayerRecord, in), 5), SLUICE_SHAPE);
  CHECK_EQ(f.with<uint32_t>(7, offsetof(LayerRecord, in), 16), SLUICE_SHAPE);
  CHECK_EQ(f.with<uint16_t>(6, offsetof(LayerRecord, parts), 2), SLUICE_SHAPE);
  // In fixed point a product has two sources.
  for (const sluice_format format : fixed_formats) {
    const std::string three = tools::write_blob(random_fixed_network(
        5, {dense(5), multiply({1, 0, 0}), dense(2)}, format, Numbers::trained, 21));
    CHECK_EQ(Forged(three).open(), SLUICE_SHAPE);
  }
}

TEST_CASE("flags of joins and of parts of an answer are those that their sources require") {
  const ForgedGraph f{tools::write_blob(random_network(
      5, {gru(9), concat({1, 0}), dense(2, SLUICE_SIGMOID), from(dense(3, SLUICE_SOFTMAX), 2),
          from(gru(4, every_step), 0), dense(2), concat({3, 4})}))};
  REQUIRE_EQ(Forged(f.blob).open(), SLUICE_OK);
  for (uint32_t layer = 1; layer <= 7; ++layer) {
    CAPTURE(layer);
    CHECK_EQ(f.with_other_flag(layer, once_flag), SLUICE_SHAPE);
    CHECK_EQ(f.with_other_flag(layer, answer_flag), SLUICE_SHAPE);
  }
  // A GRU needs every step of its source.
  const ForgedGraph chain{tools::write_blob(
      random_network(4, {gru(4), from(gru(4, every_step), 0), gru(4), add({1, 3})}))};
  REQUIRE_EQ(Forged(chain.blob).open(), SLUICE_OK);
  CHECK_EQ(chain.with_source(3, 1), SLUICE_SHAPE);
}

TEST_CASE("logits of a part of an answer are read by no other layer") {
  for (const sluice_format format : fixed_formats)
    for (const sluice_activation curve : {SLUICE_SOFTMAX, SLUICE_SIGMOID}) {
      const ForgedGraph f{tools::write_blob(
          random_fixed_network(5, {gru(4), dense(4, curve), from(dense(4), 1), concat({2, 3})},
                               format, Numbers::trained, 22))};
      REQUIRE_EQ(Forged(f.blob).open(), SLUICE_OK);
      CHECK_EQ(f.with_source(3, 2), SLUICE_STRUCTURE);
      // Softmax is no function of a layer in between.
      const ForgedGraph inner{tools::write_blob(
          random_fixed_network(5, {dense(4), dense(4), dense(2)}, format, Numbers::trained, 23))};
      CHECK_EQ(inner.with<uint8_t>(2, offsetof(LayerRecord, activation), uint8_t(curve)),
               curve == SLUICE_SOFTMAX ? SLUICE_STRUCTURE : SLUICE_OK);
    }
}

TEST_CASE("all layers have the number format of the first") {
  const ForgedGraph f{tools::write_blob(random_network(4, {dense(4), concat({1, 0}), dense(2)}))};
  for (const uint8_t format : {SLUICE_INT8, SLUICE_W8A16})
    CHECK_EQ(f.with<uint8_t>(2, offsetof(LayerRecord, format), format), SLUICE_STRUCTURE);
}

TEST_CASE("only an embedding, the first layer, reads ids") {
  const ForgedGraph f{tools::write_blob(random_network(
      6, {embedding(1), gru(1, every_step), from(gru(1, every_step), 1), add({2, 3})}))};
  REQUIRE_EQ(Forged(f.blob).open(), SLUICE_OK);
  CHECK_EQ(f.with_source(3, 0), SLUICE_SHAPE);
  CHECK_EQ(f.with_part(4, 0, 0), SLUICE_SHAPE);
  CHECK_EQ(with<uint32_t>(offsetof(BlobHeader, inputs), 2, f.blob), SLUICE_SHAPE);
  const ForgedGraph later{tools::write_blob(random_network(6, {dense(6), dense(2)}))};
  CHECK_EQ(later.with<uint8_t>(2, offsetof(LayerRecord, kind), SLUICE_EMBEDDING),
           SLUICE_STRUCTURE);  // its array has no bias
}

TEST_CASE("a select reads columns that its source has, or zeros") {
  const std::string blob = tools::write_blob(random_network(5, {select(3, 0), dense(2)}));
  const Forged f(blob);
  const size_t columns = f.read<uint32_t>(f.layer(0) + offsetof(LayerRecord, w_ih));
  CHECK_EQ(with<uint32_t>(columns, 4, blob), SLUICE_OK);
  for (size_t i = 0; i < 3; ++i)
    for (const uint32_t column : {5u, 8u, 0x80000000u, 0xFFFFFFFEu})
      CHECK_EQ(with<uint32_t>(columns + 4 * i, column, blob), SLUICE_SHAPE);
}

TEST_CASE("parts divide what a layer reads and writes, and a window is as wide as its steps") {
  const auto parts = offsetof(LayerRecord, parts),
             dilation = offsetof(LayerRecord, window.dilation),
             stride = offsetof(LayerRecord, window.stride),
             ahead = offsetof(LayerRecord, window.ahead),
             first = offsetof(LayerRecord, window.first);
  const ForgedGraph f{tools::write_blob(
      random_network(6, {window(6, 2, 3), for_parts(dense(4), 3), pool(SLUICE_MAX_POOL, 2, 3),
                         pool(SLUICE_NORM_POOL, 1, 2), dense(2), unit_norm()}))};
  REQUIRE_EQ(Forged(f.blob).open(), SLUICE_OK);
  for (const uint16_t other : {0, 1, 3, 65535}) {
    CAPTURE(other);
    CHECK_EQ(f.with<uint16_t>(1, parts, other), SLUICE_STRUCTURE);
  }
  CHECK_EQ(f.with<uint16_t>(1, dilation, 0), SLUICE_STRUCTURE);
  CHECK_EQ(f.with<uint16_t>(1, dilation, 65535), SLUICE_OK);
  CHECK_EQ(f.with<uint16_t>(1, stride, 0), SLUICE_STRUCTURE);
  CHECK_EQ(f.with<uint16_t>(1, stride, 65535), SLUICE_OK);
  CHECK_EQ(f.with<uint16_t>(1, ahead, 3), SLUICE_OK);
  CHECK_EQ(f.with<uint16_t>(1, ahead, 4), SLUICE_STRUCTURE);
  CHECK_EQ(f.with<uint16_t>(1, first, 3), SLUICE_OK);
  CHECK_EQ(f.with<uint16_t>(1, first, 4), SLUICE_STRUCTURE);
  for (size_t i = sizeof(WindowSteps); i < sizeof(LayerRecord::sources); i += 2)
    CHECK_EQ(f.with<uint16_t>(1, dilation + i, 1), SLUICE_STRUCTURE);
  // The Dense has the arrays of one part, and other parts need others.
  for (const uint16_t other : {1, 5, 7, 65535})
    CHECK_EQ(f.with<uint16_t>(2, parts, other), SLUICE_STRUCTURE);
  CHECK_EQ(f.with<uint16_t>(2, parts, 0), SLUICE_STRUCTURE);  // its matrix would not fit
  for (const uint16_t other : {0, 4, 5, 7, 65535})
    CHECK_EQ(f.with<uint16_t>(3, parts, other), SLUICE_STRUCTURE);
  CHECK_EQ(f.with<uint16_t>(3, parts, 3), SLUICE_OK);
  CHECK_EQ(f.with<uint16_t>(4, parts, 4), SLUICE_STRUCTURE);
  CHECK_EQ(f.with<uint16_t>(6, parts, 2), SLUICE_STRUCTURE);
  CHECK_EQ(f.with<float>(6, offsetof(LayerRecord, parameter), 0.0f), SLUICE_STRUCTURE);
  CHECK_EQ(f.with<float>(4, offsetof(LayerRecord, parameter), 1.0f), SLUICE_STRUCTURE);
  // A layer behind a window with a stride reads that window or a layer behind it.
  const ForgedGraph strides{tools::write_blob(random_network(
      5, {dense(4), strided(window(4, 2), 3), dense(4), from(dense(4), 2), add({3, 4})}))};
  REQUIRE_EQ(Forged(strides.blob).open(), SLUICE_OK);
  CHECK_EQ(strides.with_source(4, 3), SLUICE_SHAPE);  // of another width
  CHECK_EQ(strides.with_part(5, 0, 1), SLUICE_SHAPE);
  CHECK_EQ(strides.with_part(5, 1, 3), SLUICE_OK);
  CHECK_EQ(ForgedGraph{tools::write_blob(random_network(
                           4, {gru(4, every_step), window(4, 1), dense(4), add({3, 0})}))}
               .with<uint16_t>(2, stride, 2),
           SLUICE_SHAPE);
  // The first answer, or the distance of two, is more than 2^24 steps away.
  const ForgedGraph rare{tools::write_blob(
      random_network(1, {strided(window(1, 1), 4096), strided(window(1, 1), 4096), dense(1)}))};
  CHECK_EQ(rare.with<uint16_t>(2, stride, 4096), SLUICE_OK);
  CHECK_EQ(rare.with<uint16_t>(2, stride, 4097), SLUICE_SHAPE);
  // A ring of more than 2^24 numbers is refused.
  const ForgedGraph wide{
      tools::write_blob(random_network(1000, {window(1000, 2, 16777), dense(2)}))};
  CHECK_EQ(wide.with<uint16_t>(1, dilation, 16777), SLUICE_OK);
  CHECK_EQ(wide.with<uint16_t>(1, dilation, 16778), SLUICE_STRUCTURE);
}

TEST_CASE("offsets of weights stay inside their section") {
  const Forged blob(good_blob());
  const size_t begin = blob.section_offset(SLUICE_SECTION_WEIGHTS);
  const size_t end = begin + blob.read<uint32_t>(blob.section_of(SLUICE_SECTION_WEIGHTS) +
                                                 offsetof(BlobSection, bytes));
  for (uint32_t l = 0; l < 4; ++l)
    for (const size_t field : {offsetof(LayerRecord, w_ih), offsetof(LayerRecord, w_hh),
                               offsetof(LayerRecord, b_ih), offsetof(LayerRecord, b_hh)}) {
      const size_t at = blob.layer(l) + field;
      const bool used = blob.read<uint32_t>(at) != 0;
      CAPTURE(l);
      CAPTURE(field);
      for (const size_t bad : {size_t(64), begin - 64, end, end / 64 * 64 + 64, size_t(0x7FFFFFC0),
                               size_t(0xFFFFFFC0)}) {
        CAPTURE(bad);
        CHECK_EQ(with<uint32_t>(at, uint32_t(bad)), SLUICE_STRUCTURE);
      }
      if (used) {
        CHECK_EQ(with<uint32_t>(at, 0), SLUICE_STRUCTURE);
        for (const uint32_t off : {4u, 16u, 32u})
          CHECK_EQ(with<uint32_t>(at, blob.read<uint32_t>(at) + off), SLUICE_STRUCTURE);
      }
    }
}

TEST_CASE("a weight that is infinite or not a number is refused, in every array") {
  const Network network = random_network(3, {standardize(), gru(5, every_step), dense(2)});
  for (size_t l = 0; l < network.layers.size(); ++l)
    for (size_t a = 0; a < network.layers[l].arrays.size(); ++a)
      for (const float bad :
           {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
            std::numeric_limits<float>::quiet_NaN()})
        for (const bool last : {false, true}) {
          Network wrong = network;
          (last ? wrong.layers[l].arrays[a].values.back()
                : wrong.layers[l].arrays[a].values.front()) = bad;
          CAPTURE(l);
          CAPTURE(a);
          CHECK_EQ(Forged(tools::write_blob(wrong)).open(), SLUICE_WEIGHTS);
        }
}

TEST_CASE("an instruction set that is unknown, or that this CPU does not run, has its own status") {
  const Memory blob(good_blob());
  sluice_model model;
  for (const char* name : {"", "AVX2", "sse9", "scalar "})
    CHECK_EQ(sluice_open(&model, blob.data(), blob.size, name), SLUICE_ISA_UNKNOWN);
  int count = 0;
  const Kernels* const* tables = kernel_tables(&count);
  for (int i = 0; i < count; ++i)
    CHECK_EQ(sluice_open(&model, blob.data(), blob.size, tables[i]->name),
             runs_here(*tables[i]) ? SLUICE_OK : SLUICE_ISA_MISSING);
}

TEST_CASE(
    "start refuses a use of zero or too many frames or streams, and memory that is too small, "
    "misaligned or missing") {
  const Opened m(good_blob());
  sluice_stream stream;
  for (const sluice_use use : {sluice_use{0, 1},
                               {1, 0},
                               {0, 0},
                               {0xFFFFFFFF, 1},
                               {1, 0xFFFFFFFF},
                               {0x40000000, 0x40000000}}) {
    Memory state(4096), scratch(4096);
    const sluice_need need = sluice_needs(&m.model, use);
    CHECK_EQ(need.state, 0u);
    CHECK_EQ(need.scratch, 0u);
    CHECK_EQ(sluice_start(&stream, &m.model, use, state.data(), state.size, scratch.data(),
                          scratch.size),
             SLUICE_USE);
  }
  const sluice_use use = {3, 2};
  const sluice_need need = sluice_needs(&m.model, use);
  REQUIRE(need.state > 0);
  REQUIRE(need.scratch > 0);
  Memory state(need.state + 64), scratch(need.scratch + 64);
  const auto start = [&](size_t state_at, size_t state_bytes, size_t scratch_at,
                         size_t scratch_bytes) {
    return sluice_start(&stream, &m.model, use, state.data() + state_at, state_bytes,
                        scratch.data() + scratch_at, scratch_bytes);
  };
  CHECK_EQ(start(0, need.state, 0, need.scratch), SLUICE_OK);
  CHECK_EQ(start(16, need.state, 48, need.scratch), SLUICE_OK);
  CHECK_EQ(start(0, need.state - 1, 0, need.scratch), SLUICE_STATE_SMALL);
  CHECK_EQ(start(0, 0, 0, need.scratch), SLUICE_STATE_SMALL);
  CHECK_EQ(start(0, need.state, 0, need.scratch - 1), SLUICE_SCRATCH_SMALL);
  for (const size_t off : {1u, 4u, 8u}) {
    CHECK_EQ(start(off, need.state, 0, need.scratch), SLUICE_MISALIGNED);
    CHECK_EQ(start(0, need.state, off, need.scratch), SLUICE_MISALIGNED);
  }
  CHECK_EQ(
      sluice_start(nullptr, &m.model, use, state.data(), state.size, scratch.data(), scratch.size),
      SLUICE_NULL);
  CHECK_EQ(
      sluice_start(&stream, nullptr, use, state.data(), state.size, scratch.data(), scratch.size),
      SLUICE_NULL);
  CHECK_EQ(sluice_start(&stream, &m.model, use, nullptr, need.state, scratch.data(), scratch.size),
           SLUICE_NULL);
  CHECK_EQ(sluice_start(&stream, &m.model, use, state.data(), state.size, nullptr, need.scratch),
           SLUICE_NULL);
}

TEST_CASE("every status has its own name and its own sentence") {
#define SLUICE_NAME(status) {status, #status}
  const std::pair<sluice_status, const char*> names[] = {SLUICE_NAME(SLUICE_OK),
                                                         SLUICE_NAME(SLUICE_NULL),
                                                         SLUICE_NAME(SLUICE_MISALIGNED),
                                                         SLUICE_NAME(SLUICE_TRUNCATED),
                                                         SLUICE_NAME(SLUICE_NOT_A_BLOB),
                                                         SLUICE_NAME(SLUICE_NEWER_FORMAT),
                                                         SLUICE_NAME(SLUICE_CHECKSUM),
                                                         SLUICE_NAME(SLUICE_STRUCTURE),
                                                         SLUICE_NAME(SLUICE_LAYER_MISSING),
                                                         SLUICE_NAME(SLUICE_FORMAT_MISSING),
                                                         SLUICE_NAME(SLUICE_SHAPE),
                                                         SLUICE_NAME(SLUICE_WEIGHTS),
                                                         SLUICE_NAME(SLUICE_ISA_UNKNOWN),
                                                         SLUICE_NAME(SLUICE_ISA_MISSING),
                                                         SLUICE_NAME(SLUICE_USE),
                                                         SLUICE_NAME(SLUICE_STATE_SMALL),
                                                         SLUICE_NAME(SLUICE_SCRATCH_SMALL),
                                                         SLUICE_NAME(SLUICE_OPTIONS),
                                                         SLUICE_NAME(SLUICE_ARENA_SMALL),
                                                         SLUICE_NAME(SLUICE_BATCH),
                                                         SLUICE_NAME(SLUICE_NOT_TRAINABLE),
                                                         SLUICE_NAME(SLUICE_ORDER),
                                                         SLUICE_NAME(SLUICE_NO_SELF_TEST),
                                                         SLUICE_NAME(SLUICE_SELF_TEST),
                                                         SLUICE_NAME(SLUICE_GATHER)};
  CHECK_EQ(std::size(names), size_t(SLUICE_STATUS_COUNT));
  std::set<std::string> sentences;
  for (const auto& [status, name] : names) {
    CHECK_EQ(std::string(sluice_status_name(status)), name);
    sentences.insert(sluice_status_text(status));
    CHECK(std::string(sluice_status_text(status)).find(' ') != std::string::npos);
  }
  CHECK_EQ(sentences.size(), std::size(names));
  for (const int unknown : {-1, int(SLUICE_STATUS_COUNT), 1000}) {
    CHECK(sluice_status_name(sluice_status(unknown)) != nullptr);
    CHECK(sluice_status_text(sluice_status(unknown)) != nullptr);
  }
}

TEST_CASE("layers, activations and the version have names") {
  CHECK_EQ(std::string(sluice_layer_name(SLUICE_STANDARDIZE)), "standardize");
  CHECK_EQ(std::string(sluice_layer_name(SLUICE_GRU)), "gru");
  CHECK_EQ(std::string(sluice_layer_name(SLUICE_DENSE)), "dense");
  CHECK_EQ(std::string(sluice_layer_name(0)), "unknown");
  CHECK_EQ(std::string(sluice_layer_name(last_kind + 1)), "unknown");
  CHECK_EQ(std::string(sluice_activation_name(SLUICE_RELU)), "relu");
  CHECK_EQ(std::string(sluice_activation_name(SLUICE_HARD_SILU)), "hard_silu");
  CHECK_EQ(std::string(sluice_activation_name(SLUICE_LOG)), "log");
  CHECK_EQ(std::string(sluice_activation_name(SLUICE_LOG + 1)), "unknown");
  CHECK_EQ(sluice_version(),
           uint32_t(SLUICE_VERSION_MAJOR << 16 | SLUICE_VERSION_MINOR << 8 | SLUICE_VERSION_PATCH));
}

TEST_CASE("the options of an LSTM are checked, and are options of no other layer") {
  const std::string good =
      tools::write_blob(random_network(3, {clipped_cells(peepholes(cell(SLUICE_LSTM, 4)), 2)}, 5));
  CHECK_EQ(Forged(good).open(), SLUICE_OK);
  const auto with = [&](const std::string& blob, size_t field, auto value) {
    Forged f(blob);
    f.write(f.layer(0) + field, value);
    return f.checksum().open();
  };
  constexpr size_t options = offsetof(LayerRecord, options),
                   clip = offsetof(LayerRecord, cell_clip);
  constexpr float inf = std::numeric_limits<float>::infinity();
  for (const float bad : {0.0f, -1.0f, inf, std::nanf("")})
    CHECK_EQ(with(good, clip, bad), SLUICE_STRUCTURE);
  for (const int bits : {1, 8, 16, 128})
    CHECK_EQ(with(good, options, uint8_t(6 | bits)), SLUICE_STRUCTURE);
  CHECK_EQ(with(good, options, uint8_t(peephole_option)), SLUICE_STRUCTURE);  // and yet a clip
  CHECK_EQ(with(good, options, uint8_t(clip_option)),
           SLUICE_OK);  // which does not read the peepholes
  // Where a blob ends, there is no room for the array of an option.
  for (const sluice_layer_kind kind : every_cell) {
    const std::string plain = tools::write_blob(random_network(3, {cell(kind, 4)}, 6));
    CHECK_EQ(with(plain, options, uint8_t(peephole_option)), SLUICE_STRUCTURE);
    CHECK_EQ(with(plain, offsetof(LayerRecord, flags),
                  uint8_t(initial_state_flag | once_flag | answer_flag)),
             SLUICE_STRUCTURE);
    const std::string fixed = tools::write_blob(
        random_fixed_network(3, {initial_state(cell(kind, 4))}, SLUICE_INT8, Numbers::any, 6));
    CHECK_EQ(Forged(fixed).open(), SLUICE_OK);
    for (const int bits : {2, 4, 8})
      CHECK_EQ(with(fixed, options, uint8_t(bits)), SLUICE_STRUCTURE);
  }
  const std::string thin =
      tools::write_blob(random_network(3, {projected(cell(SLUICE_LSTM, 9), 4)}, 8));
  constexpr size_t cells = offsetof(LayerRecord, cells);
  CHECK_EQ(Forged(thin).open(), SLUICE_OK);
  for (const uint32_t bad : {0u, 1000u, 65537u, 0x80000000u, 0xFFFFFFFFu})
    CHECK_EQ(with(thin, cells, bad), SLUICE_STRUCTURE);
  CHECK_EQ(with(thin, options, uint8_t(0)), SLUICE_STRUCTURE);  // and yet cells
  CHECK_EQ(with(good, cells, 4u), SLUICE_STRUCTURE);
  // An infinite initial state and peephole.
  for (const Spec& spec : {initial_state(gru(4)), peepholes(cell(SLUICE_LSTM, 4))}) {
    Network network = random_network(3, {spec}, 7);
    network.layers[0].arrays.back().values[2] = inf;
    CHECK_EQ(Forged(tools::write_blob(network)).open(), SLUICE_WEIGHTS);
  }
}
