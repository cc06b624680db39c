#include "host/host.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lualib.h>

#include "base/printable.h"
#include "base/state.h"
#include "base/text.h"
#include "embed/openlibs.h"
#include "f5/module.h"
#include "f5/report/secret.h"
#include "f5/session/log.h"
#include "fiber/fiber.h"
#include "fiber/fiber_setup.h"
#include "host/bundle.h"
#include "host/library.h"
#include "host/lineedit.h"
#include "host/output.h"
#include "host/script.h"
#include "host/signals.h"
#include "host/trace.h"

/* Time limit for deleting tokens at the end. */
#define SHUTDOWN_MS 10000

int luaopen_cjson(lua_State *L);

/* -- opening -- */

/* In addition to the modules of f5. */
static const luaL_Reg preloaded[] = {
    {"cjson", luaopen_cjson},
    {"f5.host", luaopen_f5_host},
    {"f5.bundle", luaopen_f5_bundle},
    {"f5.lineedit", luaopen_f5_lineedit},
    {NULL, NULL},
};

/* The state of the program. There is one Lua state that runs playbooks. */
static struct {
  loop *loop;
  int unjoined_status; /* exit status of the first failed fiber that nobody joined; 0: none */
  bool log_json;       /* of the state, for messages after it is closed */
} program;

#define NOBODY_KNOWS "it is not known whether this was carried out"

/* Adds the writes that were cut off, a line each, as a member of a JSON object. */
static void add_writes(text *line, const char *writes, unsigned more) {
  if (!*writes) return;
  text_put(line, ",\"outcome\":\"unknown\",\"writes\":[");
  for (const char *end; (end = strchr(writes, '\n')); writes = end + 1) {
    text_char(line, '"');
    text_json(line, writes, (size_t)(end - writes));
    text_put(line, end[1] ? "\"," : "\"]");
  }
  if (more) text_printf(line, ",\"more_writes\":%u", more);
}

/* What to do to see whether "PATCH /mgmt/tm/ltm/pool/~Common~web (HOST)" was carried out. */
static void print_look(const char *write, size_t length) {
  static const char root[] = "/mgmt/tm/";
  const char *path = memchr(write, ' ', length), *stop = path ? strchr(path + 1, ' ') : NULL;
  if (!stop || strncmp(++path, root, sizeof root - 1) != 0) return;
  path += sizeof root - 1;
  const char *query = memchr(path, '?', (size_t)(stop - path));
  if (query) stop = query;
  if (strncmp(path, "util/", 5) == 0 || strncmp(path, "task/", 5) == 0) return;
  const char *verb = strncmp(write, "POST ", 5) == 0 ? "list" : "get";
  printable_print(stderr, "  to see it: f5lua %s %.*s\n", verb, (int)(stop - path), path);
}

static void print_writes(const char *writes, unsigned more) {
  for (const char *end; (end = strchr(writes, '\n')); writes = end + 1) {
    printable_print(stderr, "  " NOBODY_KNOWS ": %.*s\n", (int)(end - writes), writes);
    print_look(writes, (size_t)(end - writes));
  }
  if (more) printable_print(stderr, "  and so for %u more writes\n", more);
}

/* Prints the last lines of the log: how the program ends, the exit status, and the writes that were
 * cut off. */
static void report_end(const char *reason, int status, const char *writes, unsigned more) {
  if (!program.log_json) {
    printable_print(stderr, "f5lua: %s\n", reason);
    print_writes(writes, more);
    return;
  }
  char now[32];
  time_t seconds = time(NULL);
  struct tm utc;
  strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &utc));
  text line = {0};
  text_printf(&line, "{\"time\":\"%s\",\"event\":\"failure\",\"message\":\"", now);
  text_json(&line, reason, strlen(reason));
  text_printf(&line, "\",\"exit_status\":%d", status);
  add_writes(&line, writes, more);
  text_put(&line, "}\n");
  printable_write(stderr, text_string(&line), line.length, PRINTABLE_JSON);
  text_free(&line);
}

int host_end_output(int status) {
  if (status != STATUS_DONE || signals_received()) return status;
  int reason = output_end();
  if (signals_received())
    return STATUS_SIGNAL +
           signals_received(); /* nobody reads the output any more, which is not a failure */
  if (reason == 0) return STATUS_DONE;
  char words[128];
  snprintf(words, sizeof words, "cannot write to standard output%s%s", reason > 0 ? ": " : "",
           reason > 0 ? strerror(reason) : "");
  report_end(words, STATUS_FAILED, "", 0);
  return STATUS_FAILED;
}

