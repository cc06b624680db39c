/* Memory of C that becomes a value of Lua. Pushing may raise, for want of memory, and would leave
 * the C side behind: these free it either way. */
#ifndef BASE_PUSH_OWNED_H
#define BASE_PUSH_OWNED_H

#include <lua.h>

#include "base/text.h"

/* Pushes the text as a string, and frees it. Raises when there is no memory, also when there was
 * none for the text. */
void push_owned_text(lua_State *L, text *t);

/* Runs function(L) with `data` as a light userdata at 1, which leaves one value: that is pushed;
 * then, and when function raises, too, clear(data). */
void push_owned(lua_State *L, lua_CFunction function, void *data, void (*clear)(void *data));

#endif
