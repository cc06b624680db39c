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
  bool is_file;       /* and was written to a file */
  uint64_t size;      /* bytes of the body */
  char digest[65];    /* SHA-256 of a body that is not kept; or "" */
} exchange_side;

/* What is masked, in this order. */
enum exchange_part {
  PART_DEVICE,
  PART_WHERE,
  PART_PATH,
  PART_LINE,
  PART_MESSAGE,
  PART_REQUEST_HEADERS,
  PART_REQUEST_BODY,
  PART_RESPONSE_HEADERS,
  PART_RESPONSE_BODY,
  PARTS
};

typedef struct f5_exchange f5_exchange;
struct f5_exchange {
  /* The parts one behind the other, not masked yet; in memory that is wiped. */
  bool is_raw;
  text raw;
  size_t raw_length[PARTS];
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

/* Keeps what the exchange has in `raw`. False if there is not enough memory. message, line: may be
 * NULL. */
bool exchange_capture(f5_exchange *e, const f5_session *session, const http_request *request,
                      const char *message, const char *line);
/* Masks its secrets; does nothing if that is done. */
void exchange_mask(f5_exchange *e);
void exchange_free(f5_exchange *e);

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
