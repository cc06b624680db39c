/* The Lua state of a simulated device: answers requests. Only one thread uses it at a time. */
#ifndef SIM_DEVICE_H
#define SIM_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/buffer.h>
#include <event2/keyvalq_struct.h>
#include <lua.h>

#include "sim/outgoing.h"
#include "sim/source.h"

typedef struct sim_device {
  lua_State *L;
  int handle; /* registry references of the functions of sim.boot */
  int call, answered, woken, found;
} sim_device;

typedef struct sim_request {
  const char *method, *target, *remote;
  const char *local; /* the address that the client connected to */
  unsigned minor;    /* the minor version of HTTP/1.x */
  const struct evkeyvalq *headers;
  struct evbuffer *body;
  uint64_t connection; /* number of the connection, from 1 */
  uint64_t ticket;     /* identifies the request, for an answer that comes later */
} sim_request;

typedef struct sim_answer {
  int status;
  char reason[64]; /* empty: the standard reason */
  bool head;       /* sends only the length of the body */
  bool reset;      /* no answer: resets the connection */
  bool close;      /* closes the connection after the answer */
  /* Sends only `truncate` bytes of the body, then closes the connection. */
  bool truncated;
  uint64_t truncate;
  bool wish;                 /* sim_device_wish has changed */
  bool later;                /* there is no answer yet: sim_device_answered has it */
  bool go_on;                /* sim_device_found with the number 0 is to be called soon */
  uint64_t delay_ms;         /* delay of the answer */
  struct evbuffer *body;     /* created and owned by the caller */
  struct evkeyvalq *headers; /* of the caller; to be filled in */
} sim_answer;

/* What a device reaches outside: its calls to other devices, and where it learns what it has (NULL:
 * nowhere). */
typedef struct sim_outside {
  sim_outgoing *outgoing;
  sim_source *source;
} sim_outside;

/* Creates the state and the device in it. open: see sim_options. options: options of the device as
 * JSON, or NULL. On failure returns false and a message, and keeps nothing. */
bool sim_device_open(sim_device *device, lua_CFunction open, const char *options,
                     sim_outside outside, char *error, size_t size);
void sim_device_close(sim_device *device);

/* Never fails: an error in Lua becomes a 500 and is printed. */
void sim_device_handle(sim_device *device, const sim_request *request, sim_answer *answer);

/* The answer of a request that waits; NULL if its client has gone. */
typedef sim_answer *sim_device_find(void *owner, uint64_t ticket);

/* Tells the device the result of one of its calls, see sim_outgoing_answered. If this completes the
 * answer of a request, `find` finds it, and its ticket is returned; otherwise 0. */
uint64_t sim_device_answered(sim_device *device, uint64_t number, int status, const char *body,
                             size_t length, sim_device_find *find, void *owner);
/* Tells the device what its source has found for a number; with the number 0 it only goes on.
 * Returns like sim_device_answered. *more: the device may have completed further requests; ask
 * again with 0. */
uint64_t sim_device_found(sim_device *device, uint64_t number, const sim_found *found,
                          sim_device_find *find, void *owner, bool *more);
/* Tells the device that its timer is due. */
void sim_device_woken(sim_device *device);

/* See sim_server_call. The caller frees the text. */
char *sim_device_call(sim_device *device, const char *name, const char *text, size_t length,
                      size_t *result_length, bool *ok);

/* What the device wants from the server after a call or a request: whether to accept connections
 * (not during a reboot), whether to cut the open ones (once), and after how many milliseconds to
 * ask again (0: not needed). */
typedef struct sim_wish {
  bool listening;
  bool cut;
  uint64_t poll_ms;
} sim_wish;
sim_wish sim_device_wish(sim_device *device);

#endif
