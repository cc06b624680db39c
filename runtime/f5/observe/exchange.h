/* Observers of exchanges: each finished exchange with a device, also each attempt of a call, is
 * kept for every observer until it takes it. Recordings and reports are made of that. Its secrets
 * are masked while the loop waits, or before they are forgotten; those of a login at once. Costs
 * nothing as long as nobody observes. */
#ifndef F5_EXCHANGE_H
#define F5_EXCHANGE_H

#include <lua.h>

#include "f5/report/failure.h"
#include "f5/session/session.h"
#include "net/http.h"

typedef struct f5_exchange f5_exchange; /* see observed.h */

/* Returns whether somebody observes. */
bool exchange_wanted(const f5_core *core);
/* Describes an exchange that has ended or was cancelled, whose request was `timed`. attempt: counts
 * from 1. line: of the script, or NULL. NULL if there is not enough memory, or if nobody
 * observes. */
f5_exchange *exchange_new(const f5_session *session, const http_request *request,
                          const f5_failure *failure, unsigned attempt, const char *line);
/* Hands it to the observers. retry: why the call is tried again after wait_ms; NULL: it is not.
 * NULL instead of an exchange is fine. */
void exchange_commit(f5_exchange *exchange, const char *retry, uint64_t wait_ms);

/* Lua: exchanges_start{ bodies = boolean } -> observer, which ends with its garbage collection or
 * with exchanges_stop(observer). bodies: keeps headers and bodies, too. */
int exchange_lua_start(lua_State *L);
/* Lua: exchanges_take(observer) -> array of what has ended since the last call. An entry has:
 *
 *   number      counts the exchanges of the process in the order in which they ended
 *   device      label of the session;  where: "host:port"
 *   method, path, status (0: no answer), attempt (from 1), line ("playbook.lua:12") or nil
 *   started     microseconds since 1970, when it left the queue;  queued, duration: microseconds
 *   dns, connect, ssl, wait, receive: microseconds; the first three are nil if there was none
 *   sent, received: bytes;  internal: it is a login, or about the session's own token
 *   failure     kind of the error, or nil;  message: its words
 *   transport   how the exchange itself failed (name of an http_failure), or nil
 *   arrived     at least a part of the request was sent
 *   retry       why the call is tried again, or nil;  pause: microseconds until then
 *   request, response: with bodies { headers = "Name: value\n…", body, size, digest (SHA-256 of
 *               what is not kept: files, and bodies of more than 1 MiB) } */
int exchange_lua_take(lua_State *L);
/* Lua: exchanges_save(observer, file, size, end): from now on the observer writes entries of a HAR
 * file to a file of append_open, while the loop waits or with exchanges_flush. The file has `size`
 * bytes, and behind them the text `end`, which is behind all entries after each write. */
int exchange_lua_save(lua_State *L);
/* Lua: exchanges_flush(observer) -> entries in the file, its bytes without the end; and why nothing
 * more can be written, if so. Writes all that has ended. */
int exchange_lua_flush(lua_State *L);
int exchange_lua_stop(lua_State *L);
void exchange_setup(lua_State *L); /* creates the metatable; leaves the stack unchanged */

#endif
