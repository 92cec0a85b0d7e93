// One parameter's settings to its domain: W&B's distributions and their defaults.

import MartletModel
import MartletSearch
import OrderedCollections

/// The distributions, by their names in a file, and the settings each needs.
private enum Distribution: String, CaseIterable {
  case constant, categorical, ordinal
  case categoricalWithProbabilities = "categorical_w_probabilities"
  case intUniform = "int_uniform"
  case intLogUniformValues = "int_log_uniform_values"
  case uniform
  case quantisedUniform = "q_uniform"
  case logUniform = "log_uniform"
  case quantisedLogUniform = "q_log_uniform"
  case logUniformValues = "log_uniform_values"
  case quantisedLogUniformValues = "q_log_uniform_values"
  case invLogUniform = "inv_log_uniform"
  case invLogUniformValues = "inv_log_uniform_values"
  case normal
  case quantisedNormal = "q_normal"
  case logNormal = "log_normal"
  case quantisedLogNormal = "q_log_normal"
  case beta
  case quantisedBeta = "q_beta"

  var isQuantised: Bool { rawValue.hasPrefix("q_") }

  /// Without these there is no such distribution.
  var required: [String] {
    switch self {
    case .constant: ["value"]
    case .categorical, .ordinal: ["values"]
    case .categoricalWithProbabilities: ["values", "probabilities"]
    case .intUniform, .intLogUniformValues, .uniform, .quantisedUniform, .logUniform, .quantisedLogUniform,
      .logUniformValues,
      .quantisedLogUniformValues, .invLogUniform, .invLogUniformValues:
      ["min", "max"]
    case .normal, .quantisedNormal, .logNormal, .quantisedLogNormal: []
    case .beta, .quantisedBeta: ["a", "b"]
    }
  }

  var allowed: [String] {
    switch self {
    case .categorical: required + ["probabilities"]
    case .intUniform, .intLogUniformValues, .uniform: required + ["step"]
    case .normal, .logNormal: ["mu", "sigma"]
    case .quantisedNormal, .quantisedLogNormal: ["mu", "sigma", "q"]
    case .quantisedUniform, .quantisedLogUniform, .quantisedLogUniformValues, .quantisedBeta: required + ["q"]
    case .constant, .ordinal, .categoricalWithProbabilities, .logUniform, .logUniformValues, .invLogUniform,
      .invLogUniformValues, .beta:
      required
    }
  }

  /// The same on a logarithmic scale, its bounds values: what `log: true` makes of it. Nil: there is none.
  var logarithmic: Distribution? {
    switch self {
    case .uniform: .logUniformValues
    case .intUniform: .intLogUniformValues
    case .quantisedUniform: .quantisedLogUniformValues
    default: nil
    }
  }
}

extension SweepFileReader {
  static let settingKeys = [
    "value", "values", "min", "max", "distribution", "probabilities", "mu", "sigma", "q", "step", "log", "a",
    "b",
    "parameters", "when",
  ]

  /// The domain of a parameter whose name stands at `mark`; nil when flaws were told.
  mutating func domain(_ settings: FileSection, at mark: FileMark) -> Domain? {
    let before = flaws.count
    checkKeys(of: settings, known: Self.settingKeys)
    guard flaws.count == before, let named = distribution(settings, at: mark),
      let distribution = onItsScale(named, settings)
    else { return nil }
    var settings = settings
    settings.members.removeAll { $0.key == "log" }
    for key in distribution.required where settings[key] == nil {
      flaws.append(
        Flaw(
          at: mark, key: settings.path(key), expected: distribution.required.joined(separator: " and "),
          message: "'\(settings.path)' needs '\(key)': distribution '\(distribution.rawValue)' is given by "
            + distribution.allowed.joined(separator: ", ")))
    }
    for member in settings.members
    where member.key != "distribution" && !distribution.allowed.contains(member.key) {
      flaws.append(
        Flaw(
          at: member.mark, key: settings.path(member.key),
          expected: distribution.allowed.joined(separator: ", "),
          message:
            "'\(member.key)' has no meaning in '\(settings.path)': distribution '\(distribution.rawValue)' is "
            + "given by " + distribution.allowed.joined(separator: ", ")))
    }
    guard flaws.count == before, let read = domain(settings, distribution) else { return nil }
    let domain = collapsed(read, settings)
    if let flaw = domain.flaw {
      let place = settings[flaw.key] ?? settings.members.first
      flaws.append(
        Flaw(
          at: place?.value.mark ?? mark, key: settings.path(flaw.key),
          message: "'\(settings.path)': \(flaw.message)"))
      return nil
    }
    return domain
  }

