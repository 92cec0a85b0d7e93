// Two mixtures, and the point where their ratio is largest.

import Foundation

struct TPEModel: Sendable {
  var below: ParzenMixture
  var above: ParzenMixture
  let cube: UnitCube
  /// Typical kernel width of the good ones per axis
  var scale: [Double]

  init(_ records: TPERecords, _ history: History, _ settings: TPESettings, _ problem: SearchProblem) {
    cube = problem.cube
    let count = records.usableCount
    let good = min(
      max(Int((settings.gamma * pow(Double(count), settings.gammaPower)).rounded(.up)), 1), settings.belowMax)
    let split = TPESplit(records, history, good: good, settings, seed: problem.seed)
    scale = []
    below = Self.mixture(split.below, [], 0, history, settings, 1, &scale)
    var ignored: [Double] = []
    above = Self.mixture(
      split.above, history.pending.map(\.coordinates), settings.pendingWeight, history, settings,
      settings.aboveFactor, &ignored)
  }

  static func mixture(
    _ members: [TPESplit.Member], _ pending: [[Double]], _ pendingWeight: Double, _ history: History,
    _ settings: TPESettings, _ factor: Double, _ scale: inout [Double]
  ) -> ParzenMixture {
    let cube = history.cube
    let kernels = members.count + pending.count
    let axes = cube.axes.indices.map { axis -> ParzenAxis in
      let column = history.columns[axis]
      var values = members.map { column[$0.place] }
      values += pending.map { $0[axis] }
      if case .categorical(let choices) = cube.axes[axis].kind {
        let probabilities =
          cube.axes[axis].probabilities ?? Array(repeating: 1 / Double(choices), count: choices)
        let strength = Double(choices) * settings.priorWeight / Double(kernels + 1)
        let smoothing = settings.categorical > 0 ? settings.categorical : strength / (1 + strength)
        scale.append(smoothing)
        return ParzenAxis(category: values + [.nan], probabilities: probabilities, smoothing: smoothing)
      }
      var widths = widths(values, cube.axes.count, settings).map { $0 * factor }
      if case .ordered(let count?) = cube.axes[axis].kind {
        widths = widths.map { max($0, settings.floor / Double(count)) }
      }
      scale.append(widths.first { $0.isFinite } ?? 0.3)
      return ParzenAxis(
        centre: values.map { $0.isNaN ? 0.5 : $0 } + [0.5], width: widths + [.infinity], of: axis, in: cube)
    }
    return ParzenMixture(
      weights: members.map(\.weight) + pending.map { _ in pendingWeight }, priorWeight: settings.priorWeight,
      axes: axes)
  }

  static func widths(_ values: [Double], _ dimension: Int, _ settings: TPESettings) -> [Double] {
    let active = values.indices.filter { !values[$0].isNaN }
    let n = Double(active.count)
    let lowest = 1 / min(100, 2 + Double(values.count))
    switch settings.bandwidth {
    case "scott":
      let mean = active.reduce(0) { $0 + values[$1] } / max(n, 1)
      let variance = active.reduce(0) { $0 + (values[$1] - mean) * (values[$1] - mean) } / max(n - 1, 1)
      let prior = 1.0 / 12
      // Shrunk towards the prior's
      let spread = ((variance * max(n - 1, 0) + prior * settings.priorWeight) / (max(n - 1, 0) + settings.priorWeight))
        .squareRoot()
      let width = settings.factor * spread * pow(max(n, 1), -1 / (4 + (settings.power > 0 ? 0 : Double(dimension))))
      return values.map { $0.isNaN ? .infinity : min(max(width, lowest), 1) }
    case "fixed":
      let width = settings.factor * pow(max(n, 1), -1 / (4 + Double(dimension)))
      return values.map { $0.isNaN ? .infinity : min(max(width, lowest), 1) }
    default:
      let order = active.sorted { values[$0] < values[$1] }
      var result = Array(repeating: Double.infinity, count: values.count)
      for (rank, place) in order.enumerated() {
        let left = values[place] - (rank > 0 ? values[order[rank - 1]] : 0)
        let right = (rank + 1 < order.count ? values[order[rank + 1]] : 1) - values[place]
        var gap = max(left, right)
        if order.count > 1 {
          if rank == 0 { gap = right }
          if rank == order.count - 1 { gap = left }
        }
        result[place] = min(max(gap * settings.factor, lowest), 1)
      }
      return result
    }
  }

  mutating func ratio(_ point: [Double]) -> Double { below.logDensity(at: point) - above.logDensity(at: point) }

  mutating func best(_ history: History, _ settings: TPESettings, _ generator: inout Xoshiro256) -> [Double] {
    var candidates: [(point: [Double], value: Double)] = []
    for _ in 0..<settings.candidates {
      let point = cube.canonical(below.draw(using: &generator))
      candidates.append((point, ratio(point)))
    }
    var best = candidates[0]
    var unseen: (point: [Double], value: Double)?
    for candidate in candidates {
      if candidate.value > best.value { best = candidate }
      if candidate.value > unseen?.value ?? -.infinity, !history.contains(candidate.point) { unseen = candidate }
    }
    best = unseen ?? best
    for round in 0..<settings.polish {
      let shrink = pow(0.9, Double(round) / 4)
      var point = best.point
      for axis in cube.axes.indices where !point[axis].isNaN && generator.unit() < 0.5 {
        if case .categorical = cube.axes[axis].kind { continue }
        point[axis] = min(max(point[axis] + 0.5 * shrink * scale[axis] * generator.normal(), 0), 1)
      }
      point = cube.canonical(point)
      let value = ratio(point)
      if value > best.value, !history.contains(point) { best = (point, value) }
    }
    return best.point
  }
}
