#include "host/lineedit.h"

#include <errno.h>
#include <histedit.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <wchar.h>

#include <lauxlib.h>

#include "base/metatable.h"
#include "base/owner.h"
#include "fiber/fiber.h"
#include "host/keys.h"
#include "host/widetext.h"

#define EDITOR_TYPE "f5.lineedit"
#define HISTORY_SIZE 1000
#define REDRAW_MS 15   /* after the last output of others */
#define NO_WIDTH L'\1' /* around escape sequences in a prompt */
#define MARK_PASTES "\033[?2004h"
#define DO_NOT_MARK_PASTES "\033[?2004l"

typedef enum event { NONE, LINE, COMPLETE, INTERRUPT, SUSPEND, END } event;

typedef struct editor {
  EditLine *el;
  HistoryW *history;
  loop *l;
  fiber_wait wait;
  loop_timer redraw;
  int resize_fd; /* the handler of SIGWINCH writes to it */
  keys keys;
  wchar_t *prompt;
  event event;
  bool active, hidden, posted;
  bool partial; /* the output of others does not end with a line break */
  wchar_t last; /* the last character given to libedit */
} editor;

/* The running editor, for signals and lineedit_hide. */
static editor *volatile at_work;

/* -- text -- */

static wchar_t *check_wide(lua_State *L, int index) {
  size_t length;
  const char *text = luaL_checklstring(L, index, &length);
  wchar_t *wide = wide_new(text, length);
  if (!wide) luaL_error(L, "not enough memory");
  return wide;
}

/* -- where the line is on the screen -- */

/* The row of the cursor, counted from the first row of the prompt. */
static int cursor_row(const editor *e) {
  int row = 0, column = 0, columns = wide_terminal_size(false);
  bool visible = true;
  for (const wchar_t *c = e->prompt; *c; c++) {
    if (*c == NO_WIDTH)
      visible = !visible;
    else if (visible)
      wide_walk(*c, columns, &row, &column);
  }
  const LineInfoW *line = el_wline(e->el);
  for (const wchar_t *c = line->buffer; c < line->cursor; c++)
    wide_walk(*c, columns, &row, &column);
  int most = wide_terminal_size(true) - 1;
  return row < most ? row : most;
}

static void hide(editor *e) {
  if (!e->active || e->hidden) return;
  e->hidden = true;
  int row = cursor_row(e);
  if (row > 0) fprintf(stdout, "\033[%dA", row);
  fputs("\r\033[J", stdout);
  fflush(stdout);
}

static void show(editor *e) {
  if (!e->active || !e->hidden) return;
  loop_timer_stop(e->l, &e->redraw);
  e->hidden = false;
  if (e->partial) fputs("\n", stdout);
  e->partial = false;
  el_wset(e->el, EL_REFRESH);
  fflush(stdout);
}

static void redraw(loop_timer *timer) {
  show(OWNER(timer, editor, redraw));
}

void lineedit_hide(void) {
  editor *e = at_work;
  if (!e) return;
  hide(e);
  e->partial = false;
  loop_timer_stop(e->l, &e->redraw);
  loop_timer_start(e->l, &e->redraw, REDRAW_MS);
}

/* -- input -- */

static void input_ready(void *data, int fd) {
  (void)fd;
  keys_fill(&((editor *)data)->keys);
}

/* Called only by libedit commands that read keys themselves (searching the history). Requests
 * continue meanwhile, fibers do not. */
static void wait_for_key(editor *e) {
  loop_watch(e->l, STDIN_FILENO, input_ready, e);
  while (keys_length(&e->keys) == 0 && !e->keys.gone)
    loop_turn(e->l, -1);
  loop_unwatch(e->l, STDIN_FILENO);
  keys_grant(&e->keys, keys_length(&e->keys));
}

static editor *of(EditLine *el) {
  editor *e;
  el_wget(el, EL_CLIENTDATA, &e);
  return e;
}

static int get_character(EditLine *el, wchar_t *c) {
  editor *e = of(el);
  if (!keys_take(&e->keys, c)) {
    wait_for_key(e);
    if (!keys_take(&e->keys, c)) return 0;
  }
  e->last = *c;
  return 1;
}

/* -- commands of our own -- */

/* A tab inside a paste is text, not a command. */
static unsigned char complete(EditLine *el, wint_t c) {
  (void)c;
  editor *e = of(el);
  if (keys_follow(&e->keys)) return el_winsertstr(el, L"\t") == 0 ? CC_REFRESH : CC_ERROR;
  e->event = COMPLETE;
  return CC_NORM;
}

