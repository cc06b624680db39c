/* Events, and the fibers that wait for them. */
#include "fiber_world.h"

#include "fiber/fiber_event.h"
#include "fiber/fiber_event_wait.h"

/* -- without Lua -- */

typedef struct ear {
  fiber_listener listener;
  char name;
  struct ear *takes_away; /* leaves when this one is told */
} ear;

static char heard[16];
static size_t heard_length;

static void hear(fiber_listener *listener) {
  ear *e = (ear *)(void *)listener;
  assert_null(listener->place.next);
  heard[heard_length++] = e->name;
  if (e->takes_away) fiber_event_leave(&e->takes_away->listener);
}

static void listen(fiber_event *event, ear *ears, const char *names) {
  heard_length = 0;
  memset(heard, 0, sizeof heard);
  for (size_t i = 0; names[i]; i++) {
    ears[i] = (ear){.listener.notify = hear, .name = names[i]};
    fiber_event_listen(event, &ears[i].listener);
  }
}

static void listeners_are_told_once_and_in_order(void **state) {
  (void)state;
  fiber_event event = {0};
  ear ears[3];
  fiber_event_signal(&event);
  listen(&event, ears, "abc");
  fiber_event_signal(&event);
  assert_string_equal(heard, "abc");
  fiber_event_signal(&event);
  assert_string_equal(heard, "abc");
  fiber_event_listen(&event, &ears[1].listener);
  fiber_event_signal(&event);
  assert_string_equal(heard, "abcb");
}

static void listeners_leave(void **state) {
  (void)state;
  static const char *const left[] = {"bcd", "acd", "abd", "abc"};
  for (size_t i = 0; i < 4; i++) {
    fiber_event event = {0};
    ear ears[4];
    listen(&event, ears, "abcd");
    fiber_event_leave(&ears[i].listener);
    fiber_event_leave(&ears[i].listener);
    fiber_event_signal(&event);
    assert_string_equal(heard, left[i]);
    assert_false(fiber_event_has_listeners(&event));
  }
}

static void listeners_leave_while_others_are_told(void **state) {
  (void)state;
  fiber_event event = {0};
  ear ears[4];
  listen(&event, ears, "abcd");
  ears[0].takes_away = &ears[1];
  ears[2].takes_away = &ears[3];
  fiber_event_signal(&event);
  assert_string_equal(heard, "ac");
}

/* -- fibers that wait -- */

static fiber_event happening;

/* wait_for(value): until `happen` is called; returns its argument. */
static int happened(lua_State *L, int status, lua_KContext context) {
  (void)status;
  assert_int_equal(context, 42);
  assert_int_equal(lua_gettop(L), 2); /* and the waiter */
  lua_settop(L, 1);
  return 1;
}

static int wait_for(lua_State *L) {
  lua_settop(L, 1);
  return fiber_event_await(L, &happening, 1, 42, happened);
}

static int happen(lua_State *L) {
  (void)L;
  fiber_event_signal(&happening);
  return 0;
}

/* What happens from the loop, as the end of a session. */
static void fire(loop_timer *timer) {
  (void)timer;
  fiber_event_signal(&happening);
}

static loop_timer later;
static int happen_later(lua_State *L) {
  loop_timer_start(fiber_loop(L), &later, 5);
  return 0;
}

static void check_event(bool by_fibers, const char *script) {
  for (int stress = 0; stress < 2; stress++) {
    world w = open_world();
    happening = (fiber_event){.by_fibers = by_fibers};
    later = (loop_timer){.fire = fire};
    lua_register(w.L, "wait_for", wait_for);
    lua_register(w.L, "happen", happen);
    lua_register(w.L, "happen_later", happen_later);
    if (stress) lua_gc(w.L, LUA_GCINC, 1000, 1000, 0);
    passes(&w, script);
    close_world(&w);
    assert_false(fiber_event_has_listeners(&happening));
  }
}

static void fibers_wait_in_one_queue(void **state) {
  (void)state;
  check_event(true, "local order = {}\n"
                    "local function w(i) local v = wait_for(i) order[#order + 1] = v end\n"
                    "local fs = {} for i = 1, 4 do fs[i] = spawn(w, i) end op(1)\n"
                    "assert(#order == 0) happen() op(1)\n"
                    "assert(table.concat(order) == '1234') happen()\n"
                    "fs = {} for i = 1, 4 do fs[i] = spawn(w, i) end op(1)\n"
                    "fs[2]:cancel() fs[4]:cancel() op(1) happen() op(1)\n"
                    "assert(table.concat(order) == '123413' and fs[2]:status() == 'cancelled')\n"
                    "assert(fs[1]:status() == 'done')");
}

