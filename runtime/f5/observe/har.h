/* Entries of HAR files: https://w3c.github.io/web-performance/specs/HAR/Overview.html */
#ifndef F5_HAR_H
#define F5_HAR_H

#include "base/text.h"
#include "f5/observe/observed.h"

/* Appends the exchange as a JSON object without a line break. */
void har_put(text *out, const f5_exchange *e);

#endif
