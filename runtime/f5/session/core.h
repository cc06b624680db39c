/* What all of the f5 module shares in one Lua state: the loop, the log, the open sessions and where
 * f5.connect goes by default. */
#ifndef F5_CORE_H
#define F5_CORE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include <lua.h>

#include "net/loop.h"

typedef struct f5_session f5_session;

typedef struct f5_core {
  loop *loop;
  f5_session *sessions; /* all that are not closed, also those that the script forgot */
  int log_level;        /* -1 silent, 0 warnings, 1 a line a call, 2 with bodies */
  bool log_json;
  bool ended;                            /* f5_shutdown was called */
  void (*at_exit)(struct f5_core *core); /* closes what is open; NULL: nothing was opened */
  uint64_t random;
} f5_core;

/* Sessions of this process that are not closed; a signal handler may read it. */
extern volatile sig_atomic_t core_open_sessions;
/* The state's core, made at the first use. Raises without memory. */
f5_core *core_of(lua_State *L);
/* A number in [0, below). Not for secrets. */
uint64_t core_random(f5_core *core, uint64_t below);

#endif
