/* Transactions: commands that the device queues and runs together or not at all.
 *
 * A transaction exists on the device from begin until it is committed or abandoned. Every write on
 * a reference that is bound to it (`tx(ref)`) is queued and returns the command; reads are not part
 * of it. lualib/f5/change/transaction.lua combines these calls: commit, validate, and finding the
 * command that caused a failure.
 *
 * Keep-alive: a device drops a transaction that gets no command for 120 s. Before that, the last
 * command is queued again and the copy is removed; the REST guide documents both. A transaction
 * without commands is replaced by a new one. This is done in callbacks of the loop while the script
 * holds the transaction.
 */
#ifndef F5_TRANSACTION_H
#define F5_TRANSACTION_H

#include <lua.h>

#include "f5/session/operation.h"

#define TRANSACTION_NAME "f5.transaction"

/* Queues a write, instead of operation_write. The bound reference is at index 1; body: index of a
 * table, or 0. */
int transaction_write(lua_State *L, f5_operation *op, int body);
/* Returns whether the reference at index 1 is bound to a transaction. */
bool transaction_bound(lua_State *L);
/* Adds begin to the methods of sessions, and internal functions to the module on top of the stack.
 */
void transaction_setup(lua_State *L, int session_methods);

#endif