  /// The one the file names, or W&B's default for the settings given.
  private mutating func distribution(_ settings: FileSection, at mark: FileMark) -> Distribution? {
    if let member = settings["distribution"] {
      guard let name = text(member, in: settings) else { return nil }
      if let distribution = Distribution(rawValue: name) { return distribution }
      let names = Distribution.allCases.map(\.rawValue)
      flaws.append(
        Flaw(
          at: member.value.mark, key: settings.path("distribution"),
          expected: "one of " + names.joined(separator: ", "),
          nearest: suggestion(for: name, among: names),
          message: "unknown distribution '\(name)' in '\(settings.path)'"))
      return nil
    }
    if settings["value"] != nil { return .constant }
    if settings["values"] != nil { return .categorical }
    if settings["min"] != nil || settings["max"] != nil {
      if settings["q"] != nil { return .quantisedUniform }
      // W&B: whole bounds make whole numbers. 1.0 is no whole number as it is written.
      let bounds = [settings["min"], settings["max"]].compactMap(\.self)
      return (bounds + [settings["step"]].compactMap(\.self)).allSatisfy(\.isWhole) ? .intUniform : .uniform
    }
    if settings["mu"] != nil || settings["sigma"] != nil { return .normal }
    flaws.append(
      Flaw(
        at: mark, key: settings.path, expected: "value, values, or min and max",
        message: "'\(settings.path)' says nothing to search: give it value, values, or min and max"))
    return nil
  }

  /// With `log: true` the distribution whose logarithm is uniform.
  private mutating func onItsScale(_ named: Distribution, _ settings: FileSection) -> Distribution? {
    guard let member = settings["log"] else { return named }
    guard case .scalar(.bool(let isLogarithmic), _) = member.value.content else {
      flaws.append(wrong(member, in: settings, expected: "true or false"))
      return nil
    }
    guard isLogarithmic else { return named }
    guard let distribution = named.logarithmic else {
      flaws.append(
        Flaw(
          at: member.mark, key: settings.path("log"),
          message:
            "'log' has no meaning in '\(settings.path)': it is for min and max of uniform values, and the "
            + "distribution is '\(named.rawValue)'"))
      return nil
    }
    if distribution == .logUniformValues, let step = settings["step"] {
      flaws.append(
        Flaw(
          at: step.mark, key: settings.path("step"), expected: "q",
          message: "'step' in '\(settings.path)' cannot stand beside 'log', unless all are whole numbers: "
            + "write 'q' for the multiples of q, or leave one of them out"))
      return nil
    }
    return distribution
  }

  /// The domain, or the one value that it has where `min` is `max` and nothing else is wrong.
  private mutating func collapsed(_ domain: Domain, _ settings: FileSection) -> Domain {
    guard let value = settings["min"]?.value.value, domain.onlyNumber != nil else { return domain }
    notes.append(
      "line \(settings.mark.line): '\(settings.path)' has one value, for its min is its max: it is not searched"
    )
    if case .integers(let min, _, _, _) = domain { return .constant(.int(min)) }
    return .constant(value)
  }

  private mutating func domain(_ settings: FileSection, _ distribution: Distribution) -> Domain? {
    switch distribution {
    case .constant: return settings["value"].map { .constant($0.value.value) }
    case .categorical, .categoricalWithProbabilities, .ordinal:
      return categorical(settings, inOrder: distribution == .ordinal)
    case .intUniform, .intLogUniformValues:
      guard let min = whole(settings["min"], in: settings, atLeast: Int.min),
        let max = whole(settings["max"], in: settings, atLeast: Int.min)
      else { return nil }
      let step = settings["step"].map { whole($0, in: settings, atLeast: 1) } ?? 1
      let scale = distribution == .intUniform ? Scale.linear : .logarithmic
      return step.map { .integers(min: Int64(min), max: Int64(max), step: Int64($0), scale: scale) }
    case .uniform, .quantisedUniform, .logUniform, .quantisedLogUniform, .logUniformValues,
      .quantisedLogUniformValues, .invLogUniform, .invLogUniformValues, .normal, .quantisedNormal, .logNormal,
      .quantisedLogNormal, .beta, .quantisedBeta:
      guard let real = real(settings, distribution) else { return nil }
      if let member = settings["step"] {
        guard let step = positive(member, in: settings) else { return nil }
        return .real(real, quantum: Quantum(step, from: real.bounds?.lowerBound ?? 0))
      }
      guard distribution.isQuantised else { return .real(real) }
      guard let member = settings["q"] else { return .real(real, quantum: Quantum(1, isWhole: true)) }
      guard let q = number(member, in: settings) else { return nil }
      return .real(real, quantum: Quantum(q, isWhole: member.isWhole))
    }
  }

