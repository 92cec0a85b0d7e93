// Where an acquisition is largest.

/// The search for the point that promises most: many points at first, then local searches from the best of them.
///
/// As in Optuna's sampler: the continuous axes by L-BFGS-B, the others one at a time, in turns until nothing improves.
struct AcquisitionSearch {
  let cube: UnitCube
  let models: [GaussianProcess]
  let acquisition: Acquisition
  /// How many local searches there are.
  var starts = 10
  /// Axes with at most as many values are searched value by value; ordered ones with more are rounded at the end.
  static let fewValues = 32

  /// A point on its way: one coordinate an axis, without NaN, and what is made of it.
  struct Candidate {
    /// Also those of axes that are inactive now.
    var raw: [Double]
    var canonical: [Double]
    var value: Double
  }

  private let features: KernelFeatures
  private let continuous: [Int]
  /// Axes with few values, and the values.
  private let discrete: [(axis: Int, values: [Double])]
  private var scratch: [GaussianProcess.Scratch]
  /// Where alone to look.
  private let region: TrustRegion?
  /// Where nothing new is to be seen.
  private let plateaus: Plateaus

  init(
    cube: UnitCube, models: [GaussianProcess], acquisition: Acquisition, starts: Int,
    region: TrustRegion? = nil, plateaus: Plateaus = Plateaus()
  ) {
    self.cube = cube
    self.models = models
    self.acquisition = acquisition
    self.starts = starts
    self.region = region
    self.plateaus = plateaus
    features = models[0].features
    scratch = models.map { GaussianProcess.Scratch($0) }
    var continuous: [Int] = []
    var discrete: [(axis: Int, values: [Double])] = []
    for (axis, entry) in cube.axes.enumerated() {
      switch entry.kind {
      case .continuous: continuous.append(axis)
      case .ordered, .categorical:
        if let values = cube.values(on: axis, atMost: Self.fewValues) {
          discrete.append((axis, values))
        } else if case .categorical(let count) = entry.kind {
          // Evenly spread over the values; the first candidates reach the others.
          discrete.append((axis, (0..<Self.fewValues).map { Double($0 * count / Self.fewValues) }))
        } else {
          continuous.append(axis)
        }
      }
    }
    self.continuous = continuous
    self.discrete = discrete
  }

  /// The best points, best first, canonical.
  ///
  /// - Parameters:
  ///   - candidates: points to look at, without NaN.
  ///   - incumbents: points to begin local searches at besides, without NaN.
  mutating func best(
    among candidates: [[Double]], incumbents: [[Double]], using generator: inout Xoshiro256
  ) -> [Candidate] {
    let screened = score(candidates)
    var found = screened
    for start in chooseStarts(screened, score(incumbents), &generator) {
      found.append(climb(from: start))
    }
    let order = found.indices.sorted { a, b in
      found[a].value != found[b].value ? found[a].value > found[b].value : a > b
    }
    return order.prefix(200).map { found[$0] }
  }

  // MARK: - First look

  private func score(_ points: [[Double]]) -> [Candidate] {
    guard !points.isEmpty else { return [] }
    let canonical = points.map(cube.canonical)
    let columns = features.columns(canonical)
    let forecasts = models.map { $0.predict(columns: columns) }
    return points.indices.map { index in
      let value =
        acquisition.value(forecasts.map { $0[index] }) + plateaus.logChance(canonical[index])
      let isUsable = !value.isNaN && cube.isAllowed(canonical[index])
      return Candidate(
        raw: points[index], canonical: canonical[index], value: isUsable ? value : -.infinity)
    }
  }

