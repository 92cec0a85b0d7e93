// What a client is told of the time before its subscription: what it missed, or a snapshot; and what it is too slow for.

import MartletModel
import MartletTracking
import OrderedCollections

extension LiveSession {
  /// How a subscription begins.
  enum Beginning: Sendable {
    /// With what changes from now on.
    case anew
    /// Where an earlier one ended, at `since`, with all that changed after it.
    case resumed(since: UInt64, missed: [RecentChanges.Change])
    /// Anew, though the client had hoped to go on: what it holds may be wrong.
    case reset
  }

  /// A run that changed, but whose row is not at hand.
  struct Owed: Sendable {
    /// Its newest change.
    var sequence: UInt64
    /// The project that it was deleted from, or left.
    var goneFrom: String?
  }

  /// A run that the client cannot be given any more.
  struct GoneRun: Sendable, Hashable {
    var id: PublicID
    /// The change by which it went.
    var sequence: UInt64
    /// Where it was.
    var project: String
  }

  /// Rows that are told before all others, page after page.
  struct Snapshot: Sendable {
    /// Rows are at least as new as this change.
    var sequence: UInt64
    /// The page that is to be read next; nil: the first.
    var cursor: String?
    /// Whether pages are left.
    var hasMore = true
  }

  /// What is to be read for a subscription, and then handed to `pay`.
  struct Debt: Sendable {
    enum What: Sendable {
      case runs([PublicID])
      case alerts([Int64])
      /// A page of the runs of a project, or of all.
      case page(project: String?, cursor: String?)
      /// A sweep's row, and trials of it.
      case trials(PublicID, SweepDebt.Part)
    }

    var subscription: UInt32
    var generation: UInt64
    var what: What
  }

  /// Rows read at a time, while a client waits for them.
  static let rowsAtOnce = 200
  /// Rows that may wait in all subscriptions together while others are read for the client.
  static let maximumWaiting = 1_000

  // MARK: - Beginning

  /// Takes runs out of a subscription to points, and tells that they are gone.
  mutating func takeOut(_ gone: [GoneRun], of id: UInt32) {
    for run in gone { subscriptions[id]?.takeOut(run) }
  }

  mutating func catchUp(_ id: UInt32, on missed: [RecentChanges.Change]) {
    guard var subscription = subscriptions[id] else { return }
    for change in missed {
      switch (subscription.topic, change.subject) {
      case (.runs, .run(let run)): subscription.owe(run, change.sequence, goneFrom: nil)
      case (.runs(let project), .gone(let run, let from)) where project == nil || project == from:
        subscription.owe(run, change.sequence, goneFrom: from)
      case (.run(let own), .run(let run)) where own == run:
        subscription.owe(run, change.sequence, goneFrom: nil)
      case (.run(let own), .gone(let run, let from)) where own == run:
        subscription.owe(run, change.sequence, goneFrom: from)
      case (.points(let runs, _), .points(let run)) where runs.contains(run),
        (.systemPoints(let runs, _), .system(let run)) where runs.contains(run):
        subscription.points?.leaveOut(run)
        subscription.pointSequence = max(subscription.pointSequence, change.sequence)
      case (.points(let runs, _), .run(let run)) where runs.contains(run),
        (.systemPoints(let runs, _), .run(let run)) where runs.contains(run):
        subscription.owe(run, change.sequence, goneFrom: nil)
      case (.points(let runs, _), .gone(let run, let from)) where runs.contains(run),
        (.systemPoints(let runs, _), .gone(let run, let from)) where runs.contains(run):
        subscription.owe(run, change.sequence, goneFrom: from)
      case (.runs, .alert(let alert)), (.run, .alert(let alert)):
        subscription.owedAlerts[alert] = change.sequence
      case (.sweep(let own), .sweep(let sweep)) where own == sweep: subscription.sweepDebt.isRowDue = true
      case (.sweep(let own), .trial(let sweep, let number)) where own == sweep:
        subscription.sweepDebt.numbers.insert(number)
      case (.sweeps, .sweep): subscription.isHeld = true
      case (.pool, .pool): subscription.pool.isDue = true
      case (.runs, _), (.run, _), (.points, _), (.systemPoints, _), (.sweep, _), (.sweeps, _), (.log, _),
        (.pool, _):
        break
      }
    }
    subscriptions[id] = subscription
  }

