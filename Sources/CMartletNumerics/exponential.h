// The exponential function from sums and products alone, to be inlined into loops.
#ifndef MARTLET_EXPONENTIAL_H
#define MARTLET_EXPONENTIAL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

#define INLINE static inline __attribute__((always_inline))

INLINE double from_bits(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

INLINE uint64_t to_bits(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

// Adding and taking away 3 * 2^51 rounds to a whole number, which then also stands in the low bits.
#define ROUNDER 0x1.8p52
#define LOG2_E 0x1.71547652b82fep+0
// The logarithm of 2 in two parts; whole numbers up to 2^11 times the first part are exact.
#define LOG_2_HIGH 0x1.62e42fee00000p-1
#define LOG_2_LOW 0x1.a39ef35793c76p-33

/// (exp(r) - 1 - r) / r² for |r| ≤ log(2) / 2: the Taylor series.
INLINE double exp_tail(double r) {
  double p = 1.0 / 6227020800;
  p = p * r + 1.0 / 479001600;
  p = p * r + 1.0 / 39916800;
  p = p * r + 1.0 / 3628800;
  p = p * r + 1.0 / 362880;
  p = p * r + 1.0 / 40320;
  p = p * r + 1.0 / 5040;
  p = p * r + 1.0 / 720;
  p = p * r + 1.0 / 120;
  p = p * r + 1.0 / 24;
  p = p * r + 1.0 / 6;
  p = p * r + 1.0 / 2;
  return p;
}

/// exp(x) for x in -708...709, without branches: below and above as at these ends.
INLINE double exp_inside(double x) {
  x = x < -708 ? -708 : x;
  x = x > 709 ? 709 : x;
  double shifted = x * LOG2_E + ROUNDER;
  double k = shifted - ROUNDER;
  double r = (x - k * LOG_2_HIGH) - k * LOG_2_LOW;
  double power = from_bits((to_bits(shifted) << 52) + 0x3ff0000000000000u);
  return (1 + (r + r * r * exp_tail(r))) * power;
}

#endif