/* The output of the interrupt goes below the line, so move the cursor to its end. */
static unsigned char interrupt(EditLine *el, wint_t c) {
  (void)c;
  const LineInfoW *line = el_wline(el);
  el_cursor(el, (int)(line->lastchar - line->cursor));
  of(el)->event = INTERRUPT;
  return CC_CURSOR;
}

static unsigned char suspend(EditLine *el, wint_t c) {
  (void)c;
  of(el)->event = SUSPEND;
  return CC_NORM;
}

static unsigned char end_or_delete(EditLine *el, wint_t c) {
  (void)c;
  const LineInfoW *line = el_wline(el);
  if (line->buffer == line->lastchar) {
    of(el)->event = END;
    return CC_NORM;
  }
  if (line->cursor == line->lastchar) return CC_NORM;
  el_cursor(el, 1);
  el_deletestr(el, 1);
  return CC_REFRESH;
}

static void suspend_program(editor *e) {
  hide(e);
  fputs(DO_NOT_MARK_PASTES, stdout); /* the shell may not understand the marks */
  fflush(stdout);
  el_wset(e->el, EL_PREP_TERM, 0);
  raise(SIGTSTP);
  el_wset(e->el, EL_PREP_TERM, 1);
  fputs(MARK_PASTES, stdout);
  el_resize(e->el);
  show(e);
}

static void paste(editor *e, const char *text, size_t count) {
  wchar_t *wide = wide_new(text, count);
  if (!wide) return;
  for (wchar_t *c = wide; *c; c++)
    if (*c == L'\r') *c = L'\n';
  hide(e);
  el_winsertstr(e->el, wide);
  show(e);
  free(wide);
}

/* Processes one key, sequence or paste of this many bytes. */
static void step(editor *e, size_t length) {
  show(e);
  size_t count;
  const char *pasted = keys_paste(&e->keys, length, &count);
  if (pasted) {
    paste(e, pasted, count);
    keys_drop(&e->keys, length);
    return;
  }
  keys_grant(&e->keys, length);
  while (keys_granted(&e->keys) && e->event == NONE) {
    int shown = 0;
    const wchar_t *line = el_wgets(e->el, &shown);
    bool enter = e->last == L'\n' || e->last == L'\r';
    if (line && shown > 0 && line[shown - 1] == L'\n' && enter && e->event == NONE) e->event = LINE;
  }
  if (e->event == SUSPEND) {
    e->event = NONE;
    suspend_program(e);
  }
}

/* -- waiting for an event -- */

static void stop_watching(editor *e) {
  loop_unwatch(e->l, STDIN_FILENO);
  loop_unwatch(e->l, e->resize_fd);
}

static void woken(void *data, int fd) {
  editor *e = data;
  (void)fd;
  stop_watching(e);
  fiber_wake(&e->wait);
}

static void abandon(fiber_wait *wait) {
  stop_watching(OWNER(wait, editor, wait));
}

static void follow_resize(editor *e) {
  uint64_t count;
  struct pollfd resized = {.fd = e->resize_fd, .events = POLLIN};
  if (poll(&resized, 1, 0) != 1 || read(e->resize_fd, &count, sizeof count) < 0) return;
  hide(e);
  el_resize(e->el);
  show(e);
}

static int push_event(lua_State *L, editor *e) {
  static const char *const names[] = {"none", "line", "complete", "interrupt", "suspend", "eof"};
  event happened = e->event;
  e->event = NONE;
  lua_pushstring(L, names[happened]);
  const LineInfoW *line = el_wline(e->el);
  if (happened == LINE) {
    wide_push(L, line->buffer, line->lastchar - 1);
    return 2;
  }
  if (happened != COMPLETE) return 1;
  wide_push(L, line->buffer, line->lastchar);
  wide_push(L, line->buffer, line->cursor);
  lua_pushinteger(L, (lua_Integer)luaL_len(L, -1));
  lua_remove(L, -2); /* text before the cursor */
  return 3;
}

