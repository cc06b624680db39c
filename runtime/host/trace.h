/* Where in the playbook an error was raised. The values that scripts raise are never changed;
 * traces are kept separately. */
#ifndef HOST_TRACE_H
#define HOST_TRACE_H

#include <lua.h>

/* A message handler: stores the playbook's lines of the call stack for the error value (argument
 * 1), and returns the value unchanged. The first trace of a value is kept: if a join raises it
 * again, the trace still shows its origin. */
int trace_handler(lua_State *L);

/* Pushes the trace of the value at index: an array of { file=, line=, name= }, innermost first.
 * Empty if there is none. */
void trace_push(lua_State *L, int index);

#endif
