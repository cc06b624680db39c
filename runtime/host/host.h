/* The program around a playbook: creates the Lua state, runs something in it, and reports how it
 * ended. */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include <stdbool.h>

#include <lua.h>

#include "host/exit_status.h"

/* Creates a state with Lua's libraries, the modules of the runtime and signal handlers. NULL after
 * an error message. */
lua_State *host_open(int argc, char **argv, int log_level, bool log_json);

/* Runs the function and its nargs arguments on top of the stack as the main fiber, pops them, and
 * reports a failure on stderr. If `command` is set and the function returns an integer, that is the
 * exit status (subcommands). Otherwise results are ignored (playbooks). */
int host_run(lua_State *L, int nargs, bool command);

/* Reports the error value on top of the stack and pops it. Returns its exit status. */
int host_report(lua_State *L);

/* Deletes the remaining tokens, writes the output, frees everything. Returns the exit status. */
int host_close(lua_State *L, int status);

/* Makes sure that all output is written, or prints why not. Returns `status`; instead of
 * STATUS_DONE, it may be STATUS_FAILED or, if nobody reads the output any more, the status of
 * SIGPIPE. */
int host_end_output(int status);

/* Compiles a file (NULL: standard input) and pushes the function. On failure prints the reason and
 * returns the exit status. */
int host_load(lua_State *L, const char *path);

#endif
