/* Metatables of userdata that scripts hold. Their functions trust what they are given, and some of
 * them end the value: a script must not get hold of them. */
#ifndef BASE_METATABLE_H
#define BASE_METATABLE_H

#include <lua.h>

/* The metatable on top of the stack: getmetatable gives `what` instead of it. */
void metatable_hide(lua_State *L, const char *what);

#endif
