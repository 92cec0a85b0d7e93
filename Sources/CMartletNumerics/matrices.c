// Factors of symmetric matrices and what is solved with them, in blocks of 64.

#include "loops_table.h"
#include "martlet_numerics.h"

#pragma STDC FP_CONTRACT OFF

#define BLOCK 64

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

int martlet_cholesky(double *matrix, size_t stride, size_t from, size_t order, double *scratch) {
  const struct loops *loops = martlet_loops();
  for (size_t left = 0; left < order; left += BLOCK) {
    size_t right = smaller(left + BLOCK, order), width = right - left;
    size_t top = left > from ? left : from;
    // What the columns before contribute, block by block: the order of sums does not depend on the matrix's size.
    for (size_t block = 0; block < left; block += BLOCK) {
      for (size_t column = 0; column < width; column++)
        for (size_t k = 0; k < BLOCK; k++)
          scratch[k * BLOCK + column] = matrix[(left + column) * stride + block + k];
      // Above the diagonal this writes into the upper half: those rows are done one by one below.
      size_t first = top < right ? right : top;
      for (size_t row = top; row < first; row++)
        loops->subtract_product(
            matrix + row * stride + left, stride, matrix + row * stride + block, stride, 1, scratch, BLOCK, 1,
            smaller(row + 1, right) - left, BLOCK);
      if (first < order)
        loops->subtract_product(
            matrix + first * stride + left, stride, matrix + first * stride + block, stride, 1, scratch, BLOCK,
            order - first, width, BLOCK);
    }
    for (size_t row = top; row < order; row++) {
      double *own = matrix + row * stride + left;
      for (size_t column = 0; column < width && left + column < row; column++) {
        const double *other = matrix + (left + column) * stride + left;
        own[column] = (own[column] - loops->dot(own, other, column)) / other[column];
      }
      if (row < right) {
        size_t place = row - left;
        double rest = own[place] - loops->dot(own, own, place);
        if (!(rest > 0)) return 1;
        own[place] = __builtin_sqrt(rest);
      }
    }
  }
  return 0;
}

void martlet_solve_lower(
    const double *lower, size_t stride, size_t order, double *rhs, size_t rhs_stride, size_t columns, int identity) {
  const struct loops *loops = martlet_loops();
  for (size_t top = 0; top < order; top += BLOCK) {
    size_t bottom = smaller(top + BLOCK, order);
    for (size_t block = 0; block < top; block += BLOCK) {
      // Row k of the inverse of a lower triangle ends at column k.
      size_t reach = identity ? smaller(block + BLOCK, columns) : columns;
      loops->subtract_product(
          rhs + top * rhs_stride, rhs_stride, lower + top * stride + block, stride, 1, rhs + block * rhs_stride,
          rhs_stride, bottom - top, reach, BLOCK);
    }
    size_t reach = identity ? smaller(bottom, columns) : columns;
    for (size_t row = top; row < bottom; row++) {
      double *own = rhs + row * rhs_stride;
      loops->subtract_product(
          own, rhs_stride, lower + row * stride + top, stride, 1, rhs + top * rhs_stride, rhs_stride, 1, reach,
          row - top);
      double scale = 1 / lower[row * stride + row];
      for (size_t column = 0; column < reach; column++) own[column] *= scale;
    }
  }
}

void martlet_forward(const double *lower, size_t stride, size_t order, double *rhs) {
  const struct loops *loops = martlet_loops();
  for (size_t row = 0; row < order; row++) {
    const double *own = lower + row * stride;
    rhs[row] = (rhs[row] - loops->dot(own, rhs, row)) / own[row];
  }
}

void martlet_backward(const double *lower, size_t stride, size_t order, double *rhs) {
  const struct loops *loops = martlet_loops();
  for (size_t row = order; row-- > 0;) {
    const double *own = lower + row * stride;
    rhs[row] /= own[row];
    loops->add_scaled(-rhs[row], own, rhs, row);
  }
}

void martlet_square_transposed(
    const double *x, size_t stride, size_t order, double *product, size_t product_stride) {
  const struct loops *loops = martlet_loops();
  for (size_t row = 0; row < order; row++)
    for (size_t column = 0; column < order; column++) product[row * product_stride + column] = 0;
  for (size_t top = 0; top < order; top += BLOCK) {
    size_t bottom = smaller(top + BLOCK, order);
    for (size_t block = top; block < order; block += BLOCK)
      loops->subtract_product(
          product + top * product_stride, product_stride, x + block * stride + top, 1, stride, x + block * stride,
          stride, bottom - top, bottom, smaller(BLOCK, order - block));
  }
  for (size_t row = 0; row < order; row++)
    for (size_t column = 0; column < order; column++)
      product[row * product_stride + column] = -product[row * product_stride + column];
}
