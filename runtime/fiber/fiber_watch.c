#include "fiber/fiber_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <lauxlib.h>

#include "base/write_all.h"
#include "net/loop.h"

#define WATCH_TYPE "f5lua.fiber.watch"
#define OWN_SOURCE "=lualib/"

/* A limit has about PARTS ticks, of at most LONGEST_TICK. */
enum { PARTS = 10, LONGEST_TICK_MS = 500, LONGEST_HOLD_MS = 2000 };
/* Instructions between two looks whether the program's own code has returned to the playbook. */
enum { BETWEEN_LOOKS = 997 };

/* Ages are numbers of ticks. A process that is stopped for a while has none meanwhile, and so no
 * fiber is blamed for it. */
struct fiber_watch {
  fiber_scheduler *s;
  pthread_t main, thread;
  char statistics[40]; /* the file with those of the main thread */
  int stop;            /* eventfd; -1: the thread does not run */
  int tick_ms;
  unsigned limit, grace, stuck;
  bool holds, exits;
  char *advice, *warning;
  struct sigaction before;
  /* Written by the thread of the state, read by the watchdog. */
  atomic_uint run;     /* an even number that is new for each run, + 1 if it is limited; 0: none */
  atomic_uint turns;   /* of the loop */
  atomic_uint excused; /* the run that a C function has kept up: it gets more time */
  /* The other way round. */
  atomic_uint late; /* the run that is to end */
  atomic_uint age;  /* of the late run */
  atomic_uint due;  /* the age at which the error is raised; `grace` later it is raised again */
  atomic_bool held; /* limited fibers wait; both write it */
  /* Of the thread of the state alone. */
  unsigned last_run, seen, raised, excused_due;
  fiber *kept, **kept_end; /* ready fibers that wait for release */
};

/* The handler of the signal needs it. There is one thread with a watched state. */
static fiber_watch *volatile armed;
static const char watch_key;

/* -- the watchdog -- */

typedef struct sight {
  unsigned run, turns, excused;              /* as they were at the last tick */
  unsigned run_age, turn_age, due, hold_age; /* ticks */
  unsigned run_ticks;                        /* since the run was first seen */
  uint64_t waited_before;                    /* see waited() */
  bool warned;
} sight;

static bool is_limited(unsigned run) {
  return run & 1;
}

static void ask_to_end(fiber_watch *w, const sight *now) {
  atomic_store(&w->age, now->run_age);
  atomic_store(&w->due, now->due);
  atomic_store(&w->late, now->run);
  pthread_kill(w->main, SIGURG);
}

/* How long the thread of the state has waited for a processor, in nanoseconds. 0: this system does
 * not say. */
