/* Standard output, whose errors are told at the end of the program: the reason must not be lost
 * until then. */
#ifndef HOST_OUTPUT_H
#define HOST_OUTPUT_H

#include <lua.h>

/* Lua's print, which remembers why nothing more could be written. */
int output_print(lua_State *L);

/* Writes what is still in memory. Returns 0 or, if not all that was printed has arrived, an errno;
 * -1 if nobody knows which. */
int output_end(void);

#endif
