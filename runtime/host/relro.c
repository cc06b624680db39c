#include "host/relro.h"

#include <features.h>

#ifdef __GLIBC__

void relro_apply(void) {
}

#else

#include <link.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static int protect(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size, (void)data;
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *header = &info->dlpi_phdr[i];
    if (header->p_type != PT_GNU_RELRO) continue;
    /* Only whole pages, like a dynamic linker. The linker has padded the segment, so nothing is
     * left out. */
    uintptr_t start = (info->dlpi_addr + header->p_vaddr) & ~(page - 1);
    uintptr_t end = (info->dlpi_addr + header->p_vaddr + header->p_memsz) & ~(page - 1);
    if (end > start)
      mprotect((void *)start, end - start, PROT_READ); // NOLINT(performance-no-int-to-ptr)
  }
  return 1; /* the program is the first object; a static program has no other */
}

void relro_apply(void) {
  dl_iterate_phdr(protect, NULL);
}

#endif
