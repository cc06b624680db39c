/* HTTPS calls from a simulated device to others, and its timer. They run on the loop of the server,
 * so the device goes on with its requests meanwhile.
 *
 * The Lua module "sim.outgoing" is made for each state:
 *   outgoing.post(host, port, path, headers, body, milliseconds) -> number of the call
 *   outgoing.wake(milliseconds)   calls `woken` once; an earlier time replaces a later one
 *   outgoing.port                 the port of this server
 * The certificate of the other device is not checked. */
#ifndef SIM_OUTGOING_H
#define SIM_OUTGOING_H

#include <stddef.h>
#include <stdint.h>

#include <event2/event.h>
#include <lua.h>

typedef struct sim_outgoing sim_outgoing;

/* What the owner does with a complete answer. status: 0 if there was none; then the body is the
 * reason. */
typedef void sim_outgoing_answered(void *owner, uint64_t number, int status, const char *body,
                                   size_t length);
typedef void sim_outgoing_woken(void *owner);

/* NULL if out of memory. */
sim_outgoing *sim_outgoing_new(struct event_base *base, uint16_t port,
                               sim_outgoing_answered *answered, sim_outgoing_woken *woken,
                               void *owner);
/* Drops the calls that are running. */
void sim_outgoing_free(sim_outgoing *outgoing);

/* Makes `require "sim.outgoing"` find the module. The state must not use it after
 * sim_outgoing_free. */
void sim_outgoing_install(sim_outgoing *outgoing, lua_State *L);

#endif
