/* The Lua state of a simulated device: one request in, one answer out. Used by one thread at a
 * time. */
#ifndef SIM_DEVICE_H
#define SIM_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/buffer.h>
#include <event2/keyvalq_struct.h>
#include <lua.h>

typedef struct sim_device {
  lua_State *L;
  int handle; /* registry references of sim.boot's functions */
  int call;
} sim_device;

typedef struct sim_request {
  const char *method, *target, *remote;
  const char *local; /* address that the client connected to */
  unsigned minor;    /* of its HTTP/1.x */
  const struct evkeyvalq *headers;
  struct evbuffer *body;
  uint64_t connection; /* number of the connection it came over, from 1 */
} sim_request;

typedef struct sim_answer {
  int status;
  char reason[64]; /* empty: the usual one */
  bool head;       /* the body is not sent, only its length */
  bool reset;      /* no answer at all: the connection is reset */
  bool close;      /* the connection ends after the answer */
  bool truncated;  /* only `truncate` bytes of the body are sent, then the connection ends */
  uint64_t truncate;
  bool wish;                 /* sim_device_wish has news */
  uint64_t delay_ms;         /* the answer waits this long */
  struct evbuffer *body;     /* owned by the caller, who made it */
  struct evkeyvalq *headers; /* the caller's; filled in */
} sim_answer;

/* Makes the state and the device in it. open: see sim_options; options: of the device, JSON, or
 * NULL. False and a message on failure (nothing is left then). */
bool sim_device_open(sim_device *device, lua_CFunction open, const char *options, char *error,
                     size_t size);
void sim_device_close(sim_device *device);

/* Never fails: a mistake in Lua becomes a 500 and is printed. */
void sim_device_handle(sim_device *device, const sim_request *request, sim_answer *answer);

/* See sim_server_call. The text is for free(). */
char *sim_device_call(sim_device *device, const char *name, const char *text, size_t length,
                      size_t *result_length, bool *ok);

/* What the device wants of the server after a call or a request: whether it accepts connections (it
 * does not while it reboots), whether those open now are cut (asked for once), and after how many
 * milliseconds it wants to be asked again (0: need not). */
typedef struct sim_wish {
  bool listening;
  bool cut;
  uint64_t poll_ms;
} sim_wish;
sim_wish sim_device_wish(sim_device *device);

#endif
