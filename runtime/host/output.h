/* Standard output. Its errors are reported at the end of the program, so the reason must be
 * kept. */
#ifndef HOST_OUTPUT_H
#define HOST_OUTPUT_H

#include <lua.h>

/* Lua's print, which shows what is in a table, and keeps the reason of the first failure. */
int output_print(lua_State *L);

/* Writes what is still in memory. Returns 0; or if some output was lost, an errno, or -1 if the
 * reason is unknown. */
int output_end(void);

#endif
