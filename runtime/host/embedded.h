/* The Lua modules compiled into the program (cmake/embed.lua makes the table), sorted by name. */
#ifndef HOST_EMBEDDED_H
#define HOST_EMBEDDED_H

#include <stddef.h>

typedef struct embedded_module {
  const char *name;   /* as `require` knows it: "f5.stats" */
  const char *source; /* Lua text, NUL behind it */
  size_t length;      /* bytes, without the NUL */
} embedded_module;

extern const embedded_module embedded_modules[];
extern const size_t embedded_count;

#endif
