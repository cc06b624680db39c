#include "f5/observe/observed.h"

static uint64_t between(uint64_t from, uint64_t to) {
  return to > from ? to - from : 0;
}

exchange_times exchange_times_of(const f5_exchange *e) {
  const http_times *t = &e->times;
  exchange_times parts = {.started = t->started ? t->started : t->submitted};
  parts.queued = between(t->submitted, parts.started);
  parts.connected = t->connect != 0;
  parts.secured = parts.connected && t->tls;
  if (parts.connected) {
    parts.lookup = t->lookup;
    parts.connect = between(t->lookup, t->connect);
    if (parts.secured) parts.ssl = between(t->connect, t->tls);
  }
  uint64_t ready = t->tls ? t->tls : t->connect; /* 0: over an existing connection */
  uint64_t first = t->first ? t->first : t->total;
  parts.wait = between(ready, first);
  parts.receive = between(first, t->total);
  return parts;
}
