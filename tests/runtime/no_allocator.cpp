// Opening, starting, running and training call no allocator. The linker wraps malloc and its kin
// (tests/CMakeLists.txt); they and operator new abort while they are forbidden.
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <new>

#include "../support/fixed_models.h"
#include "../support/tables.h"
#include "model/pack.h"
#include "sluice_train.h"

using namespace sluice;
using namespace sluice::tests;

namespace {

bool forbidden = false;

void refuse_while_forbidden(const char* what) {
  if (!forbidden) return;
  forbidden = false;
  std::fprintf(stderr, "%s was called in a run\n", what);
  std::abort();
}

struct Forbid {
  Forbid() { forbidden = true; }
  ~Forbid() { forbidden = false; }
};

}  // namespace

extern "C" {
void* __real_malloc(size_t);
void* __real_calloc(size_t, size_t);
void* __real_realloc(void*, size_t);
void __real_free(void*);
void* __wrap_malloc(size_t n) {
  refuse_while_forbidden("malloc");
  return __real_malloc(n);
}
void* __wrap_calloc(size_t n, size_t size) {
  refuse_while_forbidden("calloc");
  return __real_calloc(n, size);
}
void* __wrap_realloc(void* p, size_t n) {
  refuse_while_forbidden("realloc");
  return __real_realloc(p, n);
}
void __wrap_free(void* p) {
  refuse_while_forbidden("free");
  __real_free(p);
}
}

void* operator new(size_t n) {
  refuse_while_forbidden("operator new");
  if (void* p = __real_malloc(n ? n : 1)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept {
  refuse_while_forbidden("operator delete");
  __real_free(p);
}
void operator delete(void* p, size_t) noexcept { operator delete(p); }

TEST_CASE("opening, starting and running call no allocator") {
  std::vector<Named> networks = every_network();
  for (const NamedFixed& named : every_fixed_network())
    networks.push_back({named.name, named.network});
  for (const Kernels* table : every_table())
    for (const Named& named : networks) {
      const Memory blob(tools::write_blob(named.network));
      Noise noise(110);
      const sluice_use use = {7, 5};
      sluice_model model;
      REQUIRE_EQ(sluice_open(&model, blob.data(), blob.size, table->name), SLUICE_OK);
      const sluice_info info = sluice_describe(&model);
      const sluice_need need = sluice_needs(&model, use);
      Memory scratch(need.scratch), states(need.state * use.streams);
      const std::vector<float> x = noise.uniform(size_t(info.inputs) * 9);
      std::vector<float> y(size_t(info.outputs) * 9), frames(x.size()), values(y.size());
      std::vector<sluice_stream> streams(use.streams);
      std::vector<sluice_stream*> handles;
      for (sluice_stream& s : streams) handles.push_back(&s);
      bool good = true;
      {
        const Forbid no_allocator;
        good = good && sluice_open(&model, blob.data(), blob.size, table->name) == SLUICE_OK;
        good = good && sluice_needs(&model, use).scratch == need.scratch &&
               sluice_describe(&model).macs == info.macs;
        for (uint32_t i = 0; i < use.streams; ++i)
          good = good && sluice_start(&streams[i], &model, use, states.data() + i * need.state,
                                      need.state, scratch.data(), need.scratch) == SLUICE_OK;
        sluice_step(&streams[0], x.data(), y.data());
        sluice_run(&streams[0], x.data(), y.data(), 9);
        sluice_step_many(handles.data(), use.streams, x.data(), y.data(), nullptr);
        sluice_quantize(&model, x.data(), frames.data(), 9);
        sluice_run(&streams[0], frames.data(), y.data(), 9);
        sluice_dequantize(&model, y.data(), values.data(), info.every_step ? 9 : 1);
        sluice_reset(&streams[0]);
        good = good && sluice_hash(&model) != 0 &&
               sluice_argmax(y.data(), info.outputs) < info.outputs;
      }
      CAPTURE(named.name);
      CHECK(good);
    }
}

TEST_CASE("training calls no allocator") {
  for (const Kernels* table : every_table()) {
    const Memory blob(tools::write_blob(
        random_network(4, {standardize(), gru(9, every_step), gru(7), dense(3, SLUICE_SOFTMAX)})));
    Memory stored(blob.size);
    std::memcpy(stored.data(), blob.data(), blob.size);
    Noise noise(111);
    sluice_model model;
    REQUIRE_EQ(sluice_open(&model, blob.data(), blob.size, table->name), SLUICE_OK);
    sluice_train_options options = sluice_train_defaults();
    options.max_sequences = 20;
    options.max_steps = 6;
    options.shards = 2;
    options.dropout_input = options.dropout_output = 0.25f;
    options.l2 = 1e-3f;
    options.clip_norm = 1;
    Memory arena(sluice_train_needs(&model, &options));
    const std::vector<float> x = noise.uniform(4 * 6);
    const int32_t target = 1;
    std::vector<sluice_sequence> sequences;
    for (uint32_t i = 0; i < 20; ++i)
      sequences.push_back({x.data(), 1 + i % 6, i, &target, nullptr, nullptr, nullptr, 0});
    sluice_trainer trainer;
    sluice_train_result result;
    sluice_status statuses[5];
    {
      const Forbid no_allocator;
      statuses[0] = sluice_train_start(&trainer, &model, &options, arena.data(), arena.size);
      statuses[1] = sluice_train_step(&trainer, sequences.data(), 20, nullptr, &result);
      statuses[2] = sluice_train_step(&trainer, sequences.data(), 11, nullptr, &result);
      sluice_train_gradient(&trainer, sequences.data(), 20, nullptr, &result, &statuses[3]);
      statuses[4] = sluice_train_store(&trainer, stored.data(), stored.size);
    }
    for (const sluice_status s : statuses) CHECK_EQ(s, SLUICE_OK);
  }
}

TEST_CASE("the linker wraps the allocator") {
  // Without this check, the cases above would pass with a linker that wraps nothing.
  void* (*volatile take)(size_t) = &std::malloc;  // volatile: the linker decides, not the compiler
  void* (*volatile wrapper)(size_t) = &__wrap_malloc;
  const bool wrapped = take == wrapper;
  CHECK(wrapped);
}
