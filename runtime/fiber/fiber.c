/* The scheduler. fiber_lua.c has the functions for scripts, coroutine.c what user coroutines
 * need. */
#include "fiber/fiber.h"

#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "base/list.h"
#include "fiber/fiber_deferred.h"
#include "fiber/fiber_private.h"
#include "fiber/fiber_watch.h"

/* -- ready fibers -- */

static void make_ready(fiber *f) {
  fiber_scheduler *s = f->scheduler;
  if (f->in_ready || f->pinned) return;
  f->in_ready = true;
  f->next_ready = NULL;
  *s->ready_end = f;
  s->ready_end = &f->next_ready;
}

static fiber *take_ready(fiber_scheduler *s) {
  fiber *f = s->ready;
  if (!f) return NULL;
  s->ready = f->next_ready;
  if (!s->ready) s->ready_end = &s->ready;
  f->in_ready = false;
  return f;
}

/* -- waiting -- */

static void detach(fiber *f) {
  fiber_wait *wait = f->wait;
  f->wait = NULL;
  wait->waiter = NULL;
  if (wait->abandon) wait->abandon(wait);
  make_ready(f);
}

void fiber_wake(fiber_wait *wait) {
  fiber *f = wait->waiter;
  wait->done = true;
  if (!f) return;
  wait->waiter = NULL;
  f->wait = NULL;
  make_ready(f);
}

void fiber_cancel(fiber *f) {
  if (f->outcome != FIBER_RUNNING || f->cancelled) return;
  f->cancelled = f->cancel_pending = true;
  if (!f->wait)
    return; /* it runs, is ready, or did not start: the error is raised when it next waits or
               continues */
  if (f->wait->cancel)
    f->wait->cancel(f->wait);
  else
    detach(f);
}

static void cancel_all(fiber_scheduler *s) {
  for (fiber *f = s->running; f; f = f->next)
    fiber_cancel(f);
}

static void cancel_foreground(fiber_scheduler *s) {
  if (!s->foreground_hits) return;
  s->foreground_hits = 0;
  fiber *f = s->foreground;
  if (!f) return;
  f->cancelled = false; /* a second Ctrl-C counts like the first */
  fiber_cancel(f);
}

/* All fibers wait for each other. One of them must get an error, or the program would hang
 * forever. */
static void break_deadlock(fiber_scheduler *s) {
  fiber *victim = s->nested ? s->current : s->main_fiber;
  if (!victim || !victim->wait)
    for (victim = s->running; victim && !victim->wait;)
      victim = victim->next;
  if (!victim) return;
  victim->fault = FAULT_DEADLOCK;
  detach(victim);
}

static int raise_cancel(lua_State *L, fiber *f, fiber_wait *wait) {
  f->cancelled = true;
  f->cancel_pending = false;
  luaL_checkstack(L, 6, NULL);
  lua_pushcfunction(L, f->scheduler->push_cancel);
  lua_call(L, 0, 1);
  if (wait && wait->explain) wait->explain(wait, L);
  if (fiber_push_handle(L, f) == LUA_TUSERDATA) {
    lua_pushvalue(L, -2);
    lua_setiuservalue(L, -2, VALUE_CANCEL);
  }
  lua_pop(L, 1); /* handle */
  return lua_error(L);
}

static int raise_fault(lua_State *L, fiber *f) {
  fiber_fault fault = f->fault;
  f->fault = FAULT_NONE;
  if (fault == FAULT_NESTED)
    return luaL_error(L,
                      "cannot wait for a fiber here: this code runs inside a function that cannot "
                      "be suspended (a callback of table.sort or string.gsub, a __gc method) "
                      "and already waits for a fiber; wait before or after that function");
  return luaL_error(L,
                    "deadlock: all fibers wait for each other, and no request or timer is pending");
}

/* Continues a fiber after a wait. */
static int end_wait(lua_State *L, int status, lua_KContext context) {
  fiber_wait *wait = (fiber_wait *)context;
  fiber *f = fiber_scheduler_of(L)->current;
  if (f->fault != FAULT_NONE) return raise_fault(L, f);
  if (f->cancel_pending) return raise_cancel(L, f, wait);
  return wait->finish(L, status, wait->context);
}

