/* Masking of secrets in texts and command lines, and the filter of what goes to a terminal: any
 * bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"
#include "f5/report/secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *bytes = (const char *)data;
  text masked = {0}, shown = {0}, again = {0};
  secret_mask(&masked, bytes, size);
  text_clear(&masked);
  secret_mask_command(&masked, bytes, size);
  for (int style = PRINTABLE_TEXT; style <= PRINTABLE_JSON; style++) {
    text_clear(&shown);
    printable_put(&shown, text_string(&masked), masked.length, (printable_style)style);
    /* what was made printable once stays as it is */
    text_clear(&again);
    printable_put(&again, text_string(&shown), shown.length, (printable_style)style);
    if (style != PRINTABLE_INDENT &&
        (again.length != shown.length ||
         memcmp(text_string(&again), text_string(&shown), shown.length)))
      abort();
  }
  text_free(&masked);
  text_free(&shown);
  text_free(&again);
  return 0;
}
