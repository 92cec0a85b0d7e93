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
  /// Rows of runs that may wait in a subscription; of others that changed only the ids do, until there is room.
  static let maximumRows = 500

  /// Alerts that may wait in a subscription, likewise.
  static let maximumAlerts = 500
  /// Trials of a sweep that may wait in a subscription, likewise.
  static let maximumTrials = 500
  /// Rows and alerts that may be owed to one subscription: not fewer than the feed remembers of for whoever comes back.
  /// Beyond that it begins anew.
  static let maximumOwed = 16_384
  /// The same of all subscriptions together.
  static let maximumOwedTogether = 65_536

  struct Subscription: Sendable {
    var topic: LiveTopic
    /// Tells a subscription from one that replaced it under the same id.
    var generation: UInt64
    /// Nothing is told before the client knows that it is subscribed.
    var isAnnounced = false
    /// Nothing is told before what is older, which is still being read.
    var isHeld = false
    /// The newest state of each run that changed; nil: it was deleted.
    var runs: OrderedDictionary<PublicID, (sequence: UInt64, run: Run?)> = [:]
    /// Runs that changed, whose rows are to be read before they can be told.
    var owed: [PublicID: Owed] = [:]
    /// The newest changes of alerts that are to be read, likewise.
    var owedAlerts: [Int64: UInt64] = [:]
    /// The newest change of a subscription to which too much was owed, until it is told that it begins anew: nothing is
    /// kept for it meanwhile.
    var restart: UInt64?
    /// Whether it begins with a snapshot, each time anew.
    var wantsSnapshot = false
    var snapshot: Snapshot?
    var sweeps: OrderedDictionary<PublicID, (sequence: UInt64, sweep: Sweep)> = [:]
    /// The sweep of a sweep's subscription as last seen, for messages about its trials alone.
    var sweep: Sweep?
    var trials: [Int: Trial] = [:]
    var trialSequence: UInt64 = 0
    /// What of a sweep's subscription is to be read before a number says that all was told.
    var sweepDebt = SweepDebt()
    var points: PointBuffer?
    /// The newest change of what `points` held, and of runs that were told as gone to a subscription to points.
    var pointSequence: UInt64 = 0
    /// Points were told, or that runs are gone, and not yet up to which change that is all.
    var isToldDue = false
    var log: LogSlice?
    var alerts: [(sequence: UInt64, alert: Alert)] = []
    /// What of the pool is to be told.
    var pool = PoolTelling()

    /// Whether something can be told now.
    var hasChanges: Bool {
      isAnnounced && !isHeld
        && (hasRowsToTell || !sweeps.isEmpty || !trials.isEmpty || log != nil || pool.offered != nil
          || !(points?.isEmpty ?? true)
          || isToldDue && isPaid || isSnapshotAtEnd || restart != nil)
    }
  }

  let access: Access
  private let epoch: String
  var subscriptions: OrderedDictionary<UInt32, Subscription> = [:]
  private var replies: [LiveFrame] = []
  private var generations: UInt64 = 0

  /// - Parameter epoch: of the feed that is told.
  init(access: Access, epoch: String) { (self.access, self.epoch) = (access, epoch) }

  /// Whether the client asks more than it reads.
  var isFlooded: Bool { replies.count >= Self.maximumReplies }
  var hasChanges: Bool { subscriptions.values.contains(where: \.hasChanges) }

  // MARK: - Greeting

  /// - Parameter sequence: of the feed's newest change.
  mutating func greet(sequence: UInt64) {
    reply([
      "type": "ready", "principal": .string(access.principal.name), "epoch": .string(epoch),
      "seq": .int(Int64(sequence)),
    ])
  }

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
    case .runs, .run, .sweep, .sweeps, .log, .pool: break
    }
    subscriptions[id] = subscription
    return generations
  }

  /// Tells the client that from `sequence` on nothing is missed; called after `subscribe`, with a sequence read then.
  mutating func announce(
    _ id: UInt32, sequence: UInt64, _ beginning: Beginning = .anew, wantsSnapshot: Bool = false
  ) {
    guard subscriptions[id] != nil else { return }
    subscriptions[id]?.isAnnounced = true
    subscriptions[id]?.wantsSnapshot = wantsSnapshot
    // Its first word is the whole, unless the client has it already.
    switch (subscriptions[id]?.topic, beginning) {
    case (.pool, .anew), (.pool, .reset): subscriptions[id]?.pool.isDue = true
    default: break
    }
    let (place, isResumed) =
      switch beginning {
      case .anew, .reset: (sequence, false)
      case .resumed(let since, _): (since, true)
      }
    reply(Self.subscribed(id, sequence: place, epoch: epoch, isResumed: isResumed))
    switch beginning {
    case .anew: break
    case .reset: reply(Self.reset(id))
    case .resumed(_, let missed): catchUp(id, on: missed)
    }
    if wantsSnapshot, !isResumed { beginSnapshot(id, sequence: sequence) }
  }

  private static func subscribed(
    _ id: UInt32, sequence: UInt64, epoch: String, isResumed: Bool
  ) -> JSONValue {
    [
      "type": "subscribed", "id": .int(Int64(id)), "seq": .int(Int64(sequence)), "epoch": .string(epoch),
      "resumed": .bool(isResumed),
    ]
  }

  private static func reset(_ id: UInt32) -> JSONValue { ["type": "reset", "id": .int(Int64(id))] }

  mutating func unsubscribe(_ id: UInt32) { subscriptions[id] = nil }

  /// The row that a sweep's subscription begins with; an event that came earlier is newer.
  mutating func remember(_ sweep: Sweep, for id: UInt32) {
    if subscriptions[id]?.sweep == nil { subscriptions[id]?.sweep = sweep }
  }

  /// - Parameter generation: of the subscription that it is about; another that took its place stays. Nil: whichever
  ///   there is.
  mutating func refuse(_ id: UInt32, generation: UInt64? = nil, _ problem: Problem) {
    guard generation == nil || subscriptions[id]?.generation == generation else { return }
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
    boundDebts(sequence)
    return isNew
  }

  private func note(_ sequence: UInt64, _ event: FeedEvent, in subscription: inout Subscription) -> Bool {
    if subscription.restart != nil {
      // It will read all of it.
      subscription.restart = sequence
      return false
    }
    switch (subscription.topic, event) {
    case (.runs(let project), .run(let run)):
      guard project == nil || project == run.project, maySee(project: run.project, run: run.id) else {
        return false
      }
      subscription.note(run.id, sequence, run, project: run.project)
    case (.run(let id), .run(let run)):
      guard id == run.id, maySee(project: run.project, run: run.id) else { return false }
      subscription.note(run.id, sequence, run, project: run.project)
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
      subscription.note(trial, sequence)
    case (.points(let runs, _), .points(let run, let batch)),
      (.systemPoints(let runs, _), .system(let run, let batch)):
      guard runs.contains(run) else { return false }
      subscription.points?.add(batch, of: run)
      subscription.pointSequence = sequence
      return !(subscription.points?.isEmpty ?? true)
    case (.points(let runs, _), .rewound(let run)):
      guard runs.contains(run) else { return false }
      subscription.points?.leaveOut(run)
      subscription.pointSequence = sequence
    case (.runs(let wanted), .deleted(let run, let project)):
      guard wanted == nil || wanted == project, maySee(project: project, run: run) else { return false }
      subscription.note(run, sequence, nil, project: project)
    case (.run(let id), .deleted(let run, let project)):
      guard id == run, maySee(project: project, run: run) else { return false }
      subscription.note(run, sequence, nil, project: project)
    case (.runs(let wanted), .moved(let run, let project)):
      // Whoever sees both projects is told of the row alone.
      guard wanted == project || wanted == nil && access.project == project,
        maySee(project: project, run: run)
      else { return false }
      subscription.note(run, sequence, nil, project: project)
    case (.run(let id), .moved(let run, let project)):
      guard id == run, access.project == project else { return false }
      subscription.note(run, sequence, nil, project: project)
    case (.points(let runs, _), .moved(let run, let project)),
      (.systemPoints(let runs, _), .moved(let run, let project)):
      // To a token of its old project it is gone, and so is what comes to it from here on.
      guard runs.contains(run), access.project == project else { return false }
      subscription.takeOut(GoneRun(id: run, sequence: sequence, project: project))
    case (.runs(let wanted), .alert(let alert)):
      guard wanted == nil || wanted == alert.project, maySee(project: alert.project, run: alert.run) else {
        return false
      }
      subscription.note(alert, sequence)
    case (.run(let id), .alert(let alert)):
      guard id == alert.run, maySee(project: alert.project, run: alert.run) else { return false }
      subscription.note(alert, sequence)
    case (.points(let runs, _), .deleted(let run, let project)),
      (.systemPoints(let runs, _), .deleted(let run, let project)):
      guard runs.contains(run) else { return false }
      subscription.note(run, sequence, nil, project: project)
    case (.pool, .pool):
      // Who follows the pool for it looks for that by itself.
      subscription.pool.isDue = true
      return false
    case (.runs, _), (.run, _), (.sweep, _), (.sweeps, _), (.points, _), (.systemPoints, _), (.log, _),
      (.pool, _):
      return false
    }
    return true
  }

  func maySee(project: String, run: PublicID?) -> Bool {
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
      let id = subscriptions.keys[index]
      if let sequence = subscriptions.values[index].restart {
        subscriptions.values[index].restart = nil
        frames.append(.message(Self.subscribed(id, sequence: sequence, epoch: epoch, isResumed: false)))
        frames.append(.message(Self.reset(id)))
        if subscriptions.values[index].wantsSnapshot { beginSnapshot(id, sequence: sequence) }
      } else {
        frames += Self.take(id, &subscriptions.values[index])
      }
    }
    return frames
  }

  private static let trialsInMessage = 500

  private static func take(_ id: UInt32, _ subscription: inout Subscription) -> [LiveFrame] {
    var frames = subscription.takeRows(id)
    if case .sweep = subscription.topic {
      let changed = subscription.sweeps.values.last
      if let sweep = changed?.sweep ?? subscription.sweep, changed != nil || !subscription.trials.isEmpty {
        let trials = subscription.trials.values.sorted { $0.number < $1.number }
        // All but the last stand for nothing yet: a client that hears of a part only must not go on behind the whole.
        let sequence =
          subscription.sweepDebt.isEmpty ? max(changed?.sequence ?? 0, subscription.trialSequence) : 0
        var rest = trials[...]
        while rest.count > trialsInMessage {
          frames.append(.sweep(id: id, sequence: 0, sweep, Array(rest.prefix(trialsInMessage))))
          rest = rest.dropFirst(trialsInMessage)
        }
        frames.append(.sweep(id: id, sequence: sequence, sweep, Array(rest)))
      }
    } else {
      frames += subscription.sweeps.values.sorted { $0.sequence < $1.sequence }
        .map { .sweep(id: id, sequence: $0.sequence, $0.sweep, []) }
    }
    if let log = subscription.log { frames.append(.log(id: id, log)) }
    if let frame = subscription.takePool(id) { frames.append(frame) }
    if subscription.points != nil {
      if subscription.points?.isEmpty == false { frames += subscription.points?.take(subscription: id) ?? [] }
      if !frames.isEmpty { subscription.isToldDue = true }
      // One number for all of it, behind it: of points none could be told in its place. And none before what is older
      // was read: who goes on behind it would never hear of that.
      if subscription.isToldDue, subscription.isPaid {
        subscription.isToldDue = false
        frames.append(
          .message(["type": "told", "id": .int(Int64(id)), "seq": .int(Int64(subscription.pointSequence))]))
      }
    }
    (subscription.sweeps, subscription.trials, subscription.log) = ([:], [:], nil)
    if subscription.isSnapshotAtEnd, let snapshot = subscription.snapshot {
      frames.append(
        .message(["type": "snapshot", "id": .int(Int64(id)), "seq": .int(Int64(snapshot.sequence))]))
      subscription.snapshot = nil
    }
    return frames
  }
}
