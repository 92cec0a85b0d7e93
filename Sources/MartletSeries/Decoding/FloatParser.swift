// Decimal text to the nearest Double, and the exact Int64 where the text is one.
//
// Clinger's exact case ("How to read floating point numbers accurately", 1990), else Eisel and Lemire's method with its branch
// for subnormal numbers (see scripts/powers-of-five.py for the papers). Of more than 19 digits, the first 19 and the first 19
// plus one are two bounds; only where their doubles differ is the standard library asked.

/// The value of a number literal of JSON.
struct NumberLiteral {
  var double: Double
  /// Exact, also where `double` is not; 0 when `isInt` is false. "-0" is the int 0.
  var int: Int64
  /// Neither fraction nor exponent, and within Int64.
  var isInt: Bool

  @inline(__always) init(_ double: Double) {
    (self.double, int, isInt) = (double, 0, false)
  }

  @inline(__always) init(magnitude: UInt64, isNegative: Bool, double: Double) {
    self.double = double
    int = Int64(truncatingIfNeeded: isNegative ? 0 &- magnitude : magnitude)
    isInt = magnitude <= UInt64(Int64.max) &+ (isNegative ? 1 : 0)
  }
}

/// Parses number literals. Holds the tables' addresses, which are looked up once for a text and not once for a number.
struct FloatParser {
  private static let powersOfTen: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19,
    1e20, 1e21, 1e22,
  ]

  private let fives: UnsafePointer<UInt64>
  private let tens: UnsafePointer<Double>

  /// Calls `body` with a parser that is valid until it returns.
  static func with<Result, Failure: Error>(
    _ body: (FloatParser) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try PowersOfFive.words.withUnsafeBufferPointer { (fives) throws(Failure) in
      try powersOfTen.withUnsafeBufferPointer { (tens) throws(Failure) in
        // Neither table is empty, so that both have an address.
        try body(
          FloatParser(
            fives: fives.baseAddress.unsafelyUnwrapped, tens: tens.baseAddress.unsafelyUnwrapped))
      }
    }
  }

  private init(fives: UnsafePointer<UInt64>, tens: UnsafePointer<Double>) {
    (self.fives, self.tens) = (fives, tens)
  }

  // MARK: - Literals

  /// The number literal of JSON (RFC 8259, section 6) that begins at `place`, which is moved behind it; nil when none does,
  /// and `place` is anywhere up to `end`. Reads nothing at or behind `end`.
  @inline(__always)
  func parse(_ place: inout UnsafePointer<UInt8>, end: UnsafePointer<UInt8>) -> NumberLiteral? {
    var mantissa: UInt64 = 0
    var exponent = 0
    var isWhole = true
    let isNegative = place < end && place.pointee == UInt8(ascii: "-")
    if isNegative { place += 1 }
    let start = place
    var digits = Self.digits(&place, end, into: &mantissa)
    if digits == 0 || (digits > 1 && start.pointee == UInt8(ascii: "0")) { return nil }
    if place < end, place.pointee == UInt8(ascii: ".") {
      place += 1
      let fraction = Self.digits(&place, end, into: &mantissa)
      if fraction == 0 { return nil }
      (digits, exponent, isWhole) = (digits &+ fraction, -fraction, false)
    }
    let mantissaEnd = place
    if place < end, place.pointee | 0x20 == UInt8(ascii: "e") {
      guard let written = Self.exponent(&place, end) else { return nil }
      (exponent, isWhole) = (exponent &+ written, false)
    }
    let magnitude: Double
    if digits > 19 {
      magnitude = long(start, mantissaEnd, exponent, UnsafeBufferPointer(start: start, count: place - start))
      // Beyond 19 digits there may still be 19 or fewer that count, but JSON allows no zeros before a whole number.
      isWhole = false
    } else if mantissa <= 1 << 53, -22...22 ~= exponent {
      magnitude = exponent < 0 ? Double(mantissa) / tens[-exponent] : Double(mantissa) * tens[exponent]
    } else {
      magnitude = mantissa == 0 ? 0 : scaled(mantissa, exponent)
    }
    let double = isNegative ? -magnitude : magnitude
    return isWhole
      ? NumberLiteral(magnitude: mantissa, isNegative: isNegative, double: double) : NumberLiteral(double)
  }

  /// Takes in decimal digits, modulo 2^64; gives how many they were.
  @inline(__always)
  private static func digits(
    _ place: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, into value: inout UInt64
  ) -> Int {
    let start = place
    // Eight at a time: pairs, then fours, then eights are added up within one word.
    while end - place >= 8 {
      var word = UInt64(littleEndian: UnsafeRawPointer(place).loadUnaligned(as: UInt64.self))
      let low = word &- 0x3030_3030_3030_3030
      guard ((word &+ 0x4646_4646_4646_4646) | low) & 0x8080_8080_8080_8080 == 0 else { break }
      word = low &* 10 &+ (low >> 8)
      word =
        ((word & 0x0000_00FF_0000_00FF) &* 0x000F_4240_0000_0064
          &+ ((word >> 16) & 0x0000_00FF_0000_00FF) &* 0x0000_2710_0000_0001) >> 32
      value = value &* 100_000_000 &+ word
      place += 8
    }
    while place < end {
      let digit = place.pointee &- UInt8(ascii: "0")
      guard digit <= 9 else { break }
      value = value &* 10 &+ UInt64(digit)
      place += 1
    }
    return place - start
  }

  /// At the `e`; nil when no digit follows.
  @inline(__always)
  private static func exponent(_ place: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Int? {
    place += 1
    let isNegative = place < end && place.pointee == UInt8(ascii: "-")
    if isNegative || (place < end && place.pointee == UInt8(ascii: "+")) { place += 1 }
    let start = place
    var value = 0
    while place < end {
      let digit = place.pointee &- UInt8(ascii: "0")
      guard digit <= 9 else { break }
      // Beyond this no fraction is long enough to make up for it, so that the value is 0 or infinite anyhow.
      if value < 1 << 40 { value = value &* 10 &+ Int(digit) }
      place += 1
    }
    guard place > start else { return nil }
    return isNegative ? -value : value
  }

  // MARK: - Values

  /// mantissa · 10^exponent, correctly rounded, for a mantissa that is not 0.
  @inline(__always)
  private func scaled(_ mantissa: UInt64, _ exponent: Int) -> Double {
    if exponent < PowersOfFive.lowest { return 0 }
    if exponent > PowersOfFive.highest { return .infinity }
    let zeros = mantissa.leadingZeroBitCount
    let word = mantissa &<< UInt64(zeros)
    let entry = fives + 2 &* (exponent &- PowersOfFive.lowest)
    var (high, low) = word.multipliedFullWidth(by: entry[0])
    if high & 0x1FF == 0x1FF {
      // All bits below the mantissa and its rounding bit are set: the lower half of the power may carry into them.
      let carry = word.multipliedFullWidth(by: entry[1]).high
      low = low &+ carry
      if low < carry { high = high &+ 1 }
    }
    let upper = Int(high >> 63)
    let shift = UInt64(upper &+ 9)
    var bits = high &>> shift
    // ⌊q · log2(10)⌋ for every q of the table; 1023 is the bias of the exponent of a double.
    var power = ((217_706 &* exponent) >> 16) &+ 63 &+ upper &- zeros &+ 1_023
    if power <= 0 {
      // Subnormal. A number half-way between two of them needs more digits than 19.
      if power <= -63 { return 0 }
      bits >>= UInt64(1 - power)
      return Double(bitPattern: (bits &+ (bits & 1)) >> 1)
    }
    if low <= 1, -4...23 ~= exponent, bits & 3 == 1, bits &<< shift == high {
      bits &= ~1  // exactly half-way: to the even neighbour
    }
    bits = (bits &+ (bits & 1)) >> 1
    if bits >= 1 << 53 {
      bits = 1 << 52
      power &+= 1
    }
    return power >= 0x7FF ? .infinity : Double(bitPattern: bits & ~(1 << 52) | UInt64(power) << 52)
  }

  /// A literal of more than 19 digits.
  ///
  /// - Parameters:
  ///   - start, end: its digits and point, without sign and exponent.
  ///   - exponent: of the last digit.
  ///   - literal: all of it but the sign.
  @inline(never)
  private func long(
    _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ exponent: Int,
    _ literal: UnsafeBufferPointer<UInt8>
  ) -> Double {
    var mantissa: UInt64 = 0
    var taken = 0
    var left = 0
    var place = start
    while place < end {
      let byte = place.pointee
      place += 1
      if byte == UInt8(ascii: ".") || (taken == 0 && byte == UInt8(ascii: "0")) { continue }
      if taken < 19 {
        mantissa = mantissa * 10 + UInt64(byte - UInt8(ascii: "0"))
        taken += 1
      } else {
        left += 1
      }
    }
    guard mantissa > 0 else { return 0 }
    let low = scaled(mantissa, exponent + left)
    if left == 0 || low == scaled(mantissa + 1, exponent + left) { return low }
    // A well-formed literal, which the library reads whatever the locale.
    return Double(String(decoding: literal, as: UTF8.self)) ?? low
  }
}
