// The elementary functions, one number at a time.

#include "exponential.h"
#include "martlet_numerics.h"

#define INFINITE __builtin_inf()

double martlet_exp(double x) {
  if (x != x) return x;
  if (x > 709.79) return INFINITE;
  if (x < -745.14) return 0;
  double k = (x * LOG2_E + ROUNDER) - ROUNDER;
  double r = (x - k * LOG_2_HIGH) - k * LOG_2_LOW;
  double mantissa = 1 + (r + r * r * exp_tail(r));
  // In two steps: 2^k may be out of range where the result is not.
  int64_t whole = (int64_t)k, half = whole / 2;
  return mantissa * from_bits((uint64_t)(half + 1023) << 52) * from_bits((uint64_t)(whole - half + 1023) << 52);
}

double martlet_expm1(double x) {
  if (x > -0.35 && x < 0.35) return x + x * x * exp_tail(x);
  return martlet_exp(x) - 1;
}

double martlet_log(double x) {
  if (!(x > 0)) return x == 0 ? -INFINITE : __builtin_nan("");
  if (x > 0x1.fffffffffffffp1023) return x;
  double exponent = 0;
  if (x < 0x1p-1022) {
    x *= 0x1p54;
    exponent = -54;
  }
  uint64_t bits = to_bits(x);
  exponent += (double)((int64_t)(bits >> 52) - 1023);
  double m = from_bits((bits & 0x000fffffffffffffu) | 0x3ff0000000000000u);
  if (m > 0x1.6a09e667f3bcdp0) {
    m *= 0.5;
    exponent += 1;
  }
  // log(1 + f) = 2 atanh(s) with s = f / (2 + f), written so that the first two terms are f - f²/2.
  double f = m - 1, s = f / (2 + f), z = s * s;
  double p = 2.0 / 25;
  p = p * z + 2.0 / 23;
  p = p * z + 2.0 / 21;
  p = p * z + 2.0 / 19;
  p = p * z + 2.0 / 17;
  p = p * z + 2.0 / 15;
  p = p * z + 2.0 / 13;
  p = p * z + 2.0 / 11;
  p = p * z + 2.0 / 9;
  p = p * z + 2.0 / 7;
  p = p * z + 2.0 / 5;
  p = p * z + 2.0 / 3;
  double half = 0.5 * f * f;
  double low = s * (half + z * p) + exponent * LOG_2_LOW;
  return exponent * LOG_2_HIGH - ((half - low) - f);
}

double martlet_log1p(double x) {
  double u = 1 + x;
  if (u == 1) return x;
  if (!(u > 0) || u > 0x1p1000) return martlet_log(u);
  // What rounding took from 1 + x, by the derivative of the logarithm.
  return martlet_log(u) * (x / (u - 1));
}

double martlet_pow(double x, double y) {
  if (y == 0) return 1;
  if (x == 0) return y > 0 ? 0 : INFINITE;
  return martlet_exp(y * martlet_log(x));
}

/// sin(2 pi x) for |x| ≤ 1/8.
static double sine(double x) {
  double a = x * 0x1.921fb54442d18p2, z = a * a;
  double p = -1.0 / 1307674368000;
  p = p * z + 1.0 / 6227020800;
  p = p * z - 1.0 / 39916800;
  p = p * z + 1.0 / 362880;
  p = p * z - 1.0 / 5040;
  p = p * z + 1.0 / 120;
  p = p * z - 1.0 / 6;
  return a + a * z * p;
}

/// cos(2 pi x) for |x| ≤ 1/8.
static double cosine(double x) {
  double a = x * 0x1.921fb54442d18p2, z = a * a;
  double p = 1.0 / 20922789888000;
  p = p * z - 1.0 / 87178291200;
  p = p * z + 1.0 / 479001600;
  p = p * z - 1.0 / 3628800;
  p = p * z + 1.0 / 40320;
  p = p * z - 1.0 / 720;
  p = p * z + 1.0 / 24;
  return 1 - 0.5 * z + z * z * p;
}