  private mutating func categorical(_ settings: FileSection, inOrder: Bool) -> Domain? {
    guard let member = settings["values"] else { return nil }
    guard let items = member.value.items else {
      flaws.append(wrong(member, in: settings, expected: "a list"))
      return nil
    }
    if inOrder { return .ordinal(items.map(\.value)) }
    guard let weights = settings["probabilities"] else { return .categorical(items.map(\.value)) }
    guard let probabilities = weights.value.items?.map(\.value.double),
      probabilities.allSatisfy({ $0 != nil })
    else {
      flaws.append(wrong(weights, in: settings, expected: "a list of numbers"))
      return nil
    }
    return .categorical(items.map(\.value), probabilities: probabilities.compactMap(\.self))
  }

  private mutating func real(_ settings: FileSection, _ distribution: Distribution) -> RealDistribution? {
    switch distribution {
    case .normal, .quantisedNormal, .logNormal, .quantisedLogNormal:
      let mu = settings["mu"].map { number($0, in: settings) } ?? 0
      let sigma = settings["sigma"].map { number($0, in: settings) } ?? 1
      guard let mu, let sigma else { return nil }
      return distribution == .normal || distribution == .quantisedNormal
        ? .normal(mu: mu, sigma: sigma) : .logNormal(mu: mu, sigma: sigma)
    case .beta, .quantisedBeta:
      guard let a = number(settings["a"], in: settings), let b = number(settings["b"], in: settings) else {
        return nil
      }
      return .beta(a: a, b: b)
    case .constant, .categorical, .ordinal, .categoricalWithProbabilities, .intUniform, .intLogUniformValues:
      return nil
    case .uniform, .quantisedUniform, .logUniform, .quantisedLogUniform, .logUniformValues,
      .quantisedLogUniformValues, .invLogUniform, .invLogUniformValues:
      break
    }
    let low = number(settings["min"], in: settings)
    guard let high = number(settings["max"], in: settings), let low else { return nil }
    switch distribution {
    case .logUniform, .quantisedLogUniform, .invLogUniform:
      if low > 0, high <= 1 {
        notes.append(
          "line \(settings.mark.line): the bounds of '\(settings.path)' are exponents of e under "
            + "'\(distribution.rawValue)'; for bounds that are values use log_uniform_values")
      }
      return distribution == .invLogUniform
        ? .invLogUniform(min: low, max: high) : .logUniform(min: low, max: high)
    case .logUniformValues, .quantisedLogUniformValues: return .logUniformValues(min: low, max: high)
    case .invLogUniformValues: return .invLogUniformValues(min: low, max: high)
    case .uniform, .quantisedUniform, .constant, .categorical, .ordinal, .categoricalWithProbabilities,
      .intUniform, .intLogUniformValues, .normal,
      .quantisedNormal, .logNormal, .quantisedLogNormal, .beta, .quantisedBeta:
      return .uniform(min: low, max: high)
    }
  }
}

extension FileNode.Member {
  /// It is written as a whole number: 1.0 is none.
  fileprivate var isWhole: Bool { if case .scalar(.int, _) = value.content { true } else { false } }
}

extension Domain {
  /// The number that its bounds, which are values, leave; nil: they leave several, or none.
  fileprivate var onlyNumber: Double? {
    switch self {
    case .integers(let min, let max, let step, let scale):
      min == max && step >= 1 && (scale == .linear || min >= 1) ? Double(min) : nil
    case .real(let distribution, let quantum):
      switch distribution {
      case .uniform(let min, let max) where min == max && min.isFinite: quantum.allows(min) ? min : nil
      case .logUniformValues(let min, let max), .invLogUniformValues(let min, let max):
        min == max && min > 0 && min.isFinite && quantum.allows(min) ? min : nil
      default: nil
      }
    case .constant, .categorical, .ordinal: nil
    }
  }
}

extension Quantum? {
  /// Whether a value is one of the multiples, or there are none to keep to.
  fileprivate func allows(_ number: Double) -> Bool {
    guard let self else { return true }
    let steps = (number - self.origin) / self.value
    return self.value > 0 && (steps - steps.rounded()).magnitude < 1e-9
  }
}