bool fiber_can_yield(fiber_scheduler *s, lua_State *L) {
  /* A thread that something else resumes (a C library) must not see our yields. */
  return lua_isyieldable(L) && L == s->thread && s->current != &s->outside;
}

int fiber_await(lua_State *L, fiber_wait *wait, lua_KContext context, lua_KFunction finish) {
  fiber_scheduler *s = fiber_scheduler_of(L);
  wait->finish = finish;
  wait->context = context;
  if (s->current->cancel_pending || wait->done) {
    if (!wait->done && wait->abandon) wait->abandon(wait);
    return end_wait(L, LUA_OK, (lua_KContext)wait);
  }
  if (fiber_can_yield(s, L)) {
    s->awaiting = wait;
    return lua_yieldk(L, 0, (lua_KContext)wait, end_wait);
  }
  fiber_pump(s, L, wait);
  return end_wait(L, LUA_OK, (lua_KContext)wait);
}

/* -- running -- */

bool fiber_is_cancel_error(lua_State *L) {
  fiber *f = fiber_scheduler_of(L)->current;
  if (!f->cancelled || !lua_checkstack(L, 2)) return false;
  int top = lua_gettop(L);
  bool equal = false;
  if (fiber_push_handle(L, f) == LUA_TUSERDATA)
    equal = lua_getiuservalue(L, -1, VALUE_CANCEL) != LUA_TNIL && lua_rawequal(L, top, -1);
  lua_settop(L, top);
  return equal;
}