  /// The best, the incumbents, and others drawn in proportion to the exponential of their value.
  private func chooseStarts(
    _ screened: [Candidate], _ incumbents: [Candidate], _ generator: inout Xoshiro256
  ) -> [Candidate] {
    guard let best = screened.indices.max(by: { screened[$0].value < screened[$1].value }) else {
      return incumbents
    }
    var chosen = [screened[best]] + incumbents.prefix(starts - 1)
    let top = screened[best].value
    guard top.isFinite else { return chosen }
    var weights = screened.map { Elementary.exp(max($0.value, -1e300) - top) }
    weights[best] = 0
    while chosen.count < starts {
      var total = 0.0
      for weight in weights { total += weight }
      guard total > 0 else { break }
      var target = generator.unit() * total
      var pick = weights.lastIndex { $0 > 0 } ?? 0
      for (index, weight) in weights.enumerated() {
        target -= weight
        if target < 0 {
          pick = index
          break
        }
      }
      weights[pick] = 0
      chosen.append(screened[pick])
    }
    return chosen
  }

  // MARK: - Local search

  private mutating func climb(from start: Candidate) -> Candidate {
    var current = start
    let tolerance = 1e-4
    for _ in 0..<20 {
      let before = current.value
      climbContinuous(&current)
      climbDiscrete(&current)
      if !(current.value > before + tolerance) { break }
      if continuous.isEmpty || discrete.isEmpty { break }
    }
    // Ordered axes with many values have been moved between their values.
    current.value = evaluate(current.canonical)
    return current
  }

  private mutating func climbContinuous(_ current: inout Candidate) {
    let axes = continuous.filter { !current.canonical[$0].isNaN }
    guard !axes.isEmpty else { return }
    var coordinates = current.canonical
    for axis in axes { coordinates[axis] = min(max(current.raw[axis], 0), 1) }
    let placeOfAxis = placeOfNumber
    let found = BoundedMinimizer(iterations: 50, gradientTolerance: 1e-4, valueTolerance: 1e-7)
      .minimize(
        from: axes.map { coordinates[$0] }, lower: axes.map { region?.lower[$0] ?? 0 },
        upper: axes.map { region?.upper[$0] ?? 1 }
      ) { point, gradient in
        for (place, axis) in axes.enumerated() { coordinates[axis] = point[place] }
        let row = features.row(coordinates)
        var forecasts: [Forecast] = []
        for index in models.indices {
          forecasts.append(models[index].predict(row, &scratch[index]))
        }
        let value = acquisition.value(forecasts) + plateaus.logChance(coordinates)
        let slopes = acquisition.slopes(forecasts)
        var byFeature = Array(repeating: 0.0, count: row.count)
        for index in models.indices
        where slopes[index].variance != 0 || slopes[index].means.contains(where: { $0 != 0 }) {
          models[index].addGradient(row, slopes[index], &scratch[index], to: &byFeature)
        }
        var byAxis = placeOfAxis.map { byFeature[$0] }
        plateaus.addSlopes(coordinates, to: &byAxis)
        for (place, axis) in axes.enumerated() { gradient[place] = -byAxis[axis] }
        return value.isNaN ? .infinity : -value
      }
    guard -found.value > current.value else { return }
    for (place, axis) in axes.enumerated() { current.raw[axis] = found.point[place] }
    current.canonical = cube.canonical(current.raw)
    current.value = -found.value
  }

  /// For each axis the feature that is its number.
  private var placeOfNumber: [Int] {
    var places = Array(repeating: 0, count: cube.axes.count)
    for (index, feature) in features.features.enumerated() where feature.kind == .number {
      places[feature.axis] = index
    }
    return places
  }

  private mutating func climbDiscrete(_ current: inout Candidate) {
    for (axis, values) in discrete where !current.canonical[axis].isNaN {
      let own = current.canonical[axis]
      var raws: [[Double]] = []
      for value in values where value != own && region?.holds(value, on: axis) != false {
        var raw = current.raw
        raw[axis] = value
        raws.append(raw)
      }
      guard let best = score(raws).max(by: { $0.value < $1.value }), best.value > current.value
      else {
        continue
      }
      current = best
    }
  }

  private mutating func evaluate(_ canonical: [Double]) -> Double {
    let row = features.row(canonical)
    var forecasts: [Forecast] = []
    for index in models.indices { forecasts.append(models[index].predict(row, &scratch[index])) }
    let value = acquisition.value(forecasts) + plateaus.logChance(canonical)
    return value.isNaN || !cube.isAllowed(canonical) ? -.infinity : value
  }
}