static uint64_t waited(const fiber_watch *w) {
  char text[96] = "";
  unsigned long long waited = 0;
  int fd = open(w->statistics, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  if (read(fd, text, sizeof text - 1) > 0) sscanf(text, "%*u %llu", &waited);
  close(fd);
  return waited;
}

/* On a busy machine, a playbook that gets no processor does not compute. */
static unsigned age_of_run(const fiber_watch *w, const sight *now) {
  uint64_t ticks = (waited(w) - now->waited_before) / ((uint64_t)w->tick_ms * 1000000);
  return ticks < now->run_ticks ? now->run_ticks - (unsigned)ticks : 0;
}

static void look_at_run(fiber_watch *w, sight *now) {
  unsigned run = atomic_load(&w->run);
  if (run != now->run || !is_limited(run)) {
    now->run = run;
    now->run_age = now->run_ticks = 0;
    now->waited_before = waited(w);
    now->due = w->limit;
    return;
  }
  now->run_ticks++;
  now->run_age = age_of_run(w, now);
  unsigned excused = atomic_load(&w->excused);
  if (excused == run && now->excused != run) {
    now->excused = run;
    now->due = now->run_age + w->grace;
    atomic_store(&w->late, 0);
  }
  if (now->run_age >= now->due) ask_to_end(w, now);
}

static void warn_when_stuck(fiber_watch *w, sight *now) {
  if (!w->stuck || now->turn_age < w->stuck || now->warned) return;
  now->warned = true;
  if (w->warning) write_all(STDERR_FILENO, w->warning, strlen(w->warning));
  if (w->exits && is_limited(now->run)) _exit(EXIT_FAILURE);
}

static void look_at_turn(fiber_watch *w, sight *now) {
  unsigned turns = atomic_load(&w->turns);
  if (turns != now->turns || now->run == 0) {
    now->turns = turns;
    now->turn_age = 0;
    now->warned = false;
  } else {
    now->turn_age++;
  }
  if (w->holds && now->turn_age == w->limit) {
    now->hold_age = 0;
    atomic_store(&w->held, true);
  }
  warn_when_stuck(w, now);
}

/* Whoever is to release the fibers may wait for something himself. */
static void end_hold(fiber_watch *w, sight *now) {
  if (!atomic_load(&w->held) || now->turn_age > 0) return;
  if (++now->hold_age * (unsigned)w->tick_ms < LONGEST_HOLD_MS) return;
  atomic_store(&w->held, false);
  loop_wake(w->s->l);
}

static void *watch(void *data) {
  fiber_watch *w = data;
  sight now = {0};
  struct pollfd stop = {.fd = w->stop, .events = POLLIN};
  while (poll(&stop, 1, w->tick_ms) == 0) {
    look_at_run(w, &now);
    look_at_turn(w, &now);
    end_hold(w, &now);
  }
  return NULL;
}

/* -- the thread of the state -- */

static bool is_late(fiber_watch *w) {
  unsigned run = atomic_load(&w->run);
  return is_limited(run) && atomic_load(&w->late) == run;
}

static bool is_playbook(lua_State *L, lua_Debug *frame) {
  lua_getinfo(L, "Sl", frame);
  return strcmp(frame->what, "C") != 0 &&
         strncmp(frame->source, OWN_SOURCE, strlen(OWN_SOURCE)) != 0;
}

/* Whether an error may be raised here; then `frame` says where. A function of the program that is
 * only being called has not begun. */
static bool find_playbook(lua_State *L, lua_Debug *ar, lua_Debug *frame) {
  *frame = *ar;
  if (is_playbook(L, frame)) return true;
  if (ar->event != LUA_HOOKCALL && ar->event != LUA_HOOKTAILCALL) return false;
  return lua_getstack(L, 1, frame) && is_playbook(L, frame);
}

static int raise_late(lua_State *L, fiber_watch *w, const lua_Debug *frame) {
  lua_Number seconds = floor(atomic_load(&w->age) * (lua_Number)w->tick_ms / 100) / 10;
  lua_pushfstring(L, "%s:%d: computed for %f s without a pause%s", frame->short_src,
                  frame->currentline, seconds, w->advice ? w->advice : "");
  return lua_error(L);
}

static void on_late(lua_State *L, lua_Debug *ar);

static void set_hook(lua_State *L, int count) {
  lua_sethook(L, on_late, LUA_MASKCALL | LUA_MASKCOUNT, count);
}

/* The first look at a late run. If Lua code runs, it comes within a tick; else a C function has
 * kept the run up until now, and is excused. Returns whether there is nothing to raise. */
static bool is_excused(fiber_watch *w, unsigned late) {
  unsigned due = atomic_load(&w->due);
  if (w->seen != late && atomic_load(&w->age) > due) {
    w->excused_due = due;
    atomic_store(&w->excused, late);
  }
  w->seen = late;
  /* The watchdog moves the due age as soon as it sees this. */
  return atomic_load(&w->excused) == late && due == w->excused_due;
}

/* The hook stays on while errors are raised again and again: to set it takes longer the deeper the
 * stack is. */
static void on_late(lua_State *L, lua_Debug *ar) {
  fiber_watch *w = fiber_scheduler_of(L)->watch;
  lua_Debug frame;
  unsigned late = w ? atomic_load(&w->late) : 0;
  bool again = w && atomic_load(&w->age) >= atomic_load(&w->due) + w->grace;
  if (!w || !is_late(w) || is_excused(w, late) || (w->raised == late && !again)) {
    lua_sethook(L, NULL, 0, 0);
    return;
  }
  if (!find_playbook(L, ar, &frame)) {
    if (lua_gethookcount(L) != BETWEEN_LOOKS) set_hook(L, BETWEEN_LOOKS);
    return;
  }
  w->raised = late;
  if (!again)
    lua_sethook(L, NULL, 0, 0);
  else if (lua_gethookcount(L) != 1)
    set_hook(L, 1);
  raise_late(L, w, &frame);
}

/* The hook of an interrupt stays: it ends the run, too. */
static void set_first_hook(fiber_watch *w, lua_State *L) {
  if (!w->s->interrupted && !w->s->foreground_hits && is_late(w)) set_hook(L, 1);
}

/* Other threads may get a SIGURG that somebody else has sent. */
static void signalled(int signal) {
  (void)signal;
  fiber_watch *w = armed;
  if (!w || !pthread_equal(pthread_self(), w->main)) return;
  if (w->s->thread) set_first_hook(w, w->s->thread);
}

void fiber_watch_run(fiber_watch *w, bool limited) {
  w->last_run += 2;
  atomic_store_explicit(&w->run, w->last_run | (limited ? 1U : 0), memory_order_relaxed);
}

void fiber_watch_turn(fiber_watch *w) {
  atomic_store_explicit(&w->run, 0, memory_order_relaxed);
  atomic_fetch_add_explicit(&w->turns, 1, memory_order_relaxed);
}

void fiber_watch_resume(fiber_watch *w, lua_State *L) {
  set_first_hook(w, L);
}

bool fiber_watch_keeps(fiber_watch *w, fiber *f) {
  if (!f->limited || w->s->interrupted || !atomic_load(&w->held)) return false;
  f->in_ready = true;
  f->next_ready = NULL;
  *w->kept_end = f;
  w->kept_end = &f->next_ready;
  return true;
}

bool fiber_watch_has_kept(const fiber_watch *w) {
  return w->kept;
}

fiber *fiber_watch_take(fiber_watch *w) {
  fiber *f = w->kept;
  if (!f || (atomic_load(&w->held) && !w->s->interrupted)) return NULL;
  w->kept = f->next_ready;
  if (!w->kept) w->kept_end = &w->kept;
  f->in_ready = false;
  return f;
}

/* -- for Lua -- */

static int end_watch(lua_State *L) {
  fiber_watch *w = lua_touserdata(L, 1);
  if (w->stop >= 0) {
    armed = NULL;
    w->s->watch = NULL;
    eventfd_write(w->stop, 1);
    pthread_join(w->thread, NULL);
    close(w->stop);
    w->stop = -1;
    sigaction(SIGURG, &w->before, NULL);
  }
  free(w->advice);
  free(w->warning);
  w->advice = w->warning = NULL;
  return 0;
}

static unsigned ticks_of(lua_State *L, fiber_watch *w, const char *name) {
  lua_Number seconds = lua_getfield(L, 1, name) == LUA_TNIL ? 0 : luaL_checknumber(L, -1);
  lua_pop(L, 1); /* seconds */
  luaL_argcheck(L, seconds >= 0 && seconds <= 1e6, 1, "expected seconds from 0 to 1e6");
  return (unsigned)ceil(seconds * 1000 / w->tick_ms);
}

static char *text_of(lua_State *L, const char *name) {
  char *copy = NULL;
  if (lua_getfield(L, 1, name) != LUA_TNIL) {
    copy = strdup(luaL_checkstring(L, -1));
    if (!copy) luaL_error(L, "not enough memory");
  }
  lua_pop(L, 1); /* text */
  return copy;
}

static bool flag_of(lua_State *L, const char *name) {
  lua_getfield(L, 1, name);
  bool is_set = lua_toboolean(L, -1);
  lua_pop(L, 1); /* flag */
  return is_set;
}

static void read_options(lua_State *L, fiber_watch *w) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_getfield(L, 1, "seconds");
  lua_Number seconds = luaL_checknumber(L, -1);
  lua_pop(L, 1); /* seconds */
  luaL_argcheck(L, seconds >= 0.01 && seconds <= 1e6, 1, "expected seconds from 0.01 to 1e6");
  w->tick_ms = (int)fmin(ceil(seconds * 1000 / PARTS), LONGEST_TICK_MS);
  w->limit = ticks_of(L, w, "seconds");
  w->grace = (w->limit + 1) / 2;
  w->stuck = ticks_of(L, w, "stuck");
  w->holds = flag_of(L, "holds");
  w->exits = flag_of(L, "exits");
  w->advice = text_of(L, "advice");
  w->warning = text_of(L, "warning");
}

