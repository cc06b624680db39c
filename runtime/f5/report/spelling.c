#include "f5/report/spelling.h"

#include <stdbool.h>
#include <string.h>

#define MAX_EDITS 4 /* this many edits make another word */

/* Number of edits (insert, delete, replace, swap of neighbours) between two names, at most `max`.
 */
static unsigned distance(const char *a, const char *b, unsigned max) {
  size_t n = strlen(a), m = strlen(b);
  unsigned rows[3][SPELLING_MAX + 1];
  if (n > SPELLING_MAX || m > SPELLING_MAX) return max;
  for (size_t j = 0; j <= m; j++)
    rows[0][j] = (unsigned)j;
  for (size_t i = 1; i <= n; i++) {
    unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
    row[0] = (unsigned)i;
    for (size_t j = 1; j <= m; j++) {
      unsigned best = above[j - 1] + (a[i - 1] != b[j - 1]);
      if (above[j] + 1 < best) best = above[j] + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
          before[j - 2] + 1 < best)
        best = before[j - 2] + 1;
      row[j] = best;
    }
  }
  return rows[n % 3][m] < max ? rows[n % 3][m] : max;
}

void spelling_offer(spelling *s, const char *known, size_t length) {
  if (length == 0 || length > SPELLING_MAX) return;
  char word[SPELLING_MAX + 1];
  memcpy(word, known, length);
  word[length] = '\0';
  size_t name = strlen(s->name), shorter = name < length ? name : length;
  /* "pass" is nearer to "password" than to "port" */
  bool begins = shorter >= 3 && strncmp(s->name, word, shorter) == 0;
  unsigned edits = begins ? 1 : distance(s->name, word, MAX_EDITS);
  if (edits >= MAX_EDITS || (s->edits && edits >= s->edits)) return;
  if (!begins && edits * 2 > length) return;
  s->edits = edits;
  memcpy(s->nearest, word, length + 1);
}
