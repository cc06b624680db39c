#include "base/state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/printable.h"

#ifdef __SANITIZE_ADDRESS__

lua_State *state_new(void) {
  return luaL_newstate();
}

void state_close(lua_State *L) {
  lua_close(L);
}

#else

#define GRAIN 16u
/* Larger blocks come from malloc. */
#define MAX_SMALL_BLOCK 2048u
#define SLAB_SIZE 65536u

typedef struct block {
  struct block *next;
} block;

typedef struct slab {
  struct slab *next;
  max_align_t bytes[];
} slab;

typedef struct memory {
  block *unused[MAX_SMALL_BLOCK / GRAIN + 1]; /* free lists, by size in grains */
  char *at, *end;                             /* the unused part of the newest slab */
  slab *slabs;
  bool warn, continued;
} memory;

static void *take(memory *m, size_t grains) {
  block *b = m->unused[grains];
  if (b) {
    m->unused[grains] = b->next;
    return b;
  }
  size_t size = grains * GRAIN;
  if ((size_t)(m->end - m->at) < size) { /* the rest of the slab, less than a block, stays unused */
    slab *fresh = malloc(sizeof *fresh + SLAB_SIZE);
    if (!fresh) return NULL;
    fresh->next = m->slabs;
    m->slabs = fresh;
    m->at = (char *)fresh->bytes;
    m->end = m->at + SLAB_SIZE;
  }
  void *taken = m->at;
  m->at += size;
  return taken;
}

static size_t in_grains(size_t size) {
  return (size + GRAIN - 1) / GRAIN;
}

/* The lua_Alloc function. Lua passes the size of each block that it gives back. */
static void *allocate(void *data, void *old, size_t old_size, size_t size) {
  memory *m = data;
  if (!old) old_size = 0; /* for a new block, Lua passes its type here */
  if (old_size > MAX_SMALL_BLOCK && size > MAX_SMALL_BLOCK) return realloc(old, size);
  size_t old_grains = in_grains(old_size), grains = in_grains(size);
  if (old && old_grains == grains) return old;
  void *fresh = NULL;
  if (size > 0) {
    fresh = size > MAX_SMALL_BLOCK ? malloc(size) : take(m, grains);
    if (!fresh) return size < old_size ? old : NULL; /* shrinking must not fail */
    if (old) memcpy(fresh, old, old_size < size ? old_size : size);
  }
  if (old_size > MAX_SMALL_BLOCK) {
    free(old);
  } else if (old) {
    block *b = old;
    b->next = m->unused[old_grains];
    m->unused[old_grains] = b;
  }
  return fresh;
}

static int panic(lua_State *L) {
  const char *message = lua_tostring(L, -1);
  printable_print(stderr, "f5lua: unprotected error: %s\n",
                  message ? message : "(the error is not a string)");
  return 0; /* Lua calls abort */
}

/* The lua_WarnFunction, like that of luaL_newstate. */
static void warn(void *data, const char *message, int more) {
  memory *m = data;
  if (!m->continued && !more && *message == '@') {
    if (strcmp(message, "@on") == 0) m->warn = true;
    if (strcmp(message, "@off") == 0) m->warn = false;
    return;
  }
  if (m->warn)
    printable_print(stderr, "%s%s%s", m->continued ? "" : "Lua warning: ", message,
                    more ? "" : "\n");
  m->continued = more;
}

static void release(memory *m) {
  for (slab *next, *s = m->slabs; s; s = next) {
    next = s->next;
    free(s);
  }
  free(m);
}

lua_State *state_new(void) {
  memory *m = calloc(1, sizeof *m);
  if (!m) return NULL;
  lua_State *L = lua_newstate(allocate, m);
  if (!L) {
    release(m);
    return NULL;
  }
  lua_atpanic(L, panic);
  lua_setwarnf(L, warn, m);
  return L;
}

void state_close(lua_State *L) {
  void *m;
  lua_getallocf(L, &m);
  lua_close(L);
  release(m);
}

#endif