/* The watchdog gets no signal: they are for the thread of the state. Returns 0 or an errno. */
static int start_thread(fiber_watch *w) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int problem = pthread_create(&w->thread, NULL, watch, w);
  sigdelset(&before, SIGURG); /* the parent may have blocked it */
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return problem;
}

static void start_watch(lua_State *L, fiber_watch *w) {
  int fd = eventfd(0, EFD_CLOEXEC);
  if (fd < 0) luaL_error(L, "cannot start the watchdog: %s", strerror(errno));
  struct sigaction action = {.sa_handler = signalled, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(SIGURG, &action, &w->before);
  w->main = pthread_self();
  w->stop = fd;
  snprintf(w->statistics, sizeof w->statistics, "/proc/self/task/%ld/schedstat",
           syscall(SYS_gettid));
  int problem = start_thread(w);
  if (problem) {
    w->stop = -1;
    close(fd);
    sigaction(SIGURG, &w->before, NULL);
    luaL_error(L, "cannot start the watchdog: %s", strerror(problem));
  }
  w->s->watch = w;
  armed = w;
}

int fiber_lua_limit_runs(lua_State *L) {
  fiber_scheduler *s = fiber_scheduler_of(L);
  if (armed) return luaL_error(L, "there is a limit already");
  fiber_watch *w = lua_newuserdatauv(L, sizeof *w, 0);
  memset(w, 0, sizeof *w);
  w->s = s;
  w->stop = -1;
  w->kept_end = &w->kept;
  if (luaL_newmetatable(L, WATCH_TYPE)) {
    lua_pushcfunction(L, end_watch);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  read_options(L, w);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &watch_key);
  start_watch(L, w);
  fiber_watch_run(w, s->current->limited);
  return 0;
}

int fiber_lua_set_limited(lua_State *L) {
  fiber_scheduler *s = fiber_scheduler_of(L);
  bool before = s->current->limited;
  s->current->limited = lua_toboolean(L, 1);
  if (s->watch) fiber_watch_run(s->watch, s->current->limited);
  lua_pushboolean(L, before);
  return 1;
}

int fiber_lua_held(lua_State *L) {
  fiber_watch *w = fiber_scheduler_of(L)->watch;
  lua_pushboolean(L, w && atomic_load(&w->held));
  return 1;
}

int fiber_lua_release(lua_State *L) {
  fiber_watch *w = fiber_scheduler_of(L)->watch;
  if (w) atomic_store(&w->held, false);
  return 0;
}
