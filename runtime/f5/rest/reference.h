/* References: paths on a device as values. Building one makes no traffic. */
#ifndef F5_REFERENCE_H
#define F5_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

#include "base/text.h"
#include "f5/session/session.h"

#define REFERENCE_NAME "f5.reference"
#define REFERENCE_VERSION 15 /* bytes of the longest version of the API */

/* The first user value is the session's userdata, the second the transaction's or nil. */
typedef struct f5_reference {
  f5_session *session;
  size_t length;                   /* of the path */
  char ver[REFERENCE_VERSION + 1]; /* that the link it was made of asks for; "": the session's */
  char text[];                     /* path, then the query ("?…" or nothing), then NUL */
} f5_reference;

/* The reference at index, or a usage error. */
f5_reference *reference_check(lua_State *L, int index);
/* The version of the API that calls on it ask for; NULL: the newest. */
const char *reference_version(const f5_reference *ref);
/* Pushes a reference with this path and, right behind it, query, in the session at index;
 * transaction: index of its user value, or 0. The collector may run before they are copied. */
f5_reference *reference_push(lua_State *L, int session, int transaction, const char *path,
                             size_t length, size_t query_length);
/* Lua: parent(reference) -> the reference without its last segment, and what that segment names */
int reference_lua_parent(lua_State *L);
/* Lua: at(session or reference, …) -> reference */
int reference_lua_at(lua_State *L);
/* Lua: device_id(value) -> the id, an integer or a text of one segment, by which a device named an
 * object; nil if the value is none and must not become a part of a path */
int reference_lua_device_id(lua_State *L);
/* Makes the metatable, and the __index of sessions, whose methods are at that index; pushes the
 * table of methods, which Lua parts add to. */
void reference_setup(lua_State *L, int session_methods);

#endif
