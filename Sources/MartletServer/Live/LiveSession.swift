// What one client of the live feed is to be told: a value, without sockets or clocks.

import MartletModel
import MartletTracking
import OrderedCollections

/// A message to a client. Rows become text only when they are sent: the session is locked while it is asked.
enum LiveFrame: Sendable {
  case message(JSONValue)
  case run(id: UInt32, sequence: UInt64, Run)
  case deleted(id: UInt32, sequence: UInt64, PublicID)
  case sweep(id: UInt32, sequence: UInt64, Sweep, [Trial])
  case log(id: UInt32, LogSlice)
  case points(PointFrame)
  case alert(id: UInt32, sequence: UInt64, Alert)
}

/// Subscriptions and all that changed since the client was last told.
///
/// Of a row that changed many times only the newest state waits; of points, at most a bounded number. So a client that
/// reads slowly costs a bounded amount of memory and hears of everything it can still use.
struct LiveSession: Sendable {
  static let maximumSubscriptions = 256
  /// Runs in one subscription to points.
  static let maximumRuns = 1_000
  /// Answers that may wait for a client; one that asks on without reading is cut off.
  static let maximumReplies = 1_000

  /// Alerts that may wait for a client; of more, the newest.
  static let maximumAlerts = 1_000

  private struct Subscription: Sendable {
    var topic: LiveTopic
    /// Tells a subscription from one that replaced it under the same id.
    var generation: UInt64
    /// Nothing is told before the client knows that it is subscribed.
    var isAnnounced = false
    /// The newest state of each run that changed; nil: it was deleted.
    var runs: OrderedDictionary<PublicID, (sequence: UInt64, run: Run?)> = [:]
    var sweeps: OrderedDictionary<PublicID, (sequence: UInt64, sweep: Sweep)> = [:]
    /// The sweep of a sweep's subscription as last seen, for messages about its trials alone.
    var sweep: Sweep?
    var trials: [Int: Trial] = [:]
    var trialSequence: UInt64 = 0
    var points: PointBuffer?
    var log: LogSlice?
    var alerts: [(sequence: UInt64, alert: Alert)] = []

    var hasChanges: Bool {
      isAnnounced
        && (!runs.isEmpty || !alerts.isEmpty || !sweeps.isEmpty || !trials.isEmpty || log != nil
          || !(points?.isEmpty ?? true))
    }
  }

  private let access: Access
  private var subscriptions: OrderedDictionary<UInt32, Subscription> = [:]
  private var replies: [LiveFrame] = []
  private var generations: UInt64 = 0

  init(access: Access) { self.access = access }

  /// Whether the client asks more than it reads.
  var isFlooded: Bool { replies.count >= Self.maximumReplies }
  var hasChanges: Bool { subscriptions.values.contains(where: \.hasChanges) }

  // MARK: - Subscribing

  /// Begins to gather for `topic`; whoever calls has checked that the client may see it.
  ///
  /// - Parameter topic: with the project's name, not its id.
  /// - Returns: the subscription's generation.
  /// - Throws: `Problem` when the client has too many subscriptions.
  mutating func subscribe(_ id: UInt32, to topic: LiveTopic) throws(Problem) -> UInt64 {
    guard subscriptions[id] != nil || subscriptions.count < Self.maximumSubscriptions else {
      throw Problem(
        .tooManyRequests, "A connection may hold \(Self.maximumSubscriptions) subscriptions.",
        hint: "Unsubscribe from some, or ask for several runs in one.")
    }
    generations += 1
    var subscription = Subscription(topic: topic, generation: generations)
    switch topic {
    case .points(_, let keys), .systemPoints(_, let keys):
      subscription.points = PointBuffer(keys: keys.map(Set.init))
    case .runs, .run, .sweep, .sweeps, .log: break
    }
    subscriptions[id] = subscription
    return generations
  }

  /// Tells the client that from `sequence` on nothing is missed; called after `subscribe`, with a sequence read then.
  mutating func announce(_ id: UInt32, sequence: UInt64) {
    guard subscriptions[id] != nil else { return }
    subscriptions[id]?.isAnnounced = true
    reply(["type": "subscribed", "id": .int(Int64(id)), "seq": .int(Int64(sequence))])
  }

  mutating func unsubscribe(_ id: UInt32) { subscriptions[id] = nil }

  /// The row that a sweep's subscription begins with; an event that came earlier is newer.
  mutating func remember(_ sweep: Sweep, for id: UInt32) {
    if subscriptions[id]?.sweep == nil { subscriptions[id]?.sweep = sweep }
  }

  mutating func refuse(_ id: UInt32, _ problem: Problem) {
    subscriptions[id] = nil
    reply(["type": "error", "id": .int(Int64(id)), "error": problem.json["error"] ?? nil])
  }

  mutating func reply(_ message: JSONValue) { replies.append(.message(message)) }

  // MARK: - What happens

  /// Notes an event of the feed. True when there is something new to tell.
  mutating func receive(_ sequence: UInt64, _ event: FeedEvent) -> Bool {
    var isNew = false
    for index in subscriptions.values.indices {
      isNew = note(sequence, event, in: &subscriptions.values[index]) || isNew
    }
    return isNew
  }

