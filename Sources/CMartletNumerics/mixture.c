// Mixture densities: the loops of this machine, and their elementary functions one number at a time.

#include "martlet_mixture.h"

#include "loops_table.h"
#include "normal.h"

#pragma STDC FP_CONTRACT OFF

void martlet_mixture_scale(
    double *norm, double *mass, const double *centre, const double *inverse, size_t count) {
  martlet_loops()->mixture_scale(norm, mass, centre, inverse, count);
}

void martlet_mixture_density(
    double *terms, const double *norm, const double *centre, const double *inverse, double x, size_t count) {
  martlet_loops()->mixture_density(terms, norm, centre, inverse, x, count);
}

void martlet_mixture_share(
    double *row, const double *mass, const double *centre, const double *inverse, double low, double high,
    size_t count) {
  martlet_loops()->mixture_share(row, mass, centre, inverse, low, high, count);
}

void martlet_mixture_add(double *terms, const double *row, size_t count) {
  martlet_loops()->add_scaled(1, row, terms, count);
}

double martlet_mixture_total(const double *terms, size_t count) {
  return martlet_loops()->mixture_total(terms, count);
}

double martlet_exponential(double x) { return exp_inside(x); }
double martlet_logarithm(double x) { return log_inside(x); }
double martlet_normal_share(double x) { return normal_cumulative(x); }
