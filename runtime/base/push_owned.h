/* Turns memory of C into Lua values. A push may raise (out of memory), and the C memory would leak.
 * These functions free it in any case. */
#ifndef BASE_PUSH_OWNED_H
#define BASE_PUSH_OWNED_H

#include <lua.h>

#include "base/text.h"

/* Pushes the text as a string and frees it. Raises if memory runs out, or ran out while the text
 * was built. */
void push_owned_text(lua_State *L, text *t);

/* Calls function(L) with `data` as a light userdata at index 1, and pushes its one result. Then
 * calls clear(data), even if function raises. */
void push_owned(lua_State *L, lua_CFunction function, void *data, void (*clear)(void *data));

#endif
