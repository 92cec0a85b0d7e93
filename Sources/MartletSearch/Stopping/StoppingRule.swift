// The protocol every early-stopping rule follows: what trials report, and what it answers.

public import MartletModel

/// What a rule says to a report.
public enum StoppingDecision: Hashable, Sendable {
  case goOn
  /// End the trial; why, as a sentence.
  case stop(String)
  /// Let the trial stand still until it is resumed, or for ever; why, as a sentence.
  case pause(String)
}

/// What a trial measured at a step.
public struct StoppingReport: Hashable, Sendable {
  public var trial: Int
  /// 0 or more, in whatever unit the program counts. Steps may be missing, come twice and go back.
  public var step: Int64
  /// One an objective, to be minimised. Infinite where the measurement was not a number.
  public var losses: [Double]

  public init(trial: Int, step: Int64, losses: [Double]) {
    self.trial = trial
    self.step = step
    self.losses = losses
  }

  /// Whether every loss is a number.
  public var isFinite: Bool { losses.allSatisfy(\.isFinite) }
}

/// A rule that ends hopeless trials before their end.
///
/// A value. All that it knows are memories, one a trial, each of bounded size and a function of that trial's own reports
/// in their order and of the state it settled to: it does not matter how reports of different trials interleave, and a
/// rule that was given back its memories decides as before.
public protocol StoppingRule: Sendable {
  /// A trial measured something.
  mutating func report(_ report: StoppingReport) -> StoppingDecision

  /// A trial changed its state: it ended, stands still, or runs again.
  mutating func settle(trial: Int, as state: TrialState)

  /// The paused trial that should go on now; nil: none of them.
  func resumable() -> Int?

  /// Whether a trial may be stopped although no other one is better.
  func maySacrifice(trial: Int) -> Bool

  /// What it knows of a trial; nil: nothing.
  func memory(of trial: Int) -> JSONValue?

  /// Takes a memory back. States are settled afterwards.
  ///
  /// - Throws: `SearchError.unusableState`.
  mutating func restore(trial: Int, _ memory: JSONValue) throws(SearchError)
}

extension StoppingRule {
  public func resumable() -> Int? { nil }
  public func maySacrifice(trial: Int) -> Bool { false }

  /// The error of a memory that this rule did not write.
  func unusable(trial: Int) -> SearchError {
    .unusableState(method: "early_terminate", reason: "what it remembers of trial \(trial) cannot be read")
  }
}
