/* Directories that only their owner may enter, for change records. module.c adds these functions to
 * f5.core:
 *
 *   make_directory(path) -> true; or nil and the reason. Makes the directories above it, too.
 *   list_directory(path) -> array of the names in it, sorted; nil and the reason if it cannot be
 *     read. A directory that does not exist is empty.
 *   sync_directory(path) -- brings the names in it to the disk, where the file system can do that
 */
#ifndef F5_DIRECTORY_H
#define F5_DIRECTORY_H

#include <lua.h>

/* Adds the functions to the table on top of the stack. */
void directory_register(lua_State *L);

#endif
