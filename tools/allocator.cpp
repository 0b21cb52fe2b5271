// Part of a program, never of a library: `new` and `delete` go to mimalloc. A run allocates much and
// frees it soon, and the C library takes a sixth more of its time for that.

#include <mimalloc-new-delete.h>
