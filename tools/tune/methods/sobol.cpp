#include <algorithm>
#include <bit>
#include <cstdint>

#include "kernels/random.h"
#include "shared.h"

namespace sluice::tools {
namespace {

/// The primitive polynomial over GF(2) of a dimension (its degree, and the coefficients between the
/// first and the last as bits) and its first direction numbers. By S. Joe and F. Y. Kuo,
/// "Constructing Sobol sequences with better two-dimensional projections", SIAM J. Sci. Comput. 30,
/// 2635-2654 (2008): their file new-joe-kuo-6.21201, dimensions 2 to 64.
struct Direction {
  int degree;
  std::uint32_t coefficients, first[10];
};
constexpr Direction directions[] = {
    {1, 0, {1}},
    {2, 1, {1, 3}},
    {3, 1, {1, 3, 1}},
    {3, 2, {1, 1, 1}},
    {4, 1, {1, 1, 3, 3}},
    {4, 4, {1, 3, 5, 13}},
    {5, 2, {1, 1, 5, 5, 17}},
    {5, 4, {1, 1, 5, 5, 5}},
    {5, 7, {1, 1, 7, 11, 19}},
    {5, 11, {1, 1, 5, 1, 1}},
    {5, 13, {1, 1, 1, 3, 11}},
    {5, 14, {1, 3, 5, 5, 31}},
    {6, 1, {1, 3, 3, 9, 7, 49}},
    {6, 13, {1, 1, 1, 15, 21, 21}},
    {6, 16, {1, 3, 1, 13, 27, 49}},
    {6, 19, {1, 1, 1, 15, 7, 5}},
    {6, 22, {1, 3, 1, 15, 13, 25}},
    {6, 25, {1, 1, 5, 5, 19, 61}},
    {7, 1, {1, 3, 7, 11, 23, 15, 103}},
    {7, 4, {1, 3, 7, 13, 13, 15, 69}},
    {7, 7, {1, 1, 3, 13, 7, 35, 63}},
    {7, 8, {1, 3, 5, 9, 1, 25, 53}},
    {7, 14, {1, 3, 1, 13, 9, 35, 107}},
    {7, 19, {1, 3, 1, 5, 27, 61, 31}},
    {7, 21, {1, 1, 5, 11, 19, 41, 61}},
    {7, 28, {1, 3, 5, 3, 3, 13, 69}},
    {7, 31, {1, 1, 7, 13, 1, 19, 1}},
    {7, 32, {1, 3, 7, 5, 13, 19, 59}},
    {7, 37, {1, 1, 3, 9, 25, 29, 41}},
    {7, 41, {1, 3, 5, 13, 23, 1, 55}},
    {7, 42, {1, 3, 7, 3, 13, 59, 17}},
    {7, 50, {1, 3, 1, 3, 5, 53, 69}},
    {7, 55, {1, 1, 5, 5, 23, 33, 13}},
    {7, 56, {1, 1, 7, 7, 1, 61, 123}},
    {7, 59, {1, 1, 7, 9, 13, 61, 49}},
    {7, 62, {1, 3, 3, 5, 3, 55, 33}},
    {8, 14, {1, 3, 1, 15, 31, 13, 49, 245}},
    {8, 21, {1, 3, 5, 15, 31, 59, 63, 97}},
    {8, 22, {1, 3, 1, 11, 11, 11, 77, 249}},
    {8, 38, {1, 3, 1, 11, 27, 43, 71, 9}},
    {8, 47, {1, 1, 7, 15, 21, 11, 81, 45}},
    {8, 49, {1, 3, 7, 3, 25, 31, 65, 79}},
    {8, 50, {1, 3, 1, 1, 19, 11, 3, 205}},
    {8, 52, {1, 1, 5, 9, 19, 21, 29, 157}},
    {8, 56, {1, 3, 7, 11, 1, 33, 89, 185}},
    {8, 67, {1, 3, 3, 3, 15, 9, 79, 71}},
    {8, 70, {1, 3, 7, 11, 15, 39, 119, 27}},
    {8, 84, {1, 1, 3, 1, 11, 31, 97, 225}},
    {8, 97, {1, 1, 1, 3, 23, 43, 57, 177}},
    {8, 103, {1, 3, 7, 7, 17, 17, 37, 71}},
    {8, 115, {1, 3, 1, 5, 27, 63, 123, 213}},
    {8, 122, {1, 1, 3, 5, 11, 43, 53, 133}},
    {9, 8, {1, 3, 5, 5, 29, 17, 47, 173, 479}},
    {9, 13, {1, 3, 3, 11, 3, 1, 109, 9, 69}},
    {9, 16, {1, 1, 1, 5, 17, 39, 23, 5, 343}},
    {9, 22, {1, 3, 1, 5, 25, 15, 31, 103, 499}},
    {9, 25, {1, 1, 1, 11, 11, 17, 63, 105, 183}},
    {9, 44, {1, 1, 5, 11, 9, 29, 97, 231, 363}},
    {9, 47, {1, 1, 5, 15, 19, 45, 41, 7, 383}},
    {9, 52, {1, 3, 7, 7, 31, 19, 83, 137, 221}},
    {9, 55, {1, 1, 1, 3, 23, 15, 111, 223, 83}},
    {9, 59, {1, 1, 5, 13, 31, 15, 55, 25, 161}},
    {9, 62, {1, 1, 3, 13, 25, 47, 39, 87, 257}},
};
static_assert(std::size(directions) + 1 == sobol_dimensions);

/// Owen's scrambling: each bit is flipped or not at random, depending on the bits above it.
std::uint32_t scrambled(std::uint32_t x, std::uint64_t seed, std::size_t dimension) {
  std::uint32_t result = 0;
  for (int bit = 31; bit >= 0; --bit) {
    const std::uint32_t above = bit == 31 ? 0 : x >> (bit + 1);
    const Philox random = Philox::at(seed, above, std::uint32_t(dimension), std::uint32_t(bit),
                                     std::uint32_t(Purpose::tune) | 1u << 16);
    result |= (x ^ (random.word[0] << bit)) & (1u << bit);
  }
  return result;
}

}  // namespace

std::uint32_t sobol(std::uint32_t index, std::size_t dimension) {
  std::uint32_t v[32];  // direction numbers times 2^32
  const Direction& d = directions[std::max<std::size_t>(dimension, 1) - 1];
  for (int i = 0; i < 32; ++i) {
    if (dimension == 0 || i < d.degree) {
      v[i] = (dimension == 0 ? 1 : d.first[i]) << (31 - i);
      continue;
    }
    v[i] = v[i - d.degree] ^ (v[i - d.degree] >> d.degree);
    for (int k = 1; k < d.degree; ++k)
      if (d.coefficients >> (d.degree - 1 - k) & 1) v[i] ^= v[i - k];
  }
  std::uint32_t x = 0;
  for (std::uint32_t gray = index ^ (index >> 1); gray != 0; gray &= gray - 1)
    x ^= v[std::countr_zero(gray)];
  return x;
}

Point sobol_point(const SearchRequest& request, std::uint64_t index) {
  Point point;
  for (const Parameter& parameter : request.space.parameters) {
    const std::size_t i = point.size();
    const double share =
        i < sobol_dimensions
            ? (double(scrambled(sobol(std::uint32_t(index), i), request.seed, i)) + 0.5) /
                  4294967296.0
            : draw(request.seed, index, std::uint32_t(i), 0);
    point.push_back(value_of_share(parameter, share));
  }
  return settled(request.space, point);
}

/// Returns the first new point from the trial's number on. Points thus come in the order of the
/// sequence, and a refused point leaves no gap.
std::optional<Point> suggest_sobol(const SearchRequest& request) {
  return first_new(request, [&](std::uint32_t attempt) {
    return sobol_point(request, request.number + attempt);
  });
}

}  // namespace sluice::tools
