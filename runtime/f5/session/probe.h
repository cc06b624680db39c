/* Whether a path that the device does not know is a mistake, or belongs to a service that is not up
 * yet. Both answer "not registered". The parent of the path is asked: it lists its children.
 *
 * One more call for the one that failed; it needs no Lua and no fiber.
 */
#ifndef F5_PROBE_H
#define F5_PROBE_H

#include <stdbool.h>

struct f5_call;
typedef struct f5_probe f5_probe;

/* Whether there is something to look at: the device does not know the path of this failed call. */
bool probe_wanted(const struct f5_call *call);
/* Asks; `looked` is called later, once. When the path is a mistake the call's failure says so then:
 * its kind is KIND_NOT_FOUND. NULL without memory. */
f5_probe *probe_start(struct f5_call *call, void (*looked)(struct f5_call *call));
/* Ends it without `looked`. */
void probe_stop(f5_probe *probe);
/* The same, and frees it; may be NULL. */
void probe_free(f5_probe *probe);

#endif
