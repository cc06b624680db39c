/* References: paths on a device as Lua values. Building one causes no traffic. */
#ifndef F5_REFERENCE_H
#define F5_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

#include "base/text.h"
#include "f5/session/session.h"

#define REFERENCE_NAME "f5.reference"
#define REFERENCE_VERSION 15 /* max. bytes of a version of the API */

/* The first user value is the session's userdata, the second the transaction's or nil. */
typedef struct f5_reference {
  f5_session *session;
  size_t length;                   /* of the path */
  char ver[REFERENCE_VERSION + 1]; /* version in the link it was made from; "": the session's */
  char text[];                     /* path, then the query ("?…" or nothing), then NUL */
} f5_reference;

/* Returns the reference at index, or raises a usage error. */
f5_reference *reference_check(lua_State *L, int index);
/* The version of the API for calls on it; NULL: the newest. */
const char *reference_version(const f5_reference *ref);
/* Pushes a reference in the session at index, with this path, directly followed by the query.
 * transaction: index of its userdata, or 0. The collector may run before the strings are copied. */
f5_reference *reference_push(lua_State *L, int session, int transaction, const char *path,
                             size_t length, size_t query_length);
/* Lua: parent(reference) -> the reference without its last segment, and the name in that segment */
int reference_lua_parent(lua_State *L);
/* Lua: session_of(reference) -> its session */
int reference_lua_session(lua_State *L);
/* Lua: at(session or reference, …) -> reference */
int reference_lua_at(lua_State *L);
/* Lua: device_id(value) -> the value if it is a valid id of an object, an integer or a string of
 * one path segment; else nil */
int reference_lua_device_id(lua_State *L);
/* Creates the metatable, and the __index of sessions, whose methods are at that index; pushes the
 * table of methods, which other modules extend. */
void reference_setup(lua_State *L, int session_methods);

#endif
