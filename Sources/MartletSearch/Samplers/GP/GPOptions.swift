// The settings of the Gaussian process sampler.

/// What can be chosen in `options`; every one has a default that does well on the public problems.
struct GPOptions: Hashable, Sendable {
  /// `startup`: how many points are spread evenly before the model is asked, 2...1000; with several objectives so many
  /// have ended before. Then it is twice as many and more, as BoTorch's examples have it: with 8 trials under way 20 points
  /// scored 40 and 98 on the two public problems after 50 trials (ten seeds), 7 and 9 points 8 and 98.
  var startup: Int
  /// `candidates`: at how many points the acquisition is looked at first, 16...65536.
  var candidates: Int
  /// `starts`: from how many of them it is climbed, 1...100.
  var starts: Int
  /// `prior`: of the kernel's length scales. On the four public problems with ten axes or more (three seeds) `unit` scored
  /// 39 and 76 after 50 and 100 trials, `dimension` 32 and 74.
  var prior: KernelPrior
  /// `warp`: whether a power transform may make losses more like what the kernel expects.
  var warp: OutputWarp
  /// `region`: of how many asks in a row one looks only near the best point, 0...100; 0: none. On the public problems (20,
  /// two seeds, score against random search) none measured 78 after 100 trials, one of four 76, one of two 73.
  var regionPeriod: Int
  /// `margin`: by how many deviations of the losses a global ask wants the best point to be beaten, 0...1. Without one a
  /// search that has found a minimum goes on to its last digits and looks nowhere else. On the public conditional problem
  /// (three seeds, 100 trials) 0 scored −41 and found the best branch in no run, 0.01 scored 98 and found it in each; 0.05
  /// and 0.2 found it too and ended less exactly. The mean of all 20 problems went from 80 to 88.
  var margin: Double
  /// `fantasies`: in how many ways the trials under way are thought to come out, 0...64; 0: as expected. With 8
  /// trials under way (20 problems, ten seeds) 8 ways scored 2 less than that after 50 and 100 trials, which may be chance,
  /// and took up to five times as long.
  var fantasies: Int
  /// `plateaus`: whether points near several of one loss are unlikely to be asked (`Plateaus`).
  var leavesPlateaus: Bool

  init(_ problem: SearchProblem) throws(SearchError) {
    let axes = problem.cube.axes.count
    var reader = OptionReader(problem.options, of: GPSampler.method)
    let first = problem.objectiveCount > 1 ? min(2 * (axes + 1), 20) : min(max(axes + 1, 4), 10)
    startup = try reader.int("startup", default: first, in: 2...1000)
    candidates = try reader.int("candidates", default: 2048, in: 16...65_536)
    starts = try reader.int("starts", default: 10, in: 1...100)
    prior = try reader.choice("prior", default: .unit)
    warp = try reader.choice("warp", default: .auto)
    regionPeriod = try reader.int("region", default: 0, in: 0...100)
    margin = try reader.double("margin", default: 0.01, in: 0...1)
    fantasies = try reader.int("fantasies", default: 0, in: 0...64)
    leavesPlateaus = try reader.bool("plateaus", default: true)
    try reader.finish()
  }
}

/// When losses are transformed.
enum OutputWarp: String, CaseIterable, Hashable, Sendable {
  /// When that makes them more probable.
  case auto
  case on
  case off
}
