/* Text from outside (devices, files, scripts) on a terminal, in a log or in a report.
 *
 * A terminal obeys control characters: they start escape sequences, move the cursor and forge
 * lines. Bidirectional controls show a text in another order than it has. Everything that f5lua
 * itself prints goes through this filter; scripts/style checks that no code writes past it.
 *
 *   printable_print(stderr, "f5lua: %s\n", words);
 */
#ifndef BASE_PRINTABLE_H
#define BASE_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/text.h"

typedef enum printable_style {
  PRINTABLE_TEXT,    /* tabs and line breaks stay; the rest becomes \xHH or \u{HHHH} */
  PRINTABLE_LINE,    /* the same, and tabs and line breaks become \t, \n and \r */
  PRINTABLE_INDENT,  /* as PRINTABLE_TEXT; a line break is followed by "  | " */
  PRINTABLE_PAINTED, /* as PRINTABLE_TEXT, but colours (ESC [ … m) stay */
  PRINTABLE_JSON,    /* a JSON text: \uHHHH; line breaks outside of strings stay */
} printable_style;

/* Appends the text, filtered. Bytes that are not UTF-8 become \xHH (not in PRINTABLE_JSON). */
void printable_put(text *out, const char *bytes, size_t length, printable_style style);
/* Writes the text, filtered, with one write. Returns whether it arrived; errno says why not. */
bool printable_write(FILE *file, const char *bytes, size_t length, printable_style style);
/* Like fprintf; filtered as PRINTABLE_TEXT. */
void printable_print(FILE *file, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
