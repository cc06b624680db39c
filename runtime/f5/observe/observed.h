/* What is known of an exchange. For the files of this folder only. */
#ifndef F5_OBSERVED_H
#define F5_OBSERVED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "f5/session/session.h"
#include "net/http.h"

/* One side of an exchange. */
typedef struct exchange_side {
  text headers, body; /* masked */
  bool kept;          /* the body is in `body` */
  uint64_t size;      /* bytes of the body */
  char digest[65];    /* SHA-256 of a body that is not kept; or "" */
} exchange_side;

typedef struct f5_exchange f5_exchange;
struct f5_exchange {
  f5_exchange *next; /* of those that were committed */
  f5_core *core;
  unsigned readers; /* observers that have not taken it yet */
  bool internal, with_bodies;
  uint64_t number;
  text device, where, method, path, line, message;
  long status;
  unsigned attempt;
  http_times times;
  uint64_t sent, received, pause_ms;
  const char *failure, *retry, *transport;
  bool arrived; /* at least a part of the request was sent */
  exchange_side request, response;
};

/* The parts of its time, in microseconds. */
typedef struct exchange_times {
  uint64_t started; /* since 1970, when it left the queue */
  uint64_t queued;
  bool connected, secured; /* an existing connection has none of these parts: */
  uint64_t lookup, connect, ssl;
  uint64_t wait, receive;
} exchange_times;

exchange_times exchange_times_of(const f5_exchange *e);

#endif
