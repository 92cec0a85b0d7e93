// Mixture densities, compiled for several instruction sets.

#include "martlet_mixture.h"

#include "normal.h"

#include <math.h>

#pragma STDC FP_CONTRACT OFF

#if defined(__x86_64__) && defined(__linux__)
#define CLONES __attribute__((target_clones("avx512f", "arch=haswell", "default")))
#else
#define CLONES
#endif

CLONES void martlet_mixture_scale(
  double *restrict norm, double *restrict mass, const double *restrict centre, const double *restrict inverse,
  size_t count) {
  for (size_t i = 0; i < count; i++) {
    double inside = normal_cumulative((1 - centre[i]) * inverse[i])
                    - normal_cumulative(-centre[i] * inverse[i]);
    int isUniform = inverse[i] == 0;
    double logMass = log_inside(inside > 1e-300 ? inside : 1e-300);
    double logInverse = log_inside(inverse[i] > 1e-300 ? inverse[i] : 1e-300);
    // log √(2π)
    norm[i] = isUniform ? 0 : (logInverse - 0.91893853320467274) - logMass;
    mass[i] = isUniform ? 0 : logMass;
  }
}

CLONES void martlet_mixture_density(
  double *restrict terms, const double *restrict norm, const double *restrict centre,
  const double *restrict inverse, double x, size_t count) {
  for (size_t i = 0; i < count; i++) {
    double z = (x - centre[i]) * inverse[i];
    terms[i] = terms[i] + (norm[i] - 0.5 * (z * z));
  }
}

CLONES void martlet_mixture_share(
  double *restrict row, const double *restrict mass, const double *restrict centre,
  const double *restrict inverse, double low, double high, size_t count) {
  for (size_t i = 0; i < count; i++) {
    double a = (low - centre[i]) * inverse[i];
    double b = (high - centre[i]) * inverse[i];
    // On the side where shares are small, so that their difference keeps its digits.
    int isRight = a + b > 0;
    double from = isRight ? -b : a;
    double to = isRight ? -a : b;
    double share = normal_cumulative(to) - normal_cumulative(from);
    share = inverse[i] == 0 ? high - low : share;
    row[i] = log_inside(share > 1e-300 ? share : 1e-300) - mass[i];
  }
}

CLONES void martlet_mixture_add(double *restrict terms, const double *restrict row, size_t count) {
  for (size_t i = 0; i < count; i++) terms[i] += row[i];
}

CLONES double martlet_mixture_total(const double *terms, size_t count) {
  double peak = -INFINITY;
  for (size_t i = 0; i < count; i++) peak = terms[i] > peak ? terms[i] : peak;
  if (peak == -INFINITY) return peak;
  double sums[8] = {0};
  size_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (size_t lane = 0; lane < 8; lane++) sums[lane] += exp_inside(terms[i + lane] - peak);
  for (size_t lane = 0; i + lane < count; lane++) sums[lane] += exp_inside(terms[i + lane] - peak);
  double sum = ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
  return peak + log_inside(sum);
}

double martlet_exponential(double x) { return exp_inside(x); }
double martlet_logarithm(double x) { return log_inside(x); }
double martlet_normal_share(double x) { return normal_cumulative(x); }
