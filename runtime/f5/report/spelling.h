/* Finds the known name that is nearest to an unknown one.
 *
 *   spelling s = {.name = "poool"};
 *   spelling_offer(&s, "pool", 4);
 *   spelling_offer(&s, "node", 4);     -- s.nearest is "pool"
 */
#ifndef F5_SPELLING_H
#define F5_SPELLING_H

#include <stddef.h>

#define SPELLING_MAX 63

typedef struct spelling {
  const char *name;
  unsigned edits;                 /* distance of the nearest; 0: nothing is near */
  char nearest[SPELLING_MAX + 1]; /* "" if nothing is near */
} spelling;

void spelling_offer(spelling *s, const char *known, size_t length);

#endif
