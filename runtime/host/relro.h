/* Makes data read-only after relocation, if libc does not. */
#ifndef HOST_RELRO_H
#define HOST_RELRO_H

/* Makes the RELRO segment of the program read-only. Call it first in main. glibc has already done
 * it; musl 1.2.3 never does it in a static PIE. */
void relro_apply(void);

#endif