static int handle_error(lua_State *L) {
  lua_CFunction handler = fiber_scheduler_of(L)->message_handler;
  if (!handler || fiber_is_cancel_error(L)) return 1;
  lua_pushcfunction(L, handler);
  lua_insert(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

/* context: whether the function of the fiber has succeeded */
static int finish_deferred(lua_State *L, int status, lua_KContext context) {
  fiber *f = fiber_scheduler_of(L)->current;
  bool ok = status == LUA_OK || status == LUA_YIELD;
  f->outcome = ok && context ? FIBER_DONE : FIBER_FAILED;
  lua_remove(L, 1); /* message handler */
  return lua_gettop(L);
}

/* Calls what the fiber has deferred: fiber_lua_deferred. Stack: message handler, results or error
 * value. */
static int finish_body(lua_State *L, int status, lua_KContext context) {
  (void)context;
  bool ok = status == LUA_OK || status == LUA_YIELD;
  luaL_checkstack(L, 6, "too many results from a fiber");
  if (!fiber_push_deferred(L)) return finish_deferred(L, LUA_OK, ok);
  lua_getfield(L, -1, "run");
  lua_insert(L, -2);
  lua_pushboolean(L, ok);
  lua_pushvalue(L, ok ? -1 : -4); /* the error */
  return finish_deferred(L, lua_pcallk(L, 3, 0, 1, ok, finish_deferred), ok);
}

static int never_started(lua_State *L) {
  return raise_cancel(L, fiber_scheduler_of(L)->current, NULL);
}

/* The first function of each fiber's thread. Errors are caught here, where the thread can still
 * yield, so `<close>` variables may block without stopping the other fibers. */
static int body(lua_State *L) {
  int arguments = lua_gettop(L) - 1;
  lua_pushcfunction(L, handle_error);
  lua_insert(L, 1);
  if (fiber_scheduler_of(L)->current->cancel_pending) {
    lua_settop(L, 1);
    lua_pushcfunction(L, never_started);
    arguments = 0;
  }
  return finish_body(L, lua_pcallk(L, arguments, LUA_MULTRET, 1, 0, finish_body), 0);
}

fiber *fiber_new(lua_State *L, int arguments) {
  fiber_scheduler *s = fiber_scheduler_of(L);
  luaL_checkstack(L, 6, NULL);
  fiber *f = lua_newuserdatauv(L, sizeof *f, VALUES);
  memset(f, 0, sizeof *f);
  f->scheduler = s;
  f->limited = s->current->limited;
  f->ended.by_fibers = true;
  f->outcome = FIBER_DONE; /* until it is complete: functions of the metatable may see it */
  luaL_setmetatable(L, FIBER_TYPE);
  f->co = lua_newthread(L);
  lua_setiuservalue(L, -2, VALUE_THREAD);
  if (!lua_checkstack(f->co, arguments + 2)) luaL_error(L, "too many arguments");
  lua_pushvalue(L, -1);
  f->handle = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_insert(L, -arguments - 2); /* handle, function, arguments */
  lua_pushcfunction(f->co, body);
  lua_xmove(L, f->co, arguments + 1);
  f->arguments = arguments + 1;
  f->id = ++s->last_id;
  f->outcome = FIBER_RUNNING;
  fiber_thread_mark(f->co, THREAD_ROOT, true);
  LIST_ADD(&s->running, f);
  make_ready(f);
  return f;
}

/* A cancelled fiber that ended with the cancel error counts as cancelled, with any other error as
 * failed. */
static fiber_outcome final_outcome(fiber *f, lua_State *L) {
  if (f->outcome != FIBER_FAILED || !f->cancelled) return f->outcome;
  fiber_push_handle(L, f);
  lua_getiuservalue(L, -1, VALUE_CANCEL);
  lua_pushvalue(f->co, -1);
  lua_xmove(f->co, L, 1);
  bool equal = lua_rawequal(L, -1, -2);
  lua_pop(L, 3); /* handle, cancel error, error */
  return equal ? FIBER_CANCELLED : FIBER_FAILED;
}

static void drop_handle(lua_State *L, fiber *f) {
  luaL_unref(L, LUA_REGISTRYINDEX, f->handle);
  f->handle = LUA_NOREF;
}

static void end_fiber(lua_State *L, fiber *f, int status) {
  fiber_scheduler *s = f->scheduler;
  if (status != LUA_OK)
    f->outcome =
        FIBER_FAILED; /* the error was outside of the protection of body: out of memory or stack */
  f->outcome = final_outcome(f, L);
  LIST_REMOVE(f);
  if (f->outcome == FIBER_FAILED) {
    f->listed_failed = true;
    LIST_ADD(&s->failed, f);
  }
  if (s->foreground == f) s->foreground = NULL;
  fiber_event_signal(&f->ended);
  if (f->loading > 0)
    fiber_event_signal(&s->loaded); /* it left a coroutine with a half-loaded module */
  if (f == s->main_fiber) return;   /* fiber_run_main still needs it */
  drop_handle(L, f);
}

static void on_interrupt(lua_State *L, lua_Debug *ar) {
  (void)ar;
  lua_sethook(L, NULL, 0, 0);
  fiber_scheduler *s = fiber_scheduler_of(L);
  if (s->foreground_hits > (s->current == s->foreground ? 0 : 1)) {
    s->foreground_hits = 0;
    raise_cancel(L, s->current, NULL);
  }
  if (!s->interrupted) return; /* left over from an earlier run */
  if (!s->current->cancelled || s->current->cancel_pending) raise_cancel(L, s->current, NULL);
}

static void set_interrupt_hook(lua_State *L) {
  lua_sethook(L, on_interrupt, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

int fiber_resume_thread(fiber_scheduler *s, lua_State *L, lua_State *co, int arguments,
                        int *results, bool *blocked) {
  lua_State *before = s->thread;
  s->thread = co;
  if (s->watch) fiber_watch_resume(s->watch, co);
  int status = lua_resume(co, L, arguments, results);
  s->thread = before;
  if (s->watch && before) fiber_watch_resume(s->watch, before);
  /* The signal may have set the hook of the thread that just stopped running, where it has no
   * effect. */
  if (s->interrupted && before && !s->current->cancelled) set_interrupt_hook(before);
  *blocked = status == LUA_YIELD && s->awaiting;
  return status;
}

/* The current fiber runs. */
static void watch_current(fiber_scheduler *s) {
  if (s->watch) fiber_watch_run(s->watch, s->current->limited);
}

static void turn_loop(fiber_scheduler *s, int max_wait_ms) {
  if (s->watch) fiber_watch_turn(s->watch);
  loop_turn(s->l, max_wait_ms);
  watch_current(s);
}

static void run_fiber(fiber_scheduler *s, lua_State *L, fiber *f) {
  fiber *before = s->current;
  int results = 0, arguments = f->started ? 0 : f->arguments;
  bool blocked;
  f->started = true;
  s->current = f;
  watch_current(s);
  fiber_thread_mark(f->co, THREAD_BUSY, false);
  int status = fiber_resume_thread(s, L, f->co, arguments, &results, &blocked);
  s->current = before;
  watch_current(s);
  if (status != LUA_YIELD) {
    end_fiber(L, f, status);
    return;
  }
  fiber_thread_mark(f->co, THREAD_BUSY, true);
  fiber_wait *wait = s->awaiting;
  s->awaiting = NULL;
  if (!blocked) {
    /* A C function yielded for its own reasons. Let the others run, then continue it. */
    lua_pop(f->co, results);
    make_ready(f);
    return;
  }
  wait->waiter = f;
  f->wait = wait;
  if (wait->done) fiber_wake(wait);
}

static void report(fiber_scheduler *s, lua_State *L) { /* [error] -> [] */
  s->unjoined++;
  if (!s->report) {
    lua_pop(L, 1);
    return;
  }
  lua_pushcfunction(L, s->report);
  lua_insert(L, -2);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);
}

/* Reports failed fibers that nobody can join any more, because their handles were collected. */
static void report_collected(fiber_scheduler *s, lua_State *L) {
  if (s->collected == 0) return;
  lua_newtable(L); /* for failures during the reports: a report may wait */
  int count = s->collected;
  s->collected = 0;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &s->collected);
  lua_insert(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &s->collected);
  for (int i = 1; i <= count; i++) {
    lua_rawgeti(L, -1, i);
    report(s, L);
  }
  lua_pop(L, 1); /* table */
}

static void report_failed(fiber_scheduler *s, lua_State *L) {
  report_collected(s, L);
  while (s->failed) {
    fiber *oldest = s->failed;
    while (oldest->next)
      oldest = oldest->next;
    fiber_push_outcome(L, oldest);
    fiber_set_joined(oldest);
    report(s, L);
  }
}

static void make_kept_ready(fiber_scheduler *s) {
  if (!s->watch) return;
  for (fiber *f; (f = fiber_watch_take(s->watch));)
    make_ready(f);
}

/* One turn: runs the fibers that are ready now. */
static void run_turn(fiber_scheduler *s, lua_State *L) {
  if (s->interrupted && !s->swept) {
    s->swept = true;
    cancel_all(s);
  }
  cancel_foreground(s);
  make_kept_ready(s);
  unsigned budget = 0;
  for (fiber *f = s->ready; f; f = f->next_ready)
    budget++;
  for (fiber *f; budget > 0 && (f = take_ready(s)); budget--)
    if (!s->watch || !fiber_watch_keeps(s->watch, f)) run_fiber(s, L, f);
  report_collected(s, L);
}

static void wait_for_network(fiber_scheduler *s) {
  if ((s->interrupted && !s->swept) || s->foreground_hits) return;
  make_kept_ready(s);
  if (s->ready)
    turn_loop(s, 0);
  else if (loop_pending(s->l) || (s->watch && fiber_watch_has_kept(s->watch)))
    turn_loop(s, -1);
  else
    break_deadlock(s);
}

void fiber_pump(fiber_scheduler *s, lua_State *L, fiber_wait *wait) {
  fiber *f = s->current;
  bool needs_fibers = wait->by_fibers;
  s->awaiting = NULL;
  luaL_checkstack(L, 10, NULL);
  if (needs_fibers && s->nested) {
    f->fault = FAULT_NESTED;
    if (wait->abandon) wait->abandon(wait);
    return;
  }
  wait->waiter = f;
  f->wait = wait;
  f->pinned = true;
  if (needs_fibers) s->nested = true;
  while (f->wait) {
    if (needs_fibers) {
      run_turn(s, L);
      if (f->wait) wait_for_network(s);
    } else if (s->interrupted && !s->swept) {
      s->swept = true;
      cancel_all(s);
      if (f == &s->outside) fiber_cancel(f);
    } else if (s->foreground_hits) {
      cancel_foreground(s);
    } else if (loop_pending(s->l)) {
      turn_loop(s, -1);
    } else {
      f->fault = FAULT_DEADLOCK;
      detach(f);
    }
  }
  if (needs_fibers) s->nested = false;
  f->pinned = f == &s->outside;
}

int fiber_run_main(lua_State *L, int nargs, int nresults) {
  fiber_scheduler *s = fiber_scheduler_of(L);
  if (s->main_fiber) {
    lua_pop(L, nargs + 1);
    lua_pushliteral(L, "a main fiber is already running");
    return LUA_ERRRUN;
  }
  if (s->runs++ > 0) {
    s->interrupted = false;
    s->swept = false;
    s->outside.cancelled = s->outside.cancel_pending = false;
  }
  luaL_checkstack(L, 10, NULL);
  fiber *f = fiber_new(L, nargs);
  int handle = lua_gettop(L);
  s->main_fiber = f;
  while (f->outcome == FIBER_RUNNING) {
    run_turn(s, L);
    if (f->outcome == FIBER_RUNNING) wait_for_network(s);
  }
  while (s->running) {
    cancel_all(s);
    run_turn(s, L);
    if (s->running) wait_for_network(s);
  }
  s->main_fiber = NULL;
  fiber_set_joined(f);
  report_failed(s, L);
  int status = f->outcome == FIBER_DONE ? LUA_OK : LUA_ERRRUN;
  drop_handle(L, f);
  fiber_push_outcome(L, f);
  lua_remove(L, handle);
  if (status == LUA_OK && nresults != LUA_MULTRET) lua_settop(L, handle - 1 + nresults);
  return status;
}

/* -- outcome -- */

int fiber_push_outcome(lua_State *L, fiber *f) {
  int count = f->outcome == FIBER_DONE ? lua_gettop(f->co) : 1;
  luaL_checkstack(L, count, "too many results from a fiber");
  if (!lua_checkstack(f->co, count)) return luaL_error(L, "too many results from a fiber");
  int first = lua_gettop(f->co) - count + 1;
  for (int i = 0; i < count; i++)
    lua_pushvalue(f->co, first + i);
  lua_xmove(f->co, L, count);
  return count;
}

void fiber_set_joined(fiber *f) {
  f->joined = true;
  if (!f->listed_failed) return;
  f->listed_failed = false;
  LIST_REMOVE(f);
}

/* -- interrupts and the rest -- */

loop *fiber_loop(lua_State *L) {
  return fiber_scheduler_of(L)->l;
}

int fiber_unjoined_failures(lua_State *L) {
  return fiber_scheduler_of(L)->unjoined;
}

void fiber_interrupt(lua_State *L) {
  fiber_scheduler *s = fiber_scheduler_of(L);
  lua_State *running = s->thread;
  s->interrupted = true;
  if (running) set_interrupt_hook(running); /* like the signal handler of lua.c */
  loop_wake(s->l);
}

bool fiber_interrupted(lua_State *L) {
  return fiber_scheduler_of(L)->interrupted;
}

void fiber_set_foreground(lua_State *L, int index) {
  fiber_scheduler *s = fiber_scheduler_of(L);
  fiber *f = index ? luaL_checkudata(L, index, FIBER_TYPE) : NULL;
  s->has_foreground = true;
  s->foreground = f && f->outcome == FIBER_RUNNING ? f : NULL;
  s->foreground_hits = 0;
}

bool fiber_interrupt_foreground(lua_State *L) {
  fiber_scheduler *s = fiber_scheduler_of(L);
  lua_State *running = s->thread;
  if (!s->has_foreground) return false;
  if (!s->foreground) return true;
  s->foreground_hits = s->foreground_hits + 1;
  if (running) set_interrupt_hook(running);
  loop_wake(s->l);
  return true;
}

bool fiber_ending(lua_State *L) {
  fiber_scheduler *s = fiber_scheduler_of(L);
  return s->interrupted || s->current->cancel_pending ||
         (s->foreground_hits && s->current == s->foreground);
}
