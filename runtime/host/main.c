/* The command line. Handles here what every playbook needs, without argparse and the network
 * libraries. Everything else is a subcommand, lualib/cli/GROUP/NAME.lua. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>

#include "base/printable.h"
#include "base/text.h"
#include "embed/embedded.h"
#include "host/bundle.h"
#include "host/host.h"
#include "host/relro.h"
#include "host/script.h"

typedef struct options {
  int first;     /* index in argv after the options */
  int chunks;    /* number of -e */
  int verbosity; /* number of -v */
  bool log_json;
  bool help, version;
  bool fleet; /* options of `f5lua run`, such as --inventory */
} options;

static int refuse(const char *format, const char *word) {
  text words = {0};
  text_printf(&words, format, word);
  printable_print(stderr, "%sTry 'f5lua --help'.\n", text_string(&words));
  text_free(&words);
  return STATUS_USAGE;
}

static const char *log_format_of(int argc, char **argv, int *i) {
  const char *word = argv[*i], *equals = strchr(word, '=');
  if (equals) return equals + 1;
  return ++*i < argc ? argv[*i] : "";
}

/* "--sim" is the option "--sim", and so is "--sim=…". */
static bool is_option(const char *word, const char *option) {
  size_t length = strlen(option);
  return strncmp(word, option, length) == 0 && (word[length] == '\0' || word[length] == '=');
}

/* `f5lua --inventory FILE -e CHUNK` is `f5lua run --inventory FILE -e CHUNK`. */
static bool names_option_of_run(int argc, char **argv) {
  static const char *const names[] = {"--inventory", "--record", "--replay", "--report"};
  for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
    for (size_t n = 0; n < sizeof names / sizeof *names; n++)
      if (is_option(argv[i], names[n])) return true;
  return false;
}

/* "cli.rest.get" -> "get"; NULL if the module is not a subcommand. */
static const char *subcommand_name(const char *module) {
  if (strncmp(module, "cli.", 4) != 0 || strncmp(module + 4, "support.", 8) == 0) return NULL;
  const char *dot = strchr(module + 4, '.');
  return dot ? dot + 1 : NULL;
}

/* A word that names a module of lualib/cli is a subcommand, even if there is a file of this name:
 * what `f5lua list` means must not depend on the directory. `./list` is the file. */
static bool is_subcommand(const char *word) {
  for (size_t i = 0; i < embedded_count; i++) {
    const char *name = subcommand_name(embedded_modules[i].name);
    if (name && strcmp(name, word) == 0) return true;
  }
  return false;
}

/* `f5lua -p NAME -e CHUNK` is `f5lua run -p NAME -e CHUNK`. Not so `f5lua -p NAME list ltm/pool`.
 */
static bool begins_run(int argc, char **argv, int i) {
  static const char *const names[] = {"-p", "--profile", "--sim", "--check", "--undoable"};
  bool found = false;
  for (size_t n = 0; n < sizeof names / sizeof *names; n++)
    found = found || is_option(argv[i], names[n]);
  for (int j = i + 1; found && j < argc && strcmp(argv[j], "--") != 0; j++)
    if (is_subcommand(argv[j])) return false;
  return found;
}

/* `f5lua -H HOST list ltm/pool`: the options of a subcommand come after its name. */
static int refuse_option(int argc, char **argv, int i) {
  for (int j = i + 1; j < argc && strcmp(argv[j], "--") != 0; j++) {
    if (!is_subcommand(argv[j])) continue;
    printable_print(stderr,
                    "f5lua: unknown option '%s'; the options of a subcommand come after its name: "
                    "f5lua %s %s …\n",
                    argv[i], argv[j], argv[i]);
    return STATUS_USAGE;
  }
  return refuse("f5lua: unknown option '%s'\n", argv[i]);
}

