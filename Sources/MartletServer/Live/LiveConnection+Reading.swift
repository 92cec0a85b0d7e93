// Reading what a subscription begins with, and what a client missed or was too slow for.

import MartletModel
import MartletOrchestration
import MartletTracking
import OrderedCollections
import Synchronization

extension LiveConnection {
  /// Sweeps read at a time: whoever has a change to tell waits for as many at most.
  private static let rowsAtOnce = 500

  /// Reads the sweeps that a subscription begins with.
  ///
  /// - Parameters:
  ///   - missed: what changed while the client was away; nil: all are wanted.
  ///   - sequence: of the newest change when the subscription began.
  func readSweeps(
    for id: UInt32, generation: UInt64, _ topic: LiveTopic, missed: [RecentChanges.Change]?,
    from sequence: UInt64, _ access: Access
  ) async throws {
    switch topic {
    case .sweeps:
      if let missed {
        try await readSweeps(missed, for: id, generation, access)
      } else {
        try await readSweeps(for: id, generation, from: sequence, access)
      }
    case .runs, .run, .sweep, .points, .systemPoints, .log, .pool: break
    }
  }

  private func readSweeps(
    _ missed: [RecentChanges.Change], for id: UInt32, _ generation: UInt64, _ access: Access
  ) async throws {
    let (engine, feed) = (services.engine, services.tracking.feed)
    var left: ArraySlice<(sweep: PublicID, sequence: UInt64)> = []
    for change in missed {
      if case .sweep(let sweep) = change.subject { left.append((sweep, change.sequence)) }
    }
    while !left.isEmpty {
      let changed = Array(left.prefix(Self.rowsAtOnce))
      left = left.dropFirst(Self.rowsAtOnce)
      try await feed.inOrder {
        let rows = try await engine.sweeps(changed.map(\.sweep), access: access)
        let found = Dictionary(rows.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
        self.state.withLock { state in
          // Each by its own number: the line may break between any two.
          for (sweep, sequence) in changed {
            guard let row = found[sweep] else { continue }
            state.session?.take(row, for: id, generation: generation, sequence: sequence)
          }
        }
      }
    }
  }

  private func readSweeps(
    for id: UInt32, _ generation: UInt64, from sequence: UInt64, _ access: Access
  ) async throws {
    let (engine, feed) = (services.engine, services.tracking.feed)
    var cursor: String?
    repeat {
      let request = PageRequest(limit: Self.rowsAtOnce, cursor: cursor)
      cursor = try await feed.inOrder {
        let page = try await engine.sweeps(SweepQuery(), request, access: access)
        self.state.withLock { state in
          for row in page.items {
            state.session?.take(row, for: id, generation: generation, sequence: sequence)
          }
        }
        return page.next
      }
    } while cursor != nil
  }

  // MARK: - Debts

  /// Reads rows that are owed to the client, as fast as it takes them.
  func payDebts() async {
    for await _ in debts.stream {
      while !Task.isCancelled, let debt = state.withLock({ $0.session?.nextDebt() }) {
        do {
          try await pay(debt)
        } catch {
          let problem = services.problem(for: error, doing: "Reading what a client of the live feed missed")
          state.withLock {
            $0.session?.refuse(debt.subscription, generation: debt.generation, problem)
          }
        }
        ring()
      }
    }
  }

  private func pay(_ debt: LiveSession.Debt) async throws {
    guard let access = state.withLock({ $0.access }) else { return }
    let (tracking, engine) = (services.tracking, services.engine)
    try await tracking.feed.inOrder {
      switch debt.what {
      case .runs(let ids):
        let rows = try await tracking.rows(of: ids)
        self.state.withLock { $0.session?.pay(debt, runs: rows) }
      case .alerts(let ids):
        let alerts = try await tracking.alerts(ids)
        self.state.withLock { $0.session?.pay(debt, alerts: alerts) }
      case .page(let project, let cursor):
        var query = RunQuery(project: project)
        query.archive = .any
        let page = try await tracking.runs(
          query, PageRequest(limit: LiveSession.rowsAtOnce, cursor: cursor), access: access)
        self.state.withLock { $0.session?.pay(debt, page: page) }
      case .trials(let sweep, let part):
        let sequence = tracking.feed.sequence
        let row = try await engine.sweep(sweep, access: access)
        let trials: [Trial]
        var next: Int?
        switch part {
        case .these(let numbers):
          trials = try await engine.trials(sweep, numbers: numbers, access: access)
        case .from(let first):
          let limit = LiveSession.rowsAtOnce
          trials = try await engine.trials(sweep, from: first, limit: limit, access: access)
          if trials.count == limit { next = trials.last.map { $0.number + 1 } }
        }
        let (read, rest) = (trials, next)
        self.state.withLock { $0.session?.pay(debt, row, read, next: rest, sequence: sequence) }
      }
    }
  }

  // MARK: - Points

  /// Looks for the runs of a subscription to points that has begun: from now on the session hears when one is moved out
  /// of the client's reach.
  ///
  /// - Parameter missed: what changed while the client was away.
  /// - Returns: runs that went meanwhile, with where they were: one of many must not end the whole.
  /// - Throws: `Problem.notFound` for any other that there is not, or not for this client.
  func runsGone(
    of topic: LiveTopic, missed: [RecentChanges.Change]?, _ access: Access
  ) async throws -> [LiveSession.GoneRun] {
    let tracking = services.tracking
    var runs: OrderedSet<PublicID>
    switch topic {
    case .points(let some, _), .systemPoints(let some, _): runs = OrderedSet(some)
    case .runs, .run, .sweep, .sweeps, .log, .pool: return []
    }
    var gone: [LiveSession.GoneRun] = []
    for change in missed ?? [] {
      guard case .gone(let run, let project) = change.subject, runs.contains(run),
        access.run == nil || access.run == run, access.project == nil || access.project == project
      else { continue }
      do {
        try await tracking.check([run], access: access)
      } catch let problem as Problem where problem.code == .notFound {
        gone.append(LiveSession.GoneRun(id: run, sequence: change.sequence, project: project))
        runs.remove(run)
      }
    }
    try await tracking.check(runs, access: access)
    return gone
  }
}
