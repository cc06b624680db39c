#include "f5/session/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <lauxlib.h>

#include "base/command_line.h"
#include "base/metatable.h"
#include "f5/report/error.h"
#include "fiber/fiber.h"

bool prompt_possible(void) {
  if (!isatty(STDIN_FILENO) && !isatty(STDERR_FILENO))
    return false; /* run by cron or CI: nobody watches the terminal, even if there is one */
  int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return false;
  close(fd);
  return true;
}

/* Reads to the end of the line. poll is never restarted after a signal, so Ctrl-C ends it. */
static bool read_line(lua_State *L, int fd, char *buffer) {
  size_t length = 0;
  for (;;) {
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    if (fiber_ending(L)) return false;
    if (poll(&wait, 1, -1) < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    char c;
    ssize_t got = read(fd, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    if (c == '\n') {
      buffer[length] = '\0';
      return true;
    }
    if (length + 1 < PROMPT_MAX) buffer[length++] = c;
  }
}

static void write_text(int fd, const char *string) {
  (void)!write(fd, string, strlen(string)); /* if the terminal is gone, the read fails */
}

bool prompt_ask(lua_State *L, const char *question, bool hidden, char *buffer) {
  int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return false;
  struct termios before, silent;
  bool changed = hidden && tcgetattr(fd, &before) == 0;
  if (changed) {
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    silent.c_cc[VQUIT] = silent.c_cc[VSUSP] =
        _POSIX_VDISABLE; /* they would leave the terminal without echo */
    changed = tcsetattr(fd, TCSAFLUSH, &silent) == 0;
  }
  write_text(fd, question);
  bool got = read_line(L, fd, buffer);
  if (changed) {
    tcsetattr(fd, TCSAFLUSH, &before);
    write_text(fd, "\n");
  }
  close(fd);
  return got;
}

/* -- secrets as values -- */

const secret *prompt_to_secret(lua_State *L, int index) {
  secret **box = luaL_testudata(L, index, SECRET_NAME);
  return box ? *box : NULL;
}

secret *prompt_push_secret(lua_State *L, const char *value, size_t length) {
  secret **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL;
  luaL_setmetatable(L, SECRET_NAME);
  *box = secret_new(value, length);
  if (!*box) luaL_error(L, "not enough memory");
  return *box;
}

int prompt_lua_text(lua_State *L) {
  const secret *given = prompt_to_secret(L, 1);
  if (given)
    lua_pushlstring(L, secret_string(given), secret_length(given));
  else if (lua_type(L, 1) == LUA_TSTRING)
    lua_pushvalue(L, 1);
  else
    return error_usage(L, "expected a string as password, got a %s", luaL_typename(L, 1));
  return 1;
}

static int secret_collect(lua_State *L) {
  secret **box = luaL_checkudata(L, 1, SECRET_NAME);
  secret_free(*box);
  *box = NULL;
  return 0;
}

static int secret_tostring(lua_State *L) {
  lua_pushliteral(L, SECRET_MASK);
  return 1;
}

static int refuse_command(lua_State *L, command_line_result result, int status,
                          const char *command) {
  switch (result) {
  case COMMAND_LINE_NOT_STARTED:
    return error_usage(L, "cannot start the password command: %s", strerror(errno));
  case COMMAND_LINE_FAILED:
    return error_usage(L, "the password command failed with status %d: %s", status, command);
  case COMMAND_LINE_TOO_LONG:
    return error_usage(L, "the first line of the password command has more than %d bytes: %s",
                       PROMPT_MAX - 1, command);
  case COMMAND_LINE_BINARY:
    return error_usage(L, "the password command printed a zero byte: %s", command);
  default:
    return error_usage(L, "the password command printed nothing: %s", command);
  }
}

int prompt_lua_from_command(lua_State *L) {
  const char *command = luaL_checkstring(L, 1);
  secret **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL;
  luaL_setmetatable(L, SECRET_NAME);
  char line[PROMPT_MAX];
  int status = 0;
  lua_pushfstring(L, "waiting for the password command: %s", command);
  command_line_result result =
      command_line_read(command, lua_tostring(L, -1), line, sizeof line, &status);
  lua_pop(L, 1); /* the words */
  if (result == COMMAND_LINE_READ) *box = secret_new(line, strlen(line));
  secret_wipe(line, sizeof line);
  if (result != COMMAND_LINE_READ) return refuse_command(L, result, status, command);
  return *box ? 1 : luaL_error(L, "not enough memory");
}

int prompt_lua_from_terminal(lua_State *L) {
  const char *question = luaL_checkstring(L, 1);
  if (!prompt_possible()) return error_usage(L, "there is no terminal to ask on");
  secret **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL;
  luaL_setmetatable(L, SECRET_NAME);
  char line[PROMPT_MAX];
  bool got = prompt_ask(L, question, true, line) && *line;
  if (got) *box = secret_new(line, strlen(line));
  secret_wipe(line, sizeof line);
  if (got && !*box) return luaL_error(L, "not enough memory");
  return got ? 1 : 0;
}

void prompt_setup(lua_State *L) {
  static const luaL_Reg events[] = {
      {"__gc", secret_collect}, {"__tostring", secret_tostring}, {NULL, NULL}};
  luaL_newmetatable(L, SECRET_NAME);
  luaL_setfuncs(L, events, 0);
  metatable_hide(L, "secret");
  lua_pop(L, 1); /* metatable */
}
