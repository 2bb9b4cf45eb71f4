/* Runs a model on the frames of a trace (sluice run --trace) and writes the trace anew: the same
 * bytes where the model computes the same bits. A program without the tools' libraries, so that it
 * is soon built for another CPU. replay MODEL TRACE > COPY */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sluice.h"

typedef struct {
  const sluice_model* model;
  uint32_t step;
} tracing;

static void fail(const char* what, const char* name) {
  fprintf(stderr, "replay: %s: %s\n", name, what);
  exit(2);
}

/* Reads a whole file into memory at a multiple of SLUICE_ALIGNMENT; NULL if that fails. */
static void* read_file(const char* name, size_t* bytes) {
  FILE* file = fopen(name, "rb");
  void* data = NULL;
  long size = 0;
  if (!file) return NULL;
  if (fseek(file, 0, SEEK_END) == 0) size = ftell(file);
  if (size > 0 && fseek(file, 0, SEEK_SET) == 0)
    data = aligned_alloc(SLUICE_ALIGNMENT, ((size_t)size + SLUICE_ALIGNMENT - 1) /
                                               SLUICE_ALIGNMENT * SLUICE_ALIGNMENT);
  *bytes = data ? fread(data, 1, (size_t)size, file) : 0;
  fclose(file);
  return data;
}

static void trace(void* context, uint32_t layer, const void* values, uint32_t n) {
  const tracing* t = context;
  char line[72];
  uint32_t unit;
  for (unit = 0; unit < n; ++unit) {
    sluice_trace_line(t->model, t->step, layer, unit, values, line);
    fputs(line, stdout);
  }
}

/* Stores a number of a frame: a float by its bits, or an integer. */
static void store(const sluice_info* info, const char* text, uint32_t unit, void* frame) {
  if (info->format == SLUICE_F32 && !info->vocabulary) {
    ((uint32_t*)frame)[unit] = (uint32_t)strtoul(text, NULL, 16);
  } else if (info->vocabulary) {
    ((int32_t*)frame)[unit] = (int32_t)strtol(text, NULL, info->format == SLUICE_F32 ? 16 : 10);
  } else if (info->frame_bytes == 1) {
    ((int8_t*)frame)[unit] = (int8_t)strtol(text, NULL, 10);
  } else {
    ((int16_t*)frame)[unit] = (int16_t)strtol(text, NULL, 10);
  }
}

int main(int count, char** words) {
  sluice_model model;
  sluice_stream stream;
  sluice_status status;
  sluice_info info;
  sluice_need need;
  tracing context = {&model, 0};
  const sluice_use use = {1, 1};
  char line[4096];
  size_t bytes = 0;
  void *blob, *frame, *answer;
  FILE* lines;
  int code;
  if (count != 3) fail("give a model and a trace", "usage");
  blob = read_file(words[1], &bytes);
  if (!blob) fail("cannot be read", words[1]);
  status = sluice_open(&model, blob, bytes, getenv("SLUICE_ISA"));
  if (status) fail(sluice_status_text(status), words[1]);
  lines = fopen(words[2], "r");
  if (!lines) fail("cannot be read", words[2]);
  info = sluice_describe(&model);
  need = sluice_needs(&model, use);
  frame = calloc(info.inputs, 4), answer = calloc(info.outputs, 4);
  status = sluice_start(
      &stream, &model, use, aligned_alloc(SLUICE_ALIGNMENT, need.state + SLUICE_ALIGNMENT),
      need.state, aligned_alloc(SLUICE_ALIGNMENT, need.scratch + SLUICE_ALIGNMENT), need.scratch);
  if (status || !frame || !answer) fail(sluice_status_text(status), words[1]);
  sluice_trace(&stream, trace, &context);
  while (fgets(line, sizeof line, lines)) {
    unsigned step, layer, unit;
    int at = 0;
    if (sscanf(line, "step %u layer %u unit %u: %n", &step, &layer, &unit, &at) < 3 || !at) {
      sluice_reset(&stream); /* a line with a sequence's name */
      fputs(line, stdout);
      continue;
    }
    if (layer != 0 || unit >= info.inputs) continue;
    store(&info, line + at, unit, frame);
    context.step = step;
    if (unit + 1 == info.inputs) sluice_step(&stream, frame, answer);
  }
  code = ferror(lines) || fflush(stdout) ? 2 : 0;
  fclose(lines), free(frame), free(answer);
  return code;
}
