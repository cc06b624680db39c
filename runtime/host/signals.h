/* SIGINT, SIGTERM, SIGHUP and a broken standard output end a playbook in good order: its fibers are
 * cancelled,
 * `<close>` variables run, tokens are deleted. The second signal leaves at once. */
#ifndef HOST_SIGNALS_H
#define HOST_SIGNALS_H

#include <lua.h>

void signals_install(lua_State *L);
void signals_remove(void);

/* The signal that ended the run, or 0. */
int signals_received(void);

#endif
