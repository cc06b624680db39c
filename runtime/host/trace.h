/* Where in the playbook an error came from. The values that scripts raise are never changed; what
 * is known about them is kept beside them. */
#ifndef HOST_TRACE_H
#define HOST_TRACE_H

#include <lua.h>

/* A message handler: remembers the playbook's own lines of the call stack for the error value
 * (argument 1) and returns the value as it is. The first trace of a value stays: one that is raised
 * again by a join still points at where it arose. */
int trace_handler(lua_State *L);

/* Pushes the trace of the value at index: an array of { file=, line=, name= } with the innermost
 * first; empty if there is none. */
void trace_push(lua_State *L, int index);

#endif
