/* The kinds of errors, one entry each with all that is true of every error of that kind. This is
 * the only list: the enum, the names that scripts see, the exit statuses and the tables in the
 * pages and annotations are made from it. To add a kind, add an entry here.
 *
 * X(IDENTIFIER, name, exit status, passing, meaning)
 *   name         what `err.kind` says
 *   exit status  of f5lua when the playbook does not handle the error: 1, the playbook's own doing,
 *                or 3, a device or the way to it
 *   passing      whether a device that starts or is busy answers so: to wait may help. (An answer
 *                of 5xx is passing whatever its kind; without an answer, failure.c decides.)
 *   meaning      one sentence for the pages */
#ifndef F5_ERROR_KINDS_H
#define F5_ERROR_KINDS_H

#include <stdbool.h>

#include <lua.h>

/* clang-format off */
#define ERROR_KINDS(X) \
  X(NOT_FOUND, "not_found", 3, false, "The object does not exist.") \
  X(CONFLICT, "conflict", 3, false, "The object exists already, or it was changed meanwhile.") \
  X(INVALID, "invalid", 3, false, "The device refuses the values.") \
  X(AUTH, "auth", 3, false, "The device does not accept the user, the password or the token.") \
  X(FORBIDDEN, "forbidden", 3, false, "The user does not have the right to do this.") \
  X(UNSUPPORTED, "unsupported", 3, false, "This device or this object cannot do this.") \
  X(NOT_READY, "not_ready", 3, true, "The device, or one of its services, is starting.") \
  X(BUSY, "busy", 3, true, "The device does other work and asks to try again later.") \
  X(TIMEOUT, "timeout", 3, false, "The answer did not come in time.") \
  X(TRANSPORT, "transport", 3, true, "The network or a proxy failed.") \
  X(TLS, "tls", 3, false, "There is no secure connection: mostly the certificate is not trusted.") \
  X(TRANSACTION, "transaction", 3, false, "The device refused the transaction: none of it is done.") \
  X(TASK, "task", 3, false, "Long work on the device failed.") \
  X(TRANSFER, "transfer", 3, false, "A file could not be read, written, sent or received.") \
  X(CANCELLED, "cancelled", 1, false, "Ctrl-C or `fiber:cancel()` ended the work.") \
  X(PROTOCOL, "protocol", 3, false, "The answer is not one of iControl REST, or it leads elsewhere.") \
  X(USAGE, "usage", 1, false, "The playbook made a mistake.")
/* clang-format on */

typedef enum f5_kind {
  KIND_NONE,
#define KIND(identifier, name, exit_status, passing, meaning) KIND_##identifier,
  ERROR_KINDS(KIND)
#undef KIND
      KIND_COUNT
} f5_kind;

const char *error_kind_name(f5_kind kind);
bool error_kind_is_passing(f5_kind kind);
/* The kind of this name, or KIND_NONE. */
f5_kind error_kind_of(const char *name);
/* Lua: error_kinds() -> the list, in this order, of { name=, exit_status=, passing=, meaning= } */
int error_kinds_lua(lua_State *L);

#endif
