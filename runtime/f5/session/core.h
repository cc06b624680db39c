/* State that the whole f5 module shares in one Lua state: the loop, the log settings and the open
 * sessions. */
#ifndef F5_CORE_H
#define F5_CORE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include <lua.h>

#include "base/text.h"
#include "net/loop.h"

#define CORE_CUT_OFFS 10 /* writes that are named */

typedef struct f5_session f5_session;
typedef struct f5_observer f5_observer;

typedef struct core_exchanges core_exchanges;
struct core_exchanges {
  struct f5_exchange *first, *last; /* that an observer has not taken yet, in order */
  struct f5_exchange *raw;          /* the first one whose secrets are not masked yet; or NULL */
  size_t raw_bytes;                 /* of all of these */
  uint64_t count;
  core_exchanges *next, **link; /* of those that have raw ones */
};

typedef struct f5_core {
  loop *loop;
  f5_session
      *sessions; /* all that are not closed, including those the script no longer refers to */
  int log_level; /* -1: silent, 0: warnings, 1: a line per call, 2: with bodies */
  bool log_json;
  uint64_t serial;                       /* of the last session */
  bool ended;                            /* f5_shutdown was called */
  void (*at_exit)(struct f5_core *core); /* closes open sessions; NULL: none was opened */
  uint64_t random;
  text cut_off;           /* writes that an interruption cut off, a line for each: see cut_off.h */
  unsigned cut_offs;      /* how many; more than those that are named */
  f5_observer *observers; /* of exchanges: see exchange.h */
  struct f5_replay *replay; /* answers for all devices: see replay.h; or NULL */
  bool notes_lines;         /* calls note the line of the script */
  core_exchanges exchanges;
} f5_core;

/* Number of sessions of this process that are not closed; signal handlers may read it. */
extern volatile sig_atomic_t core_open_sessions;
/* The core of the state, created at the first use. Raises if there is not enough memory. */
f5_core *core_of(lua_State *L);
/* A number in [0, below). Not for secrets. */
uint64_t core_random(f5_core *core, uint64_t below);

#endif