/* Returns STATUS_DONE or the exit status. */
static int parse(int argc, char **argv, options *o) {
  int i = 1;
  for (; i < argc; i++) {
    const char *word = argv[i];
    if (word[0] != '-' || word[1] == '\0') break; /* a file, a subcommand, or standard input */
    if (strcmp(word, "--") == 0) {
      i++;
      break;
    }
    if (strcmp(word, "-e") == 0) {
      if (++i == argc) return refuse("f5lua: '%s' must be followed by a chunk of Lua\n", word);
      o->chunks++;
    } else if (strncmp(word, "-v", 2) == 0 && strspn(word + 1, "v") == strlen(word + 1)) {
      o->verbosity += (int)strlen(word + 1);
    } else if (strcmp(word, "--log-format") == 0 || strncmp(word, "--log-format=", 13) == 0) {
      const char *format = log_format_of(argc, argv, &i);
      if (strcmp(format, "json") != 0 && strcmp(format, "text") != 0)
        return refuse("f5lua: --log-format must be 'text' or 'json', not '%s'\n", format);
      o->log_json = strcmp(format, "json") == 0;
    } else if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
      o->help = true;
    } else if (strcmp(word, "--version") == 0) {
      o->version = true;
    } else if (begins_run(argc, argv, i) || names_option_of_run(argc, argv)) {
      o->fleet = true;
      break;
    } else {
      return refuse_option(argc, argv, i);
    }
  }
  o->first = i;
  return STATUS_DONE;
}

/* Pushes the function that `require "cli.support.main"` returned. host_run calls it. */
static int run_cli(lua_State *L, const char *entry, int argc, char **argv, int first) {
  lua_getglobal(L, "require");
  lua_pushliteral(L, "cli.support.main");
  if (lua_pcall(L, 1, 1, 0) != LUA_OK) return host_report(L);
  lua_getfield(L, -1, entry);
  lua_remove(L, -2); /* module */
  lua_createtable(L, argc - first, 0);
  for (int i = first; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i - first + 1);
  }
  return host_run(L, 1, true);
}

/* The caller has checked the room on the stack. */
static void push_rest(lua_State *L, int argc, char **argv, int first) {
  for (int i = first; i < argc; i++)
    lua_pushstring(L, argv[i]);
}

/* Runs all chunks of -e, then the script if there is one. All are compiled before the first one
 * runs. */
static int run_chunks(lua_State *L, int argc, char **argv, const options *o) {
  const char *const runner = "local count, chunks = ..., {select(2, ...)}\n"
                             "for i = 1, count - 1 do chunks[i]() end\n"
                             "return chunks[count](table.unpack(chunks, count + 1))";
  int nargs = -1; /* the first chunk is the function, not an argument */
  bool script = o->first < argc;
  if (o->chunks + script > 1) {
    luaL_loadbuffer(L, runner, strlen(runner), "=lualib/-e");
    lua_pushinteger(L, o->chunks + script);
    nargs = 1;
  }
  if (!lua_checkstack(L, argc + 2)) return refuse("f5lua: %s\n", "too many arguments");
  for (int i = 1; i < o->first; i++) {
    if (strcmp(argv[i], "--log-format") == 0) i++;
    if (strcmp(argv[i], "-e") != 0) continue;
    const char *chunk = argv[++i];
    if (luaL_loadbuffer(L, chunk, strlen(chunk), "=(command line)") != LUA_OK)
      return host_report(L);
    nargs++;
  }
  script_set_arguments(L, argc, argv, script ? o->first : 0);
  if (script) {
    int status = host_load(L, strcmp(argv[o->first], "-") == 0 ? NULL : argv[o->first]);
    if (status != STATUS_DONE) return status;
    push_rest(L, argc, argv, o->first + 1);
    nargs += argc - o->first;
  }
  return host_run(L, nargs, false);
}

/* Runs standard input if no file is given: `echo 'print(1)' | f5lua`. */
static int run_input(lua_State *L, int argc, char **argv) {
  script_set_arguments(L, argc, argv, 0);
  int status = host_load(L, NULL);
  return status == STATUS_DONE ? host_run(L, 0, false) : status;
}

