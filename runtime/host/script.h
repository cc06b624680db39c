/* What a script gets: its arguments in `arg`, and its own modules. */
#ifndef HOST_SCRIPT_H
#define HOST_SCRIPT_H

#include <lua.h>

/* Sets the global `arg` like lua: argv[script] is arg[0], options before it have negative indices.
 * Adds the script's directory to package.path. script 0: there is no script, and arg[0] is the
 * program. */
void script_set_arguments(lua_State *L, int argc, char **argv, int script);

/* Puts the directory of the script first in package.path, so that a playbook finds its modules from
 * any directory. "-": no script. */
void script_add_directory(lua_State *L, const char *script);

#endif
