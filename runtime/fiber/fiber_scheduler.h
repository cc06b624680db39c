/* A fiber and the scheduler of a state, for the files of this folder only. */
#ifndef FIBER_FIBER_SCHEDULER_H
#define FIBER_FIBER_SCHEDULER_H

#include <signal.h>
#include <stdint.h>

#include <lauxlib.h>
#include <lua.h>

#include "fiber/fiber_event.h"
#include "fiber/wait.h"
#include "net/loop.h"

#define FIBER_TYPE "f5lua.fiber"

typedef enum fiber_outcome {
  FIBER_RUNNING,
  FIBER_DONE,
  FIBER_FAILED,
  FIBER_CANCELLED
} fiber_outcome;
typedef enum fiber_fault { FAULT_NONE, FAULT_DEADLOCK, FAULT_NESTED } fiber_fault;

/* The memory of the handle that scripts see (a full userdata). While it runs, the registry
 * keeps it. User values: */
enum { VALUE_THREAD = 1, VALUE_NAME, VALUE_CANCEL, VALUES = 3 };
struct fiber {
  lua_State *co; /* the fiber's own coroutine, kept by VALUE_THREAD; holds the results or the error
                    at the end */
  struct fiber_scheduler *scheduler;
  fiber *next, **link; /* in the list of running ones, or of failed ones that nobody joined */
  fiber *next_ready;
  fiber_wait *wait; /* what it sleeps on; NULL when it runs or is ready to */
  fiber_event ended;
  unsigned long id;
  int arguments;
  int handle;       /* in the registry; LUA_NOREF once it has ended */
  unsigned loading; /* modules that it loads */
  fiber_outcome outcome;
  fiber_fault fault; /* to be raised when it goes on */
  bool started;
  bool in_ready;
  bool pinned;    /* sleeps below a C function: the loop inside fiber_await goes on with it, not the
                     scheduler */
  bool cancelled; /* cancel was asked for: at most once */
  bool cancel_pending; /* and is not raised yet */
  bool joined;
  bool listed_failed;
};

typedef struct fiber_scheduler {
  lua_State *main; /* the state's main thread */
  loop *l;
  fiber *current; /* whose Lua code runs; &outside when none */
  fiber *main_fiber;
  lua_State *volatile thread; /* the coroutine whose code runs: the fiber's own or a user's inside
                                 of it */
  fiber_wait *awaiting; /* set while a private yield passes up through the user's coroutines */
  fiber *running;       /* all that are not at their end */
  fiber *ready, **ready_end;
  fiber *failed;      /* ended with an error and nobody joined them yet */
  fiber_event loaded; /* a module is loaded, or who was loading one has ended */
  fiber outside;      /* stands for code that runs in no fiber */
  unsigned long last_id;
  unsigned runs;
  int unjoined;
  int collected; /* errors of collected handles in registry[&collected], to be reported */
  bool nested;   /* fibers are being run inside a C boundary */
  volatile sig_atomic_t interrupted;
  bool swept; /* the interrupt has reached every fiber */
  bool has_foreground;
  fiber *volatile foreground;
  volatile sig_atomic_t foreground_hits; /* signals that the foreground has not heard of */
  lua_CFunction message_handler, push_cancel, report;
} fiber_scheduler;

/* The scheduler of any thread of the state. It stands in the thread's extra space, which new
 * threads inherit from the main thread; its low bits are marks of the thread. Threads older than
 * fiber_setup (of a stock lua5.4) have anything there: what is not the scheduler set up last is
 * looked up. */
enum { THREAD_BUSY = 1, THREAD_ROOT = 2, THREAD_MARKS = 3 };
extern fiber_scheduler *fiber_last_scheduler;
fiber_scheduler *fiber_find_scheduler(lua_State *L);
static inline uintptr_t *fiber_thread_word(lua_State *L) {
  return lua_getextraspace(L);
}
static inline fiber_scheduler *fiber_scheduler_of(lua_State *L) {
  fiber_scheduler *s = (fiber_scheduler *)(*fiber_thread_word(L) & ~(uintptr_t)THREAD_MARKS);
  return s == fiber_last_scheduler ? s : fiber_find_scheduler(L);
}
/* Pushes the handle of a fiber that runs, else nil; returns the type. */
static inline int fiber_push_handle(lua_State *L, const fiber *f) {
  return lua_rawgeti(L, LUA_REGISTRYINDEX, f->handle);
}

/* BUSY: suspended by a blocking call, not by the script: for scripts it is not suspended at all.
 * ROOT: a fiber's own.
 */
static inline bool fiber_thread_is(lua_State *L, uintptr_t mark) {
  fiber_scheduler_of(L);
  return (*fiber_thread_word(L) & mark) != 0;
}
static inline void fiber_thread_mark(lua_State *L, uintptr_t mark, bool on) {
  fiber_scheduler_of(L);
  *fiber_thread_word(L) = on ? *fiber_thread_word(L) | mark : *fiber_thread_word(L) & ~mark;
}

/* Makes the scheduler of this state. */
fiber_scheduler *fiber_scheduler_new(lua_State *L, loop *l);

#endif
