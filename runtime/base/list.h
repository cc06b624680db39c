/* Lists of structs with the members `next` and `link`, a pointer to what points to the struct: an
 * item leaves without knowing the list's head, in constant time.
 *
 *   struct item { item *next, **link; };
 *   LIST_ADD(&first, it);      -- in front
 *   LIST_REMOVE(it);           -- link is NULL then: it->link says whether it is in a list
 *
 * `it` is evaluated several times. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stddef.h>

#define LIST_ADD(first, item)                                                                      \
  do {                                                                                             \
    (item)->next = *(first);                                                                       \
    (item)->link = (first);                                                                        \
    if ((item)->next) (item)->next->link = &(item)->next;                                          \
    *(first) = (item);                                                                             \
  } while (0)

#define LIST_REMOVE(item)                                                                          \
  do {                                                                                             \
    *(item)->link = (item)->next;                                                                  \
    if ((item)->next) (item)->next->link = (item)->link;                                           \
    (item)->link = NULL;                                                                           \
  } while (0)

#endif
