/* f5.postgres.core: PostgreSQL for the Lua part, lualib/f5/postgres.
 *
 *   connect(conninfo, seconds) -> connection, or nil and { message =, refused = whether it is the
 *     address that is wrong }
 *   connection:query(hold, text, …) -> rows, or nil and a table, see pq_push_failure
 *   connection:script(hold, text) -> rows of the last of several statements
 *   connection:hold() -> hold; until hold:release() only statements with this hold are carried out
 *   hold:busy() -> whether a statement of it goes on, although its fiber was cancelled
 *   connection:wait(seconds) -> { channel =, payload =, pid = }, or nil; or nil and { message = }
 *   connection:is_open(), :parameter(name), :version(), :pid(), :notices(), :close()
 *
 * `hold` is a hold or nil. A server that does not answer within `seconds` is dead. */
#ifndef POSTGRES_MODULE_H
#define POSTGRES_MODULE_H

#include <lua.h>

int luaopen_f5_postgres(lua_State *L);

#endif
