/* Long work on a device: the families of tasks it knows, and the polling of one.
 *
 * A device does long work in several shapes: where it is started, which member of which answer says
 * where it stands, in which words, and where the result is. One table has them all;
 * lualib/f5/work/task.lua makes one handle of it.
 *
 * The polling is a state machine over callbacks of the loop. It survives what a busy or restarting
 * device does (502, 503, refused and cut connections, services that are not there yet, a token that
 * is gone): that is no answer, it looks again.
 */
#ifndef F5_TASK_H
#define F5_TASK_H

#include <lua.h>

/* Adds `task`, a table of functions for lualib/f5/work/task.lua, to the module on top of the stack.
 */
void task_setup(lua_State *L);

#endif
