/* Finds out whether a path that the device does not know is a mistake or belongs to a service that
 * is still starting. A device answers "not registered" for both. The probe asks for the parent of
 * the path, which lists its children.
 *
 * It makes one more call for the one that failed. Independent of Lua and of fibers.
 */
#ifndef F5_PROBE_H
#define F5_PROBE_H

struct f5_session;

/* Lets the calls of the session probe their paths. */
void probe_attach(struct f5_session *session);

#endif
