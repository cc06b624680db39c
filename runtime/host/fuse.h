/* The fuse: the bytes of the program that `f5lua build` patches. All numbers little-endian. */
#ifndef HOST_FUSE_H
#define HOST_FUSE_H

#include <stdbool.h>

/* Offsets of the fields. A plain runtime has zeros from FORMAT to CHECK. */
enum {
  FUSE_MAGIC = 0,   /* 16 bytes, nowhere else in the program */
  FUSE_FORMAT = 16, /* u32: ARCHIVE_FORMAT */
  FUSE_FLAGS = 20,  /* u32: BUNDLE_FLAG_… */
  FUSE_OWN = 24,    /* u64: offset of the fuse itself in the file */
  FUSE_OFFSET = 32, /* u64: offset of the archive in the file, which is the length of the runtime */
  FUSE_LENGTH = 40, /* u64: length of the archive */
  FUSE_CRC = 48,    /* u32: CRC-32 of the archive */
  FUSE_CHECK = 52,  /* u32: CRC-32 of all before it in the fuse */
  FUSE_VERSION = 56, /* 24 bytes: version of the runtime, zero-padded */
  FUSE_SIZE = 80
};

/* Copies the fuse; false when it is empty: a plain runtime. */
bool fuse_read(unsigned char copy[FUSE_SIZE]);

#endif
