/* Long tasks on a device: the table of task families, and the polling of one task.
 *
 * Task families differ in where a task is started, which member of which answer has its state, the
 * names of the states, and where the result is. One table describes them; lualib/f5/work/task.lua
 * makes a common handle of them.
 *
 * Polling is a state machine driven by callbacks of the loop. It goes on when a busy or restarting
 * device fails to answer: 502, 503, refused and lost connections, services that are still starting,
 * an expired token.
 */
#ifndef F5_TASK_H
#define F5_TASK_H

#include <lua.h>

/* Adds `task`, a table of functions for lualib/f5/work/task.lua, to the module on top of the stack.
 */
void task_setup(lua_State *L);

#endif
