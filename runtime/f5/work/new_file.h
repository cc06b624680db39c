/* A file that gets its name when it is complete. Until then it has no name at all where the file
 * system can do that (O_TMPFILE), so that nothing stays of it if the process is killed; elsewhere
 * it is called NAME.XXXXXX. Only its owner can read it. A link to a file is replaced, never
 * followed. What is no file, or a link to it (/dev/stdout), is refused.
 *
 *   new_file file;
 *   if (!new_file_open(&file, path)) …          // errno
 *   write(file.fd, …);
 *   if (!new_file_keep(&file, path, true)) …    // errno; the old file is unchanged
 *   new_file_discard(&file);                    // in any case
 */
#ifndef F5_NEW_FILE_H
#define F5_NEW_FILE_H

#include <stdbool.h>

#include <lua.h>

typedef struct new_file {
  int fd;          /* -1: not open */
  char *temporary; /* its name until it is complete; NULL: none */
} new_file;

/* A file that is not open, for new_file_discard. */
#define NEW_FILE_NONE ((new_file){.fd = -1})

bool new_file_open(new_file *file, const char *path);

/* Synchronises the file with the disk and gives it its name. With `replace` it takes the place of
 * an old file; without, an old file is the error EEXIST. */
bool new_file_keep(new_file *file, const char *path, bool replace);

/* The words for errno after one of these functions failed. */
const char *new_file_reason(void);

/* Closes it, and removes it if it was not kept. */
void new_file_discard(new_file *file);

/* write_file(path, text[, new]) -> true; or nil and the reason, and the old file is unchanged. With
 * `new` an old file is not replaced. */
int new_file_lua_write(lua_State *L);

/* new_file(path) -> a file, or nil and the reason. file:write(text) and file:keep() return true, or
 * nil and the reason; keep() ends it and gives it its name. file:close(), also as a <close>
 * variable, removes what was not kept. */
int new_file_lua_open(lua_State *L);

/* name_is_taken(path) -> whether something has this name, also a link that leads nowhere. */
int new_file_lua_taken(lua_State *L);

/* Makes the metatable of these files. */
void new_file_setup(lua_State *L);

#endif
