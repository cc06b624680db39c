/* Connects to a device and sends nothing: looks at its certificate before a password is asked for.
 */
#ifndef F5_GREETING_H
#define F5_GREETING_H

#include <lua.h>

#include "fiber/wait.h"
#include "net/http.h"

/* A userdata. */
typedef struct greeting {
  http_request http; /* its result */
  fiber_wait wait;
  http_peer *peer;
} greeting;

/* Pushes a greeting, and suspends the fiber until the connection is made or has failed. `finish`
 * gets the greeting as its context, which then is on top of the stack. */
int greeting_await(lua_State *L, http_peer *peer, lua_KFunction finish);

#endif
