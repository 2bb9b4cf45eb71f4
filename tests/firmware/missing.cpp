// A blob that needs a part that the image leaves out is refused by the name of that part. Compiled
// with runtime/layers.cpp, without the part.
#include "semihosting.h"
#include "sluice.h"

extern "C" const uint8_t case_blob[], case_blob_end[];

int main() {
  static sluice_model model;
  const sluice_status status =
      sluice_open(&model, case_blob, size_t(case_blob_end - case_blob), nullptr);
  if (status == MISSING) return 0;
  semihosting_text("opens with status ");
  semihosting_number(uint64_t(status));
  semihosting_text("\n");
  return 1;
}
