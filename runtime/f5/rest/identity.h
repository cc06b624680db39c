/* Whether an answer is about the object that a call asked for. */
#ifndef F5_IDENTITY_H
#define F5_IDENTITY_H

#include <stddef.h>

#include <lua.h>

#include "f5/session/operation.h"

/* Each looks at the decoded answer on top of the stack, which stays there. It raises an error of
 * kind "protocol" if that is clearly not the object: a list, an empty object, or one with another
 * name. A device may write a name in its own form (case, port, suffix), so only a name that has
 * nothing in common is refused. */

/* For the path of the call. The name at its end is checked if it is a full name, or if the kind of
 * the answer shows that it is a name. */
void identity_check_path(lua_State *L, f5_operation *op);
/* For the answer to a creation of an object with this name. */
void identity_check_name(lua_State *L, f5_operation *op, const char *name, size_t length);
/* finish of a call on a reference: the answer is the one result. */
int identity_answer(lua_State *L, int status, lua_KContext context);
/* The same for a command, whose answer has no name. */
int identity_command(lua_State *L, int status, lua_KContext context);

#endif
