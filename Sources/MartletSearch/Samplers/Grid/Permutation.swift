// A shuffled order that needs no memory.

/// The numbers from 0 to below `count`, each once, in an order that depends on a seed.
///
/// A balanced Feistel network over the smallest even number of bits that holds them all; what falls outside is sent
/// through again, which ends because the network is a permutation (Black, Rogaway: Ciphers with Arbitrary Finite
/// Domains, 2002).
struct Permutation: Hashable, Sendable {
  let count: Int
  private let halfBits: UInt64
  private let keys: [UInt64]

  init(count: Int, seed: UInt64) {
    self.count = count
    let bits = UInt64(Int.bitWidth - max(count - 1, 1).leadingZeroBitCount)
    halfBits = (bits + 1) / 2
    var generator = SplitMix64(seed: seed)
    keys = (0..<4).map { _ in generator.next() }
  }

  /// The number at `place`, which is in `0..<count`.
  subscript(place: Int) -> Int {
    var word = UInt64(place)
    repeat { word = shuffled(word) } while word >= UInt64(count)
    return Int(word)
  }

  private func shuffled(_ word: UInt64) -> UInt64 {
    let mask: UInt64 = (1 << halfBits) - 1
    var left = word >> halfBits
    var right = word & mask
    for key in keys {
      var mixer = SplitMix64(seed: key ^ right)
      (left, right) = (right, left ^ (mixer.next() & mask))
    }
    return left << halfBits | right
  }
}
