#include "f5/report/error_kinds.h"

#include <string.h>

#include <lauxlib.h>

static const struct {
  const char *name, *meaning;
  int exit_status;
  bool transient;
} kinds[KIND_COUNT] = {[KIND_NONE] = {.name = "none"},
#define KIND(identifier, name, exit_status, transient, meaning)                                    \
  [KIND_##identifier] = {name, meaning, exit_status, transient},
                       ERROR_KINDS(KIND)
#undef KIND
};

const char *error_kind_name(f5_kind kind) {
  return kinds[kind].name;
}

bool error_kind_is_transient(f5_kind kind) {
  return kinds[kind].transient;
}

f5_kind error_kind_of(const char *name) {
  for (f5_kind kind = KIND_NONE + 1; kind < KIND_COUNT; kind++)
    if (strcmp(name, kinds[kind].name) == 0) return kind;
  return KIND_NONE;
}

int error_kinds_lua(lua_State *L) {
  lua_createtable(L, KIND_COUNT - 1, 0);
  for (int kind = KIND_NONE + 1; kind < KIND_COUNT; kind++) {
    lua_createtable(L, 0, 4);
    lua_pushstring(L, kinds[kind].name);
    lua_setfield(L, -2, "name");
    lua_pushinteger(L, kinds[kind].exit_status);
    lua_setfield(L, -2, "exit_status");
    lua_pushboolean(L, kinds[kind].transient);
    lua_setfield(L, -2, "transient");
    lua_pushstring(L, kinds[kind].meaning);
    lua_setfield(L, -2, "meaning");
    lua_rawseti(L, -2, kind);
  }
  return 1;
}
