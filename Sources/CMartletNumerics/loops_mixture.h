// The loops over the kernels of a mixture density; included by loops.h once for each instruction set.

#include "normal.h"

static void mixture_scale(
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

static void mixture_density(
  double *restrict terms, const double *restrict norm, const double *restrict centre,
  const double *restrict inverse, double x, size_t count) {
  for (size_t i = 0; i < count; i++) {
    double z = (x - centre[i]) * inverse[i];
    terms[i] = terms[i] + (norm[i] - 0.5 * (z * z));
  }
}

static void mixture_share(
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

static double mixture_total(const double *terms, size_t count) {
  double peak = -__builtin_inf();
  for (size_t i = 0; i < count; i++) peak = terms[i] > peak ? terms[i] : peak;
  if (peak == -__builtin_inf()) return peak;
  double sums[8] = {0};
  size_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (size_t lane = 0; lane < 8; lane++) sums[lane] += exp_inside(terms[i + lane] - peak);
  for (size_t lane = 0; i + lane < count; lane++) sums[lane] += exp_inside(terms[i + lane] - peak);
  return peak + log_inside(total(sums));
}
