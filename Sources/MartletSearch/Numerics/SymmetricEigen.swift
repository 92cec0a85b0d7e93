// Eigenvalues and eigenvectors of symmetric matrices.

/// The eigen-decomposition A = V diag(values) Vᵀ of a symmetric matrix, by Jacobi's cyclic method.
///
/// Golub, Van Loan: Matrix Computations (4th edition), section 8.5. Slower than tridiagonal methods and at least as
/// accurate; for the small matrices of search methods (100 rows at most, commonly 10) it does not matter.
struct SymmetricEigen: Sendable {
  /// Ascending.
  let values: [Double]
  /// Orthonormal: `vectors[row * dimension + k]` is component `row` of the vector of `values[k]`.
  let vectors: [Double]

  /// - Parameter matrix: row by row, `dimension` × `dimension`, finite; the upper half is not read.
  init(_ matrix: [Double], dimension n: Int) {
    var a = matrix
    for row in 0..<n {
      for column in row..<n { a[row * n + column] = a[column * n + row] }
    }
    var v = Array(repeating: 0.0, count: n * n)
    for row in 0..<n { v[row * n + row] = 1 }
    var total = 0.0
    for entry in a { total += entry * entry }
    for _ in 0..<50 {
      var off = 0.0
      for row in 0..<n {
        for column in 0..<row { off += a[row * n + column] * a[row * n + column] }
      }
      if off <= 1e-30 * total { break }
      for p in 0..<n {
        for q in (p + 1)..<max(n, p + 1) { Self.rotate(&a, &v, p, q, n) }
      }
    }
    let order = (0..<n).sorted { (a[$0 * n + $0], $0) < (a[$1 * n + $1], $1) }
    values = order.map { a[$0 * n + $0] }
    var sorted = v
    for row in 0..<n {
      for (place, column) in order.enumerated() { sorted[row * n + place] = v[row * n + column] }
    }
    vectors = sorted
  }

  /// Makes the entry (p, q) of `a` zero.
  private static func rotate(_ a: inout [Double], _ v: inout [Double], _ p: Int, _ q: Int, _ n: Int) {
    let entry = a[p * n + q]
    guard entry != 0 else { return }
    let theta = (a[q * n + q] - a[p * n + p]) / (2 * entry)
    // The smaller of the two angles; for a huge theta its square would overflow.
    let tangent =
      theta.magnitude > 1e150
      ? 1 / (2 * theta)
      : (theta >= 0 ? 1 : -1) / (theta.magnitude + (theta * theta + 1).squareRoot())
    let cosine = 1 / (tangent * tangent + 1).squareRoot()
    let sine = tangent * cosine
    a.withUnsafeMutableBufferPointer { a in
      for k in 0..<n {
        let (left, right) = (a[k * n + p], a[k * n + q])
        a[k * n + p] = cosine * left - sine * right
        a[k * n + q] = sine * left + cosine * right
      }
      for k in 0..<n {
        let (upper, lower) = (a[p * n + k], a[q * n + k])
        a[p * n + k] = cosine * upper - sine * lower
        a[q * n + k] = sine * upper + cosine * lower
      }
      a[p * n + q] = 0
      a[q * n + p] = 0
    }
    v.withUnsafeMutableBufferPointer { v in
      for k in 0..<n {
        let (left, right) = (v[k * n + p], v[k * n + q])
        v[k * n + p] = cosine * left - sine * right
        v[k * n + q] = sine * left + cosine * right
      }
    }
  }
}
