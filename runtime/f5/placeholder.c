/* Placeholder so that the library exists; goes with the first real source. */
typedef int f5_placeholder;
