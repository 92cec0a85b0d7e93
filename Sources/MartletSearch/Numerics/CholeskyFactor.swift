// The Cholesky factor of a covariance matrix, and what is solved with it.

import CMartletNumerics

/// A lower triangular L with L Lᵀ = K, for a symmetric positive definite K.
///
/// The rows of the factor of a matrix are those of the factor of every larger one, to the bit: growing row by row and
/// beginning anew give the same.
struct CholeskyFactor: Sendable {
  /// Rows and columns.
  private(set) var order: Int
  /// The distance of two rows in `values`.
  private(set) var stride: Int
  /// L row by row; what stands above the diagonal has no meaning.
  private(set) var values: [Double]

  /// The factor of the matrix whose lower half stands in `values`, which becomes the factor's own.
  ///
  /// Nil when it is not positive definite as far as rounding can tell.
  init?(lower values: consuming [Double], order: Int, stride: Int) {
    self.order = order
    self.stride = stride
    self.values = values
    guard factor(from: 0) else { return nil }
  }

  private mutating func factor(from row: Int) -> Bool {
    let (order, stride) = (order, stride)
    return withUnsafeTemporaryAllocation(of: Double.self, capacity: 64 * 64) { scratch in
      values.withUnsafeMutableBufferPointer {
        martlet_cholesky($0.baseAddress, stride, row, order, scratch.baseAddress) == 0
      }
    }
  }

  /// Adds rows at the bottom: `rows[i]` holds the covariances with all points before, then with itself.
  ///
  /// Takes O(n²) operations a row. Returns false, and stays as it was, when the larger matrix is not positive definite.
  mutating func extend(_ rows: [[Double]]) -> Bool {
    var larger = self
    larger.order = order + rows.count
    larger.stride = larger.order
    larger.values = Array(repeating: 0, count: larger.order * larger.stride)
    for row in 0..<order {
      for column in 0...row { larger.values[row * larger.stride + column] = values[row * stride + column] }
    }
    for (index, row) in rows.enumerated() {
      let start = (order + index) * larger.stride
      for (column, value) in row.enumerated() { larger.values[start + column] = value }
    }
    guard larger.factor(from: order) else { return false }
    self = larger
    return true
  }

  /// Σ log L_ii: half the logarithm of the determinant of K.
  var halfLogDeterminant: Double {
    var sum = 0.0
    for row in 0..<order { sum += Elementary.log(values[row * stride + row]) }
    return sum
  }

  /// L⁻¹ b for the first `count` rows.
  func solveLower(_ vector: inout [Double], count: Int) {
    values.withUnsafeBufferPointer { values in
      vector.withUnsafeMutableBufferPointer {
        martlet_forward(values.baseAddress, stride, count, $0.baseAddress)
      }
    }
  }

  /// L⁻ᵀ b for the first `count` rows.
  func solveUpper(_ vector: inout [Double], count: Int) {
    values.withUnsafeBufferPointer { values in
      vector.withUnsafeMutableBufferPointer {
        martlet_backward(values.baseAddress, stride, count, $0.baseAddress)
      }
    }
  }

  /// (L b)ᵢ of some rows.
  func product(_ vector: [Double], rows: Range<Int>) -> [Double] {
    rows.map { row in
      var sum = 0.0
      for column in 0...row { sum += values[row * stride + column] * vector[column] }
      return sum
    }
  }

  /// K⁻¹ b for the leading `count` rows and columns of K; all of them when it is left out.
  func solve(_ vector: [Double], count: Int? = nil) -> [Double] {
    var result = vector
    solveLower(&result, count: count ?? order)
    solveUpper(&result, count: count ?? order)
    return result
  }

  /// L⁻¹ B in place for `columns` right sides at once, row by row.
  func solveLower(_ rhs: UnsafeMutableBufferPointer<Double>, columns: Int) {
    values.withUnsafeBufferPointer {
      martlet_solve_lower($0.baseAddress, stride, order, rhs.baseAddress, columns, columns, 0)
    }
  }

  /// The lower half of K⁻¹, with the factor's stride; above the diagonal stand zeros or rubbish.
  func inverse() -> [Double] {
    var inverted = Array(repeating: 0.0, count: order * stride)
    for row in 0..<order { inverted[row * stride + row] = 1 }
    values.withUnsafeBufferPointer { values in
      inverted.withUnsafeMutableBufferPointer {
        martlet_solve_lower(values.baseAddress, stride, order, $0.baseAddress, stride, order, 1)
      }
    }
    return Array(unsafeUninitializedCapacity: order * stride) { product, count in
      product.initialize(repeating: 0)
      inverted.withUnsafeBufferPointer {
        martlet_square_transposed($0.baseAddress, stride, order, product.baseAddress, stride)
      }
      count = order * stride
    }
  }
}