  mutating func beginSnapshot(_ id: UInt32, sequence: UInt64) {
    guard var subscription = subscriptions[id] else { return }
    var snapshot = Snapshot(sequence: sequence)
    switch subscription.topic {
    case .runs: break
    case .run(let run):
      subscription.owe(run, sequence, goneFrom: nil)
      snapshot.hasMore = false
    case .points(let runs, _), .systemPoints(let runs, _):
      for run in runs { subscription.points?.leaveOut(run) }
      subscription.pointSequence = max(subscription.pointSequence, sequence)
      snapshot.hasMore = false
    case .sweep: subscription.sweepDebt.next = 0
    case .sweeps: subscription.isHeld = true
    // It begins with the bytes at its offset.
    case .log: return
    // What it begins with is told in any case.
    case .pool: break
    }
    subscription.snapshot = snapshot
    subscriptions[id] = subscription
  }

  /// Whether sweeps are to be read for this subscription before anything of it is told.
  func isHeld(_ id: UInt32, generation: UInt64) -> Bool {
    subscriptions[id].map { $0.generation == generation && $0.isHeld } ?? false
  }

  /// Takes a sweep's row that was read for a subscription that is held: newer than all it has heard of it.
  ///
  /// - Parameter sequence: of a change that is in it.
  mutating func take(_ sweep: Sweep, for id: UInt32, generation: UInt64, sequence: UInt64) {
    guard subscriptions[id]?.generation == generation else { return }
    let before = subscriptions[id]?.sweeps[sweep.id]?.sequence ?? 0
    subscriptions[id]?.sweeps[sweep.id] = (max(before, sequence), sweep)
  }

  /// What a subscription was held for has been read.
  mutating func release(_ id: UInt32, generation: UInt64) {
    guard subscriptions[id]?.generation == generation else { return }
    subscriptions[id]?.isHeld = false
    subscriptions[id]?.snapshot?.hasMore = false
  }

  // MARK: - Debts

  /// Whether rows must be read before the client has heard of all that changed.
  var isBehind: Bool {
    subscriptions.values.contains {
      !$0.owed.isEmpty || !$0.owedAlerts.isEmpty || !$0.sweepDebt.isEmpty || $0.snapshot?.hasMore == true
    }
  }

  /// Whether the client was told, by what was taken so far, of all that happened.
  var isUpToDate: Bool {
    !hasChanges && !isBehind && !subscriptions.values.contains { $0.isHeld || $0.pool.isBehind }
  }

  /// What to read next: never more than a client that reads slowly leaves room for.
  func nextDebt() -> Debt? {
    // Where nothing can be told, what is owed holds it back: then it must be read, however much waits.
    let waiting = subscriptions.values.reduce(0) { $0 + $1.runs.count + $1.alerts.count + $1.trials.count }
    guard waiting < Self.maximumWaiting || !hasChanges else { return nil }
    for (id, subscription) in subscriptions {
      guard subscription.isAnnounced, !subscription.hasRowsToTell else { continue }
      if case .sweep(let sweep) = subscription.topic {
        guard let part = subscription.nextTrials else { continue }
        return Debt(
          subscription: id, generation: subscription.generation, what: .trials(sweep, part))
      }
      // The oldest first: all that is newer waits for it.
      let (oldestRun, oldestAlert) = (
        subscription.owed.values.lazy.map(\.sequence).min(), subscription.owedAlerts.values.min()
      )
      if let oldestAlert, oldestAlert < oldestRun ?? .max {
        let alerts = subscription.owedAlerts.first(Self.rowsAtOnce) { $0.value < $1.value }.map(\.key)
        return Debt(subscription: id, generation: subscription.generation, what: .alerts(alerts))
      }
      if oldestRun != nil {
        let runs = subscription.owed.first(Self.rowsAtOnce) { $0.value.sequence < $1.value.sequence }
          .map(\.key)
        return Debt(subscription: id, generation: subscription.generation, what: .runs(runs))
      }
      if case .runs(let project) = subscription.topic, let snapshot = subscription.snapshot, snapshot.hasMore
      {
        return Debt(
          subscription: id, generation: subscription.generation,
          what: .page(project: project, cursor: snapshot.cursor))
      }
    }
    return nil
  }

