/* The fuse: the bytes of the program that `f5lua build` patches. All numbers are little-endian. */
#ifndef HOST_FUSE_H
#define HOST_FUSE_H

#include <stdbool.h>

/* Offsets of the fields. In a plain runtime everything from FORMAT to CHECK is zero. */
enum {
  FUSE_MAGIC = 0,    /* 16 bytes that occur nowhere else in the program */
  FUSE_FORMAT = 16,  /* u32: ARCHIVE_FORMAT */
  FUSE_FLAGS = 20,   /* u32: BUNDLE_FLAG_… */
  FUSE_OWN = 24,     /* u64: offset of the fuse in the file */
  FUSE_OFFSET = 32,  /* u64: offset of the archive in the file, which is the size of the runtime */
  FUSE_LENGTH = 40,  /* u64: length of the archive */
  FUSE_CRC = 48,     /* u32: CRC-32 of the archive */
  FUSE_CHECK = 52,   /* u32: CRC-32 of the fuse up to here */
  FUSE_VERSION = 56, /* 24 bytes: version of the runtime, padded with zeros */
  FUSE_SIZE = 80
};

/* Copies the fuse. False if it is empty: this is a plain runtime. */
bool fuse_read(unsigned char copy[FUSE_SIZE]);

#endif
