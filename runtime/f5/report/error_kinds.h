/* The kinds of errors. This is the only list: the enum, the names that scripts see, the exit
 * statuses and the tables in docs/ and lualib/meta/ are generated from it. To add a kind, add an
 * entry here.
 *
 * X(IDENTIFIER, name, exit status, transient, meaning)
 *   name         the value of `err.kind`
 *   exit status  of f5lua when the playbook does not handle the error: 1 if the playbook caused
 *                it, 3 if a device or the network did
 *   transient    a device that is starting or busy may cause it, so waiting may help. (Any answer
 *                of 5xx is transient; without an answer, failure.c decides.)
 *   meaning      one sentence for the documentation */
#ifndef F5_ERROR_KINDS_H
#define F5_ERROR_KINDS_H

#include <stdbool.h>

#include <lua.h>

/* clang-format off */
#define ERROR_KINDS(X) \
  X(NOT_FOUND, "not_found", 3, false, "The object does not exist.") \
  X(CONFLICT, "conflict", 3, false, "The object already exists, or it has been changed.") \
  X(INVALID, "invalid", 3, false, "The device rejected the values.") \
  X(AUTH, "auth", 3, false, "The device does not accept the user, the password or the token.") \
  X(FORBIDDEN, "forbidden", 3, false, "The user does not have the right to do this.") \
  X(UNSUPPORTED, "unsupported", 3, false, "This device or this object cannot do this.") \
  X(NOT_READY, "not_ready", 3, true, "The device, or one of its services, is starting.") \
  X(BUSY, "busy", 3, true, "The device is busy and asks to try again later.") \
  X(TIMEOUT, "timeout", 3, false, "The answer did not come in time.") \
  X(TRANSPORT, "transport", 3, true, "The network or a proxy failed.") \
  X(TLS, "tls", 3, false, "No secure connection; usually the certificate is not trusted.") \
  X(TRANSACTION, "transaction", 3, false, "The transaction failed and changed nothing.") \
  X(TASK, "task", 3, false, "A long task on the device failed.") \
  X(DECLARATION, "declaration", 3, false, "AS3, DO, TS or FAST did not carry out a declaration.") \
  X(TRANSFER, "transfer", 3, false, "A file could not be read, written, uploaded or downloaded.") \
  X(DATABASE, "database", 3, false, "The database refused a statement, or is not there.") \
  X(CANCELLED, "cancelled", 1, false, "Ctrl-C or `fiber:cancel()` ended the call.") \
  X(PROTOCOL, "protocol", 3, false, "The answer is not iControl REST, or it is a redirect.") \
  X(NOT_SIMULATED, "not_simulated", 1, false, "A check cannot simulate this step.") \
  X(NOT_RECORDED, "not_recorded", 1, false, "A replay has no answer for this call.") \
  X(USAGE, "usage", 1, false, "The playbook uses the API incorrectly.")
/* clang-format on */

typedef enum f5_kind {
  KIND_NONE,
#define KIND(identifier, name, exit_status, transient, meaning) KIND_##identifier,
  ERROR_KINDS(KIND)
#undef KIND
      KIND_COUNT
} f5_kind;

const char *error_kind_name(f5_kind kind);
bool error_kind_is_transient(f5_kind kind);
/* The kind of this name, or KIND_NONE. */
f5_kind error_kind_of(const char *name);
/* Lua: error_kinds() -> array of { name=, exit_status=, transient=, meaning= }, in this order */
int error_kinds_lua(lua_State *L);

#endif
