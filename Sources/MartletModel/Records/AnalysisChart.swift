// What an analysis of a sweep tells when it is asked to.

/// A chart of the trials of a sweep, by its name in the API.
public enum AnalysisChart: String, Sendable, CaseIterable {
  /// The metric of each trial that ended, and the best so far.
  case history
  /// The share of complete trials that is at least as good as a value.
  case edf
  /// The metric over each parameter.
  case slices
  /// The metric over two parameters.
  case contour
  /// The places of trials among all, over two parameters.
  case rank
  /// All trials as lines over all parameters.
  case parallel
  /// Complete trials by their objectives.
  case pareto
  /// How the volume behind the front grew.
  case hypervolume
  /// When trials ran.
  case timeline
  /// A row for each trial that ended.
  case trials

  /// Two parameters have to be chosen for it.
  public var isOfTwoParameters: Bool { self == .contour || self == .rank }
}