static int run(lua_State *L, int argc, char **argv, const options *o) {
  if (o->help) return run_cli(L, "help", argc, argv, argc);
  if (o->fleet) return run_cli(L, "fleet", argc, argv, 1);
  if (o->chunks) return run_chunks(L, argc, argv, o);
  if (o->first < argc) {
    const char *word = argv[o->first];
    if (is_subcommand(word)) return run_cli(L, "subcommand", argc, argv, o->first);
    if (strcmp(word, "-") != 0 && access(word, F_OK) != 0)
      return run_cli(L, "unknown", argc, argv, o->first);
    return run_chunks(L, argc, argv, o);
  }
  if (!isatty(STDIN_FILENO)) return run_input(L, argc, argv);
  return run_cli(L, "interactive", argc, argv, argc);
}

/* Runs the playbook packed into this program. It gets all arguments. */
static int run_packed(lua_State *L, const bundle *b, int argc, char **argv) {
  bundle_install(L, b);
  script_set_arguments(L, argc, argv, 0);
  if (!lua_checkstack(L, argc + 2)) return refuse("%s: too many arguments\n", argv[0]);
  if (bundle_load(L, b) != LUA_OK) return host_report(L);
  push_rest(L, argc, argv, 1);
  return host_run(L, argc - 1, false);
}

/* A runtime that trusts a key runs no unsigned code. It can still build and inspect programs. */
static bool is_allowed(int argc, char **argv, const options *o) {
  if (!bundle_pinned() || o->help) return true;
  const char *word = o->chunks == 0 && o->first < argc ? argv[o->first] : "";
  return strcmp(word, "build") == 0 || strcmp(word, "inspect") == 0 || strcmp(word, "verify") == 0;
}

/* Whether f5.twin has started this process to serve twins (lualib/f5/twin.lua). Then it does so,
 * even if a playbook is packed into it, or if it runs signed programs only: it runs no other code.
 */
static bool serves_twins(int argc, char **argv) {
  return argc > 3 && strcmp(argv[0], "f5lua: twins") == 0 && strcmp(argv[1], "sim") == 0 &&
         strcmp(argv[2], "--twin") == 0 && strcmp(argv[3], "-") == 0;
}

/* If a standard stream is closed, the first socket or file would take its number, and print would
 * write to it. So opens /dev/null in the wrong direction: reads and writes still fail. */
static void reserve_streams(void) {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
      abort();
}

/* Exits without the exit functions of libraries: they only free memory, which takes a twentieth of
 * a short run. The Lua state with its files and C modules is closed, and the output is written.
 * Sanitizer builds run them, to look for leaks. */
static int leave(int status) {
#ifndef __SANITIZE_ADDRESS__
  fflush(NULL);
  _exit(status);
#endif
  return status;
}

int main(int argc, char **argv) {
  relro_apply();
  reserve_streams();
  const bundle *packed;
  int broken = bundle_open(&packed);
  if (broken) return broken;
  bool twins = serves_twins(argc, argv);
  if (packed && !twins) {
    lua_State *L = host_open(argc, argv, 0, false);
    return L ? leave(host_close(L, run_packed(L, packed, argc, argv))) : STATUS_FAILED;
  }
  options o = {0};
  int status = parse(argc, argv, &o);
  if (status != STATUS_DONE) return status;
  if (o.version) {
    printable_print(stdout, "f5lua " F5LUA_VERSION "\n");
    return host_end_output(STATUS_DONE);
  }
  if (!twins && !is_allowed(argc, argv, &o)) {
    printable_print(stderr, "f5lua: this runtime runs only programs that are signed with the key "
                            "it trusts\n");
    return BUNDLE_BROKEN;
  }
  lua_State *L = host_open(argc, argv, o.verbosity, o.log_json);
  if (!L) return STATUS_FAILED;
  return leave(host_close(L, run(L, argc, argv, &o)));
}
