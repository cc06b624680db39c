/* The archive of a packed program, as bytes in memory. Knows nothing about files, Lua and
 * programs.
 *
 *   archive a;
 *   if (!archive_open(&a, bytes, size)) …            // damaged: do not use anything of it
 *   archive_entry entry;
 *   if (archive_find(&a, ARCHIVE_MODULE, "lib.util", 8, &entry)) use(entry.contents, entry.length);
 *
 * The format. All numbers are little-endian (docs/packaging.md describes the same):
 *
 * - header: "F5LUAPAK", u32 format, u32 count, u64 offset of the names from the start of the
 * archive, u64 length of the names
 * - `count` entries: u32 kind, u32 length of the name, u64 offset of the name in the names, u64
 * offset of the contents from the start of the archive, u64 length of the contents, 32 bytes
 * SHA-256 of the contents. Sorted by kind, then by the bytes of the name. No two have the same kind
 * and name. At most one ARCHIVE_FACTS and one ARCHIVE_MAIN.
 * - the names, then the contents */
#ifndef HOST_ARCHIVE_H
#define HOST_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>

enum { ARCHIVE_FORMAT = 1 };

typedef enum archive_kind {
  ARCHIVE_FACTS,  /* one entry without a name: lines of key=value */
  ARCHIVE_MAIN,   /* one entry: the playbook; its name is the name of the chunk */
  ARCHIVE_MODULE, /* a Lua module; its name as given to `require` */
  ARCHIVE_ASSET,  /* any file, for f5.asset */
  ARCHIVE_KINDS
} archive_kind;

typedef struct archive {
  const unsigned char *bytes;
  size_t size;
  const unsigned char *names;
  size_t count;
} archive;

typedef struct archive_entry {
  const char *name; /* contains no NUL, and does not end with one */
  size_t name_length;
  const char *contents; /* any bytes; does not end with a NUL */
  size_t length;
} archive_entry;

/* Checks the whole index, so that the functions below can rely on it: all entries are inside the
 * archive, and each (kind, name) occurs once, so every reader finds the same entry. False if the
 * archive is damaged. The caller keeps the bytes as long as the archive is used. */
bool archive_open(archive *a, const void *bytes, size_t size);

/* Finds the entry of this kind and name (of `length` bytes). False if there is none. */
bool archive_find(const archive *a, archive_kind kind, const char *name, size_t length,
                  archive_entry *found);

/* Finds the entry of ARCHIVE_FACTS or ARCHIVE_MAIN, whatever its name. False if there is none. */
bool archive_only(const archive *a, archive_kind kind, archive_entry *found);

#endif