/// sin(2 pi (x + quarters / 4)).
static double sine_after(double x, int quarters) {
  double nearest = (4 * x + ROUNDER) - ROUNDER;
  double rest = x - 0.25 * nearest;
  switch (((int)nearest + quarters) & 3) {
  case 0: return sine(rest);
  case 1: return cosine(rest);
  case 2: return -sine(rest);
  default: return -cosine(rest);
  }
}

double martlet_sin_turn(double x) { return sine_after(x, 0); }

double martlet_cos_turn(double x) { return sine_after(x, 1); }

/// erfcx for x ≥ 0: (1 + 2x) erfcx(x) is a polynomial in (x - 4)/(x + 4) (Shepherd, Laframboise: Chebyshev
/// Approximation of (1 + 2x) exp(x²) erfc x, 1981); the script of the reference test prints the coefficients.
static double erfcx_right(double x) {
  static const double coefficients[] = {
    -0x1.2feb115e10ff8p-32, 0x1.ff247156a53a2p-31, 0x1.bc41def3d5cc5p-29, -0x1.a7f4a11380e73p-27,
    -0x1.64110b1736fb3p-26, 0x1.c8a212189b424p-24, 0x1.4dcd6b6d85452p-24, -0x1.b8ce493292da5p-21,
    0x1.393f4d359a7fdp-22, 0x1.7ef644c7815aap-18, -0x1.7884d2487d5efp-17, -0x1.99537515467bep-16,
    0x1.3be0432bfa860p-13, -0x1.a1df5e81f57b4p-13, -0x1.8d4a9a6465372p-11, 0x1.49c672e199469p-8,
    -0x1.09623884747dbp-6, 0x1.3079edf5181dfp-5, -0x1.0fb06dfe4c6c0p-4, 0x1.7fee004e1eefep-4,
    -0x1.9ddb23c3e8f13p-4, 0x1.16ecefcfa4d10p-4, 0x1.f7f5df66fd797p-7, -0x1.1df1ad154a286p-3,
    0x1.3ba5916e9fd7fp+0,
  };
  // The limit: 1 / (x sqrt(pi)).
  if (x > 0x1p60) return 0x1.20dd750429b6dp-1 / x;
  double y = (x - 4) / (x + 4), p = coefficients[0];
  for (size_t i = 1; i < sizeof coefficients / sizeof *coefficients; i++) p = p * y + coefficients[i];
  return p / (1 + 2 * x);
}

/// exp(x²), or exp(-x²): x² in two parts, as its rounding would be multiplied by itself.
static double exp_square(double x, double sign) {
  double high = from_bits(to_bits(x) & 0xfffffffff8000000u);
  return martlet_exp(sign * high * high) * martlet_exp(sign * (x - high) * (x + high));
}

double martlet_erfcx(double x) {
  if (x != x) return x;
  if (x >= 0) return erfcx_right(x);
  return x < -26.7 ? INFINITE : 2 * exp_square(x, 1) - erfcx_right(-x);
}

double martlet_erfc(double x) {
  if (x != x) return x;
  if (x > 27.3) return 0;
  if (x < -6) return 2;
  double right = x < 0 ? -x : x;
  double tail = exp_square(right, -1) * erfcx_right(right);
  return x < 0 ? 2 - tail : tail;
}

double martlet_lgamma(double x) {
  if (!(x > 0)) return x == 0 ? INFINITE : __builtin_nan("");
  // Stirling's series (DLMF 5.11.1) holds for large x; Gamma(x + 1) = x Gamma(x) goes there.
  double product = 1;
  while (x < 12) {
    product *= x;
    x += 1;
  }
  double z = 1 / (x * x);
  double p = 1.0 / 156;
  p = p * z - 691.0 / 360360;
  p = p * z + 1.0 / 1188;
  p = p * z - 1.0 / 1680;
  p = p * z + 1.0 / 1260;
  p = p * z - 1.0 / 360;
  p = p * z + 1.0 / 12;
  return ((x - 0.5) * martlet_log(x) - x) + 0x1.d67f1c864beb5p-1 + p / x - martlet_log(product);
}
