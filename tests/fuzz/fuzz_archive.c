/* Any bytes as the archive of a packed program: refused, or every entry of its index lies inside
 * and is the one that is found by its kind and name. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/archive.h"
#include "host/little_endian.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "fuzz_archive: %s\n", what);
  abort();
}

/* Reads each byte, so that the sanitizer sees one that lies outside. */
static void touch(const char *bytes, size_t length) {
  static volatile unsigned char seen;
  for (size_t i = 0; i < length; i++)
    seen ^= (unsigned char)bytes[i];
  (void)seen;
}

static void check_entry(const archive *a, const unsigned char *bytes, size_t i) {
  const unsigned char *index = bytes + 32 + i * 64;
  uint32_t kind = get32(index), length = get32(index + 4);
  const char *name = (const char *)bytes + get64(bytes + 16) + get64(index + 8);
  archive_entry entry, only;
  check(archive_find(a, (archive_kind)kind, name, length, &entry), "an entry is not found");
  check(entry.name == name && entry.name_length == length, "another entry is found");
  check(entry.contents == (const char *)bytes + get64(index + 16) &&
            entry.length == get64(index + 24),
        "the contents are others");
  touch(entry.name, entry.name_length);
  touch(entry.contents, entry.length);
  if (kind <= ARCHIVE_MAIN)
    check(archive_only(a, (archive_kind)kind, &only) && only.name == name,
          "another one is the only one of its kind");
  /* its name with a NUL is none */
  char *longer = calloc(1, (size_t)length + 2);
  memcpy(longer, name, length);
  check(!archive_find(a, (archive_kind)kind, longer, (size_t)length + 1, &entry),
        "a name with a NUL is found");
  free(longer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  unsigned char *bytes =
      malloc(size ? size : 1); /* exactly as large, so that a byte too many is seen */
  if (size) memcpy(bytes, data, size);
  archive a;
  if (archive_open(&a, bytes, size)) {
    for (size_t i = 0; i < a.count; i++)
      check_entry(&a, bytes, i);
  }
  free(bytes);
  return 0;
}
