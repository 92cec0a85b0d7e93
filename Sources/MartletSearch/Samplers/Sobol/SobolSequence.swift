// Points that fill a cube more evenly than random ones: the Sobol sequence, scrambled.

import Foundation

/// The Sobol sequence of a seed.
///
/// Bratley and Fox (1988) in Gray code order, with the direction numbers of Joe and Kuo (2008), scrambled by a random
/// linear matrix and a digital shift an axis (Matoušek: On the L2-discrepancy for Anchored Boxes, 1998; Owen's
/// scrambling without its cost). Of the first 2^m points of every axis each of 2^m equal intervals holds one.
public struct SobolSequence: Sendable {
  /// Axes that have direction numbers.
  public static let largestDimension = SobolTable.counts.reduce(1, +)
  /// Points before the sequence repeats, as a power of two.
  private static let length = 32
  /// Bits of a coordinate: those of a Double.
  private static let precision = 53

  public let dimension: Int
  /// `directions[axis * length + j]`, `precision` bits each.
  private var directions: [UInt64] = []
  private var shifts: [UInt64] = []

  /// - Parameters:
  ///   - dimension: how many axes; at most `largestDimension` are given.
  ///   - seed: nil leaves the sequence as it is, beginning at 0.
  public init(dimension: Int, seed: UInt64?) {
    self.dimension = min(dimension, Self.largestDimension)
    directions.reserveCapacity(self.dimension * Self.length)
    for (axis, numbers) in Self.directions(count: self.dimension).enumerated() {
      guard let seed else {
        directions += numbers.map { UInt64($0) << UInt64(Self.precision - Self.length) }
        shifts.append(0)
        continue
      }
      // Far from the streams of trials.
      var generator = Xoshiro256(seed: seed, stream: 1 << 48 + UInt64(axis))
      let matrix = Self.matrix(using: &generator)
      directions += numbers.map { Self.product(matrix, $0) }
      shifts.append(generator.next() >> UInt64(64 - Self.precision))
    }
  }

  /// The point at `index`, from 0, each coordinate in 0..<1.
  public func point(_ index: Int) -> [Double] {
    let code = UInt32(truncatingIfNeeded: index ^ (index >> 1))
    return (0..<dimension).map { axis in
      var word = shifts[axis]
      var rest = code
      while rest != 0 {
        word ^= directions[axis * Self.length + rest.trailingZeroBitCount]
        rest &= rest - 1
      }
      return Double(word) * 0x1p-53
    }
  }

  // MARK: - Scrambling

  /// A random lower triangular matrix over bits with ones on its diagonal: for each bit of the product, from the highest,
  /// the bits of a direction number that it sums.
  private static func matrix(using generator: inout Xoshiro256) -> [UInt32] {
    (0..<precision).map { row in
      let random = UInt32(truncatingIfNeeded: generator.next() >> 32)
      guard row < length else { return random }
      let diagonal: UInt32 = 1 << UInt32(length - 1 - row)
      // Above the diagonal's bit: what it may sum.
      return (random & ~(diagonal | (diagonal - 1))) | diagonal
    }
  }

  private static func product(_ matrix: [UInt32], _ number: UInt32) -> UInt64 {
    matrix.reduce(0) { $0 << 1 | UInt64(($1 & number).nonzeroBitCount & 1) }
  }

  // MARK: - Direction numbers

  /// For each axis its direction numbers, the first bit after the point highest.
  private static func directions(count: Int) -> [[UInt32]] {
    guard count > 0 else { return [] }
    var all = [(0..<length).map { UInt32(1) << UInt32(length - 1 - $0) }]
    var bits = BitReader(base64: SobolTable.bits)
    for (place, size) in SobolTable.counts.enumerated() {
      let degree = place + 1
      for _ in 0..<size {
        guard all.count < count else { return all }
        let polynomial = bits.next(degree - 1)
        var numbers = (1...degree).map { k in (bits.next(k - 1) << 1 | 1) << UInt32(length - k) }
        for j in degree..<length {
          var number = numbers[j - degree] ^ (numbers[j - degree] >> UInt32(degree))
          for k in 1..<max(degree, 1) where polynomial >> UInt32(degree - 1 - k) & 1 == 1 {
            number ^= numbers[j - k]
          }
          numbers.append(number)
        }
        all.append(numbers)
      }
    }
    return all
  }
}

/// Bits of a text in base 64, the highest first.
private struct BitReader {
  private let bytes: Data
  private var place = 0

  init(base64 text: String) { bytes = Data(base64Encoded: text, options: .ignoreUnknownCharacters) ?? Data() }

  mutating func next(_ count: Int) -> UInt32 {
    var word: UInt32 = 0
    for _ in 0..<count {
      word = word << 1 | UInt32(bytes[place >> 3] >> UInt8(7 - place & 7) & 1)
      place += 1
    }
    return word
  }
}