  /// Takes what was read for a debt, before anything newer is told to the client.
  mutating func pay(_ debt: Debt, runs: [PublicID: Run]) {
    guard case .runs(let ids) = debt.what, var subscription = subscriptions[debt.subscription],
      subscription.generation == debt.generation
    else { return }
    for id in ids {
      guard let owed = subscription.owed.removeValue(forKey: id) else { continue }
      let sequence = max(owed.sequence, subscription.runs[id]?.sequence ?? 0)
      if let run = runs[id], run.deletedAt == nil, isWanted(run, by: subscription.topic) {
        // A subscription to points hears of runs only when they go.
        switch subscription.topic {
        case .points, .systemPoints: continue
        case .runs, .run, .sweep, .sweeps, .log, .pool: subscription.runs[id] = (sequence, run)
        }
      } else if let from = owed.goneFrom ?? runs[id].flatMap({ $0.deletedAt == nil ? nil : $0.project }),
        isHeard(of: from, id, by: subscription.topic)
      {
        subscription.runs[id] = (sequence, nil)
      }
    }
    subscriptions[debt.subscription] = subscription
  }

  /// Takes alerts that were read for a debt.
  mutating func pay(_ debt: Debt, alerts: [Alert]) {
    guard case .alerts(let ids) = debt.what, var subscription = subscriptions[debt.subscription],
      subscription.generation == debt.generation
    else { return }
    let found = Dictionary(alerts.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
    for id in ids {
      guard let sequence = subscription.owedAlerts.removeValue(forKey: id), let alert = found[id],
        isHeard(of: alert.project, alert.run, by: subscription.topic)
      else { continue }
      subscription.alerts.append((sequence, alert))
    }
    subscriptions[debt.subscription] = subscription
  }

  /// Takes a page of a snapshot, before anything newer is told to the client.
  mutating func pay(_ debt: Debt, page: Page<Run>) {
    // One that began anew meanwhile begins with its first page.
    guard case .page(_, let cursor) = debt.what, var subscription = subscriptions[debt.subscription],
      subscription.generation == debt.generation, var snapshot = subscription.snapshot,
      snapshot.cursor == cursor
    else { return }
    for run in page.items {
      let sequence = max(
        snapshot.sequence, subscription.runs[run.id]?.sequence ?? 0,
        subscription.owed.removeValue(forKey: run.id)?.sequence ?? 0)
      subscription.runs[run.id] = (sequence, run)
    }
    (snapshot.cursor, snapshot.hasMore) = (page.next, page.next != nil)
    subscription.snapshot = snapshot
    subscriptions[debt.subscription] = subscription
  }

  private func isWanted(_ run: Run, by topic: LiveTopic) -> Bool {
    isHeard(of: run.project, run.id, by: topic)
  }

  private func isHeard(of project: String, _ run: PublicID, by topic: LiveTopic) -> Bool {
    if case .runs(let wanted?) = topic, wanted != project { return false }
    if case .run(let wanted) = topic, wanted != run { return false }
    return maySee(project: project, run: run)
  }
}

extension LiveSession.Subscription {
  /// Notes a change of a run: with its row as long as there is room.
  mutating func note(_ id: PublicID, _ sequence: UInt64, _ run: Run?, project: String) {
    if runs[id] != nil || runs.count < LiveSession.maximumRows {
      runs[id] = (sequence, run)
    } else {
      owe(id, sequence, goneFrom: run == nil ? project : nil)
    }
  }

