// What can be set of the TPE sampler.

/// The options of `tpe`, and what was found to be a good choice of each.
///
/// Every default was chosen among a few round numbers on the public problems of the benchmark (20 problems, 16 seeds, 50
/// to 200 trials, one and eight pending), by the mean score over all problems; none depends on which problem it is.
struct TPESettings: Hashable, Sendable {
  /// Trials with losses before there is a model; points up to then are drawn from the prior.
  var startup: Int
  /// Points drawn from the density of good trials for each ask.
  var candidates: Int
  /// Steps of the walk uphill from the best of the candidates.
  var polish: Int
  /// The share of finished trials that count as good.
  var gamma: Double
  /// How many finished trials count as good at most.
  var goodLimit: Int
  /// The weight of the prior, in trials.
  var priorWeight: Double
  /// The widths of all kernels are multiplied by this.
  var bandwidth: Double
  /// Those of the bad trials also by this: with narrower ones each of them keeps off what lies near it.
  static let badBandwidth = 0.7

  /// - Throws: `SearchError` for options that do not exist or are out of range.
  init(_ problem: SearchProblem) throws(SearchError) {
    var reader = OptionReader(problem.options, of: TPESampler.method)
    startup = try reader.int("startup", default: 10, in: 1...100_000)
    candidates = try reader.int("candidates", default: 24, in: 1...10_000)
    polish = try reader.int("polish", default: 20, in: 0...10_000)
    gamma = try reader.double("gamma", default: 0.1, in: 0.01...0.9)
    goodLimit = try reader.int(
      "good_limit", default: problem.objectiveCount == 1 ? 25 : 50, in: 1...1_000)
    priorWeight = try reader.double("prior_weight", default: 1, in: 1e-3...1e3)
    bandwidth = try reader.double("bandwidth", default: 1, in: 0.01...100)
    try reader.finish()
  }

  /// How many of so many trials with losses count as good.
  func goodCount(of count: Int) -> Int {
    // A hair less, or 0.1 of 30 would be 4.
    min(max(Int((gamma * Double(count) - 1e-9).rounded(.up)), 1), goodLimit)
  }
}
