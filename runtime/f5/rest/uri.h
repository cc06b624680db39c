/* How iControl REST writes names into a URI. Every part is percent-encoded exactly once, here and
 * nowhere else.
 *
 *   uri_base(&path);                          -- "/mgmt/tm"
 *   uri_add(&path, "ltm/pool", 8);            -- "/mgmt/tm/ltm/pool"
 *   uri_add(&path, "/Common/a b%1", 13);      -- "/mgmt/tm/ltm/pool/~Common~a%20b%251"
 *   uri_query(&path, "$select", "name,kind"); -- "…?$select=name,kind"
 */
#ifndef F5_URI_H
#define F5_URI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

#define URI_ROOT "/mgmt/tm"
#define URI_TRANSACTION URI_ROOT "/transaction"

/* Appends what one index or one argument of `at` names: a full name ("/Common/web" is one segment,
 * its slashes become
 * `~`), or segments as written ("ltm/data-group/internal"). Empty segments are left out. */
void uri_add(text *path, const char *name, size_t length);
/* The same as bytes: returns how many there are (no NUL), and writes them to out unless that is
 * NULL. */
size_t uri_write(char *out, const char *name, size_t length);
/* Whether the text is a whole URI and not a name: "/mgmt", "/mgmt/…", or a link "https://…/mgmt/…".
 */
bool uri_is_absolute(const char *name, size_t length);
/* Whether a segment of the path is "." or "..", also escaped in a whole URI. A server resolves
 * them: the path would lead to another object. */
bool uri_leads_up(const char *name, size_t length);
/* Sets path to that URI's path, host and fragment left out. It is encoded already: only what may
 * never stand in a URI is encoded, and a `%` that starts no escape. The query goes to query (may be
 * NULL) without `ver`, which is the session's. */
void uri_absolute(text *path, text *query, const char *name, size_t length);
/* The version that a URI's query asks for ("?ver=16.1.0"): its length, and where it starts in
 * `*version`; 0 if there is none. */
size_t uri_version(const char *name, size_t length, const char **version);
/* Appends "?name=value" or "&name=value", encoded; `$` stays. */
void uri_query(text *path, const char *name, const char *value, size_t length);
/* Appends the bytes as one part of a segment. */
void uri_encode(text *path, const char *bytes, size_t length);
/* … as a part of a query. */
void uri_encode_query(text *path, const char *bytes, size_t length);
/* The full name or name that the path's last segment stands for: ".../~Common~web" is
 * "/Common/web". Returns the length of the path without that segment. */
size_t uri_last_name(const char *path, size_t length, text *name);

#endif
