#include "host/archive.h"

#include <stdint.h>
#include <string.h>

#include "host/little_endian.h"

enum { HEADER = 32, ENTRY = 64 };

static const unsigned char *entry_at(const archive *a, size_t i) {
  return a->bytes + HEADER + i * ENTRY;
}

static void take(const archive *a, const unsigned char *entry, archive_entry *taken) {
  taken->name = (const char *)a->names + get64(entry + 8);
  taken->name_length = get32(entry + 4);
  taken->contents = (const char *)a->bytes + get64(entry + 16);
  taken->length = (size_t)get64(entry + 24);
}

/* Compares (kind, name) with an entry: below 0, 0, or above 0. */
static int compare(const archive *a, uint32_t kind, const char *name, size_t length,
                   const unsigned char *entry) {
  uint32_t other = get32(entry);
  if (kind != other) return kind < other ? -1 : 1;
  archive_entry theirs;
  take(a, entry, &theirs);
  size_t shorter = length < theirs.name_length ? length : theirs.name_length;
  int order = shorter ? memcmp(name, theirs.name, shorter) : 0;
  if (order != 0) return order;
  return length < theirs.name_length ? -1 : length > theirs.name_length;
}

/* -- opening -- */

static bool is_inside(const archive *a, const unsigned char *entry, uint64_t names_length) {
  return inside(get64(entry + 8), get32(entry + 4), names_length) &&
         inside(get64(entry + 16), get64(entry + 24), a->size);
}

/* The entry must be behind the one before it, which was already checked. Names with a NUL are
 * refused: as C strings, in messages and in Lua's own `require`, they would look like shorter
 * names. */
static bool is_in_order(const archive *a, size_t i) {
  const unsigned char *entry = entry_at(a, i);
  archive_entry here;
  take(a, entry, &here);
  if (get32(entry) >= ARCHIVE_KINDS || memchr(here.name, '\0', here.name_length)) return false;
  if (i == 0) return true;
  const unsigned char *before = entry_at(a, i - 1);
  if (get32(entry) <= ARCHIVE_MAIN && get32(entry) == get32(before)) return false;
  return compare(a, get32(entry), here.name, here.name_length, before) > 0;
}

bool archive_open(archive *a, const void *bytes, size_t size) {
  *a = (archive){.bytes = bytes, .size = size};
  if (size < HEADER || memcmp(a->bytes, "F5LUAPAK", 8) != 0 ||
      get32(a->bytes + 8) != ARCHIVE_FORMAT)
    return false;
  uint64_t count = get32(a->bytes + 12), names = get64(a->bytes + 16),
           names_length = get64(a->bytes + 24);
  if (!inside(HEADER, count * ENTRY, size) || !inside(names, names_length, size)) return false;
  a->count = (size_t)count;
  a->names = a->bytes + names;
  for (size_t i = 0; i < a->count; i++)
    if (!is_inside(a, entry_at(a, i), names_length) || !is_in_order(a, i)) return false;
  return true;
}

/* -- finding entries -- */

bool archive_find(const archive *a, archive_kind kind, const char *name, size_t length,
                  archive_entry *found) {
  size_t low = 0, high = a->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = compare(a, (uint32_t)kind, name, length, entry_at(a, middle));
    if (order == 0) {
      take(a, entry_at(a, middle), found);
      return true;
    }
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return false;
}

bool archive_only(const archive *a, archive_kind kind, archive_entry *found) {
  for (size_t i = 0; i < a->count && get32(entry_at(a, i)) <= (uint32_t)kind; i++) {
    if (get32(entry_at(a, i)) != (uint32_t)kind) continue;
    take(a, entry_at(a, i), found);
    return true;
  }
  return false;
}
