/* A runtime without Dense that trusts its flash refuses a model with a Dense layer by its status,
 * and does not check the CRC. */
#include <string.h>

#include "model.h"
#include "sluice.h"

MODEL_ALIGNED(64) static unsigned char blob[MODEL_BLOB_BYTES];

int main(void) {
  sluice_model model;
  memcpy(blob, model_blob, sizeof blob);
  blob[12] ^= 1; /* the CRC */
  return sluice_open(&model, blob, sizeof blob, NULL) == SLUICE_LAYER_MISSING ? 0 : 1;
}
