/* Finds out whether a path that the device does not know is a mistake or belongs to a service that
 * is still starting. A device answers "not registered" for both. The probe asks for the parent of
 * the path, which lists its children.
 *
 * It makes one more call for the one that failed. Independent of Lua and of fibers.
 */
#ifndef F5_PROBE_H
#define F5_PROBE_H

#include <stdbool.h>

struct f5_call;
typedef struct f5_probe f5_probe;

/* Returns whether the device does not know the path of this failed call. */
bool probe_wanted(const struct f5_call *call);
/* Starts the probe; `done` is called later, once. If the path is a mistake, the call's failure is
 * then of kind KIND_NOT_FOUND. NULL if there is not enough memory. */
f5_probe *probe_start(struct f5_call *call, void (*done)(struct f5_call *call));
/* Ends it without calling `done`. */
void probe_stop(f5_probe *probe);
/* Ends and frees it; may be NULL. */
void probe_free(f5_probe *probe);

#endif
