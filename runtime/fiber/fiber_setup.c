#include "fiber/fiber_setup.h"

#include "fiber/coroutine.h"
#include "fiber/fiber_event_wait.h"
#include "fiber/fiber_lua.h"
#include "fiber/fiber_require.h"
#include "fiber/fiber_scheduler.h"

void fiber_setup(lua_State *L, loop *l) {
  fiber_scheduler_new(L, l);
  fiber_event_wait_setup(L);
  fiber_lua_setup(L);
  fiber_replace_coroutine(L);
  fiber_replace_require(L);
}

void fiber_set_message_handler(lua_State *L, lua_CFunction handler) {
  fiber_scheduler_of(L)->message_handler = handler;
}

void fiber_set_cancel_error(lua_State *L, lua_CFunction push) {
  fiber_scheduler_of(L)->push_cancel = push;
}

void fiber_set_failure_reporter(lua_State *L, lua_CFunction report) {
  fiber_scheduler_of(L)->report = report;
}