/* os.exit leaves without unwinding. Before that, delete the tokens and write the output. */
static int exit_cleanly(lua_State *L) {
  lua_settop(L, 2);
  f5_shutdown(L, SHUTDOWN_MS);
  program.log_json = f5_log_is_json(L);
  bool good =
      lua_isboolean(L, 1) ? lua_toboolean(L, 1) : luaL_optinteger(L, 1, STATUS_DONE) == STATUS_DONE;
  if (good) {
    lua_pushinteger(L, host_end_output(STATUS_DONE));
    lua_replace(L, 1);
  }
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, 2, 0);
  return 0;
}

/* Reports a failed fiber that nobody joined: the playbook continued without a part of its work. */
static int report_unjoined(lua_State *L) {
  lineedit_hide();
  if (!f5_log_is_json(L))
    printable_print(stderr, "f5lua: a fiber failed, and nothing joined it:\n");
  int status = host_report(L);
  if (program.unjoined_status == STATUS_DONE) program.unjoined_status = status;
  return 0;
}

static int open_state(lua_State *L) {
  luaL_openlibs(L);
  lua_pushcfunction(L, output_print);
  lua_setglobal(L, "print");
  openlibs_install(L, program.loop);
  fiber_set_message_handler(L, trace_handler);
  fiber_set_failure_reporter(L, report_unjoined);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  luaL_setfuncs(L, preloaded, 0);
  lua_getglobal(L, LUA_OSLIBNAME);
  lua_getfield(L, -1, "exit");
  lua_pushcclosure(L, exit_cleanly, 1);
  lua_setfield(L, -2, "exit");
  return 0;
}

lua_State *host_open(int argc, char **argv, int log_level, bool log_json) {
  program.loop = loop_new();
  lua_State *L = program.loop ? state_new() : NULL;
  if (!L) {
    printable_print(stderr, "f5lua: cannot start: %s\n", strerror(errno));
    return NULL;
  }
  lua_pushcfunction(L, open_state);
  if (lua_pcall(L, 0, 0, 0) != LUA_OK) {
    printable_print(stderr, "f5lua: %s\n", lua_tostring(L, -1));
    state_close(L);
    return NULL;
  }
  f5_log_configure(L, log_level, log_json);
  f5_log_set_before(lineedit_hide);
  signals_install(L);
  script_set_arguments(L, argc, argv, 0);
  return L;
}

/* -- what is run -- */

int host_load(lua_State *L, const char *path) {
  int status = luaL_loadfile(L, path);
  if (status == LUA_OK) return STATUS_DONE;
  if (status == LUA_ERRFILE) {
    printable_print(stderr, "f5lua: cannot read '%s': %s\n", path ? path : "standard input",
                    strerror(errno));
    lua_pop(L, 1); /* message */
    return STATUS_USAGE;
  }
  return host_report(L);
}

/* The environment may ask for a change record of what a playbook does: replaces the function below
 * nargs arguments by one that keeps it. */
static int wrap(lua_State *L) {
  lua_getglobal(L, "require");
  lua_pushliteral(L, "cli.support.change.environment");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "wrapped");
  lua_pushvalue(L, 1); /* the playbook */
  lua_call(L, 1, 1);
  return 1;
}

static bool is_set(const char *name) {
  const char *value = getenv(name);
  return value && *value;
}

static bool wrap_playbook(lua_State *L, int nargs) {
  static const char *const names[] = {"F5LUA_CHECK",   "F5LUA_PLAN",   "F5LUA_UNDOABLE",
                                      "F5LUA_CONFIRM", "F5LUA_VERIFY", "F5LUA_RECORD",
                                      "F5LUA_REPLAY",  "F5LUA_REPORT"};
  bool any = false;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    any = any || is_set(names[i]);
  if (!any) return true;
  int at = lua_gettop(L) - nargs;
  lua_pushcfunction(L, wrap);
  lua_pushvalue(L, at);
  if (lua_pcall(L, 1, 1, 0) != LUA_OK) return false;
  lua_replace(L, at);
  return true;
}

