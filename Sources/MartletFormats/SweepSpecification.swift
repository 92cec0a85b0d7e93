// A sweep file, read and checked: everything a sweep needs to know before it starts.

package import MartletModel
package import MartletScheduling
package import MartletSearch
package import OrderedCollections

/// What a sweep file says.
package struct SweepSpecification: Sendable {
  /// Which of the file forms it was written in; they differ in command lines, run names and summaries.
  package enum Form: Sendable, Hashable {
    /// W&B's sweep configuration.
    case sweep
    /// `base_command`, `sweep_params` with prefixes, `static_params`.
    case ghost(GhostForm)
  }

  /// What a sweep leaves in its folder.
  package enum ResultKind: String, Sendable, CaseIterable {
    /// `sweep_summary.csv`.
    case summary
    /// `overall_results.json`, `experiments.csv`, and `experiment_results.json` of each run.
    case experiments
    /// `best_model/`.
    case bestModel = "best_model"
  }

  package enum StopSignal: String, Sendable, CaseIterable {
    case term = "TERM"
    case usr1 = "USR1"
  }

  package var name: String?
  package var description: String?
  package var project: String?
  /// One of `samplerMethods`.
  package var method: String
  /// The method's own settings.
  package var methodOptions = JSONObject()
  /// What trials are judged by; the first ranks them.
  package var objectives: [Objective]
  package var objective: Objective? { objectives.first }
  /// What a trial has to meet beside that.
  package var constraints: [OutcomeConstraint] = []
  /// What makes its objective worse when it is missed.
  package var softBounds: [SoftBound] = []
  /// When a running trial is stopped because of its values; null: never. As it is written.
  package var earlyTerminate = JSONValue.null
  /// What trials that failed count as for the search.
  package var penalties = PenaltyRule()
  /// Points that are tried before the method is asked, by name where they have one.
  package var points: [NamedPoint] = []
  /// Sweeps whose trials the search learns from at its beginning, by id or name.
  package var warmStart: [String] = []
  /// What the file says beside what is searched and run, kept as it is.
  package var metadata = JSONObject()
  /// How far it goes beside the number of its trials.
  package var furtherLimits = SweepLimits()
  /// The metric values with which the sweep has found what it looked for, once one trial has them all: one an objective;
  /// nil: any value will do. Empty: it looks on.
  package var targets: [Double?] = []
  package var space: Space
  package var runCap: Int?
  /// Trials at a time on the server's machine; 0: agents run them all.
  package var maxParallel = 2
  /// How many trials it has at a time follows what the machine has left.
  package var isAutomatic = false
  /// What is run once before the first trial: words, as in `command`, without macros.
  package var preparation: [String]?
  /// What that needs, and its limits; of what is not said, nothing.
  package var preparationNeeds = NeedsRule()
  /// Over how many parts of the data its trials are spread.
  package var shards: Int?
  /// Which files and folders of a run's checkpoint directory its next attempt may go on from (a shell pattern); nil: none.
  package var resume: String? = "*"
  /// What it leaves in its folder.
  package var results = Set(ResultKind.allCases)
  /// Seconds an attempt may take.
  package var timeout: Double?
  /// Seconds between the polite signal and SIGKILL.
  package var grace = 10.0
  package var stopSignal = StopSignal.term
  /// What a trial needs; nil: nothing was said.
  package var needs: NeedsRule?
  /// How often an attempt that went wrong is followed by another.
  package var retries = RetryPolicy()
  /// Higher goes first.
  package var priority = 0
  /// After so many quick failures in a row the sweep is paused; nil: it never is.
  package var breaker: Int?
  /// Which file of a run's directory is its best checkpoint (a shell pattern).
  package var checkpoint = usualCheckpoint
  /// Of a file that says nothing of it.
  package static let usualCheckpoint = "best_model*"
  package var seed: UInt64?
  package var workdir: String?
  package var output: String?
  /// Variables set for every attempt, over those of the submitter.
  package var environment: OrderedDictionary<String, String> = [:]
  package var program: String?
  package var command: [CommandPart]
  package var form: Form
  /// `lr{lr}_w{width}`, if the file has one.
  package var runNameTemplate: RunNameTemplate?
  /// Whether the naming rule alone tells all points apart; if not, names get the trial's number.
  package var namesAreUnique = false
  /// What a person should know though it is no error: keys that have no meaning here, bounds that look mistaken.
  package var notes: [String] = []
  /// The file's text.
  package var source: String
  package var filename: String?

  /// The name, or what the file is called, or `sweep`.
  package var title: String { name ?? Self.stem(of: filename) ?? "sweep" }

  /// How many trials there will be at most; nil when there is no limit.
  package var budget: Int? {
    let size: Int? =
      switch method {
      case gridMethod: space.cardinality.flatMap { $0 == .max ? nil : $0 }
      case pointsMethod: points.count
      default: nil
      }
    return switch (size, runCap) {
    case (let points?, let cap?): min(points, cap)
    case (let points, let cap): points ?? cap
    }
  }

  private static func stem(of filename: String?) -> String? {
    guard let last = filename?.split(separator: "/").last else { return nil }
    let stem =
      [".yaml", ".yml", ".json"].first { last.hasSuffix($0) }.map { last.dropLast($0.count) } ?? last
    return stem.isEmpty || stem == "-" ? nil : String(stem)
  }
}

/// What only the ghost form has.
package struct GhostForm: Sendable, Hashable {
  /// The word before a parameter's value in run names, by parameter.
  package var prefixes: OrderedDictionary<String, String>
  /// Flags that are the same for every run.
  package var staticParameters: OrderedDictionary<String, JSONValue>

  package init(
    prefixes: OrderedDictionary<String, String>, staticParameters: OrderedDictionary<String, JSONValue>
  ) {
    self.prefixes = prefixes
    self.staticParameters = staticParameters
  }
}
