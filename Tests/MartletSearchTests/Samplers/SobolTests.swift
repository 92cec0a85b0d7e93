// The Sobol sequence: its numbers, and that scrambling leaves it even.

import MartletModel
import MartletSearch
import Testing

@Suite struct SobolTests {
  /// Made by Tests/Fixtures/search/sobol-table.py with SciPy.
  @Test func unscrambledItIsTheSequenceOfJoeAndKuo() {
    let sequence = SobolSequence(dimension: 1111, seed: nil)
    let references: [(row: Int, column: Int, value: Double)] = [
      (1, 0, 0.5), (2, 1, 0.25), (3, 2, 0.75), (5, 6, 0.875), (77, 30, 0.9765625), (1000, 100, 0.7685546875),
      (1023, 479, 0.2373046875), (1023, 480, 0.5966796875), (999, 1110, 0.6826171875),
    ]
    for reference in references {
      #expect(sequence.point(reference.row)[reference.column] == reference.value)
    }
    #expect(sequence.point(0) == Array(repeating: 0, count: 1111))
  }

  @Test(arguments: [1, 99] as [UInt64]) func everyIntervalHoldsOnePoint(seed: UInt64) {
    let sequence = SobolSequence(dimension: 40, seed: seed)
    let points = (0..<256).map { sequence.point($0) }
    for axis in 0..<40 {
      #expect(Set(points.map { Int($0[axis] * 256) }) == Set(0..<256))
    }
    // The first two axes together are a (0, m, 2)-net: every box of any shape with 1/256 of the square holds one.
    for power in 0...8 {
      let boxes = Set(
        points.map { [Int($0[0] * Double(1 << power)), Int($0[1] * Double(1 << (8 - power)))] })
      #expect(boxes.count == 256)
    }
  }

  @Test func seedsAndAxesAreUnrelated() {
    let one = SobolSequence(dimension: 3, seed: 1).point(0)
    #expect(one != SobolSequence(dimension: 3, seed: 2).point(0))
    #expect(Set(one).count == 3)
    #expect(SobolSequence(dimension: 2000, seed: 1).dimension == SobolSequence.largestDimension)
  }
}
