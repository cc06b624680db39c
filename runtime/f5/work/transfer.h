/* Files to and from a device, in chunks of at most 1 MiB: memory does not grow with the file.
 *
 * An upload goes on where the device says that its bytes end; a download is written to a temporary
 * file beside the target, which takes the target's name when all of it is on the disk. Both take
 * the SHA-256 of what they carry when that is wanted. One chunk is one call;
 * lualib/f5/work/transfer.lua loops over them and shows how far they are.
 */
#ifndef F5_TRANSFER_H
#define F5_TRANSFER_H

#include <lua.h>

/* Adds `transfer`, a table of functions for lualib/f5/work/transfer.lua, to the module on top of
 * the stack. */
void transfer_setup(lua_State *L);

#endif
