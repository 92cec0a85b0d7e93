// What decides a trial's place in the tables of its sweep.

/// So little of a trial that those of a large sweep can be put in order at once.
public struct TrialStanding: Sendable, Hashable {
  public var number: Int
  public var runName: String
  public var state: TrialState
  /// What its sweep looks for.
  public var objective: Double?
  /// The best of its validation loss, where its series have been looked at.
  public var validation: Double?

  public init(
    number: Int, runName: String, state: TrialState, objective: Double? = nil, validation: Double? = nil
  ) {
    self.number = number
    self.runName = runName
    self.state = state
    self.objective = objective
    self.validation = validation
  }
}
