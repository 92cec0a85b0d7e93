// Which loops this machine runs, and the vector functions that are nothing else.

#include "martlet_numerics.h"

#include <stdatomic.h>

#include "loops_table.h"

static const struct {
  const char *name;
  const struct loops *loops;
} variants[] = {
  {"plain", &martlet_loops_plain},
#if defined(__x86_64__)
  {"haswell", &martlet_loops_haswell},
  {"avx512", &martlet_loops_avx512},
#endif
};

static int can_run(int variant) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (variant >= 1 && !(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))) return 0;
  if (variant == 2 && !__builtin_cpu_supports("avx512f")) return 0;
#endif
  return variant >= 0 && variant < martlet_variant_count();
}

static _Atomic(const struct loops *) current;

const struct loops *martlet_loops(void) {
  const struct loops *loops = atomic_load_explicit(&current, memory_order_acquire);
  if (loops == NULL) {
    int best = martlet_variant_count() - 1;
    while (!can_run(best)) best--;
    loops = variants[best].loops;
    // Whoever else chooses at the same moment chooses the same.
    atomic_store_explicit(&current, loops, memory_order_release);
  }
  return loops;
}

int martlet_variant_count(void) { return (int)(sizeof variants / sizeof *variants); }

const char *martlet_variant_name(int variant) { return variants[variant].name; }

int martlet_use_variant(int variant) {
  if (!can_run(variant)) return 0;
  atomic_store_explicit(&current, variants[variant].loops, memory_order_release);
  return 1;
}

double martlet_dot(const double *a, const double *b, size_t count) { return martlet_loops()->dot(a, b, count); }

double martlet_sum(const double *a, size_t count) { return martlet_loops()->sum(a, count); }

double martlet_sum_exp(const double *a, double shift, size_t count) {
  return martlet_loops()->sum_exp(a, shift, count);
}

void martlet_add_scaled(double factor, const double *x, double *y, size_t count) {
  martlet_loops()->add_scaled(factor, x, y, count);
}

void martlet_subtract_squares(const double *x, double *y, size_t count) {
  martlet_loops()->subtract_squares(x, y, count);
}

void martlet_add_square_distances(double weight, const double *x, double at, double *y, size_t count) {
  martlet_loops()->add_square_distances(weight, x, at, y, count);
}

void martlet_add_mismatches(double weight, const double *x, double at, double *y, size_t count) {
  martlet_loops()->add_mismatches(weight, x, at, y, count);
}

double martlet_weighted_square_distances(const double *g, const double *x, double at, size_t count) {
  return martlet_loops()->weighted_square_distances(g, x, at, count);
}

double martlet_weighted_mismatches(const double *g, const double *x, double at, size_t count) {
  return martlet_loops()->weighted_mismatches(g, x, at, count);
}

double martlet_weighted_differences(const double *g, const double *x, double at, size_t count) {
  return martlet_loops()->weighted_differences(g, x, at, count);
}

void martlet_matern(const double *r2, double *k, double *slope, size_t count) {
  martlet_loops()->matern(r2, k, slope, count);
}

void martlet_subtract_product(
    double *c, size_t c_stride, const double *a, size_t a_row, size_t a_column, const double *b, size_t b_stride,
    size_t rows, size_t columns, size_t depth) {
  martlet_loops()->subtract_product(
      c, c_stride, a, a_row, a_column, b, b_stride, rows, columns, depth);
}
