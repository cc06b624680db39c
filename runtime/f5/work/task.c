#include "f5/work/task.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/field.h"
#include "base/json.h"
#include "base/metatable.h"
#include "base/owner.h"
#include "base/scan.h"
#include "f5/rest/reference.h"
#include "f5/session/call.h"
#include "f5/session/session_lua.h"
#include "fiber/fiber.h"

#define POLL_NAME "f5.task.poll"
#define MAX_PAUSE 5000 /* ms between two polls, by default */
#define MAX_INVALID 5  /* consecutive invalid answers, or failed logins */
#define MAX_STATE 128

/* -- the families -- */

typedef struct task_family {
  const char *name, *below; /* the path of its tasks */
  const char *id;           /* member with the id of a task in the answer to its start */
  const char *state;        /* member with the state */
  const char *start; /* member that a PUT must set to VALIDATING to start the task; NULL: it starts
                        at once */
  const char *watch; /* poll an object of this collection instead of the task; the member `named`
                        has its name */
  const char *named;
  const char *done[4], *failed[4]; /* prefixes of the final states */
  const char
      *result; /* member with the result; "/result": a separate path; NULL: the task itself */
  const char *reason; /* member with the reason of a failure */
  bool changes;       /* a PATCH of the object itself starts the task, not a POST */
  bool keeps;         /* no task to delete */
  bool late;          /* may not exist at first */
} task_family;

static const task_family families[] = {
    {.name = "asm",
     .below = "/mgmt/tm/asm/tasks",
     .id = "id",
     .state = "status",
     .done = {"COMPLETED"},
     .failed = {"FAILURE"},
     .result = "result",
     .reason = "result.message"},
    {.name = "backup",
     .below = "/mgmt/tm/shared/sys/backup",
     .id = "id",
     .state = "status",
     .done = {"FINISHED"},
     .failed = {"FAILED", "CANCELED"},
     .reason = "errorMessage"},
    {.name = "qkview",
     .below = "/mgmt/cm/autodeploy/qkview",
     .id = "id",
     .state = "status",
     .done = {"SUCCEEDED"},
     .failed = {"FAILED", "CANCELED"},
     .reason = "errorMessage"},
    {.name = "package",
     .below = "/mgmt/shared/iapp/package-management-tasks",
     .id = "id",
     .state = "status",
     .done = {"FINISHED"},
     .failed = {"FAILED", "CANCELED"},
     .reason = "errorMessage"},
    {.name = "live-update",
     .below = "/mgmt/tm/live-update",
     .state = "status",
     .done = {"install-complete", "installed", "staged"},
     .failed = {"error", "ERROR"},
     .changes = true,
     .keeps = true},
    {.name = "software",
     .below = "/mgmt/tm/sys/software/image",
     .state = "status",
     .watch = "/mgmt/tm/sys/software/volume",
     .named = "volume",
     .done = {"complete"},
     .failed = {"failed", "cancel"},
     .reason = "status",
     .keeps = true,
     .late = true},
    {.name = "software",
     .below = "/mgmt/tm/sys/software/volume",
     .state = "status",
     .done = {"complete"},
     .failed = {"failed", "cancel"},
     .reason = "status",
     .keeps = true,
     .late = true},
    {.name = "tm",
     .below = "/mgmt/tm/task",
     .id = "_taskId",
     .state = "_taskState",
     .start = "_taskState",
     .done = {"COMPLETED"},
     .failed = {"FAILED"},
     .result = "/result",
     .reason = "message"},
};

#define FAMILIES (sizeof families / sizeof *families)

/* Returns the family of a path, or NULL. */
static const task_family *find(const char *path) {
  for (size_t i = 0; i < FAMILIES; i++) {
    size_t length = strlen(families[i].below);
    if (strncmp(path, families[i].below, length) == 0 && (!path[length] || path[length] == '/'))
      return &families[i];
  }
  return NULL;
}

