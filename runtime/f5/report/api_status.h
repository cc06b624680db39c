/* X-F5-Api-Status: what a device says of parts of its API that are deprecated, early or for tests
 * only.
 *
 * A session keeps what it has met, one entry for each status and resource, and -v prints a line for
 * each, once.
 */
#ifndef F5_API_STATUS_H
#define F5_API_STATUS_H

#include <lua.h>

#include "f5/session/call.h"
#include "f5/session/session.h"

/* Looks at an answer that has come. */
void api_status_observe(const f5_call *call);
/* Lua: session:api_status() -> array of { status, method, path, count }, oldest first */
int api_status_lua_list(lua_State *L);
void api_status_clear(f5_session *session);

#endif
