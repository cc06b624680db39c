/* A watchdog for fibers that run for too long without a wait, for a program whose other fibers must
 * run in time: a worker of a queue. Without limit_runs there is no thread and no cost.
 *
 * A thread looks at two counters of the scheduler: which run of a fiber this is, and how often the
 * loop has turned. If both stand still for too long, it sends SIGURG to the thread of the state,
 * whose handler sets a hook, as lua.c does it for Ctrl-C. A signal is the only thing that reaches a
 * loop in Lua without a price for all other code. The hook raises an error, in the playbook's own
 * code only: the program's own code (a source that begins with "=lualib/") keeps promises to other
 * fibers. */
#ifndef FIBER_FIBER_WATCH_H
#define FIBER_FIBER_WATCH_H

#include <stdbool.h>

#include <lua.h>

#include "fiber/fiber_scheduler.h"

/* limit_runs(options) starts the watchdog of this state, which must run on this thread from now on.
 * `seconds`: how long a limited fiber may run without a wait; while it waits for a processor, the
 * time does not count. Then an error is raised: its position, "computed for N s without a pause",
 * `advice`. The fiber may catch it, and has half as many seconds for its end; then the error is
 * raised again and again. A C function that took long raises no error when it returns: that would
 * help nobody any more. `holds`: then other limited fibers do not run until release(), for at most
 * two seconds. `stuck`, `warning`: after so many seconds without a turn of the loop, the text is
 * written to standard error. `exits`: and if a limited fiber runs, the process ends. */
int fiber_lua_limit_runs(lua_State *L);
/* set_limited(whether) -> before: the limit holds for the running fiber. Fibers that it starts
 * inherit it. */
int fiber_lua_set_limited(lua_State *L);
/* held() -> whether limited fibers wait for release() */
int fiber_lua_held(lua_State *L);
int fiber_lua_release(lua_State *L);

/* For the scheduler. The current fiber runs from now on. */
void fiber_watch_run(fiber_watch *watch, bool limited);
/* The loop turns. */
void fiber_watch_turn(fiber_watch *watch);
/* A thread of the current fiber runs from now on: sets the hook if the fiber is to end. */
void fiber_watch_resume(fiber_watch *watch, lua_State *L);
/* Whether the ready fiber must wait for release(). Then it is kept. */
bool fiber_watch_keeps(fiber_watch *watch, fiber *f);
bool fiber_watch_has_kept(const fiber_watch *watch);
/* Takes a fiber that must not wait any more; NULL: there is none. */
fiber *fiber_watch_take(fiber_watch *watch);

#endif
