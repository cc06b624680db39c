#include "f5/report/api_status.h"

#include <stdlib.h>
#include <string.h>

struct api_status {
  api_status *next;
  char *status, *path, *method;
  lua_Integer count;
};

/* The path without the names of objects: "/mgmt/tm/ltm/pool/~Common~web?ver=…" counts as
 * "/mgmt/tm/ltm/pool". */
static size_t resource_length(const char *path) {
  const char *name = strstr(path, "/~");
  size_t length = strcspn(path, "?");
  return name && (size_t)(name - path) < length ? (size_t)(name - path) : length;
}

static void entry_free(api_status *entry) {
  free(entry->status);
  free(entry->path);
  free(entry->method);
  free(entry);
}

const api_status *api_status_observe(api_status **list, const http_request *request) {
  char status[64];
  if (!http_answer_header(request, "X-F5-Api-Status", status, sizeof status) || !*status)
    return NULL;
  size_t length = resource_length(request->path);
  api_status **at = list;
  for (; *at; at = &(*at)->next)
    if (strcmp((*at)->status, status) == 0 && strlen((*at)->path) == length &&
        memcmp((*at)->path, request->path, length) == 0) {
      (*at)->count++;
      return NULL;
    }
  api_status *entry = calloc(1, sizeof *entry);
  if (!entry) return NULL;
  entry->status = strdup(status);
  entry->path = strndup(request->path, length);
  entry->method = strdup(request->method);
  entry->count = 1;
  if (!entry->status || !entry->path || !entry->method) {
    entry_free(entry);
    return NULL;
  }
  *at = entry;
  return entry;
}

const char *api_status_text(const api_status *entry) {
  return entry->status;
}

const char *api_status_path(const api_status *entry) {
  return entry->path;
}

void api_status_push(lua_State *L, const api_status *list) {
  lua_newtable(L);
  lua_Integer n = 0;
  for (const api_status *entry = list; entry; entry = entry->next) {
    lua_createtable(L, 0, 4);
    lua_pushstring(L, entry->status);
    lua_setfield(L, -2, "status");
    lua_pushstring(L, entry->path);
    lua_setfield(L, -2, "path");
    lua_pushstring(L, entry->method);
    lua_setfield(L, -2, "method");
    lua_pushinteger(L, entry->count);
    lua_setfield(L, -2, "count");
    lua_rawseti(L, -2, ++n);
  }
}

void api_status_clear(api_status **list) {
  while (*list) {
    api_status *entry = *list;
    *list = entry->next;
    entry_free(entry);
  }
}
