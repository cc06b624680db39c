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

/* Appends the segments of one index or one argument of `at`: a full name ("/Common/web" is one
 * segment, its slashes become `~`), or segments ("ltm/data-group/internal"). Skips empty segments.
 */
void uri_add(text *path, const char *name, size_t length);
/* Like uri_add, without memory of its own: returns the number of bytes (no NUL) and writes them to
 * out unless it is NULL. */
size_t uri_write(char *out, const char *name, size_t length);
/* Returns whether the string is an absolute URI instead of a name: "/mgmt", "/mgmt/…", or a link
 * "https://…/mgmt/…".
 */
bool uri_is_absolute(const char *name, size_t length);
/* Returns whether a segment of the path is "." or "..", also if escaped in an absolute URI. A
 * server would resolve them to the path of another object. */
bool uri_leads_up(const char *name, size_t length);
/* Sets path to the path of the URI, without host and fragment. The URI is already encoded: only
 * characters that are not allowed in a URI are encoded, and a `%` that does not start an escape.
 * Sets query (may be NULL) to its query without `ver`, which the session sets. */
void uri_absolute(text *path, text *query, const char *name, size_t length);
/* Returns the length of the version in the query of a URI ("?ver=16.1.0") and sets `*version` to
 * its start; 0 if there is none. */
size_t uri_version(const char *name, size_t length, const char **version);
/* Appends "?name=value" or "&name=value", encoded; `$` stays. */
void uri_query(text *path, const char *name, const char *value, size_t length);
/* Appends the bytes as part of a segment. */
void uri_encode(text *path, const char *bytes, size_t length);
/* Appends the bytes as part of a query. */
void uri_encode_query(text *path, const char *bytes, size_t length);
/* Whether the path is below /mgmt/tm, where objects are found by name: not ASM, tasks, … */
bool uri_is_configuration(const char *path);
/* Returns whether the path belongs to an extension of iControl LX, such as AS3. It may refuse what
 * it does not know in a query: $select, $top. */
bool uri_is_extension(const char *path);
/* Sets name to the name in the last segment of the path: ".../~Common~web" is "/Common/web".
 * Returns the length of the path without that segment. */
size_t uri_last_name(const char *path, size_t length, text *name);

#endif
