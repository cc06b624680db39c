/* X-F5-Api-Status: the header by which a device marks parts of its API as deprecated, early access
 * or test only.
 *
 * A session keeps one entry for each status and resource, and -v prints one line for each.
 */
#ifndef F5_API_STATUS_H
#define F5_API_STATUS_H

#include <lua.h>

#include "net/http.h"

typedef struct api_status api_status; /* an entry, and a list of them */

/* Reads the header of an answer. Returns the entry if it is new to the list, else NULL. */
const api_status *api_status_observe(api_status **list, const http_request *request);
const char *api_status_text(const api_status *entry); /* "DEPRECATED" … */
const char *api_status_path(const api_status *entry); /* of the resource */
/* Pushes an array of { status, method, path, count }, oldest first. */
void api_status_push(lua_State *L, const api_status *list);
void api_status_clear(api_status **list);

#endif
