/* Which known name somebody meant who wrote an unknown one.
 *
 *   spelling s = {.name = "poool"};
 *   spelling_offer(&s, "pool", 4);
 *   spelling_offer(&s, "node", 4);     -- s.nearest is "pool"
 */
#ifndef F5_SPELLING_H
#define F5_SPELLING_H

#include <stddef.h>

#define SPELLING_LONGEST 63

typedef struct spelling {
  const char *name;
  unsigned edits;                     /* of the nearest; 0: nothing is near */
  char nearest[SPELLING_LONGEST + 1]; /* "" if nothing is near */
} spelling;

void spelling_offer(spelling *s, const char *known, size_t length);

#endif
