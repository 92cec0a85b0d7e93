// Elementary functions that give the same bits on every machine.

import CMartletNumerics

/// Elementary functions of our own: the system's mathematics library may differ in the last digit from one machine or
/// version to the next, and with it a search that goes on elsewhere.
///
/// Errors, in units in the last place, are those the reference test measures.
enum Elementary {
  /// e to the x; within 1 unit.
  static func exp(_ x: Double) -> Double { martlet_exp(x) }
  /// exp(x) − 1, also near 0; within 2 units.
  static func expm1(_ x: Double) -> Double { martlet_expm1(x) }
  /// The natural logarithm; within 1 unit.
  static func log(_ x: Double) -> Double { martlet_log(x) }
  /// log(1 + x), also near 0; within 2 units.
  static func log1p(_ x: Double) -> Double { martlet_log1p(x) }
  /// `x` to the `y` for an x of 0 or more; within 2 + |y log x| units.
  static func pow(_ x: Double, _ y: Double) -> Double { martlet_pow(x, y) }
  /// sin(2πx) for x in 0...1, within 1e-16.
  static func sinTurn(_ x: Double) -> Double { martlet_sin_turn(x) }
  /// cos(2πx) for x in 0...1, within 1e-16.
  static func cosTurn(_ x: Double) -> Double { martlet_cos_turn(x) }
  /// The complement of the error function, to the right end of its range; within 4 units.
  static func erfc(_ x: Double) -> Double { martlet_erfc(x) }
  /// exp(x²) erfc(x), which does not underflow; within 4 units for x ≥ 0.
  static func erfcx(_ x: Double) -> Double { martlet_erfcx(x) }
  /// The logarithm of Γ(x) for x > 0; within 1e-14 of it or of 1.
  static func lgamma(_ x: Double) -> Double { martlet_lgamma(x) }

  /// log(1 − exp(x)) for x < 0, without loss of digits on either side (Mächler: Accurately Computing log(1 − exp(−|a|)),
  /// 2012).
  static func log1mexp(_ x: Double) -> Double {
    x > -0.6931471805599453 ? log(-expm1(x)) : log1p(-exp(x))
  }

  /// log Σ exp(x).
  static func logSum(_ logarithms: [Double]) -> Double {
    guard let largest = logarithms.max(), largest > -.infinity else { return -.infinity }
    var sum = 0.0
    for value in logarithms { sum += exp(value - largest) }
    return largest + log(sum)
  }
}
