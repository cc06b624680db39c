/* The Lua modules compiled into the program, and how `require` finds them. cmake/embed.lua creates
 * the table. */
#ifndef EMBED_EMBEDDED_H
#define EMBED_EMBEDDED_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

typedef struct embedded_module {
  const char *name;   /* the name for `require`: "f5.stats" */
  const char *chunk;  /* chunk name: "=lualib/f5/stats.lua" */
  const char *source; /* Lua text or compiled Lua, perhaps deflated */
  size_t length;      /* bytes of it before it was deflated */
  size_t packed;      /* bytes of `source` if it is deflated, else 0 */
} embedded_module;

extern const embedded_module embedded_modules[]; /* sorted by name */
extern const size_t embedded_count;

/* NULL if there is no module of this name. */
const embedded_module *embedded_find(const char *name);

/* Pushes the text of a module, or its compiled code. Annotations ("meta.*") are always text. */
void embedded_push_source(lua_State *L, const embedded_module *module);

/* Pushes a module as a function and returns LUA_OK; or pushes an error message and returns an error
 * status of Lua. */
int embedded_load(lua_State *L, const embedded_module *module);

/* Whether the name is "f5" or starts with "f5.". */
bool embedded_is_runtime(const char *name);

/* For a playbook's state. `require` finds "f5" and "f5.*" here first, so that nobody replaces the
 * runtime by accident. It finds other embedded modules only if they are not on the disk: a playbook
 * may have its own "sim.lua" or "argparse.lua". Embedded code finds every embedded module here
 * first: a subcommand must not depend on the files in the current directory. */
void embedded_install(lua_State *L);

/* For a state that runs only our own code (the simulated device's): every embedded module comes
 * first. */
void embedded_install_closed(lua_State *L);

#endif