static int next_event(lua_State *L, int status, lua_KContext context) {
  (void)status;
  editor *e = (editor *)context;
  follow_resize(e);
  keys_fill(&e->keys);
  for (size_t length; e->event == NONE && (length = keys_length(&e->keys)) > 0;)
    step(e, length);
  if (e->event == NONE && e->keys.gone) e->event = END;
  if (e->event != NONE) return push_event(L, e);
  if (e->posted) {
    e->posted = false;
    lua_pushliteral(L, "posted");
    return 1;
  }
  e->wait.done = false;
  loop_watch(e->l, STDIN_FILENO, woken, e);
  loop_watch(e->l, e->resize_fd, woken, e);
  return fiber_await(L, &e->wait, context, next_event);
}

/* -- methods -- */

static editor *check(lua_State *L) {
  editor *e = luaL_checkudata(L, 1, EDITOR_TYPE);
  luaL_argcheck(L, e->el != NULL, 1, "the editor was closed");
  return e;
}

static int editor_next(lua_State *L) {
  editor *e = check(L);
  if (!e->active) return luaL_error(L, "the editor was not started");
  return next_event(L, LUA_OK, (lua_KContext)e);
}

static void set_prompt(editor *e, wchar_t *prompt) {
  free(e->prompt);
  e->prompt = prompt;
}

static int editor_start(lua_State *L) {
  editor *e = check(L);
  wchar_t *prompt = check_wide(L, 2);
  if (e->active || at_work) {
    free(prompt);
    return luaL_error(L, "another editor is already running");
  }
  set_prompt(e, prompt);
  fflush(stderr);
  e->active = true;
  e->hidden = false;
  e->posted = false;
  at_work = e;
  el_wset(e->el, EL_UNBUFFERED, 1);
  fputs(MARK_PASTES, stdout);
  fflush(stdout);
  return 0;
}

static void stop(editor *e) {
  if (!e->active) return;
  show(e);
  e->active = false;
  at_work = NULL;
  loop_timer_stop(e->l, &e->redraw);
  stop_watching(e);
  el_wset(e->el, EL_UNBUFFERED, 0);
  fputs(DO_NOT_MARK_PASTES, stdout);
  fflush(stdout);
}

static int editor_stop(lua_State *L) {
  stop(check(L));
  return 0;
}

static int editor_insert(lua_State *L) {
  editor *e = check(L);
  wchar_t *text = check_wide(L, 2);
  hide(e);
  el_winsertstr(e->el, text);
  show(e);
  free(text);
  return 0;
}

static int editor_erase(lua_State *L) {
  editor *e = check(L);
  lua_Integer count = luaL_checkinteger(L, 2);
  const LineInfoW *line = el_wline(e->el);
  if (count <= 0 || count > line->cursor - line->buffer) return 0;
  hide(e);
  el_deletestr(e->el, (int)count);
  show(e);
  return 0;
}

static int editor_text(lua_State *L) {
  const LineInfoW *line = el_wline(check(L)->el);
  wide_push(L, line->buffer, line->lastchar);
  wide_push(L, line->buffer, line->cursor);
  lua_pushinteger(L, (lua_Integer)luaL_len(L, -1));
  lua_remove(L, -2); /* text before the cursor */
  return 2;
}

static int editor_prompt(lua_State *L) {
  editor *e = check(L);
  wchar_t *prompt = check_wide(L, 2);
  bool visible = e->active && !e->hidden;
  if (visible) hide(e);
  set_prompt(e, prompt);
  if (visible) show(e);
  return 0;
}

static int editor_hide(lua_State *L) {
  editor *e = check(L);
  bool partial = lua_toboolean(L, 2);
  if (!e->active) return 0;
  lineedit_hide();
  e->partial = partial;
  return 0;
}

static int editor_post(lua_State *L) {
  editor *e = check(L);
  e->posted = true;
  stop_watching(e);
  fiber_wake(&e->wait);
  return 0;
}

static int editor_remember(lua_State *L) {
  editor *e = check(L);
  wchar_t *text = check_wide(L, 2);
  HistEventW ignored;
  if (*text) history_w(e->history, &ignored, H_ENTER, text);
  free(text);
  return 0;
}

static int editor_collect(lua_State *L) {
  editor *e = luaL_checkudata(L, 1, EDITOR_TYPE);
  stop(e);
  if (e->el) el_end(e->el);
  if (e->history) history_wend(e->history);
  if (e->resize_fd >= 0) close(e->resize_fd);
  keys_close(&e->keys);
  free(e->prompt);
  *e = (editor){.resize_fd = -1};
  return 0;
}

/* -- creating an editor -- */

static void resized(int signal) {
  (void)signal;
  int saved = errno;
  editor *e = at_work;
  uint64_t one = 1;
  if (e) (void)!write(e->resize_fd, &one, sizeof one); /* it fails only if one is pending */
  errno = saved;
}

