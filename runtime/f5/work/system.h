/* What a fleet run needs of the operating system and Lua does not have: a durable append-only file,
 * the limit of open files, a clock that does not jump. Lua functions, added to f5.core by module.c.
 */
#ifndef F5_SYSTEM_H
#define F5_SYSTEM_H

#include <lua.h>

/* Adds to the table on top of the stack:
 *   now() -> seconds (float), monotonic
 *   raise_open_files(n) -> the soft limit in force, at least n; raises an error that names the hard
 * limit if that is lower append_open(path) -> file locked for this process: file:read()
 * file:truncate(bytes) file:append(text) file:close() append returns when the bytes are on the disk
 * (fdatasync(2)). Raises a message when the file cannot be opened or is locked by another process.
 */
void f5_system_register(lua_State *L);

#endif