int host_run(lua_State *L, int nargs, bool command) {
  int exit_status = STATUS_DONE;
  if (!command && !wrap_playbook(L, nargs)) return host_report(L);
  if (fiber_run_main(L, nargs, 1) != LUA_OK) {
    exit_status = host_report(L);
  } else {
    if (command) exit_status = (int)lua_tointeger(L, -1);
    lua_pop(L, 1); /* result */
  }
  return exit_status != STATUS_DONE ? exit_status : program.unjoined_status;
}

/* -- reports -- */

static bool wants_colour(void) {
  const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
  return isatty(STDERR_FILENO) && !(none && *none) && term && strcmp(term, "dumb") != 0;
}

/* (error value, trace, colour, JSON) -> text, exit status */
static int describe(lua_State *L) {
  lua_getglobal(L, "require");
  lua_pushliteral(L, "cli.support.report");
  lua_call(L, 1, 1);
  lua_insert(L, 1);
  lua_call(L, 4, 2);
  return 2;
}

/* The error that a signal raised is of no interest to the user. */
static bool is_interrupt(lua_State *L) {
  if (!fiber_interrupted(L)) return false;
  if (lua_type(L, -1) == LUA_TSTRING) return strcmp(lua_tostring(L, -1), "cancelled") == 0;
  if (!lua_istable(L, -1)) return false;
  lua_pushliteral(L, "kind");
  lua_rawget(L, -2);
  bool cancelled = lua_type(L, -1) == LUA_TSTRING && strcmp(lua_tostring(L, -1), "cancelled") == 0;
  lua_pop(L, 1); /* kind */
  return cancelled;
}

int host_report(lua_State *L) {
  if (is_interrupt(L)) {
    lua_pop(L, 1);
    return STATUS_DONE; /* the signal determines the exit status */
  }
  int error = lua_gettop(L);
  lua_pushcfunction(L, describe);
  lua_pushvalue(L, error);
  trace_push(L, error);
  lua_pushboolean(L, wants_colour());
  lua_pushboolean(L, f5_log_is_json(L));
  int status = STATUS_FAILED;
  fflush(stdout);
  if (lua_pcall(L, 4, 2, 0) == LUA_OK) {
    size_t length;
    const char *words = lua_tolstring(L, -2, &length);
    text masked = {0}; /* a message of the script may contain a password */
    secret_mask(&masked, words, length);
    printable_write(stderr, text_string(&masked), masked.length, PRINTABLE_PAINTED);
    text_free(&masked);
    status = (int)lua_tointeger(L, -1);
  } else { /* for example out of memory: print both messages as they are */
    const char *words = lua_tostring(L, error);
    printable_print(stderr, "f5lua: %s\n", words ? words : luaL_typename(L, error));
    words = lua_tostring(L, -1);
    printable_print(stderr, "f5lua: cannot describe the error: %s\n",
                    words ? words : luaL_typename(L, -1));
  }
  lua_settop(L, error - 1);
  return status;
}

/* -- closing -- */

static int close_state(lua_State *L) {
  signals_remove();
  state_close(L);
  loop_delete(program.loop);
  return signals_received();
}

/* The last words of a program that a signal ends. */
static void report_signal(int signal, const char *writes, unsigned more) {
  char reason[64];
  if (signal == SIGPIPE || signal == SIGHUP) return; /* their reader is gone */
  if (signal == SIGINT || signal == SIGTERM)
    snprintf(reason, sizeof reason, "%s", signal == SIGINT ? "interrupted" : "terminated");
  else
    snprintf(reason, sizeof reason, "ended by %s", signals_name(signal));
  report_end(reason, STATUS_SIGNAL + signal, writes, more);
}

int host_close(lua_State *L, int status) {
  text writes = {0};
  unsigned more;
  f5_shutdown(L, SHUTDOWN_MS);
  program.log_json = f5_log_is_json(L);
  text_put(&writes, f5_cut_off(L, &more));
  int signal = close_state(L);
  if (signal) fflush(stdout);
  bool expected = signals_expected() && (signal == SIGINT || signal == SIGTERM);
  if (signal && !expected) report_signal(signal, text_string(&writes), more);
  text_free(&writes);
  if (signal == 0) return host_end_output(status);
  return expected ? status : STATUS_SIGNAL + signal;
}
