/* Read-only after relocation, where libc does not see to it. */
#ifndef HOST_RELRO_H
#define HOST_RELRO_H

/* Makes the program's RELRO segment read-only. First thing in main. Nothing to do on glibc, which
 * has done it by then; musl 1.2.3 never does in a static PIE. */
void relro_apply(void);

#endif
