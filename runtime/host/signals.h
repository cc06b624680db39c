/* SIGINT, SIGTERM, SIGHUP and a broken standard output end a playbook in good order: its fibers are
 * cancelled,
 * `<close>` variables run, tokens are deleted. The second signal leaves at once. */
#ifndef HOST_SIGNALS_H
#define HOST_SIGNALS_H

#include <stdbool.h>

#include <lua.h>

void signals_install(lua_State *L);
void signals_remove(void);

/* From now on SIGINT and SIGTERM are how the program is meant to end: its status is then
 * STATUS_DONE. */
void signals_expect(void);
bool signals_expected(void);

/* The signal that ended the run, or 0. */
int signals_received(void);

#endif
