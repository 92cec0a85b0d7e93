// The loops of every instruction set of this machine give the same bits.

import CMartletNumerics
import Testing

@testable import MartletSearch

@Suite struct VariantTests {
  /// A digest of everything the loops compute on some numbers.
  private func results(order: Int) -> [UInt64] {
    var generator = Xoshiro256(seed: 3)
    let a = (0..<order).map { _ in generator.normal() }
    let b = (0..<order).map { _ in generator.normal() * 1e3 }
    var bits: [Double] = [
      martlet_dot(a, b, order), martlet_sum(b, order), martlet_sum_exp(a, 1, order),
      martlet_weighted_square_distances(a, b, 0.5, order), martlet_weighted_mismatches(a, b, b[0], order),
      martlet_weighted_differences(a, b, 0.5, order),
    ]
    var c = b
    martlet_add_scaled(1.0 / 3, a, &c, order)
    martlet_subtract_squares(a, &c, order)
    martlet_add_square_distances(0.7, a, 0.1, &c, order)
    martlet_add_mismatches(0.3, a, a[0], &c, order)
    bits += c
    let squares = b.map { $0 * $0 * 1e-6 }
    var k = Array(repeating: 0.0, count: order)
    var slope = k
    martlet_matern(squares, &k, &slope, order)
    bits += k + slope + mixture(a, order)
    var matrix = Array(repeating: 0.0, count: order * order)
    for row in 0..<order {
      for column in 0...row {
        let distance = (a[row] - a[column]) * (a[row] - a[column])
        matrix[row * order + column] = row == column ? 1.1 : Elementary.exp(-distance)
      }
    }
    var scratch = Array(repeating: 0.0, count: 64 * 64)
    #expect(martlet_cholesky(&matrix, order, 0, order, &scratch) == 0)
    var inverse = Array(repeating: 0.0, count: order * order)
    for row in 0..<order { inverse[row * order + row] = 1 }
    martlet_solve_lower(matrix, order, order, &inverse, order, order, 1)
    var square = inverse
    martlet_square_transposed(inverse, order, order, &square, order)
    martlet_forward(matrix, order, order, &c)
    martlet_backward(matrix, order, order, &c)
    return (bits + matrix + inverse + square + c).map(\.bitPattern)
  }

  /// What a mixture of as many kernels makes of a few points; the first kernel is uniform.
  private func mixture(_ values: [Double], _ order: Int) -> [Double] {
    let centre = values.map { $0 - $0.rounded(.down) }
    let inverse = values.indices.map { $0 == 0 ? 0 : 0.1 + values[$0] * values[$0] * 30 }
    var norm = Array(repeating: 0.0, count: order)
    var mass = norm
    martlet_mixture_scale(&norm, &mass, centre, inverse, order)
    var terms = mass
    martlet_mixture_density(&terms, norm, centre, inverse, 0.3, order)
    var row = norm
    martlet_mixture_share(&row, mass, centre, inverse, 0.6, 0.7, order)
    martlet_mixture_add(&terms, row, order)
    return norm + mass + row + terms + [martlet_mixture_total(terms, order)]
  }

  @Test(arguments: [1, 7, 8, 65, 139]) func sameBits(order: Int) {
    let best = (0..<martlet_variant_count()).last { martlet_use_variant($0) == 1 }
    let expected = results(order: order)
    for variant in 0..<martlet_variant_count() where martlet_use_variant(variant) == 1 {
      #expect(results(order: order) == expected, "\(String(cString: martlet_variant_name(variant)))")
    }
    if let best { #expect(martlet_use_variant(best) == 1) }
  }

  @Test func refusesWhatIsNotThere() {
    #expect(martlet_use_variant(-1) == 0)
    #expect(martlet_use_variant(martlet_variant_count()) == 0)
  }
}
