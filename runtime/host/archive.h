/* The archive of a packed program, as bytes: what lies where in it. Knows nothing of files, of Lua
 * and of programs.
 *
 *   archive a;
 *   if (!archive_open(&a, bytes, size)) …            // not sound: nothing of it is to be used
 *   archive_entry entry;
 *   if (archive_find(&a, ARCHIVE_MODULE, "lib.util", 8, &entry)) use(entry.contents, entry.length);
 *
 * Its form, all numbers little-endian (docs/packaging.md has the same, in words):
 *
 * - header: "F5LUAPAK", u32 format, u32 count, u64 offset of the names from the start of the
 * archive, u64 length of the names
 * - count entries: u32 kind, u32 length of the name, u64 offset of the name in the names, u64
 * offset of the contents from the start of the archive, u64 length of the contents, 32 bytes
 * SHA-256 of the contents; sorted by kind, then name (bytes), no two of one kind and name, at most
 * one of ARCHIVE_FACTS and of ARCHIVE_MAIN
 * - the names, then the contents
 */
#ifndef HOST_ARCHIVE_H
#define HOST_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>

enum { ARCHIVE_FORMAT = 1 };

typedef enum archive_kind {
  ARCHIVE_FACTS,  /* one entry, no name: lines of key=value */
  ARCHIVE_MAIN,   /* one entry: the playbook; its name is the chunk's */
  ARCHIVE_MODULE, /* a Lua module, by the name given to require */
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
  const char *name; /* no NUL behind it, and none in it */
  size_t name_length;
  const char *contents; /* any bytes, no NUL behind them */
  size_t length;
} archive_entry;

/* Looks at the whole index, so that the functions below can trust it: everything lies inside, and
 * nothing is there twice, so that whoever reads the index knows which entry is found. False, if it
 * is not sound. The bytes stay the caller's, and are looked at as long as the archive is used. */
bool archive_open(archive *a, const void *bytes, size_t size);

/* The entry of this kind and name (of `length` bytes); false if there is none. */
bool archive_find(const archive *a, archive_kind kind, const char *name, size_t length,
                  archive_entry *found);

/* The only entry of ARCHIVE_FACTS or ARCHIVE_MAIN, whatever its name; false if there is none. */
bool archive_only(const archive *a, archive_kind kind, archive_entry *found);

#endif
