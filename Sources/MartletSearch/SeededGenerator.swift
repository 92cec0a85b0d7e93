// Random numbers that are the same on every machine and in every version for the same seed.

/// SplitMix64: a counter and a finalizer, for seeding and for hashing small numbers.
///
/// Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators (2014), with the constants of its reference
/// implementation.
public struct SplitMix64: RandomNumberGenerator, Hashable, Sendable {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}

/// xoshiro256**: the generator of every draw.
///
/// Blackman, Vigna: Scrambled Linear Pseudorandom Number Generators (2021).
public struct Xoshiro256: RandomNumberGenerator, Hashable, Sendable {
  private var a: UInt64
  private var b: UInt64
  private var c: UInt64
  private var d: UInt64

  /// The generator of stream `stream` of `seed`: streams of one seed are unrelated.
  public init(seed: UInt64, stream: UInt64 = 0) {
    var words = SplitMix64(seed: seed)
    let mixed = words.next()
    var source = SplitMix64(seed: mixed ^ (stream &* 0xD134_2543_DE82_EF95))
    a = source.next()
    b = source.next()
    c = source.next()
    // The all-zero state is the one xoshiro cannot leave.
    d = source.next() | 1
  }

  public mutating func next() -> UInt64 {
    let result = Self.rotate(b &* 5, by: 7) &* 9
    let shifted = b << 17
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = Self.rotate(d, by: 45)
    return result
  }

  private static func rotate(_ word: UInt64, by bits: UInt64) -> UInt64 {
    (word << bits) | (word >> (64 - bits))
  }
}

// Our own mappings from words to numbers: the standard library's may change between its versions, and with them
// every saved search.
extension Xoshiro256 {
  /// Uniform in 0..<1, a multiple of 2^-53.
  mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Uniform in 0..<bound, without bias (Lemire: Fast Random Integer Generation in an Interval, 2019).
  mutating func below(_ bound: UInt64) -> UInt64 {
    guard bound > 0 else { return next() }
    var product = next().multipliedFullWidth(by: bound)
    let threshold = (0 &- bound) % bound
    while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
    return product.high
  }

  /// Standard normal (Box and Muller, 1958); the second value of the pair is not kept, so that a draw has no past.
  mutating func normal() -> Double {
    let radius = (-2 * Elementary.log(1 - unit())).squareRoot()
    return radius * Elementary.cosTurn(unit())
  }

  /// Gamma with this shape and scale 1 (Marsaglia, Tsang: A Simple Method for Generating Gamma Variables, 2000).
  mutating func gamma(shape: Double) -> Double {
    guard shape >= 1 else { return gamma(shape: shape + 1) * Elementary.pow(1 - unit(), 1 / shape) }
    let d = shape - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = normal()
      let root = 1 + c * x
      guard root > 0 else { continue }
      let v = root * root * root
      if Elementary.log(1 - unit()) < 0.5 * x * x + d - d * v + d * Elementary.log(v) { return d * v }
    }
  }
}