/* family(path) -> a description of the family, or nil */
static int lua_family(lua_State *L) {
  const task_family *family = find(luaL_checkstring(L, 1));
  if (!family) return 0;
  lua_createtable(L, 0, 12);
  field_string(L, "name", family->name);
  field_string(L, "below", family->below);
  field_string(L, "id", family->id);
  field_string(L, "state", family->state);
  field_string(L, "start", family->start);
  field_string(L, "watch", family->watch);
  field_string(L, "named", family->named);
  field_string(L, "result", family->result);
  field_string(L, "reason", family->reason);
  field_boolean(L, "changes", family->changes);
  field_boolean(L, "keeps", family->keeps);
  return 1;
}

/* -- polling -- */

typedef enum task_outcome {
  TASK_RUNS,
  TASK_DONE,
  TASK_FAILED,
  TASK_LOST,
  TASK_BROKEN
} task_outcome;

static const char *const outcome_names[] = {"running", "done", "failed", "lost"};

typedef struct task_poll {
  f5_call call;
  fiber_wait wait;
  loop_timer timer;
  const task_family *family;
  uint64_t deadline, pause;
  bool growing; /* pauses */
  bool each;    /* poll once */
  bool seen;    /* it existed */
  unsigned invalid;
  task_outcome outcome;
  char state[MAX_STATE];
} task_poll;

static bool begins_with_one(const char *state, const char *const *words, size_t count) {
  for (size_t i = 0; i < count && words[i]; i++)
    if (strncmp(state, words[i], strlen(words[i])) == 0) return true;
  return false;
}

static task_outcome judge(const task_family *family, const char *state) {
  if (begins_with_one(state, family->done, 4)) return TASK_DONE;
  if (begins_with_one(state, family->failed, 4)) return TASK_FAILED;
  return TASK_RUNS;
}

static bool read_state(task_poll *poll) {
  const http_request *http = &poll->call.http;
  scan_value value;
  text state = {0};
  bool found = http->answer &&
               scan_find(http->answer, http->answer_length, poll->family->state, &value) &&
               scan_string(&value, &state);
  if (found) {
    size_t length = state.length < MAX_STATE - 1 ? state.length : MAX_STATE - 1;
    memcpy(poll->state, text_string(&state), length);
    poll->state[length] = '\0';
  }
  text_free(&state);
  return found;
}

/* Failures of a busy or restarting device, which contain nothing about the task. */
static bool is_unrelated(f5_kind kind) {
  return kind == KIND_NOT_READY || kind == KIND_TRANSPORT || kind == KIND_TIMEOUT ||
         kind == KIND_BUSY;
}

static task_outcome read_answer(task_poll *poll) {
  f5_kind kind = poll->call.failure.verdict.kind;
  if (kind == KIND_NONE) {
    poll->seen = true;
    if (read_state(poll)) {
      poll->invalid = 0;
      return judge(poll->family, poll->state);
    }
    if (++poll->invalid < MAX_INVALID) return TASK_RUNS;
    failure_set(&poll->call.failure, KIND_PROTOCOL,
                "the answer has no '%s' with the state of the task", poll->family->state);
    return TASK_BROKEN;
  }
  if (kind == KIND_NOT_FOUND) return poll->family->late && !poll->seen ? TASK_RUNS : TASK_LOST;
  if (is_unrelated(kind)) return TASK_RUNS;
  if ((kind == KIND_AUTH || kind == KIND_PROTOCOL) && ++poll->invalid < MAX_INVALID)
    return TASK_RUNS;
  return TASK_BROKEN;
}

static void answered(f5_call *call) {
  task_poll *poll = call->owner;
  loop *l = call->session->core->loop;
  poll->outcome = read_answer(poll);
  uint64_t now = loop_now(l);
  bool closed = call->session->phase != SESSION_OPEN;
  if (poll->outcome != TASK_RUNS || poll->each || closed || now >= poll->deadline) {
    if (closed && poll->outcome == TASK_RUNS) poll->outcome = TASK_BROKEN;
    fiber_wake(&poll->wait);
    return;
  }
  uint64_t left = poll->deadline - now;
  loop_timer_start(l, &poll->timer, poll->pause < left ? poll->pause : left);
  if (poll->growing && poll->pause < MAX_PAUSE) poll->pause += poll->pause / 2 + 1;
}

