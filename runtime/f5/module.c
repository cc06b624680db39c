#include "f5/module.h"

#include <signal.h>
#include <unistd.h>

#include <lauxlib.h>

#include "base/field.h"
#include "base/printable.h"
#include "base/push_owned.h"
#include "f5/change/transaction.h"
#include "f5/observe/exchange.h"
#include "f5/observe/replay.h"
#include "f5/report/error.h"
#include "f5/report/error_kinds.h"
#include "f5/report/secret.h"
#include "f5/report/spelling.h"
#include "f5/rest/collection.h"
#include "f5/rest/names.h"
#include "f5/rest/reference.h"
#include "f5/rest/resource.h"
#include "f5/session/access.h"
#include "f5/session/certificate.h"
#include "f5/session/connect.h"
#include "f5/session/core.h"
#include "f5/session/operation.h"
#include "f5/session/prompt.h"
#include "f5/session/record.h"
#include "f5/session/seal_lua.h"
#include "f5/session/session_lua.h"
#include "f5/session/shutdown.h"
#include "f5/trust/facts.h"
#include "f5/trust/pair.h"
#include "f5/trust/trusted.h"
#include "f5/work/child.h"
#include "f5/work/directory.h"
#include "f5/work/new_file.h"
#include "f5/work/system.h"
#include "f5/work/task.h"
#include "f5/work/transfer.h"
#include "fiber/fiber_deferred.h"
#include "fiber/fiber_lua.h"
#include "fiber/fiber_readable.h"
#include "fiber/fiber_setup.h"
#include "fiber/fiber_watch.h"

void f5_shutdown(lua_State *L, unsigned timeout_ms) {
  f5_core *core = core_of(L);
  core->ended = true;
  session_end_all(core, timeout_ms);
}

const char *f5_cut_off(lua_State *L, unsigned *more) {
  const f5_core *core = core_of(L);
  *more = core->cut_offs > CORE_CUT_OFFS ? core->cut_offs - CORE_CUT_OFFS : 0;
  return text_string(&core->cut_off);
}

static volatile sig_atomic_t logs_json;

void f5_report_abandoned(void) {
#define MESSAGE                                                                                    \
  "exited at once: the tokens of open sessions stay on their devices until they expire; "          \
  "it is not known whether a write that was on its way was carried out"
  static const char plain[] = "f5lua: warning: " MESSAGE "\n",
                    json[] = "{\"event\":\"warning\",\"message\":\"" MESSAGE "\"}\n";
#undef MESSAGE
  if (core_open_sessions == 0) return;
  ssize_t written = logs_json ? write(STDERR_FILENO, json, sizeof json - 1)
                              : write(STDERR_FILENO, plain, sizeof plain - 1);
  (void)written; /* nothing can report a failure here */
}

void f5_log_configure(lua_State *L, int level, bool json) {
  logs_json = json;
  f5_core *core = core_of(L);
  core->log_level = level;
  core->log_json = json;
}

bool f5_log_is_json(lua_State *L) {
  return core_of(L)->log_json;
}

/* log(level, json): sets what -v and --log-format set */
static int lua_log(lua_State *L) {
  f5_log_configure(L, (int)luaL_checkinteger(L, 1), lua_toboolean(L, 2));
  return 0;
}

/* sessions() -> the number of sessions that are not closed, including those the script no longer
 * refers to */
static int lua_sessions(lua_State *L) {
  lua_Integer count = 0;
  for (const f5_session *session = core_of(L)->sessions; session; session = session->next)
    count++;
  lua_pushinteger(L, count);
  return 1;
}

/* has_partitions(path) -> whether the objects of a collection are named with their partition */
static int lua_has_partitions(lua_State *L) {
  size_t length;
  const char *path = luaL_checklstring(L, 1, &length);
  lua_pushboolean(L, names_style(path, length) == NAME_PARTITION);
  return 1;
}

/* is_secret_name(name) -> whether a property of this name holds a secret */
static int lua_is_secret_name(lua_State *L) {
  size_t length;
  const char *name = luaL_checklstring(L, 1, &length);
  lua_pushboolean(L, secret_name(name, length));
  return 1;
}

/* mask(text) -> the text without any secret */
static int lua_mask(lua_State *L) {
  size_t length;
  const char *string = luaL_checklstring(L, 1, &length);
  text masked = {0};
  secret_mask(&masked, string, length);
  push_owned_text(L, &masked);
  return 1;
}

/* mask_command(text) -> a command line, or what it printed, without any secret */
static int lua_mask_command(lua_State *L) {
  size_t length;
  const char *string = luaL_checklstring(L, 1, &length);
  text masked = {0};
  secret_mask_command(&masked, string, length);
  push_owned_text(L, &masked);
  return 1;
}

