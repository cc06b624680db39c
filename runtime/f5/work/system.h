/* Functions of the operating system that a fleet run needs and Lua does not have: a durable
 * append-only file, the limit of open files, a monotonic clock. module.c adds them to f5.core.
 */
#ifndef F5_SYSTEM_H
#define F5_SYSTEM_H

#include <lua.h>

/* Adds these functions to the table on top of the stack:
 *
 *   now() -> seconds (float), monotonic
 *   raise_open_files(n) -> the soft limit, at least n; raises if the hard limit is lower
 *   append_open(path) -> file, locked for this process; raises if it cannot be opened or locked
 *   file:read([most]) -> at most so many bytes from its start; file:truncate(bytes), file:close()
 *   file:replace_end(at, text)   -- in one write, from the byte `at` on; the file may be longer
 * then file:append(text[, now])  -- returns when the bytes are on the disk (fdatasync(2)); with now
 * = false when the system has them: they outlive this process, but not a power failure
 */
void f5_system_register(lua_State *L);
/* The descriptor of the file of append_open at this index; raises if it is closed. */
int append_file_of(lua_State *L, int index);

#endif
