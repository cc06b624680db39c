/* f5.core, the C part of the f5 module, for the program that embeds it. */
#ifndef F5_MODULE_H
#define F5_MODULE_H

#include <stdbool.h>

#include <lua.h>

/* Loaded as "f5.core". Requires fiber_setup. */
int luaopen_f5_core(lua_State *L);
/* Closes every session of this state and deletes the tokens in parallel, within the timeout. For
 * the end of the program; afterwards scripts cannot make calls. Does nothing if there are no
 * sessions. */
void f5_shutdown(lua_State *L, unsigned timeout_ms);
/* The writes that an interruption cut off, a line for each, and in *more how many others there are.
 * Nobody knows whether they were carried out. Valid until the state is closed. */
const char *f5_cut_off(lua_State *L, unsigned *more);
/* For a signal handler that exits at once: warns on stderr that tokens remain, if there are
 * sessions.
 */
void f5_report_abandoned(void);
/* level -1: nothing, 0: warnings only, 1: a line per call (-v), 2: with masked bodies (-vv); json:
 * one JSON object per line. */
void f5_log_configure(lua_State *L, int level, bool json);
bool f5_log_is_json(lua_State *L);

#endif
