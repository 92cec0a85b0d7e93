// Factors of symmetric matrices.

import Testing

@testable import MartletSearch

@Suite struct CholeskyTests {
  /// A positive definite matrix, its lower half row by row.
  private func matrix(_ order: Int) -> [Double] {
    var generator = Xoshiro256(seed: 21)
    let places = (0..<order).map { _ in generator.unit() * 5 }
    var values = Array(repeating: 0.0, count: order * order)
    for row in 0..<order {
      for column in 0...row {
        values[row * order + column] =
          Elementary.exp(-(places[row] - places[column]).magnitude) + (row == column ? 0.1 : 0)
      }
    }
    return values
  }

  private func entry(_ matrix: [Double], _ order: Int, _ row: Int, _ column: Int) -> Double {
    matrix[max(row, column) * order + min(row, column)]
  }

  @Test(arguments: [1, 5, 64, 100]) func solvesAndInverts(order: Int) throws {
    let values = matrix(order)
    let factor = try #require(CholeskyFactor(lower: values, order: order, stride: order))
    let right = (0..<order).map { Double($0 % 7) - 3 }
    let solution = factor.solve(right)
    let inverse = factor.inverse()
    for row in 0..<order {
      var product = 0.0
      var identity = 0.0
      for column in 0..<order {
        product += entry(values, order, row, column) * solution[column]
        identity += entry(values, order, row, column) * entry(inverse, order, column, 0)
      }
      #expect((product - right[row]).magnitude < 1e-11)
      #expect((identity - (row == 0 ? 1 : 0)).magnitude < 1e-11)
    }
  }

  @Test func growingGivesTheSameBits() throws {
    let order = 140
    let values = matrix(order)
    let whole = try #require(CholeskyFactor(lower: values, order: order, stride: order))
    let start = 61
    var first: [Double] = []
    for row in 0..<start { first += values[row * order..<row * order + start] }
    var grown = try #require(CholeskyFactor(lower: first, order: start, stride: start))
    for row in start..<order {
      let isExtended = grown.extend([Array(values[row * order...row * order + row])])
      #expect(isExtended)
    }
    for row in 0..<order {
      for column in 0...row {
        #expect(
          grown.values[row * grown.stride + column].bitPattern
            == whole.values[row * whole.stride + column].bitPattern)
      }
    }
  }

  @Test func refusesWhatIsNotPositive() throws {
    #expect(CholeskyFactor(lower: [1, 0, 2, 1], order: 2, stride: 2) == nil)
    var factor = try #require(CholeskyFactor(lower: [1], order: 1, stride: 1))
    let isExtendedBySame = factor.extend([[1, 1]])
    #expect(!isExtendedBySame)
    #expect(factor.order == 1)
    let isExtended = factor.extend([[1, 2]])
    #expect(isExtended)
  }
}
