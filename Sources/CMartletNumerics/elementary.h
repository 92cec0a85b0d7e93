// exp, log and the normal distribution, without branches, tables or calls, so that loops over them become vectors.
//
// Only sums, products, one division and shifts of bits: the same bits on every machine and at every vector width. The
// files that use it must forbid fused products (`#pragma STDC FP_CONTRACT OFF`).
#ifndef MARTLET_ELEMENTARY_H
#define MARTLET_ELEMENTARY_H

#include <stdint.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

static inline double martlet_from_bits(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static inline uint64_t martlet_to_bits(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

/// e to the `x`, for -708 to 709 and clamped to that; relative error below 1e-15.
///
/// e^x = 2^k e^r with |r| ≤ ln(2)/2, and the Taylor polynomial of e^r, whose next term is below 5e-18.
static inline double martlet_vector_exp(double x) {
  x = x < -708 ? -708 : x;
  x = x > 709 ? 709 : x;
  // Adding 1.5 · 2^52 rounds to a whole number, which is then in the low bits.
  double shifted = x * 1.4426950408889634 + 0x1.8p52;
  double k = shifted - 0x1.8p52;
  // ln(2) in two parts, the first with zeros at the end, so that k times it is exact.
  double r = (x - k * 0x1.62e42feep-1) - k * 0x1.a39ef35793c76p-33;
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
  p = p * r + 0.5;
  p = p * r + 1;
  p = p * r + 1;
  return p * martlet_from_bits((martlet_to_bits(shifted) + 1023) << 52);
}

/// The natural logarithm of a normal number above 0; relative error below 1e-15 away from 1, absolute below 1e-16 near.
///
/// log(2^k m) = k ln 2 + 2 artanh(s), s = (m - 1)/(m + 1), m between √½ and √2; the series of artanh to s^21.
static inline double martlet_vector_log(double x) {
  uint64_t bits = martlet_to_bits(x);
  // Exponents as numbers, by way of the low bits of 2^52; those of mantissas above √2 count one more.
  uint64_t carry = (bits + 0x00095f619980c433) & 0xfff0000000000000;
  double k = martlet_from_bits((carry >> 52) | 0x4330000000000000) - (0x1p52 + 1023);
  double m = martlet_from_bits(bits - carry + 0x3ff0000000000000);
  double s = (m - 1) / (m + 1);
  double q = s * s;
  double p = 1.0 / 21;
  p = p * q + 1.0 / 19;
  p = p * q + 1.0 / 17;
  p = p * q + 1.0 / 15;
  p = p * q + 1.0 / 13;
  p = p * q + 1.0 / 11;
  p = p * q + 1.0 / 9;
  p = p * q + 1.0 / 7;
  p = p * q + 1.0 / 5;
  p = p * q + 1.0 / 3;
  return k * 0x1.62e42feep-1 + (k * 0x1.a39ef35793c76p-33 + (2 * s + 2 * s * (q * p)));
}

/// Φ(z), the share of the standard normal distribution below `z`; relative error below 1e-13 for z > -37.
///
/// ½ e^{-x²} erfcx(x) with x = |z|/√2, and (1 + 2x) erfcx(x) by a polynomial in (x - 4)/(x + 4): a Chebyshev fit
/// computed with 40 digits (Tests/Fixtures/search/erfcx.py).
static inline double martlet_normal_cumulative(double z) {
  double x = (z < 0 ? -z : z) * 0.70710678118654752;
  double y = (x - 4) / (x + 4);
  double p = -8.10917876910166822e-09;
  p = p * y + 5.61835096704522545e-08;
  p = p * y + 5.25666770981047024e-08;
  p = p * y - 7.19142168165039707e-07;
  p = p * y + 3.21405510138287217e-07;
  p = p * y + 5.58496746117286875e-06;
  p = p * y - 1.12431411001220333e-05;
  p = p * y - 2.43068763538878314e-05;
  p = p * y + 1.50631872777283254e-04;
  p = p * y - 1.99300499018852139e-04;
  p = p * y - 7.57776378286665166e-04;
  p = p * y + 5.03198312091613937e-03;
  p = p * y - 1.61977334942818019e-02;
  p = p * y + 3.71675131529849712e-02;
  p = p * y - 6.63303658688048081e-02;
  p = p * y + 9.37328352371542550e-02;
  p = p * y - 1.01039066033694280e-01;
  p = p * y + 6.80970542436900167e-02;
  p = p * y + 1.53796521025842542e-02;
  p = p * y - 1.39621116840412784e-01;
  p = p * y + 1.23299511862555256;
  double tail = 0.5 * p / (1 + 2 * x) * martlet_vector_exp(-x * x);
  return z > 0 ? 1 - tail : tail;
}

#endif
