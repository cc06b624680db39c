/* Lists of structs that have the members `next` and `link`. `link` points to the pointer to the
 * struct, so an item can leave in constant time, without the head of the list.
 *
 *   struct item { item *next, **link; };
 *   LIST_ADD(&first, it);      -- at the front
 *   LIST_REMOVE(it);           -- afterwards it->link is NULL: the item is in no list
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
