#include "f5/report/api_status.h"

#include <stdlib.h>
#include <string.h>

#include "f5/report/log.h"

struct api_status {
  struct api_status *next;
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

static void entry_free(struct api_status *entry) {
  free(entry->status);
  free(entry->path);
  free(entry->method);
  free(entry);
}

void api_status_observe(const f5_call *call) {
  char status[64];
  if (!http_answer_header(&call->http, "X-F5-Api-Status", status, sizeof status) || !*status)
    return;
  f5_session *session = call->session;
  size_t length = resource_length(call->http.path);
  struct api_status **at = &session->api_statuses;
  for (; *at; at = &(*at)->next)
    if (strcmp((*at)->status, status) == 0 && strlen((*at)->path) == length &&
        memcmp((*at)->path, call->http.path, length) == 0) {
      (*at)->count++;
      return;
    }
  struct api_status *entry = calloc(1, sizeof *entry);
  if (!entry) return;
  entry->status = strdup(status);
  entry->path = strndup(call->http.path, length);
  entry->method = strdup(call->http.method);
  entry->count = 1;
  if (!entry->status || !entry->path || !entry->method) {
    entry_free(entry);
    return;
  }
  *at = entry;
  log_note(session, "warning: the API says %s of %s", status, entry->path);
}

int api_status_lua_list(lua_State *L) {
  const f5_session *session = session_check(L, 1);
  lua_newtable(L);
  lua_Integer n = 0;
  for (const struct api_status *entry = session->api_statuses; entry; entry = entry->next) {
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
  return 1;
}

void api_status_clear(f5_session *session) {
  while (session->api_statuses) {
    struct api_status *entry = session->api_statuses;
    session->api_statuses = entry->next;
    entry_free(entry);
  }
}
