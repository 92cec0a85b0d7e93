// The kernels of a mixture on one axis.

import CMartletNumerics

/// One kernel for each of some trials on one axis of the cube, and the prior as the last one.
struct ParzenAxis: Sendable {
  private enum Form: Sendable {
    /// Densities of normal distributions cut off outside 0...1.
    case smooth
    /// The shares such distributions have in the cells of an ordered axis.
    case stepped
    /// Logarithms of shares of categories, by category and within that by kernel.
    case categorical([Double])
  }

  /// σ of the kernels; nil: the axis is categorical.
  let width: Double?
  private let form: Form
  private let axis: Int
  /// Of a kernel that is the prior anything on an axis with order, NaN on a categorical one.
  private let centre: [Double]
  /// 1/σ; 0: the prior. On a categorical axis empty, and so are the next two.
  private let inverse: [Double]
  private let norm: [Double]
  private let mass: [Double]
  /// The share of a categorical kernel that is spread by the prior.
  private let smoothing: Double
  /// Rows of an ordered axis that were computed already.
  private var rows: [Double: [Double]] = [:]

  /// The kernels of a continuous or ordered axis: normal distributions cut off outside 0...1, on an ordered axis taken
  /// together over each cell.
  ///
  /// - Parameters:
  ///   - values: canonical coordinates, one a trial; NaN: the kernel is the prior.
  ///   - width: σ of the distributions; above 0.
  init(values: [Double], width: Double, of axis: Int, in cube: UnitCube) {
    self.axis = axis
    form = cube.axes[axis].kind == .continuous ? .smooth : .stepped
    centre = values.map { $0.isNaN ? 0.5 : $0 } + [0.5]
    inverse = values.map { $0.isNaN ? 0 : 1 / width } + [0]
    var norm = Array(repeating: 0.0, count: centre.count)
    var mass = norm
    martlet_mixture_scale(&norm, &mass, centre, inverse, centre.count)
    (self.norm, self.mass, self.width, smoothing) = (norm, mass, width, 0)
  }

  /// The kernels of a categorical axis: the trial's own category with 1 − `smoothing`, and all by the prior with the
  /// rest.
  ///
  /// - Parameter values: as above.
  init(categories values: [Double], smoothing: Double, of axis: Int, in cube: UnitCube) {
    self.axis = axis
    self.smoothing = smoothing
    width = nil
    let probabilities = cube.probabilities(on: axis)
    centre = values + [.nan]
    (inverse, norm, mass) = ([], [], [])
    var rows: [Double] = []
    rows.reserveCapacity(centre.count * probabilities.count)
    for (index, probability) in probabilities.enumerated() {
      // A category that the prior rules out may still be in an imported trial.
      let prior = max(probability, 1e-12)
      let own = martlet_logarithm(1 - smoothing + smoothing * prior)
      let other = martlet_logarithm(smoothing * prior)
      let unknown = martlet_logarithm(prior)
      for value in centre { rows.append(value.isNaN ? unknown : value == Double(index) ? own : other) }
    }
    form = .categorical(rows)
  }

  /// Adds the logarithm of each kernel's density, or share, at a canonical coordinate.
  mutating func add(to terms: inout [Double], at coordinate: Double, in cube: UnitCube) {
    let count = centre.count
    switch form {
    case .smooth: martlet_mixture_density(&terms, norm, centre, inverse, coordinate, count)
    case .categorical(let rows):
      rows.withUnsafeBufferPointer { rows in
        guard let start = rows.baseAddress else { return }
        martlet_mixture_add(&terms, start + Int(coordinate) * count, count)
      }
    case .stepped:
      if let row = rows[coordinate] {
        martlet_mixture_add(&terms, row, count)
        return
      }
      let cell = cube.cell(of: coordinate, on: axis)
      var row = Array(repeating: 0.0, count: count)
      martlet_mixture_share(&row, mass, centre, inverse, cell.lowerBound, cell.upperBound, count)
      martlet_mixture_add(&terms, row, count)
      rows[coordinate] = row
    }
  }

  /// A coordinate drawn from one kernel; on an ordered axis anywhere in a cell.
  func draw(kernel: Int, in cube: UnitCube, using generator: inout Xoshiro256) -> Double {
    let own = centre[kernel]
    if case .categorical = form {
      let isOwn = generator.unit() >= smoothing
      return isOwn && !own.isNaN ? own : cube.draw(axis: axis, using: &generator)
    }
    let scale = inverse[kernel]
    guard scale > 0 else { return generator.unit() }
    let low = martlet_normal_share(-own * scale)
    let high = martlet_normal_share((1 - own) * scale)
    let place = own + Normal.quantile(low + (high - low) * generator.unit()) / scale
    return min(max(place, 0), 1)
  }
}

extension UnitCube {
  /// The prior of a categorical axis.
  fileprivate func probabilities(on axis: Int) -> [Double] {
    guard case .categorical(let count) = axes[axis].kind else { return [] }
    return axes[axis].probabilities ?? Array(repeating: 1 / Double(count), count: count)
  }
}
