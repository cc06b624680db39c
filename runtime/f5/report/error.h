/* The error objects that scripts see. */
#ifndef F5_ERROR_H
#define F5_ERROR_H

#include <stdbool.h>

#include <lua.h>

#include "f5/report/failure.h"

typedef struct error_place {
  const char *device, *method, *path; /* masked by error_push; may be NULL */
  unsigned attempts;                  /* 0: unknown */
} error_place;

/* Pushes the error object. */
void error_push(lua_State *L, const f5_failure *failure, const error_place *place);
/* Like error_push, and clears the failure, also when there is not enough memory for the object. */
void error_push_and_clear(lua_State *L, f5_failure *failure, const error_place *place);
/* Raises an error of kind "usage"; its message starts with the line of the script that made the
 * call. */
int error_usage(lua_State *L, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Raises an error of kind "usage": "unknown WHAT 'NAME'", with the nearest known name as a
 * suggestion. known: ends with NULL. */
int error_unknown(lua_State *L, const char *what, const char *name, const char *const *known);
/* Pushes an error object of kind "cancelled"; for fiber_set_cancel_error. */
int error_push_cancelled(lua_State *L);
/* Says in the error on top of the stack that the device may have carried the call out. */
void error_mark_unknown(lua_State *L);
/* The same: that it did not. unsent: it was not even sent. */
void error_mark_not_done(lua_State *L, bool unsent);
/* Lua: error_new(table) -> the same table, now an error object. Raises if its kind is unknown. */
int error_lua_new(lua_State *L);
/* Lua: usage(message) raises a usage error at the script's line. */
int error_lua_usage(lua_State *L);
/* Pushes "playbook.lua:12: " for the innermost line that belongs to the script; "" if there is
 * none. */
void error_push_script_line(lua_State *L);
/* Returns the path of a file that the script gave; raises a usage error if it is no string, empty,
 * or has a byte 0, at which the system would cut it off. */
const char *error_check_path(lua_State *L, int index, const char *function);
/* Lua: check_path(value, function) -> the same value */
int error_lua_check_path(lua_State *L);
/* Returns whether the value is an error object. */
bool error_is(lua_State *L, int index);
void error_setup(lua_State *L); /* creates the metatable; leaves the stack unchanged */

#endif
