// The innermost loops of the model-based search methods.
//
// Results are the same bits on every machine: each function has one order of summation, whatever the width of the
// machine's vectors, and no products are fused with sums.
#ifndef MARTLET_NUMERICS_H
#define MARTLET_NUMERICS_H

#include <stddef.h>

/// The sum of `a[i] * b[i]`, in eight interleaved sums added pairwise at the end.
double martlet_dot(const double *a, const double *b, size_t count);

#endif