  private func note(_ sequence: UInt64, _ event: FeedEvent, in subscription: inout Subscription) -> Bool {
    switch (subscription.topic, event) {
    case (.runs(let project), .run(let run)):
      guard project == nil || project == run.project, maySee(project: run.project, run: run.id) else {
        return false
      }
      subscription.runs[run.id] = (sequence, run)
    case (.run(let id), .run(let run)):
      guard id == run.id, maySee(project: run.project, run: run.id) else { return false }
      subscription.runs[run.id] = (sequence, run)
    case (.sweeps, .sweep(let sweep)):
      guard maySee(project: sweep.project, run: nil) else { return false }
      subscription.sweeps[sweep.id] = (sequence, sweep)
    case (.sweep(let id), .sweep(let sweep)):
      guard id == sweep.id, maySee(project: sweep.project, run: nil) else { return false }
      subscription.sweep = sweep
      subscription.sweeps[sweep.id] = (sequence, sweep)
    case (.sweep(let id), .trial(let sweep, let trial)):
      // Who may see the sweep was settled when the subscription began.
      guard id == sweep else { return false }
      subscription.trials[trial.number] = trial
      subscription.trialSequence = sequence
    case (.points(let runs, _), .points(let run, let batch)),
      (.systemPoints(let runs, _), .system(let run, let batch)):
      guard runs.contains(run) else { return false }
      subscription.points?.add(batch, of: run)
      return !(subscription.points?.isEmpty ?? true)
    case (.points(let runs, _), .rewound(let run)):
      guard runs.contains(run) else { return false }
      subscription.points?.leaveOut(run)
    case (.runs(let wanted), .deleted(let run, let project)):
      guard wanted == nil || wanted == project, maySee(project: project, run: run) else { return false }
      subscription.runs[run] = (sequence, nil)
    case (.run(let id), .deleted(let run, let project)):
      guard id == run, maySee(project: project, run: run) else { return false }
      subscription.runs[run] = (sequence, nil)
    case (.runs(let wanted), .moved(let run, let project)):
      // Whoever sees both projects is told of the row alone.
      guard wanted == project || wanted == nil && access.project == project,
        maySee(project: project, run: run)
      else { return false }
      subscription.runs[run] = (sequence, nil)
    case (.runs(let wanted), .alert(let alert)):
      guard wanted == nil || wanted == alert.project, maySee(project: alert.project, run: alert.run) else {
        return false
      }
      Self.note(alert, sequence, in: &subscription)
    case (.run(let id), .alert(let alert)):
      guard id == alert.run, maySee(project: alert.project, run: alert.run) else { return false }
      Self.note(alert, sequence, in: &subscription)
    case (.points(let runs, _), .deleted(let run, _)), (.systemPoints(let runs, _), .deleted(let run, _)):
      guard runs.contains(run) else { return false }
      subscription.runs[run] = (sequence, nil)
    case (.runs, _), (.run, _), (.sweep, _), (.sweeps, _), (.points, _), (.systemPoints, _), (.log, _):
      return false
    }
    return true
  }

  private static func note(_ alert: Alert, _ sequence: UInt64, in subscription: inout Subscription) {
    subscription.alerts.append((sequence, alert))
    if subscription.alerts.count > maximumAlerts { subscription.alerts.removeFirst() }
  }

  private func maySee(project: String, run: PublicID?) -> Bool {
    if let bound = access.run, bound != run { return false }
    return access.project == nil || access.project == project
  }

  // MARK: - Logs

  enum LogAppetite: Sendable {
    /// The last piece was taken: the next may be read.
    case hungry
    /// A piece is waiting.
    case full
    /// The subscription ended, or was replaced.
    case gone
  }

  func logAppetite(_ id: UInt32, generation: UInt64) -> LogAppetite {
    guard let subscription = subscriptions[id], subscription.generation == generation else { return .gone }
    return subscription.log == nil ? .hungry : .full
  }

  mutating func offer(_ slice: LogSlice, to id: UInt32, generation: UInt64) {
    if subscriptions[id]?.generation == generation { subscriptions[id]?.log = slice }
  }

  // MARK: - Telling

  /// Answers to the client's own messages: they do not wait for the rhythm of changes.
  mutating func takeReplies() -> [LiveFrame] {
    defer { replies = [] }
    return replies
  }

  /// All that changed since the last call.
  mutating func takeChanges() -> [LiveFrame] {
    var frames: [LiveFrame] = []
    for index in subscriptions.values.indices where subscriptions.values[index].hasChanges {
      frames += Self.take(subscriptions.keys[index], &subscriptions.values[index])
    }
    return frames
  }

  private static func take(_ id: UInt32, _ subscription: inout Subscription) -> [LiveFrame] {
    var frames = subscription.runs.map { key, news in
      news.run.map { LiveFrame.run(id: id, sequence: news.sequence, $0) }
        ?? .deleted(id: id, sequence: news.sequence, key)
    }
    if case .sweep = subscription.topic {
      let changed = subscription.sweeps.values.last
      if let sweep = changed?.sweep ?? subscription.sweep, changed != nil || !subscription.trials.isEmpty {
        let trials = subscription.trials.values.sorted { $0.number < $1.number }
        let sequence = max(changed?.sequence ?? 0, subscription.trialSequence)
        frames.append(.sweep(id: id, sequence: sequence, sweep, trials))
      }
    } else {
      frames += subscription.sweeps.values.map { .sweep(id: id, sequence: $0.sequence, $0.sweep, []) }
    }
    frames += subscription.alerts.map { .alert(id: id, sequence: $0.sequence, $0.alert) }
    subscription.alerts = []
    if let log = subscription.log { frames.append(.log(id: id, log)) }
    frames += subscription.points?.take(subscription: id) ?? []
    (subscription.runs, subscription.sweeps, subscription.trials, subscription.log) = ([:], [:], [:], nil)
    return frames
  }
}
