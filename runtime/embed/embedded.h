/* The Lua modules compiled into the program (cmake/embed.lua makes the table), and how `require`
 * finds them. */
#ifndef EMBED_EMBEDDED_H
#define EMBED_EMBEDDED_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

typedef struct embedded_module {
  const char *name;   /* as `require` knows it: "f5.stats" */
  const char *chunk;  /* chunk name: "=lualib/f5/stats.lua" */
  const char *source; /* Lua text, or that deflated */
  size_t length;      /* bytes of the text */
  size_t packed;      /* bytes of source if it is deflated, else 0 */
} embedded_module;

extern const embedded_module embedded_modules[]; /* sorted by name */
extern const size_t embedded_count;

/* NULL if there is none of this name. */
const embedded_module *embedded_find(const char *name);

/* Pushes the text of a module. */
void embedded_push_source(lua_State *L, const embedded_module *module);

/* Pushes a module as a function, or an error message, and returns a status of Lua. */
int embedded_load(lua_State *L, const embedded_module *module);

/* Whether the name is "f5" or below it. */
bool embedded_is_runtime(const char *name);

/* For a playbook's state: `require` finds "f5" and "f5.*" here before it looks anywhere else
 * (nobody replaces the runtime by accident), and all other embedded modules only after the disk (a
 * playbook's own "sim.lua" or "argparse.lua" is its own). Embedded code itself finds every embedded
 * module here first: what a subcommand does must not depend on the files of the directory it is
 * typed in. */
void embedded_install(lua_State *L);

/* For a state that runs nothing but our own code (the simulated device's): every embedded module
 * comes first. */
void embedded_install_closed(lua_State *L);

#endif
