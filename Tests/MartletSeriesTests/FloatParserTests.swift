// Decimal text to doubles, beside the C library's strtod.

import Foundation
import MartletTestSupport
import Testing

@testable import MartletSeries

@Suite struct FloatParserTests {
  private func parse(_ text: String) -> NumberLiteral? {
    FloatParser.with { parser in
      var text = text
      return text.withUTF8 { bytes in
        guard var place = bytes.baseAddress else { return nil }
        let end = place + bytes.count
        let literal = parser.parse(&place, end: end)
        return place == end ? literal : nil
      }
    }
  }

  private func digits(_ count: Int, _ dice: inout SeededNumbers) -> String {
    String((0..<count).map { dice.pick(Array($0 == 0 ? "123456789" : "0123456789")) })
  }

  /// Ways to write numbers, each of which takes another way through the parser.
  enum Kind: CaseIterable {
    case shortestOfRandomBits
    case manyDigitsOfRandomBits
    case widenedFloats
    case shortDecimals
    case subnormals
    case exponents
    case longMantissas
    case ties
    case wholeTies
  }

  private func text(_ kind: Kind, _ dice: inout SeededNumbers) -> String {
    switch kind {
    case .shortestOfRandomBits:
      let value = Double(bitPattern: dice.next())
      return value.isFinite ? "\(value)" : "0"
    case .manyDigitsOfRandomBits:
      let value = Double(bitPattern: dice.next())
      return value.isFinite ? String(format: "%.17g", value) : "0"
    case .widenedFloats:
      return "\(Double(Float(bitPattern: UInt32(truncatingIfNeeded: dice.next()) & 0xBFFF_FFFF)))"
    case .shortDecimals:
      return
        "\(Int.random(in: -99_999...99_999, using: &dice)).\(digits(Int.random(in: 1...6, using: &dice), &dice))"
    case .subnormals:
      return String(format: "%.17g", Double(bitPattern: dice.next() & 0x800F_FFFF_FFFF_FFFF))
    case .exponents:
      return digits(Int.random(in: 1...19, using: &dice), &dice)
        + "e\(Int.random(in: -400...400, using: &dice))"
    case .longMantissas:
      return "0." + String(repeating: "0", count: Int.random(in: 0...5, using: &dice))
        + digits(Int.random(in: 20...60, using: &dice), &dice)
        + "E\(Int.random(in: -400...400, using: &dice))"
    case .ties:
      // The middle between two neighbours written out in full, and beside it.
      let low = Double(bitPattern: 0x3C00_0000_0000_0000 + dice.next() % 0x0630_0000_0000_0000)
      return halfway(low) + dice.pick(["", "1", "000000000000000000000000000001"])
    case .wholeTies:
      let bits = UInt64.random(in: 54...63, using: &dice)
      let top = dice.next() >> (64 - bits) | 1 << (bits - 1)
      return "\((top >> (bits - 54)) << (bits - 54))"
    }
  }

  /// (low + low.nextUp) / 2 in decimal, exactly, for 2^-63 < low < 2^37.
  private func halfway(_ low: Double) -> String {
    // low = m · 2^-k; its middle to the next is (2m + 1) · 2^-(k+1), whose decimal places end after k + 1 halvings.
    let places = 52 - Int(low.exponent) + 1
    var number = [UInt8](String(low.significandBitPattern << 1 | 1 << 53 | 1).utf8.reversed().map { $0 - 48 })
    // Times 5^places; the point stands before the last `places` digits.
    for _ in 0..<places {
      var carry: UInt8 = 0
      for index in number.indices {
        let product = number[index] * 5 + carry
        (number[index], carry) = (product % 10, product / 10)
      }
      if carry > 0 { number.append(carry) }
    }
    while number.count <= places { number.append(0) }
    let text = number.reversed().map { String($0) }.joined()
    return "\(text.dropLast(places)).\(text.suffix(places))"
  }

  @Test(arguments: Kind.allCases)
  func asTheCLibraryReadsThem(kind: Kind) {
    var dice = SeededNumbers(seed: 7)
    var mismatches: [String] = []
    let count = kind == .ties ? 1_000 : kind == .longMantissas ? 10_000 : 40_000
    for _ in 0..<count {
      let text = text(kind, &dice)
      if parse(text)?.double.bitPattern != strtod(text, nil).bitPattern { mismatches.append(text) }
    }
    #expect(mismatches.prefix(5) == [])
  }

  @Test(
    arguments: [
      ("1e400", .infinity), ("-1e400", -.infinity), ("1e-400", 0), ("0e999999999999", 0), ("-0.0", -0.0),
      ("-0.0e5", -0.0), ("0.0000000000000000000000", 0), ("2.4703282292062327e-324", 0),
      ("2.4703282292062328e-324", .leastNonzeroMagnitude),
      ("1.7976931348623158e308", .greatestFiniteMagnitude),
      ("1.7976931348623159e308", .infinity), ("0.\(String(repeating: "0", count: 120_000))1e120001", 1),
      ("1\(String(repeating: "0", count: 400))", .infinity),
      ("1\(String(repeating: "0", count: 200))e-200", 1),
      ("1e99999999999999999999", .infinity), ("1e-99999999999999999999", 0),
      ("9007199254740993", 9_007_199_254_740_992),
      ("0.00000000000000000000012345678901234567890", 1.2345678901234568e-22),
    ] as [(String, Double)])
  func edges(text: String, expected: Double) {
    #expect(parse(text)?.double.bitPattern == expected.bitPattern)
  }

  @Test(
    arguments: [
      "", "-", "+1", "01", "-01", "00000000001", "1.", ".5", "1e", "1e+", "1.e5", "0x10", "1_0", "--1",
      "1e5.5",
      "inf", "NaN", "12345678:", "1234567/", "\u{661}",
    ])
  func noLiterals(text: String) {
    #expect(parse(text) == nil)
  }

  @Test func wholeNumbersAreExact() {
    var dice = SeededNumbers(seed: 1)
    var numbers: [Int64] = [.min, .min + 1, .max, .max - 1, 1 << 53 + 1, -(1 << 53) - 1, 0, 1, -1]
    for _ in 0..<20_000 {
      numbers.append(Int64(bitPattern: dice.next()) >> Int64.random(in: 0...63, using: &dice))
    }
    var mismatches: [Int64] = []
    for number in numbers {
      guard let literal = parse("\(number)"), literal.isInt, literal.int == number,
        literal.double == Double(number)
      else {
        mismatches.append(number)
        continue
      }
    }
    #expect(mismatches.isEmpty)
    for text in [
      "9223372036854775808", "-9223372036854775809", "18446744073709551616", "99999999999999999999", "1.0",
      "1e3",
    ] {
      #expect(parse(text)?.isInt == false, "\(text)")
    }
    #expect(parse("-0")?.isInt == true)
  }

  /// At every length up to two words, nothing behind the end is read or counts.
  @Test func theEndIsKept() throws {
    let text = Array("-12345678901234567.12345678901234567e-12345".utf8)
    for length in 1...text.count {
      try withGuard(Array(text.prefix(length))) { bytes in
        let bytes = bytes.bindMemory(to: UInt8.self)
        let literal = FloatParser.with { parser -> NumberLiteral? in
          guard var place = bytes.baseAddress else { return nil }
          return parser.parse(&place, end: place + bytes.count)
        }
        let last = text[length - 1]
        #expect((literal != nil) == (last >= 0x30 && last <= 0x39))
        if let literal {
          #expect(literal.double == strtod(String(decoding: text.prefix(length), as: UTF8.self), nil))
        }
      }
    }
  }
}
