/* Where a simulated device learns what it has, instead of knowing it: the queue between the thread
 * of its server and a consumer in another thread. The simulator does not know who that is: `f5lua
 * sim
 * --twin` reads from a real device.
 *
 *   device    require("sim.source").ask(text) -> number
 *   consumer  waits until sim_source_fd is readable, takes what is wanted, finds it, answers with
 *             sim_server_answer
 *   server    takes what was found (sim_source_next_found) and hands it to the device
 *
 * All functions can be called from any thread. */
#ifndef SIM_SOURCE_H
#define SIM_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lua.h>

typedef struct sim_source sim_source;

/* What was found for a question. */
typedef struct sim_found {
  uint64_t number; /* of the question, from 1 */
  int status;      /* of HTTP; 0: there was no answer, and the body is the reason */
  char *body;
  size_t length;
} sim_found;

void sim_found_clear(sim_found *found);

/* NULL if out of memory or descriptors. */
sim_source *sim_source_new(void);
void sim_source_free(sim_source *source);

/* Readable while there are questions. */
int sim_source_fd(const sim_source *source);

/* The next question, which the caller frees; NULL: there is none. */
char *sim_source_next_wanted(sim_source *source, uint64_t *number, size_t *length);

/* Queues what was found; it is copied. False if out of memory. The server must be woken: use
 * sim_server_answer. */
bool sim_source_answer(sim_source *source, uint64_t number, int status, const char *body,
                       size_t length);

/* Takes what was found next. False: there is nothing. */
bool sim_source_next_found(sim_source *source, sim_found *found);

/* Makes `require "sim.source"` find the module. The state must not use it after sim_source_free. */
void sim_source_install(sim_source *source, lua_State *L);

#endif
