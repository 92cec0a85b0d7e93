// The loops over vectors and matrices, as a table of functions called TABLE. Included once for each instruction set.
//
// A sum over a vector runs in eight lanes, which are added pairwise at the end; an entry of a matrix product is one sum
// in ascending order. Neither depends on how many lanes the machine has.

#include "exponential.h"
#include "loops_table.h"

#pragma STDC FP_CONTRACT OFF

typedef double lanes __attribute__((vector_size(64), aligned(8)));

INLINE double total(const double *sums) {
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

#define SUM_IN_LANES(term)                                                                                            \
  double sums[8] = {0};                                                                                               \
  size_t start = 0;                                                                                                   \
  for (; start + 8 <= count; start += 8)                                                                              \
    for (size_t lane = 0; lane < 8; lane++) {                                                                         \
      size_t i = start + lane;                                                                                        \
      sums[lane] += (term);                                                                                           \
    }                                                                                                                 \
  for (size_t i = start; i < count; i++) sums[i - start] += (term);                                                   \
  return total(sums)

static double dot(const double *a, const double *b, size_t count) { SUM_IN_LANES(a[i] * b[i]); }

static double sum(const double *a, size_t count) { SUM_IN_LANES(a[i]); }

static double sum_exp(const double *a, double shift, size_t count) { SUM_IN_LANES(exp_inside(a[i] - shift)); }

static double weighted_square_distances(const double *g, const double *x, double at, size_t count) {
  SUM_IN_LANES(g[i] * ((x[i] - at) * (x[i] - at)));
}

static double weighted_mismatches(const double *g, const double *x, double at, size_t count) {
  SUM_IN_LANES(x[i] != at ? g[i] : 0.0);
}

static double weighted_differences(const double *g, const double *x, double at, size_t count) {
  SUM_IN_LANES(g[i] * (at - x[i]));
}

static void add_scaled(double factor, const double *restrict x, double *restrict y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] += factor * x[i];
}

static void subtract_squares(const double *restrict x, double *restrict y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] -= x[i] * x[i];
}

static void add_square_distances(double weight, const double *restrict x, double at, double *restrict y, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    double difference = x[i] - at;
    y[i] += weight * (difference * difference);
  }
}

static void add_mismatches(double weight, const double *restrict x, double at, double *restrict y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] += x[i] != at ? weight : 0.0;
}

static void matern(const double *r2, double *k, double *slope, size_t count) {
  if (slope == NULL) {
    for (size_t i = 0; i < count; i++) {
      double a = __builtin_elementwise_sqrt(5 * r2[i]);
      k[i] = (1 + a + a * a * (1.0 / 3)) * exp_inside(-a);
    }
    return;
  }
  for (size_t i = 0; i < count; i++) {
    double a = __builtin_elementwise_sqrt(5 * r2[i]), decay = exp_inside(-a);
    slope[i] = (-5.0 / 6) * (1 + a) * decay;
    k[i] = (1 + a + a * a * (1.0 / 3)) * decay;
  }
}

#include "loops_mixture.h"

// A tile of `c` is six rows of eight lanes.
#define TILE 6

INLINE void subtract_tile(
    double *c, size_t c_stride, const double *a, size_t a_row, size_t a_column, const double *b, size_t b_stride,
    size_t depth) {
  lanes sums[TILE] = {{0}};
  for (size_t k = 0; k < depth; k++) {
    lanes row = *(const lanes *)(b + k * b_stride);
    for (size_t i = 0; i < TILE; i++) sums[i] += a[i * a_row + k * a_column] * row;
  }
  for (size_t i = 0; i < TILE; i++) *(lanes *)(c + i * c_stride) -= sums[i];
}

INLINE void subtract_edge(
    double *c, size_t c_stride, const double *a, size_t a_row, size_t a_column, const double *b, size_t b_stride,
    size_t rows, size_t columns, size_t depth) {
  for (size_t i = 0; i < rows; i++) {
    double sums[8] = {0};
    for (size_t k = 0; k < depth; k++) {
      double factor = a[i * a_row + k * a_column];
      for (size_t j = 0; j < columns; j++) sums[j] += factor * b[k * b_stride + j];
    }
    for (size_t j = 0; j < columns; j++) c[i * c_stride + j] -= sums[j];
  }
}

static void subtract_product(
    double *c, size_t c_stride, const double *a, size_t a_row, size_t a_column, const double *b, size_t b_stride,
    size_t rows, size_t columns, size_t depth) {
  size_t j = 0;
  for (; j + 8 <= columns; j += 8) {
    size_t i = 0;
    for (; i + TILE <= rows; i += TILE)
      subtract_tile(c + i * c_stride + j, c_stride, a + i * a_row, a_row, a_column, b + j, b_stride, depth);
    if (i < rows)
      subtract_edge(
          c + i * c_stride + j, c_stride, a + i * a_row, a_row, a_column, b + j, b_stride, rows - i, 8, depth);
  }
  if (j < columns) subtract_edge(c + j, c_stride, a, a_row, a_column, b + j, b_stride, rows, columns - j, depth);
}

const struct loops TABLE = {
  .dot = dot, .sum = sum, .sum_exp = sum_exp, .weighted_square_distances = weighted_square_distances,
  .weighted_mismatches = weighted_mismatches, .weighted_differences = weighted_differences,
  .add_scaled = add_scaled, .subtract_squares = subtract_squares, .add_square_distances = add_square_distances,
  .add_mismatches = add_mismatches, .matern = matern, .subtract_product = subtract_product,
  .mixture_scale = mixture_scale, .mixture_density = mixture_density, .mixture_share = mixture_share,
  .mixture_total = mixture_total,
};
