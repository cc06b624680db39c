/* Uploads and downloads of files in chunks of at most 1 MiB, so memory does not grow with the file.
 *
 * An upload continues after the last byte that the device has. A download is written to a temporary
 * file next to the target, which is renamed when it is complete and on the disk. Both can compute
 * the SHA-256. One chunk is one call; lualib/f5/work/transfer.lua loops over the chunks and shows
 * the progress.
 */
#ifndef F5_TRANSFER_H
#define F5_TRANSFER_H

#include <lua.h>

/* Adds `transfer`, a table of functions for lualib/f5/work/transfer.lua, to the module on top of
 * the stack. */
void transfer_setup(lua_State *L);

#endif
