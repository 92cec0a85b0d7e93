// Eigen-decompositions by what defines them.

import Testing

@testable import MartletSearch

@Suite struct SymmetricEigenTests {
  private func random(_ n: Int, seed: UInt64) -> [Double] {
    var generator = Xoshiro256(seed: seed)
    var matrix = Array(repeating: 0.0, count: n * n)
    for row in 0..<n {
      for column in 0...row {
        matrix[row * n + column] = generator.normal()
        matrix[column * n + row] = matrix[row * n + column]
      }
    }
    return matrix
  }

  @Test(arguments: [1, 2, 5, 20]) func vectorsAreOrthonormalAndGiveTheMatrixBack(n: Int) {
    let matrix = random(n, seed: UInt64(n))
    let eigen = SymmetricEigen(matrix, dimension: n)
    #expect(eigen.values == eigen.values.sorted())
    for row in 0..<n {
      for column in 0..<n {
        var back = 0.0
        var product = 0.0
        for k in 0..<n {
          back += eigen.vectors[row * n + k] * eigen.values[k] * eigen.vectors[column * n + k]
          product += eigen.vectors[k * n + row] * eigen.vectors[k * n + column]
        }
        #expect((back - matrix[row * n + column]).magnitude < 1e-12)
        #expect((product - (row == column ? 1 : 0)).magnitude < 1e-13)
      }
    }
  }

  @Test func knownValues() {
    // Characteristic polynomial (2 − x)((2 − x)² − 2).
    let eigen = SymmetricEigen([2, 0, 0, -1, 2, 0, 0, -1, 2], dimension: 3)
    for (value, expected) in zip(eigen.values, [2 - 2.0.squareRoot(), 2, 2 + 2.0.squareRoot()]) {
      #expect((value - expected).magnitude < 1e-14)
    }
    // Very different sizes keep their digits.
    let graded = SymmetricEigen([1e12, 0, 1, 1e-6], dimension: 2)
    #expect((graded.values[0] / (1e-6 - 1e-12) - 1).magnitude < 1e-3)
    #expect(SymmetricEigen([], dimension: 0).values == [])
  }
}
