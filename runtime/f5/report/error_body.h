/* What the body of an answer adds to an error object. */
#ifndef F5_ERROR_BODY_H
#define F5_ERROR_BODY_H

#include <stddef.h>

#include <lua.h>

/* The error object is on top of the stack. `body` is the masked body of an answer: a JSON text, or
 * another text. Sets the field `body`, decoded, and appends to `message` what the body says beyond
 * it: errors, and the results of tenants that failed. */
void error_body_set(lua_State *L, const char *body, size_t length);
/* The same for an error object that has a decoded body in its field `body`. Masks it. */
void error_body_mask(lua_State *L);

#endif