  /// Takes a run out of a subscription to points, with all that waits of it.
  mutating func takeOut(_ gone: LiveSession.GoneRun) {
    switch topic {
    case .points(var runs, let keys):
      runs.remove(gone.id)
      topic = .points(runs: runs, keys: keys)
    case .systemPoints(var runs, let keys):
      runs.remove(gone.id)
      topic = .systemPoints(runs: runs, keys: keys)
    case .runs, .run, .sweep, .sweeps, .log, .pool: return
    }
    points?.forget(gone.id)
    note(gone.id, gone.sequence, nil, project: gone.project)
  }

  mutating func owe(_ id: PublicID, _ sequence: UInt64, goneFrom: String?) {
    guard restart == nil else { return }
    let before = owed[id]
    owed[id] = LiveSession.Owed(
      sequence: max(sequence, before?.sequence ?? 0), goneFrom: goneFrom ?? before?.goneFrom)
    if owedCount > LiveSession.maximumOwed { beginAnew(sequence) }
  }

  mutating func note(_ alert: Alert, _ sequence: UInt64) {
    if alerts.count < LiveSession.maximumAlerts {
      alerts.append((sequence, alert))
    } else {
      owedAlerts[alert.id] = sequence
      if owedCount > LiveSession.maximumOwed { beginAnew(sequence) }
    }
  }

  /// Rows and alerts that are to be read for it.
  var owedCount: Int { owed.count + owedAlerts.count }

  /// Lets go of all that was kept for it: more is owed than may be remembered.
  ///
  /// - Parameter sequence: of the newest change.
  mutating func beginAnew(_ sequence: UInt64) {
    (runs, owed, alerts, owedAlerts, snapshot) = ([:], [:], [], [:], nil)
    restart = sequence
  }

  /// The oldest change that cannot be told yet: what is newer waits for it, so that the number of each message means
  /// that all up to it was told.
  private var bound: UInt64 {
    min(owed.values.lazy.map(\.sequence).min() ?? .max, owedAlerts.values.min() ?? .max)
  }

  var hasRowsToTell: Bool {
    guard !runs.isEmpty || !alerts.isEmpty else { return false }
    let bound = bound
    return bound == .max || runs.values.contains { $0.sequence < bound }
      || alerts.contains { $0.sequence < bound }
  }

  /// Whether nothing is to be read of what changed.
  var isPaid: Bool { owed.isEmpty && owedAlerts.isEmpty }

  var isSnapshotAtEnd: Bool {
    snapshot.map {
      !$0.hasMore && runs.isEmpty && owed.isEmpty && alerts.isEmpty && owedAlerts.isEmpty
    } ?? false
  }

  /// Rows and alerts in the order of their newest changes; of a subscription to points, runs that are gone.
  mutating func takeRows(_ id: UInt32) -> [LiveFrame] {
    let bound = bound
    var ready: [(sequence: UInt64, frame: LiveFrame)] = []
    for (key, news) in runs where news.sequence < bound {
      // Points that are older may follow, and `told` behind them.
      if points != nil { pointSequence = max(pointSequence, news.sequence) }
      let frame =
        news.run.map { LiveFrame.run(id: id, sequence: news.sequence, $0) }
        ?? .deleted(id: id, sequence: points == nil ? news.sequence : 0, key)
      ready.append((news.sequence, frame))
    }
    for news in alerts where news.sequence < bound {
      ready.append((news.sequence, .alert(id: id, sequence: news.sequence, news.alert)))
    }
    runs.removeAll { $0.value.sequence < bound }
    alerts.removeAll { $0.sequence < bound }
    // Those of a snapshot have one number, and keep their order.
    return ready.enumerated()
      .sorted { ($0.element.sequence, $0.offset) < ($1.element.sequence, $1.offset) }
      .map(\.element.frame)
  }
}

extension Dictionary {
  /// Its first entries in an order, without putting all others in order too: there may be a hundred times as many.
  fileprivate func first(_ count: Int, by isBefore: (Element, Element) -> Bool) -> [Element] {
    var found: [Element] = []
    var last: Element?
    for entry in self {
      if let last, !isBefore(entry, last) { continue }
      found.append(entry)
      guard found.count == 2 * count else { continue }
      found.sort(by: isBefore)
      found.removeLast(count)
      last = found.last
    }
    found.sort(by: isBefore)
    return Array(found.prefix(count))
  }
}
