/* f5.core, the C half of the f5 module, for the program around it. */
#ifndef F5_MODULE_H
#define F5_MODULE_H

#include <stdbool.h>

#include <lua.h>

/* Loaded as "f5.core". fiber_setup must have run. */
int luaopen_f5_core(lua_State *L);
/* Ends every session of this state and deletes the tokens, all at once, in at most so long. For the
 * end of the program, however it ends; scripts cannot call the devices of open sessions any more.
 * Costs nothing when there are none. */
void f5_shutdown(lua_State *L, unsigned timeout_ms);
/* For a signal handler that leaves at once: says on stderr that tokens stay, if there are sessions.
 */
void f5_tell_abandoned(void);
/* level -1: nothing, 0: warnings alone, 1: a line a call (-v), 2: with masked bodies (-vv); json:
 * one JSON object a line. */
void f5_log_configure(lua_State *L, int level, bool json);
bool f5_log_is_json(lua_State *L);

#endif
