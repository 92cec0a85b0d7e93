// What can be set of the TPE sampler.

/// The options of `tpe`.
struct TPESettings: Hashable, Sendable {
  var startup: Int
  var candidates: Int
  var polish: Int
  var gamma: Double
  var gammaPower: Double
  var belowMax: Int
  var priorWeight: Double
  var bandwidth: String
  var factor: Double
  var floor: Double
  var belowWeights: String
  var aboveWeights: String
  var pendingWeight: Double
  var categorical: Double
  var independent: Bool
  var startupKind: String
  var aboveFactor: Double
  var power: Double

  init(_ problem: SearchProblem) throws(SearchError) {
    var reader = OptionReader(problem.options, of: TPESampler.method)
    startup = try reader.int("startup", default: 10, in: 1...10_000)
    candidates = try reader.int("candidates", default: 24, in: 1...10_000)
    polish = try reader.int("polish", default: 0, in: 0...1000)
    gamma = try reader.double("gamma", default: 0.1, in: 0...10)
    gammaPower = try reader.double("gamma_power", default: 1, in: 0...1)
    belowMax = try reader.int("below_max", default: 25, in: 1...10_000)
    priorWeight = try reader.double("prior_weight", default: 1, in: 1e-3...1e3)
    bandwidth = try reader.choice("bandwidth", default: Kind.gap).rawValue
    factor = try reader.double("factor", default: 1, in: 0...100)
    floor = try reader.double("floor", default: 0, in: 0...100)
    belowWeights = try reader.choice("below_weights", default: WeightKind.recent).rawValue
    aboveWeights = try reader.choice("above_weights", default: WeightKind.recent).rawValue
    pendingWeight = try reader.double("pending_weight", default: 1, in: 0...100)
    categorical = try reader.double("categorical", default: 0, in: 0...1)
    independent = try reader.bool("independent", default: false)
    startupKind = try reader.choice("startup_kind", default: StartKind.random).rawValue
    aboveFactor = try reader.double("above_factor", default: 1, in: 0...100)
    power = try reader.double("power", default: 0, in: 0...1)
    try reader.finish()
  }
  enum Kind: String, CaseIterable { case gap, scott, fixed }
  enum WeightKind: String, CaseIterable { case recent, uniform, value, rank }
  enum StartKind: String, CaseIterable { case random, lhs }
}
