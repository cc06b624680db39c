/* Placeholder so that the library exists; goes with the first real source. */
typedef int sim_placeholder;
