#include "postgres/library.h"

#include <pthread.h>
#include <string.h>

#ifndef POSTGRES_LINKED
#include <dlfcn.h>
#endif

#ifdef POSTGRES_LINKED

pq_library pq = {
#define MEMBER(name) name,
    POSTGRES_FUNCTIONS(MEMBER)
#undef MEMBER
};

bool pq_load(text *problem) {
  (void)problem;
  return true;
}

#else

pq_library pq;

static pthread_once_t loaded = PTHREAD_ONCE_INIT;
static char missing[512]; /* why there is no library; empty: there is one */

static void find(void *library, const char *name, void *function, size_t size) {
  void *symbol = dlsym(library, name);
  if (!symbol && !missing[0]) {
    strcpy(missing, "libpq.so.5 is too old: it has no ");
    strncat(missing, name, sizeof missing - strlen(missing) - 1);
  }
  memcpy(function, &symbol, size);
}

static void load(void) {
  void *library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char *reason = dlerror();
    strncat(missing, reason ? reason : "libpq.so.5 is missing", sizeof missing - 1);
    return;
  }
#define FIND(name) find(library, #name, &pq.name, sizeof pq.name);
  POSTGRES_FUNCTIONS(FIND)
#undef FIND
}

bool pq_load(text *problem) {
  pthread_once(&loaded, load);
  if (!missing[0]) return true;
  text_printf(problem,
              "cannot load the PostgreSQL client library: %s; install the package libpq5 (Debian, "
              "Ubuntu) or libpq (Red Hat), or use the portable f5lua",
              missing);
  return false;
}

#endif

void pq_put_message(text *t, const char *message) {
  size_t length = message ? strlen(message) : 0;
  while (length && strchr("\n\t ", message[length - 1]))
    length--;
  for (size_t i = 0; i < length; i++) {
    if (message[i] != '\n') {
      text_char(t, message[i]);
      continue;
    }
    while (message[i + 1] == '\t' || message[i + 1] == ' ')
      i++;
    text_put(t, i && strchr(".;:?", message[i - 1]) ? " " : "; ");
  }
}
