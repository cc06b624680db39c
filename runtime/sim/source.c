#include "sim/source.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <lauxlib.h>

typedef struct entry {
  struct entry *next;
  sim_found content; /* for a question, status is not used */
} entry;

typedef struct queue {
  entry *first, **last;
} queue;

struct sim_source {
  int fd; /* its counter is not 0 while there are questions */
  pthread_mutex_t lock;
  /* guarded by the lock */
  queue wanted, found;
  uint64_t last;
};

void sim_found_clear(sim_found *found) {
  free(found->body);
  memset(found, 0, sizeof *found);
}

/* The bytes end with a NUL that does not count. */
static entry *entry_new(uint64_t number, int status, const char *body, size_t length) {
  entry *e = calloc(1, sizeof *e);
  char *copy = e ? malloc(length + 1) : NULL;
  if (!copy) {
    free(e);
    return NULL;
  }
  if (length) memcpy(copy, body, length);
  copy[length] = '\0';
  e->content = (sim_found){.number = number, .status = status, .body = copy, .length = length};
  return e;
}

static void queue_add(queue *q, entry *e) {
  *q->last = e;
  q->last = &e->next;
}

static bool queue_take(queue *q, sim_found *content) {
  entry *e = q->first;
  if (!e) return false;
  q->first = e->next;
  if (!q->first) q->last = &q->first;
  *content = e->content;
  free(e);
  return true;
}

static void queue_clear(queue *q) {
  sim_found content;
  while (queue_take(q, &content))
    sim_found_clear(&content);
}

sim_source *sim_source_new(void) {
  sim_source *source = calloc(1, sizeof *source);
  if (!source) return NULL;
  source->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (source->fd < 0) {
    free(source);
    return NULL;
  }
  pthread_mutex_init(&source->lock, NULL);
  source->wanted.last = &source->wanted.first;
  source->found.last = &source->found.first;
  return source;
}

void sim_source_free(sim_source *source) {
  if (!source) return;
  queue_clear(&source->wanted);
  queue_clear(&source->found);
  pthread_mutex_destroy(&source->lock);
  close(source->fd);
  free(source);
}

int sim_source_fd(const sim_source *source) {
  return source->fd;
}

char *sim_source_next_wanted(sim_source *source, uint64_t *number, size_t *length) {
  sim_found content = {0};
  pthread_mutex_lock(&source->lock);
  if (queue_take(&source->wanted, &content)) {
    *number = content.number;
    *length = content.length;
    eventfd_t count;
    if (!source->wanted.first) eventfd_read(source->fd, &count);
  }
  pthread_mutex_unlock(&source->lock);
  return content.body;
}

bool sim_source_answer(sim_source *source, uint64_t number, int status, const char *body,
                       size_t length) {
  entry *e = entry_new(number, status, body, length);
  if (!e) return false;
  pthread_mutex_lock(&source->lock);
  queue_add(&source->found, e);
  pthread_mutex_unlock(&source->lock);
  return true;
}

bool sim_source_next_found(sim_source *source, sim_found *found) {
  pthread_mutex_lock(&source->lock);
  bool there = queue_take(&source->found, found);
  pthread_mutex_unlock(&source->lock);
  return there;
}

/* -- the module sim.source -- */

/* ask(text) -> number */
static int source_ask(lua_State *L) {
  sim_source *source = lua_touserdata(L, lua_upvalueindex(1));
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  entry *e = entry_new(0, 0, text, length);
  if (!e) return luaL_error(L, "not enough memory");
  pthread_mutex_lock(&source->lock);
  uint64_t number = e->content.number = ++source->last;
  queue_add(&source->wanted, e);
  eventfd_write(source->fd, 1);
  pthread_mutex_unlock(&source->lock);
  lua_pushinteger(L, (lua_Integer)number);
  return 1;
}

static int open_module(lua_State *L) {
  lua_createtable(L, 0, 1);
  return 1;
}

void sim_source_install(sim_source *source, lua_State *L) {
  static const luaL_Reg functions[] = {{"ask", source_ask}, {NULL, NULL}};
  luaL_requiref(L, "sim.source", open_module, 0);
  lua_pushlightuserdata(L, source);
  luaL_setfuncs(L, functions, 1);
  lua_pop(L, 1);
}
