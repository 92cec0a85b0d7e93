// The loops for every machine.

#define TABLE martlet_loops_plain
#include "loops.h"
