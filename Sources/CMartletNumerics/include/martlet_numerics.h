// The innermost loops of the model-based search methods, and elementary functions that are the same everywhere.
//
// Results are the same bits on every machine: each function has one order of summation, whatever the width of the
// machine's vectors, no products are fused with sums, and nothing is asked of the system's mathematics library but the
// square root, which has one right answer. Matrices are row by row; a stride is the distance of two rows.
#ifndef MARTLET_NUMERICS_H
#define MARTLET_NUMERICS_H

#include <stddef.h>

// MARK: - Elementary functions
//
// The bounds of errors are in units in the last place, as the reference test measures them.

/// e to the x, within 1 unit; subnormal results within their own last place.
double martlet_exp(double x);
/// exp(x) - 1, within 2 units.
double martlet_expm1(double x);
/// The natural logarithm, within 1 unit.
double martlet_log(double x);
/// log(1 + x), within 2 units.
double martlet_log1p(double x);
/// x to the y for x of 0 or more, within 2 + |y log x| units.
double martlet_pow(double x, double y);
/// The sine and cosine of 2 pi x for x in 0...1, within 1e-16 of the value.
double martlet_sin_turn(double x);
double martlet_cos_turn(double x);
/// The complement of the error function, within 4 units where it is normal.
double martlet_erfc(double x);
/// exp(x²) erfc(x), within 4 units for x of 0 or more; for negative x as exact as exp(x²) allows.
double martlet_erfcx(double x);
/// The logarithm of the gamma function for x > 0, within 1e-14 of the value or of 1.
double martlet_lgamma(double x);

// MARK: - Vectors

/// The sum of `a[i] * b[i]`, in eight interleaved sums added pairwise at the end.
double martlet_dot(const double *a, const double *b, size_t count);
/// The sum of `a[i]`, in the same order.
double martlet_sum(const double *a, size_t count);
/// The sum of `exp(a[i] - shift)`; each exponent at most 709, and below -708 as good as -708.
double martlet_sum_exp(const double *a, double shift, size_t count);
/// `y[i] += factor * x[i]`.
void martlet_add_scaled(double factor, const double *x, double *y, size_t count);
/// `y[i] -= x[i]²`.
void martlet_subtract_squares(const double *x, double *y, size_t count);
/// `y[i] += weight * (x[i] - at)²`.
void martlet_add_square_distances(double weight, const double *x, double at, double *y, size_t count);
/// `y[i] += weight` wherever `x[i]` is not `at`.
void martlet_add_mismatches(double weight, const double *x, double at, double *y, size_t count);
/// The sum of `g[i] * (x[i] - at)²`; in eight interleaved sums like `martlet_dot`.
double martlet_weighted_square_distances(const double *g, const double *x, double at, size_t count);
/// The sum of `g[i]` over all `i` where `x[i]` is not `at`.
double martlet_weighted_mismatches(const double *g, const double *x, double at, size_t count);
/// The sum of `g[i] * (at - x[i])`.
double martlet_weighted_differences(const double *g, const double *x, double at, size_t count);
/// The Matérn covariance of smoothness 5/2 at squared distances: `k[i] = (1 + a + a²/3) exp(-a)`, `a² = 5 r2[i]`.
/// `slope[i]`, unless NULL, is its derivative by `r2[i]`. `k` may be `r2`.
void martlet_matern(const double *r2, double *k, double *slope, size_t count);

// MARK: - Matrices

/// `c -= a * b`: `c` is rows x columns, `a` rows x depth with `a_row` and `a_column` the distances of its entries, `b`
/// depth x columns. Every entry of `c` sums over depth in ascending order, in one sum.
void martlet_subtract_product(
    double *c, size_t c_stride, const double *a, size_t a_row, size_t a_column, const double *b, size_t b_stride,
    size_t rows, size_t columns, size_t depth);
/// The Cholesky factor, in place, in the lower half of a symmetric matrix given there; the upper half is not touched.
/// Rows before `from` are factored already: the rows of the factor of a matrix are those of every larger one, to the
/// bit. `scratch` holds 64 * order. Returns 0, or 1 when the matrix is not positive definite.
int martlet_cholesky(double *matrix, size_t stride, size_t from, size_t order, double *scratch);
/// Solves L X = B in place for `columns` right sides; `rhs` is order x columns.
/// With `identity` not 0, B must be the unit matrix, whose zeros are skipped.
void martlet_solve_lower(
    const double *lower, size_t stride, size_t order, double *rhs, size_t rhs_stride, size_t columns, int identity);
/// Solves L x = b in place, for one right side. The bits differ from those of `martlet_solve_lower`.
void martlet_forward(const double *lower, size_t stride, size_t order, double *rhs);
/// Solves Lᵀ x = b in place.
void martlet_backward(const double *lower, size_t stride, size_t order, double *rhs);
/// The lower half of XᵀX for a lower triangular `x`; `product` is order x order, its upper half is zero or rubbish.
void martlet_square_transposed(
    const double *x, size_t stride, size_t order, double *product, size_t product_stride);

// MARK: - Instruction sets

/// How many variants of the loops this build has.
int martlet_variant_count(void);
/// Its name.
const char *martlet_variant_name(int variant);
/// Computes with that variant from now on, if this machine can; returns whether it can. For tests: the best one is
/// chosen at the start, and all give the same bits.
int martlet_use_variant(int variant);

#endif
