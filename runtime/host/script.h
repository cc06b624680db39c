/* What a script finds: its words in `arg`, and its own modules. */
#ifndef HOST_SCRIPT_H
#define HOST_SCRIPT_H

#include <lua.h>

/* Sets the global `arg` as lua does (argv[script] is arg[0], options before it have negative
 * indices) and puts the script's directory in front of package.path. script 0: there is none,
 * arg[0] is the program. */
void script_set_arguments(lua_State *L, int argc, char **argv, int script);

/* The directory of the script becomes the first place of package.path, so that a playbook finds its
 * own modules from anywhere. "-": none. */
void script_add_directory(lua_State *L, const char *script);

#endif
