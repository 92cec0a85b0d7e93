// A chain of CMA-ES models: one after each generation, and restarts.

/// When CMA-ES begins anew after it has converged.
enum CMAESRestarts: String, CaseIterable, Sendable {
  /// Goes on where it is.
  case none
  /// With twice the generation each time (Auger, Hansen: A Restart CMA Evolution Strategy With Increasing Population
  /// Size, 2005).
  case ipop
  /// Large and small generations by turns, so that both have about the same share of the trials (Hansen: Benchmarking a
  /// BI-Population CMA-ES on the BBOB-2009 Function Testbed).
  case bipop
}

/// What stays the same over all generations.
struct CMAESSettings: Sendable {
  let layout: CMAESLayout
  let size: Int
  let sigma: Double
  let tolerance: Double
  let restarts: CMAESRestarts
  let seed: UInt64
}

/// A trial as the run draws from it when its generation ends.
struct CMAESResult: Sendable {
  let sample: CMAESSample
  let standing: Standing
  /// How often the model answered with points that were known before this one.
  let attempt: Int
}

/// Where a search with CMA-ES stands after some generations.
struct CMAESRun: Sendable {
  let settings: CMAESSettings
  private(set) var model: CMAESModel
  /// The model of the generation before; nil after a restart, whose points have nothing to do with older ones.
  private(set) var previous: CMAESModel?
  /// Over all restarts.
  private(set) var generation = 0
  private var restarts = 0
  /// λ of the last restart with a large generation, and the trials spent in both kinds of restarts.
  private var largeSize: Int
  private var isLarge = true
  private var spentLarge = 0
  private var spentSmall = 0
  /// The best standing of each generation since the last restart, the latest last.
  private var best: [Standing] = []

  /// - Parameter found: points known before, the best first; their weighted middle is where it begins, as if
  ///   they were a generation.
  init(_ settings: CMAESSettings, found: [[Double]]) {
    self.settings = settings
    largeSize = settings.size
    let layout = settings.layout
    var mean = layout.numeric.map { _ in 0.5 }
    var deviations = layout.numeric.map { _ in settings.sigma }
    let most = Elementary.log(Double(found.count) + 0.5)
    let weights = found.indices.map { most - Elementary.log(Double($0) + 1) }
    for (place, axis) in layout.numeric.enumerated() {
      var sum = 0.0
      var total = 0.0
      var squares = 0.0
      for (point, weight) in zip(found, weights) where !point[axis].isNaN {
        sum += weight * point[axis]
        squares += weight * point[axis] * point[axis]
        total += weight
      }
      guard total > 0 else { continue }
      mean[place] = sum / total
      guard found.count >= 4 else { continue }
      // As far as the good points lie apart, and a bit (Nomura et al.: Warm Starting CMA-ES, 2021, section 4.2).
      let variance = max(squares / total - mean[place] * mean[place], 0)
      deviations[place] = min((variance + 0.01).squareRoot(), settings.sigma)
    }
    model = CMAESModel(
      layout: layout, size: settings.size, mean: mean, deviations: deviations, sigma: settings.sigma)
    let votes = found.map { layout.sample($0, base: CMAESSample(layout)).choices }
    if votes.count >= 2 {
      model.categories.learn(votes, weights.map { $0 / weights.reduce(0, +) })
    }
  }

  /// The model that drew the trials of that generation; nil: they are too old to learn from.
  func model(of generation: Int) -> CMAESModel? {
    generation == self.generation ? model : generation == self.generation - 1 ? previous : nil
  }

  /// The run after a generation.
  func closed(with results: [CMAESResult]) -> CMAESRun {
    var next = self
    let order = Standing.order(results.map(\.standing))
    let standings = order.map { results[$0].standing }
    next.previous = model
    next.model.learn(order.map { results[$0].sample }, weights: model.constants.shared(standings))
    next.generation += 1
    if let first = standings.first { next.best.append(first) }
    let longest = 10 + 30 * settings.layout.numeric.count / model.constants.size
    if next.best.count > longest { next.best.removeFirst(next.best.count - longest) }
    if isLarge { next.spentLarge += results.count } else { next.spentSmall += results.count }
    // Half of the generation came only after many answers that were known points.
    let isCrowded = results.count { $0.attempt >= 10 } * 2 >= results.count
    let isFlat = next.best.count == longest && next.best.allSatisfy { $0.isEqual(to: next.best[0]) }
    if settings.restarts != .none, isCrowded || isFlat || next.hasConverged { next.restart() }
    return next
  }

  /// Whether it would only draw the same point again. Ordered axes never stand still, for their margin moves them;
  /// where there are no others, `isCrowded` tells.
  private var hasConverged: Bool {
    if model.condition > 1e14 { return true }
    let axes = model.layout.numeric.indices
    guard axes.contains(where: { !model.layout.isOrdered[$0] }) else { return false }
    return axes.allSatisfy { axis in
      model.layout.isOrdered[axis]
        ? model.isHeldByMargin(axis) : model.deviation(axis) < settings.tolerance
    }
  }

  private mutating func restart() {
    restarts += 1
    var generator = Xoshiro256(seed: settings.seed, stream: .max - UInt64(restarts))
    var size = settings.size
    var sigma = settings.sigma
    switch settings.restarts {
    case .none: break
    case .ipop:
      largeSize *= 2
      size = largeSize
    case .bipop:
      isLarge = spentLarge <= spentSmall
      if isLarge {
        largeSize *= 2
        size = largeSize
      } else {
        let u = generator.unit()
        let ratio = Double(largeSize) / (2 * Double(settings.size))
        size = max(Int(Double(settings.size) * Elementary.pow(max(ratio, 1), u * u)), 4)
        sigma *= Elementary.pow(10, -2 * generator.unit())
      }
    }
    let layout = settings.layout
    let mean = layout.numeric.map { _ in generator.unit() }
    model = CMAESModel(
      layout: layout, size: size, mean: mean, deviations: mean.map { _ in sigma }, sigma: sigma)
    previous = nil
    best = []
  }
}

extension CMAESSample {
  /// The middle of everything and the first possible choices.
  init(_ layout: CMAESLayout) {
    self.init(
      numbers: layout.numeric.map { _ in 0.5 },
      choices: layout.prior.map { prior in prior.firstIndex { $0 > 0 } ?? 0 })
  }
}
