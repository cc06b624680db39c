/* readable(descriptor): suspends the fiber until the descriptor can be read without waiting. One
 * fiber at a time may wait for a descriptor. */
#ifndef FIBER_FIBER_READABLE_H
#define FIBER_FIBER_READABLE_H

#include <lua.h>

#include "fiber/wait.h"

int fiber_lua_readable(lua_State *L);
/* The same for C functions; see fiber_await. Leaves a value on the stack. */
int fiber_readable(lua_State *L, int fd, lua_KContext context, lua_KFunction finish);

#endif