static void poll_again(loop_timer *timer) {
  task_poll *poll = OWNER(timer, task_poll, timer);
  call_start(&poll->call);
}

static void stop(task_poll *poll) {
  if (!poll->call.session) return;
  loop_timer_stop(poll->call.session->core->loop, &poll->timer);
  call_clear(&poll->call);
}

static void abandon(fiber_wait *wait) {
  stop(OWNER(wait, task_poll, wait));
}

static int poll_collect(lua_State *L) {
  task_poll *poll = luaL_checkudata(L, 1, POLL_NAME);
  if (poll->call.session && !poll->call.session->core)
    call_clear(&poll->call); /* the loop is gone */
  stop(poll);
  return 0;
}

/* -> outcome, state, body */
static int polled(lua_State *L, int status, lua_KContext context) {
  (void)status;
  task_poll *poll = (task_poll *)context;
  f5_call *call = &poll->call;
  if (poll->outcome == TASK_BROKEN) {
    call_push_error(L, call);
    stop(poll);
    return lua_error(L);
  }
  lua_pushstring(L, outcome_names[poll->outcome]);
  if (*poll->state)
    lua_pushstring(L, poll->state);
  else
    lua_pushnil(L);
  int top = lua_gettop(L);
  if (call->failure.verdict.kind != KIND_NONE)
    call_push_error(L, call); /* why the state is unknown */
  else if (!call->http.answer || !json_decode(L, call->http.answer, call->http.answer_length)) {
    lua_settop(L, top);
    failure_set(&call->failure, KIND_PROTOCOL, "the answer is not JSON");
    call_push_error(L, call);
  }
  stop(poll);
  return 3;
}

/* Accepts math.huge: a script may wait for ever. */
static uint64_t milliseconds(lua_Number seconds) {
  return seconds < 1e9 ? (uint64_t)(seconds * 1000) : (uint64_t)1e12;
}

/* poll(reference, limit, before, interval, each) -> outcome, state, body or error object.
 *
 * Polls the task until it has ended, or for `limit` seconds: first `before` seconds from now, then
 * every `interval` seconds (0: with growing pauses). With `each` it polls once. outcome: "running",
 * "done", "failed", "lost".
 */
static int lua_poll(lua_State *L) {
  const f5_reference *ref = reference_check(L, 1);
  session_check_open(L, ref->session);
  lua_Number limit = luaL_checknumber(L, 2), before = luaL_checknumber(L, 3),
             interval = luaL_checknumber(L, 4);
  luaL_argcheck(L, limit >= 0 && before >= 0 && interval >= 0, 2, "expected seconds");
  task_poll *poll = lua_newuserdatauv(L, sizeof *poll, 0);
  memset(poll, 0, sizeof *poll);
  luaL_setmetatable(L, POLL_NAME);
  poll->family = find(ref->text);
  if (!poll->family) return luaL_error(L, "not the path of a task: %s", ref->text);
  loop *l = ref->session->core->loop;
  call_init(&poll->call, ref->session, "GET", ref->text);
  poll->call.once = true;
  poll->call.owner = poll;
  poll->call.done = answered;
  poll->wait.abandon = abandon;
  poll->timer.fire = poll_again;
  poll->deadline = loop_now(l) + milliseconds(limit);
  poll->growing = interval <= 0;
  poll->pause = poll->growing ? 200 : milliseconds(interval) + 1;
  poll->each = lua_toboolean(L, 5);
  loop_timer_start(l, &poll->timer, milliseconds(before));
  return fiber_await(L, &poll->wait, (lua_KContext)poll, polled);
}

void task_setup(lua_State *L) {
  static const luaL_Reg functions[] = {{"family", lua_family}, {"poll", lua_poll}, {NULL, NULL}};
  static const luaL_Reg events[] = {{"__gc", poll_collect}, {NULL, NULL}};
  luaL_newmetatable(L, POLL_NAME);
  luaL_setfuncs(L, events, 0);
  metatable_hide(L, "poll");
  lua_pop(L, 1); /* metatable */
  luaL_newlib(L, functions);
  lua_setfield(L, -2, "task");
}
