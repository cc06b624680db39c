/* A fiber and the scheduler of a state. Private to this folder. */
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

/* The memory of the handle that scripts see (a full userdata). The registry keeps the handle while
 * the fiber runs. User values: */
enum { VALUE_THREAD = 1, VALUE_NAME, VALUE_CANCEL, VALUE_DEFERRED, VALUES = 4 };
struct fiber {
  /* The fiber's own coroutine, kept by VALUE_THREAD. At the end it holds the results or the
   * error. */
  lua_State *co;
  struct fiber_scheduler *scheduler;
  fiber *next, **link; /* in the list of running fibers, or of failed fibers that nobody joined */
  fiber *next_ready;
  fiber_wait *wait; /* what it waits for; NULL if it runs or is ready */
  fiber_event ended;
  unsigned long id;
  int arguments;
  int handle;       /* reference in the registry; LUA_NOREF after the end */
  unsigned loading; /* number of modules that it is loading */
  fiber_outcome outcome;
  fiber_fault fault; /* raised when it continues */
  bool started;
  bool in_ready;
  /* Sleeps below a C function: the loop inside fiber_await continues it, not the scheduler. */
  bool pinned;
  bool cancelled;      /* fiber_cancel was called; it works once */
  bool cancel_pending; /* the cancel error is not raised yet */
  bool joined;
  bool listed_failed;
  bool limited; /* it may not run for long without a wait: fiber_watch.h */
};

typedef struct fiber_watch fiber_watch;

typedef struct fiber_scheduler {
  lua_State *main; /* the main thread of the state */
  loop *l;
  fiber *current; /* the fiber whose Lua code runs; &outside if there is none */
  fiber *main_fiber;
  /* The coroutine whose code runs: the fiber's own, or a user's coroutine inside it. */
  lua_State *volatile thread;
  fiber_wait *awaiting; /* set while a private yield passes up through user coroutines */
  fiber *running;       /* fibers that have not ended */
  fiber *ready, **ready_end;
  fiber *failed;      /* ended with an error, and nobody joined them yet */
  fiber_event loaded; /* a module was loaded, or the fiber that was loading one ended */
  fiber outside;      /* stands for code outside of any fiber */
  unsigned long last_id;
  unsigned runs;
  int unjoined;
  int collected; /* number of unreported errors of collected handles, in registry[&collected] */
  bool nested;   /* fibers run inside a C boundary */
  volatile sig_atomic_t interrupted;
  bool swept; /* the interrupt has cancelled every fiber */
  bool has_foreground;
  fiber *volatile foreground;
  volatile sig_atomic_t foreground_hits; /* signals that the foreground has not seen */
  lua_CFunction message_handler, push_cancel, report;
  fiber_watch *watch; /* NULL: no fiber has a limit */
} fiber_scheduler;

/* The scheduler of any thread of the state. It is stored in the thread's extra space, which new
 * threads inherit from the main thread; its low bits are marks of the thread. The extra space of
 * threads older than fiber_setup (in a stock lua5.4) is undefined. So if it is not the last
 * scheduler that was set up, the registry is used. */
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
/* Pushes the handle of a running fiber, else nil. Returns the type. */
static inline int fiber_push_handle(lua_State *L, const fiber *f) {
  return lua_rawgeti(L, LUA_REGISTRYINDEX, f->handle);
}

/* BUSY: suspended by a blocking call, not by the script. Scripts see it as not suspended. ROOT: the
 * thread of a fiber. */
static inline bool fiber_thread_is(lua_State *L, uintptr_t mark) {
  fiber_scheduler_of(L);
  return (*fiber_thread_word(L) & mark) != 0;
}
static inline void fiber_thread_mark(lua_State *L, uintptr_t mark, bool on) {
  fiber_scheduler_of(L);
  *fiber_thread_word(L) = on ? *fiber_thread_word(L) | mark : *fiber_thread_word(L) & ~mark;
}

/* Creates the scheduler of this state. */
fiber_scheduler *fiber_scheduler_new(lua_State *L, loop *l);

#endif
