/* Lua states with their own allocator: blocks of up to 2 KiB come from free lists, one for each
 * size, and have no header.
 *
 * A decoded answer consists of many small tables and strings that live for one turn of the loop.
 * malloc takes a fifth of the time of decoding them, more than reading the text; this allocator
 * takes a few instructions. A state and its allocator belong to one thread. The memory goes back to
 * the system when the state is closed. With the address sanitizer, every block comes from malloc,
 * so that the sanitizer sees it. */
#ifndef BASE_STATE_H
#define BASE_STATE_H

#include <lua.h>

/* Like luaL_newstate: sets a panic function; warnings are off until warn "@on". NULL if out of
 * memory. */
lua_State *state_new(void);
/* Like lua_close. Only for states of state_new. */
void state_close(lua_State *L);

#endif
