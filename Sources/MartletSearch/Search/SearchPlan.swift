// Which method serves which trials of a search, and why, in words for people.

public import MartletModel
import OrderedCollections

/// The methods of a search, one after the other.
public struct SearchPlan: Hashable, Sendable {
  public struct Stage: Hashable, Sendable {
    public var method: String
    /// The number of its first trial.
    public var from: Int
    /// The number of the first trial that is no longer its own; nil: all that come are.
    public var until: Int?
    /// What the method is and where it is strong, a sentence; nil: there is none for it.
    public var words: String? { SearchPlan.words[method] }
  }

  /// As the sweep file names it, or what an alias stands for.
  public let method: String
  /// One at least; only the last one has no end.
  public let stages: [Stage]
  /// What the choice went by, a sentence; nil: nobody but the file chose.
  public let reason: String?
  /// What trials that failed count as, a sentence; nil: they failed, and nothing more is said of them.
  public let failures: String?

  /// - Throws: `SearchError` for a method that is none, or a problem that no method can search.
  public init(
    method name: String, _ problem: SearchProblem, failures: String? = nil
  ) throws(SearchError) {
    self.failures = failures
    method = try samplerType(of: name).method
    guard method == AutoSampler.method else {
      stages = [Stage(method: method, from: 0)]
      reason = nil
      return
    }
    var first = 0
    stages = try AutoSchedule(problem).keepingWhatServes(problem).stages.map { stage in
      defer { first = stage.end ?? first }
      return Stage(method: stage.method, from: first, until: stage.end)
    }
    reason = "Chosen for \(Self.features(of: problem))."
  }

  /// The place of the stage that serves a trial.
  public func stage(of trial: Int) -> Int {
    stages.firstIndex { $0.until.map { trial < $0 } ?? true } ?? stages.count - 1
  }

  /// - Parameter trial: the number of the next one.
  public func json(at trial: Int) -> JSONValue {
    [
      "method": .string(method), "stage": .int(Int64(stage(of: trial))), "reason": JSONValue(reason),
      "failures": JSONValue(failures),
      "stages": .array(
        stages.map {
          [
            "method": .string($0.method), "from": .int(Int64($0.from)), "until": JSONValue($0.until),
            "words": JSONValue($0.words),
          ]
        }),
    ]
  }

  /// What `auto` chooses by.
  private static func features(of problem: SearchProblem) -> String {
    let axes = problem.cube.axes
    let categorical = axes.count { if case .categorical = $0.kind { true } else { false } }
    let kinds = [
      categorical == 0 ? "none of them categorical" : "\(categorical) of them categorical",
      problem.cube.isConditional ? "some only under a condition" : "none under a condition",
    ]
    let parameters = "\(count(axes.count, "parameter")), \(kinds.joined(separator: ", "))"
    return "\(parameters); \(count(problem.objectiveCount, "objective"))"
  }

  private static func count(_ number: Int, _ noun: String) -> String {
    "\(number) \(noun)\(number == 1 ? "" : "s")"
  }

  private static let words: [String: String] = [
    "random": "Points drawn at random: a measure for all other methods, and hard to beat in many dimensions.",
    "grid": "Every point of the grid in its order.",
    "sobol": "A sequence that fills the space more evenly than random points do.",
    "points": "The points of the file, and no others.",
    "gp": "A Gaussian process learns how the metric depends on the parameters, and the next point is the one "
      + "with the most to gain: it makes the most of few trials.",
    "tpe": "Parzen estimators compare where good trials lie with where all others do: quick, also with "
      + "categories, conditions and many trials.",
    "cmaes": "An evolution strategy moves a normal distribution towards better points: strong on numbers "
      + "alone, with many trials.",
    "de": "Differential evolution moves points along the differences of others: numbers, with many trials.",
    "ga": "A genetic algorithm crosses and changes the better points.",
    "tabu": "Steps to the best neighbour that was not visited lately.",
    "anneal": "Steps from point to point that may also lead downhill, ever less so.",
    "nsga2":
      "A genetic algorithm that keeps a whole front of trials, none of which is better than another in "
      + "everything.",
    "nsga3": "A genetic algorithm that spreads its front along directions: for many objectives.",
    "pbt": "A population trains side by side; those that fall behind go on from a better one's checkpoint "
      + "with changed values.",
  ]
}
