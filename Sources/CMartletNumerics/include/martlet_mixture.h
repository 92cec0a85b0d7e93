// Sums over the kernels of a mixture density, one axis at a time.
//
// The same bits on every machine, as all of this module. A kernel of an axis is a normal distribution cut off outside
// 0...1, given by its centre and the inverse of its width; an inverse of 0 stands for the uniform distribution, whatever
// the centre.
#ifndef MARTLET_MIXTURE_H
#define MARTLET_MIXTURE_H

#include <stddef.h>

/// `norm[i]` = log(inverse / (√2π Z)), by which the density of kernel `i` is scaled, and `mass[i]` = log Z, where Z is
/// the share of the normal distribution that lies in 0...1.
void martlet_mixture_scale(
  double *norm, double *mass, const double *centre, const double *inverse, size_t count);

/// `terms[i]` += the logarithm of the density of kernel `i` at `x`.
void martlet_mixture_density(
  double *terms, const double *norm, const double *centre, const double *inverse, double x, size_t count);

/// `row[i]` = the logarithm of the share of kernel `i` between `low` and `high`; at least about -690.
void martlet_mixture_share(
  double *row, const double *mass, const double *centre, const double *inverse, double low, double high,
  size_t count);

/// `terms[i]` += `row[i]`.
void martlet_mixture_add(double *terms, const double *row, size_t count);

/// log Σ exp(terms[i]), in eight interleaved sums added pairwise at the end; -infinity for no terms.
double martlet_mixture_total(const double *terms, size_t count);

/// e to the `x`, the natural logarithm of `x` above 0, and the share of the standard normal distribution below `x`.
double martlet_exponential(double x);
double martlet_logarithm(double x);
double martlet_normal_share(double x);

#endif
