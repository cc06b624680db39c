/* SIGINT, SIGTERM, the other signals that end a process unless it handles them (SIGHUP, SIGQUIT,
 * SIGUSR1 …), and a broken standard output end a playbook in an orderly way: its fibers
 * are cancelled, `<close>` variables run, tokens are deleted. A second signal ends the program at
 * once. */
#ifndef HOST_SIGNALS_H
#define HOST_SIGNALS_H

#include <stdbool.h>

#include <lua.h>

void signals_install(lua_State *L);
void signals_remove(void);

/* From now on, SIGINT and SIGTERM are the normal end of the program: its exit status is then
 * STATUS_DONE. */
void signals_expect(void);
bool signals_expected(void);
/* The first signal that would end the program is only remembered; the second one is as usual. */
void signals_catch(void);
/* Its number; 0: none came. */
int signals_caught(void);

/* "SIGUSR1" */
const char *signals_name(int signal);

/* The signal that ended the run; 0 if there was none. */
int signals_received(void);

#endif