static void a_waiter_is_collected(void **state) {
  (void)state;
  check_event(true, "do local co = coroutine.wrap(function() wait_for(1) end)\n"
                    "  local f = spawn(co) op(1) f:cancel() op(1) end\n"
                    "local ok, e = pcall(wait_for, 2) assert(not ok and e:find 'deadlock')\n"
                    "collectgarbage() happen()\n"
                    "spawn(wait_for, 3) op(1)");
}

static void an_event_of_the_loop_needs_no_fibers(void **state) {
  (void)state;
  check_event(false,
              "local n = 0 local f = spawn(function() while true do n = n + 1 sleep(0) end end)\n"
              "op(1) happen_later() assert(n > 0) local before = n\n"
              "table.sort({2, 1}, function(a, b) assert(wait_for(7) == 7) return a < b end)\n"
              "assert(n == before) f:cancel()");
}

/* One that only fibers can cause: they run meanwhile, also where Lua cannot yield. */
static void an_event_of_fibers_lets_them_run(void **state) {
  (void)state;
  check_event(true, "local f = spawn(function() op(1) happen() end)\n"
                    "table.sort({2, 1}, function(a, b) assert(wait_for(7) == 7) return a < b end)\n"
                    "f:join()");
}

/* -- the end of a fiber -- */

SCRIPT(joiners_are_told_in_order,
       "local order, fs, go = {}, {}\n"
       "local f = spawn(function() while not go do op(1) end return 'result' end)\n"
       "for i = 1, 5 do fs[i] = spawn(function()\n"
       "  assert(f:join() == 'result') order[#order + 1] = i end) end\n"
       "op(1) fs[2]:cancel() go = true fs[5]:join()\n"
       "assert(table.concat(order) == '1345', table.concat(order))")

SCRIPT(a_fiber_that_ended_is_joined_at_once,
       "local f = spawn(function() return 1 end)\n"
       "local g = spawn(function() error('bad', 0) end) op(1)\n"
       "assert(f:status() == 'done' and f:join() == 1 and f:join() == 1) local ok, e = "
       "pcall(g.join, g)\n"
       "assert(not ok and e:find '^bad')")

SCRIPT(joined_by_fibers_and_by_all,
       "local f = spawn(function() op(3) return 'f' end)\n"
       "local a, b, c = all(function() return f:join() end, function() return f:join() end,\n"
       "  function() return 'c' end)\n"
       "assert(a == 'f' and b == 'f' and c == 'c')\n"
       "local g = spawn(function() op(100000) end)\n"
       "local ok, e = pcall(all, function() g:join() end, function() op(1) error('one', 0) end,\n"
       "  function() g:join() end)\n"
       "assert(not ok and e:find '^one' and g:status() == 'running')\n"
       "g:cancel() assert(not pcall(g.join, g))")

/* Cancelling a fiber in f5.all ends its children first: the wait has a `cancel` callback. */
SCRIPT(a_cancelled_all_waits_for_its_children,
       "local started, ended = 0, 0\n"
       "local function slow() started = started + 1 local c <close> = setmetatable({}, {__close = "
       "function()\n"
       "  op(5) ended = ended + 1 end}) op(100000) end\n"
       "local after\n"
       "local f = spawn(function() local ok = pcall(all, slow, slow) after = ended return ok end)\n"
       "while started < 2 do op(1) end\n"
       "f:cancel() f:cancel() assert(f:status() == 'running' and ended == 0)\n"
       "assert(f:join() == false and after == 2)")

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(listeners_are_told_once_and_in_order),
      cmocka_unit_test(listeners_leave),
      cmocka_unit_test(listeners_leave_while_others_are_told),
      cmocka_unit_test(fibers_wait_in_one_queue),
      cmocka_unit_test(a_waiter_is_collected),
      cmocka_unit_test(an_event_of_the_loop_needs_no_fibers),
      cmocka_unit_test(an_event_of_fibers_lets_them_run),
      cmocka_unit_test(joiners_are_told_in_order),
      cmocka_unit_test(a_fiber_that_ended_is_joined_at_once),
      cmocka_unit_test(joined_by_fibers_and_by_all),
      cmocka_unit_test(a_cancelled_all_waits_for_its_children),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
