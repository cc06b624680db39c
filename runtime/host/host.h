/* The program around a playbook: one Lua state with everything in it, running something in that
 * state, and saying how it ended. */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include <stdbool.h>

#include <lua.h>

#include "host/exit_status.h"

/* A state with Lua's libraries, the runtime's modules ready for `require`, and signal handlers;
 * NULL (after a message) if that fails. */
lua_State *host_open(int argc, char **argv, int log_level, bool log_json);

/* Runs the function and its nargs arguments on top of the stack (both popped) as the main fiber and
 * reports its failure on stderr. With `command` an integer that it returns is the status
 * (subcommands); else results are dropped (playbooks). */
int host_run(lua_State *L, int nargs, bool command);

/* Reports the error value on top of the stack (popped) and returns the exit status it stands for.
 */
int host_report(lua_State *L);

/* Deletes the tokens still alive, flushes, frees everything. Returns the status to exit with. */
int host_close(lua_State *L, int status);

/* Sees to it that what was printed has arrived, or says on stderr why not. Returns the status, or
 * what takes the place of STATUS_DONE: STATUS_FAILED, or that of SIGPIPE when nobody reads any
 * more. */
int host_end_output(int status);

/* Compiles a file (NULL: standard input) and pushes the function. On failure prints the reason and
 * returns the exit status for it. */
int host_load(lua_State *L, const char *path);

#endif
