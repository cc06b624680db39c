/* Lua states with an allocator of their own: blocks of up to 2 KiB come from free lists a size
 * each, without a header.
 *
 * Decoded answers are tens of small tables and strings that live as long as one turn of a script's
 * loop. malloc spends a fifth of the time of decoding on them, more than on reading the text; this
 * costs a few instructions. A state belongs to one thread, and so does its allocator. Memory goes
 * back to the system when the state is closed. Under the address sanitizer every block is malloc's,
 * so that it sees them.
 */
#ifndef BASE_STATE_H
#define BASE_STATE_H

#include <lua.h>

/* As luaL_newstate: with a panic function, warnings off until warn "@on"; NULL without memory. */
lua_State *state_new(void);
/* As lua_close; only for states of state_new. */
void state_close(lua_State *L);

#endif
