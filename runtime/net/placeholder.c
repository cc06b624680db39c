/* Placeholder so that the library exists; goes with the first real source. */
typedef int net_placeholder;
