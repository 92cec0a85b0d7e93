// The loops of one instruction set; their meaning stands in martlet_numerics.h and martlet_mixture.h.
#ifndef MARTLET_LOOPS_TABLE_H
#define MARTLET_LOOPS_TABLE_H

#include <stddef.h>

struct loops {
  double (*dot)(const double *, const double *, size_t);
  double (*sum)(const double *, size_t);
  double (*sum_exp)(const double *, double, size_t);
  double (*weighted_square_distances)(const double *, const double *, double, size_t);
  double (*weighted_mismatches)(const double *, const double *, double, size_t);
  double (*weighted_differences)(const double *, const double *, double, size_t);
  void (*add_scaled)(double, const double *, double *, size_t);
  void (*subtract_squares)(const double *, double *, size_t);
  void (*add_square_distances)(double, const double *, double, double *, size_t);
  void (*add_mismatches)(double, const double *, double, double *, size_t);
  void (*matern)(const double *, double *, double *, size_t);
  void (*subtract_product)(
      double *, size_t, const double *, size_t, size_t, const double *, size_t, size_t, size_t, size_t);
  void (*mixture_scale)(double *, double *, const double *, const double *, size_t);
  void (*mixture_density)(double *, const double *, const double *, const double *, double, size_t);
  void (*mixture_share)(double *, const double *, const double *, const double *, double, double, size_t);
  double (*mixture_total)(const double *, size_t);
};

extern const struct loops martlet_loops_plain;
#if defined(__x86_64__)
extern const struct loops martlet_loops_haswell;
extern const struct loops martlet_loops_avx512;
#endif

/// The loops in use.
const struct loops *martlet_loops(void);

#endif
