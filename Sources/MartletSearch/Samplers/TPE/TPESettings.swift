// What can be set of the TPE sampler.

/// The options of `tpe`.
///
/// The defaults, and the constants of `TPESplit`, `ParzenWidth` and `TPEModel`, are the best of a few round numbers by the
/// mean score (0: random search, 100: the optimum) over the 20 public problems of the benchmark, with 16 seeds each at 100
/// trials, one pending, by a program that followed the same rules before this one did. Beside them: kernels as wide as the
/// gap to a neighbour 3 points worse than by Scott's rule, good trials all of one weight 3 worse, bad trials' kernels as
/// wide as those of the good ones 1 worse, 60 steps uphill 4 worse than 20, 64 candidates 4 worse, `gamma` of 0.15 4 and
/// of 0.2 7 worse; the weight of the prior from 0.5 to 2 and the weights of older bad trials made no difference. Such
/// means are uncertain by 1 or 2 points.
///
/// One good trial beyond the share was measured later, by 10 seeds: after 100 and 200 trials 9 and 12 points better one at
/// a time, most of it on Branin's function, on whose edge a fifth of the runs were stuck after 50 trials; after 50 trials
/// and with 8 pending between 1 worse and 2 better. Worse were, on its own or beside that: narrower kernels where the good
/// trials left out one by one are likelier by them than by Scott's, each axis drawn alone in half of the asks, and steps
/// uphill that are thrown back from the edge instead of ending on it, for optima often lie there.
///
/// The number of steps was measured once more, by 30 seeds (60 for the first two figures): instead of 20 of them 10 were 1,
/// 0, and 3 points better after 50, 100 and 200 trials, none of them 3 and 5 worse after 50 and 100; with 8 pending 10 and
/// 20 were the same but for 2 points after 200. Kernels of the bad trials 0.2 times as wide are better by 10 to 25 on smooth
/// functions of numbers, and worse by 20 to 60 where categories and conditions decide; with them in half of the asks the
/// mean is the same, and with 8 pending it is 4 worse after 50 trials.
struct TPESettings: Hashable, Sendable {
  /// Trials with losses before there is a model; points up to then are drawn from the prior.
  var startup: Int
  /// Points drawn from the density of good trials for each ask.
  var candidates: Int
  /// Steps of the walk uphill from the best of the candidates.
  var polish: Int
  /// The share of finished trials that count as good; one more does.
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
    polish = try reader.int("polish", default: 10, in: 0...10_000)
    gamma = try reader.double("gamma", default: 0.1, in: 0.01...0.9)
    goodLimit = try reader.int(
      "good_limit", default: problem.objectiveCount == 1 ? 25 : 50, in: 1...1_000)
    priorWeight = try reader.double("prior_weight", default: 1, in: 1e-3...1e3)
    bandwidth = try reader.double("bandwidth", default: 1, in: 0.01...100)
    try reader.finish()
  }

  /// How many of so many trials with losses count as good: one more than the share that `gamma` says, but never all of
  /// several. Up to 20 trials the share alone would be one or two, and a density of one trial asks around it for long.
  func goodCount(of count: Int) -> Int {
    // A hair less, or 0.1 of 30 would be 4.
    let share = Int((gamma * Double(count) - 1e-9).rounded(.up)) + 1
    return min(share, max(count - 1, 1), goodLimit)
  }
}