/* printable(text, style) -> the text as a terminal may get it; style: "text", "line", "indent",
 * "painted" or "json" */
static int lua_printable(lua_State *L) {
  static const char *const styles[] = {"text", "line", "indent", "painted", "json", NULL};
  size_t length;
  const char *string = luaL_checklstring(L, 1, &length);
  text shown = {0};
  printable_put(&shown, string, length, (printable_style)luaL_checkoption(L, 2, "text", styles));
  push_owned_text(L, &shown);
  return 1;
}

/* nearest(name, names) -> the name in the list that is nearest to the misspelt one, or nil */
static int lua_nearest(lua_State *L) {
  spelling s = {.name = luaL_checkstring(L, 1)};
  luaL_checktype(L, 2, LUA_TTABLE);
  for (lua_Integer i = 1; lua_rawgeti(L, 2, i) != LUA_TNIL; i++) {
    size_t length;
    const char *known = lua_tolstring(L, -1, &length);
    if (known) spelling_offer(&s, known, length);
    lua_pop(L, 1); /* name */
  }
  if (!s.edits) return 0;
  lua_pushstring(L, s.nearest);
  return 1;
}

static const luaL_Reg functions[] = {{"connect", connect_lua},
                                     {"connect_given", connect_lua_given},
                                     {"certificate", certificate_lua},
                                     {"peer_certificate", connect_lua_certificate},
                                     {"device_address", connect_lua_address},
                                     {"certificate_facts", facts_lua},
                                     {"certificate_key", pair_lua_key},
                                     {"certificate_signed", pair_lua_signed},
                                     {"preset", connect_lua_preset},
                                     {"sessions", lua_sessions},
                                     {"set_recorder", record_lua},
                                     {"exchanges_start", exchange_lua_start},
                                     {"exchanges_take", exchange_lua_take},
                                     {"exchanges_save", exchange_lua_save},
                                     {"exchanges_flush", exchange_lua_flush},
                                     {"exchanges_stop", exchange_lua_stop},
                                     {"replay", replay_lua},
                                     {"access", access_lua},
                                     {"lease", session_lua_lease},
                                     {"boot_time", session_lua_boot_time},
                                     {"set_password", session_lua_set_password},
                                     {"unchanged", session_lua_unchanged},
                                     {"secret_text", prompt_lua_text},
                                     {"log", lua_log},
                                     {"spawn", fiber_lua_spawn},
                                     {"all", fiber_lua_all},
                                     {"sleep", fiber_lua_sleep},
                                     {"deferred", fiber_lua_deferred},
                                     {"limit_runs", fiber_lua_limit_runs},
                                     {"set_limited", fiber_lua_set_limited},
                                     {"held", fiber_lua_held},
                                     {"release", fiber_lua_release},
                                     {"before_close", session_lua_before_close},
                                     {"last_serial", session_lua_serial},
                                     {"readable", fiber_lua_readable},
                                     {"error_new", error_lua_new},
                                     {"check_path", error_lua_check_path},
                                     {"write_file", new_file_lua_write},
                                     {"new_file", new_file_lua_open},
                                     {"name_is_taken", new_file_lua_taken},
                                     {"error_kinds", error_kinds_lua},
                                     {"usage_error", error_lua_usage},
                                     {"is_secret_name", lua_is_secret_name},
                                     {"has_partitions", lua_has_partitions},
                                     {"parent", reference_lua_parent},
                                     {"session_of", reference_lua_session},
                                     {"address", session_lua_address},
                                     {"mask", lua_mask},
                                     {"printable", lua_printable},
                                     {"mask_command", lua_mask_command},
                                     {"seal", seal_lua},
                                     {"unseal", seal_lua_open},
                                     {"nearest", lua_nearest},
                                     {"device_id", reference_lua_device_id},
                                     {"secret_from_command", prompt_lua_from_command},
                                     {"secret_from_terminal", prompt_lua_from_terminal},
                                     {NULL, NULL}};

int luaopen_f5_core(lua_State *L) {
  error_setup(L);
  prompt_setup(L);
  operation_setup(L);
  exchange_setup(L);
  fiber_set_cancel_error(L, error_push_cancelled);
  luaL_newlib(L, functions);
  session_setup(L);
  reference_setup(L, -1);
  resource_setup(L, -2, -1);
  collection_setup(L, -1);
  lua_setfield(L, -3, "reference_methods");
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "session_methods");
  lua_insert(L, -2);
  transaction_setup(L, -2);
  lua_remove(L, -2); /* methods of sessions */
  f5_system_register(L);
  f5_child_register(L);
  directory_register(L);
  trusted_register(L);
  task_setup(L);
  transfer_setup(L);
  new_file_setup(L);
  field_string(L, "version", F5LUA_VERSION);
  field_string(L, "MASK", SECRET_MASK);
  return 1;
}
