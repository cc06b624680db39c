#include "f5/work/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>

#include "base/metatable.h"
#include "fiber/fiber_readable.h"

#define CHILD_TYPE "f5.child"

enum { PATIENCE_MS = 8000, STEP_MS = 5 };

extern char **environ;

typedef struct child {
  pid_t pid;         /* 0: ended, and waited for */
  int input, output; /* our ends of the pipes; -1 when closed */
  int status;        /* of waitpid, when it has ended */
} child;

static void close_end(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

static bool has_ended(child *c) {
  if (c->pid && waitpid(c->pid, &c->status, WNOHANG) != 0) c->pid = 0;
  return !c->pid;
}

/* Ends the input, and waits. A program that does not end is killed. */
static void end(child *c) {
  close_end(&c->input);
  close_end(&c->output);
  for (int waited = 0; !has_ended(c) && waited < PATIENCE_MS; waited += STEP_MS)
    nanosleep(&(struct timespec){.tv_nsec = STEP_MS * 1000000L}, NULL);
  if (!c->pid) return;
  kill(c->pid, SIGKILL);
  while (waitpid(c->pid, &c->status, 0) < 0 && errno == EINTR)
    ;
  c->pid = 0;
}

/* -- start -- */

/* Starts the program with the pipes as standard input and output. Returns 0 or an errno. */
static int start(child *c, const char *program, char *const *words, const int in[2],
                 const int out[2]) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t how;
  sigset_t none, usual;
  sigemptyset(&none);
  sigfillset(&usual);
  int problem = posix_spawn_file_actions_init(&files);
  if (problem) return problem;
  problem = posix_spawnattr_init(&how);
  if (!problem) {
    problem = posix_spawn_file_actions_adddup2(&files, in[0], STDIN_FILENO);
    if (!problem) problem = posix_spawn_file_actions_adddup2(&files, out[1], STDOUT_FILENO);
    posix_spawnattr_setpgroup(&how, 0);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawnattr_setsigdefault(&how, &usual);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                       POSIX_SPAWN_SETSIGDEF);
    if (!problem) problem = posix_spawnp(&c->pid, program, &files, &how, words, environ);
    posix_spawnattr_destroy(&how);
  }
  posix_spawn_file_actions_destroy(&files);
  if (problem) c->pid = 0;
  return problem;
}

static char **words_of(lua_State *L) {
  lua_Integer count = luaL_len(L, 1);
  luaL_argcheck(L, count > 0 && count < 1000, 1, "expected a list of words");
  char **words = lua_newuserdatauv(L, ((size_t)count + 1) * sizeof *words, 0);
  for (lua_Integer i = 1; i <= count; i++) {
    if (lua_geti(L, 1, i) != LUA_TSTRING) luaL_error(L, "expected a list of strings");
    words[i - 1] = (char *)(uintptr_t)lua_tostring(L, -1); /* the table keeps it */
    lua_pop(L, 1);
  }
  words[count] = NULL;
  return words;
}

static int child_start(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  const char *name = luaL_optstring(L, 2, NULL);
  char **words = words_of(L);
  const char *program = words[0];
  if (name) words[0] = (char *)(uintptr_t)name;
  child *c = lua_newuserdatauv(L, sizeof *c, 0);
  memset(c, 0, sizeof *c);
  c->input = c->output = -1;
  luaL_setmetatable(L, CHILD_TYPE);
  int in[2] = {-1, -1}, out[2] = {-1, -1}, problem = 0;
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
    problem = errno;
  else
    problem = start(c, program, words, in, out);
  c->input = in[1];
  c->output = out[0];
  close_end(&in[0]);
  close_end(&out[1]);
  if (problem) {
    end(c);
    return luaL_error(L, "cannot start %s: %s", program, strerror(problem));
  }
  return 1;
}

/* -- methods -- */

static child *check_open(lua_State *L) {
  child *c = luaL_checkudata(L, 1, CHILD_TYPE);
  if (c->input < 0) luaL_error(L, "the program has ended");
  return c;
}

static int child_write(lua_State *L) {
  child *c = check_open(L);
  size_t length;
  const char *text = luaL_checklstring(L, 2, &length);
  sigset_t pipe, before;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, &before);
  int problem = 0;
  while (length && !problem) {
    ssize_t written = write(c->input, text, length);
    if (written < 0 && errno != EINTR) problem = errno;
    if (written > 0) text += written, length -= (size_t)written;
  }
  if (problem == EPIPE) sigtimedwait(&pipe, NULL, &(struct timespec){0});
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (problem) return luaL_error(L, "cannot write to the program: %s", strerror(problem));
  return 0;
}

/* Reads what is there. */
static int finish_read(lua_State *L, int status, lua_KContext context) {
  (void)status;
  char bytes[8192];
  ssize_t got;
  do
    got = read((int)context, bytes, sizeof bytes);
  while (got < 0 && errno == EINTR);
  if (got < 0) return luaL_error(L, "cannot read: %s", strerror(errno));
  if (got == 0)
    lua_pushnil(L);
  else
    lua_pushlstring(L, bytes, (size_t)got);
  return 1;
}

static int child_read(lua_State *L) {
  const child *c = check_open(L);
  return fiber_readable(L, c->output, c->output, finish_read);
}

static int child_close(lua_State *L) {
  child *c = luaL_checkudata(L, 1, CHILD_TYPE);
  end(c);
  if (WIFEXITED(c->status)) {
    lua_pushinteger(L, WEXITSTATUS(c->status));
    return 1;
  }
  lua_pushnil(L);
  lua_pushinteger(L, WTERMSIG(c->status));
  return 2;
}

static int read_input(lua_State *L) {
  return fiber_readable(L, STDIN_FILENO, STDIN_FILENO, finish_read);
}

void f5_child_register(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"write", child_write}, {"read", child_read}, {"close", child_close}, {NULL, NULL}};
  static const luaL_Reg functions[] = {
      {"child", child_start}, {"read_input", read_input}, {NULL, NULL}};
  if (luaL_newmetatable(L, CHILD_TYPE)) {
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, child_close);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, child_close);
    lua_setfield(L, -2, "__close");
    metatable_hide(L, "child");
  }
  lua_pop(L, 1);
  luaL_setfuncs(L, functions, 0);
}
