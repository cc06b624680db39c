#include "f5/session/cut_off.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "f5/report/secret.h"
#include "f5/rest/uri.h"
#include "f5/session/core.h"
#include "f5/session/session.h"
#include "fiber/fiber.h"

#define COORDINATION "X-F5-REST-Coordination-Id: "

static bool is_queued(const f5_call *call) {
  if (call->coordination) return true;
  for (const char *const *line = call->headers; line && *line; line++)
    if (strncasecmp(*line, COORDINATION, sizeof COORDINATION - 1) == 0) return true;
  return false;
}

void cut_off_name(text *name, const f5_call *call) {
  if (is_queued(call)) return;
  if (strncmp(call->http.path, URI_TRANSACTION, sizeof URI_TRANSACTION - 1) == 0) return;
  text_printf(name, "%s %s (%s)", call->http.method, call->http.path, call->session->label);
}

void cut_off_note(lua_State *L, const text *name) {
  if (name->length == 0 || !fiber_interrupted(L)) return;
  f5_core *core = core_of(L);
  if (++core->cut_offs > CORE_CUT_OFFS) return;
  secret_mask(&core->cut_off, text_string(name), name->length);
  text_char(&core->cut_off, '\n');
}
