/* libpq, PostgreSQL's client library.
 *
 * The program for this system loads it at first use: it pulls in Kerberos and LDAP, which would
 * make every start slower. Programs that are carried elsewhere have it linked in
 * (POSTGRES_LINKED). Call its functions as pq.PQfinish(c). */
#ifndef POSTGRES_LIBRARY_H
#define POSTGRES_LIBRARY_H

#include <stdbool.h>

#include <libpq-fe.h>

#include "base/text.h"

/* clang-format off */
#define POSTGRES_FUNCTIONS(X) \
  X(PQconnectStartParams) X(PQconnectPoll) X(PQfinish) X(PQstatus) X(PQsocket) X(PQerrorMessage) \
  X(PQtransactionStatus) X(PQparameterStatus) X(PQserverVersion) X(PQbackendPID) X(PQhost) \
  X(PQhostaddr) X(PQport) X(PQconninfo) X(PQconninfoParse) X(PQconninfoFree) X(PQsetnonblocking) \
  X(PQsetNoticeProcessor) X(PQsendQuery) X(PQsendQueryParams) X(PQflush) X(PQconsumeInput) \
  X(PQisBusy) X(PQgetResult) X(PQnotifies) X(PQfreemem) X(PQclear) X(PQresultStatus) \
  X(PQresultErrorMessage) X(PQresultErrorField) X(PQntuples) X(PQnfields) X(PQfname) X(PQftype) \
  X(PQgetisnull) X(PQgetvalue) X(PQgetlength) X(PQcmdTuples)
/* clang-format on */

typedef struct pq_library {
#define MEMBER(name) __typeof__(&name) name;
  POSTGRES_FUNCTIONS(MEMBER)
#undef MEMBER
} pq_library;

extern pq_library pq;

/* Loads libpq, once. False, and the reason, if there is none. */
bool pq_load(text *problem);

/* Adds a message of libpq, which may have several lines, as one line. */
void pq_put_message(text *t, const char *message);

#endif