static wchar_t *prompt_of(EditLine *el) {
  return of(el)->prompt;
}

static void set_up(editor *e) {
  EditLine *el = e->el;
  HistEventW ignored;
  history_w(e->history, &ignored, H_SETSIZE, HISTORY_SIZE);
  history_w(e->history, &ignored, H_SETUNIQUE, 1);
  el_wset(el, EL_CLIENTDATA, e);
  el_wset(el, EL_SIGNAL, 0);
  el_wset(el, EL_EDITOR, L"emacs");
  el_wset(el, EL_HIST, history_w, e->history);
  el_wset(el, EL_PROMPT_ESC, prompt_of, NO_WIDTH);
  el_wset(el, EL_GETCFN, get_character);
  el_wset(el, EL_BIND, L"^R", L"em-inc-search-prev", NULL);
  el_wset(el, EL_BIND, L"^W", L"ed-delete-prev-word", NULL);
  el_wset(el, EL_BIND, L"\033[1;5C", L"em-next-word", NULL);
  el_wset(el, EL_BIND, L"\033[1;5D", L"ed-prev-word", NULL);
  el_wset(el, EL_BIND, L"\033[3~", L"ed-delete-next-char", NULL);
  el_source(el, NULL); /* the user's ~/.editrc; what follows must not be overridden */
  el_wset(el, EL_ADDFN, L"f5-complete", L"complete the word", complete);
  el_wset(el, EL_ADDFN, L"f5-interrupt", L"discard the line", interrupt);
  el_wset(el, EL_ADDFN, L"f5-suspend", L"suspend the program", suspend);
  el_wset(el, EL_ADDFN, L"f5-end", L"leave, or delete the next character", end_or_delete);
  el_wset(el, EL_BIND, L"\t", L"f5-complete", NULL);
  el_wset(el, EL_BIND, L"^C", L"f5-interrupt", NULL);
  el_wset(el, EL_BIND, L"^Z", L"f5-suspend", NULL);
  el_wset(el, EL_BIND, L"^D", L"f5-end", NULL);
  /* Ctrl-D while an entry runs: the kernel makes a zero of it, which libedit would quote. */
  el_wset(el, EL_BIND, L"^@", L"ed-ignore", NULL);
  /* While a line is edited, Ctrl-C and Ctrl-Z are keys. */
  el_wset(el, EL_SETTY, L"-d", L"-isig", L"-ixon", L"-iexten", NULL);
}

static int new_editor(lua_State *L) {
  if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
    lua_pushnil(L);
    lua_pushliteral(L, "no terminal");
    return 2;
  }
  setlocale(LC_CTYPE, "");
  if (MB_CUR_MAX == 1) setlocale(LC_CTYPE, "C.UTF-8");
  editor *e = lua_newuserdatauv(L, sizeof *e, 0);
  *e =
      (editor){.l = fiber_loop(L), .wait.abandon = abandon, .redraw.fire = redraw, .resize_fd = -1};
  luaL_setmetatable(L, EDITOR_TYPE);
  bool reads = keys_open(&e->keys, STDIN_FILENO);
  e->prompt = wide_new("", 0);
  e->history = history_winit();
  e->resize_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  EditLine *el = reads && e->prompt && e->history && e->resize_fd >= 0
                     ? el_init("f5lua", stdin, stdout, stderr)
                     : NULL;
  if (!el) return luaL_error(L, "cannot start the line editor");
  e->el = el;
  set_up(e);
  struct sigaction action = {.sa_handler = resized, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(SIGWINCH, &action, NULL);
  return 1;
}

int luaopen_f5_lineedit(lua_State *L) {
  static const luaL_Reg methods[] = {{"start", editor_start},
                                     {"next", editor_next},
                                     {"stop", editor_stop},
                                     {"insert", editor_insert},
                                     {"erase", editor_erase},
                                     {"text", editor_text},
                                     {"prompt", editor_prompt},
                                     {"hide", editor_hide},
                                     {"remember", editor_remember},
                                     {"post", editor_post},
                                     {NULL, NULL}};
  static const luaL_Reg functions[] = {{"new", new_editor}, {NULL, NULL}};
  luaL_newmetatable(L, EDITOR_TYPE);
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, editor_collect);
  lua_setfield(L, -2, "__gc");
  metatable_hide(L, "editor");
  luaL_newlib(L, functions);
  return 1;
}
