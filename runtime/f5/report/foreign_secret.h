/* Secrets as other programs write them: forms, addresses, multipart bodies, lists of names and
 * values, encoded keys. */
#ifndef F5_FOREIGN_SECRET_H
#define F5_FOREIGN_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the equals sign at `at` ends the name of a secret parameter: "?token=x", "&password=x",
 * or a form that begins with it; or of an attribute of XML. Finds the value. */
bool parameter_secret(const char *s, size_t length, size_t at, size_t *start, size_t *end);
/* The same for an address in an address: "?next=%2Fx%3Ftoken%3Dx", at the last "%". */
bool encoded_parameter_secret(const char *s, size_t length, size_t at, size_t *start, size_t *end);
/* Whether an element of XML begins at `at` that is called like a secret: "<password>x<". */
bool element_secret(const char *s, size_t length, size_t at, size_t *start, size_t *end);
/* Whether the quote at `at` opens a string such as "Bearer x". */
bool scheme_secret(const char *s, size_t length, size_t at, size_t *start, size_t *end);
/* Whether the quote at `at` opens the name of a secret part of a multipart body. */
bool part_secret(const char *s, size_t length, size_t at, size_t *start, size_t *end);
/* Whether the quote at `at` opens the member "name" with the name of a secret, and "value" follows
 * in the same object. */
bool pair_secret(const char *s, size_t length, size_t at, size_t *start, size_t *end);
/* Whether a private key in PEM, encoded in base64, or a signed JSON web token begins at `at`; finds
 * its end. */
bool encoded_secret(const char *s, size_t length, size_t at, size_t *end);

#endif
