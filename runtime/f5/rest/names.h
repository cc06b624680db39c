/* How the objects of a kind are named: most have a partition ("/Common/web"), some do not ("bob").
 *
 *   names_style("/mgmt/tm/auth/user", 18)                 -- NAME_PLAIN
 *   names_fit("/mgmt/tm/auth/user/~Common~bob", 30)       -- "/mgmt/tm/auth/user/bob", 22
 */
#ifndef F5_NAMES_H
#define F5_NAMES_H

#include <stddef.h>

typedef enum name_style {
  NAME_PARTITION, /* "/Common/web"; also every kind that is not known here */
  NAME_PLAIN,     /* no partition: users, partitions, trunks, rules of policies */
  NAME_SLASHES,   /* no partition, and slashes in the name: "192.0.2.1/24" */
  NAME_FULL       /* the name itself is a full name: communities of SNMP */
} name_style;

/* The style of a collection, whose path begins with /mgmt/tm. */
name_style names_style(const char *collection, size_t length);
/* Adapts the names in a path to their kinds, so that both "/Common/bob" and "bob" find the user
 * bob. Works in place; returns the new length. */
size_t names_fit(char *path, size_t length);

#endif
