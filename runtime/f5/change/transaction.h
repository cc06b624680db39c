/* Transactions: commands that the device collects and runs together or not at all.
 *
 * A transaction is on the device from begin until it is committed or abandoned. Every write on a
 * reference that is bound to it (`tx(ref)`) is queued there and answers with the command; reads
 * never belong to it. What composes these calls (commit, validate, who is guilty of a failure) is
 * lualib/f5/change/transaction.lua.
 *
 * Keep-alive: a device forgets a transaction that gets no command for 120 s. Before that the last
 * command is queued once more and the copy removed, both of which the REST guide documents; one
 * without a command is replaced by a new one. This goes on in callbacks of the loop, as long as the
 * script has the transaction.
 */
#ifndef F5_TRANSACTION_H
#define F5_TRANSACTION_H

#include <lua.h>

#include "f5/session/operation.h"

#define TRANSACTION_NAME "f5.transaction"

/* Queues a write: what operation_write is for all others. The reference, bound to a transaction, is
 * at index 1; body: index of a table, or 0. */
int transaction_write(lua_State *L, f5_operation *op, int body);
/* The transaction of the reference at index 1? */
bool transaction_bound(lua_State *L);
/* Adds begin to the sessions' methods, and to the module (on top of the stack) what the Lua half
 * needs. */
void transaction_setup(lua_State *L, int session_methods);

#endif
