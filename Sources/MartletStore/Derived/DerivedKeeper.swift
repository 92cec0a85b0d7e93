// Who keeps the aggregates of derived metrics: behind the commits, on a queue of its own.

import Dispatch
import GRDB
package import MartletModel
import OrderedCollections
import Synchronization

/// Computes anew what is derived of runs that changed.
///
/// What is settled, a run that ended, was cut back or reconfigured, and the runs of a project whose definitions changed, is
/// seen to at once. Runs that get points are looked at once a second at most, and after the work on them comes a pause of
/// nineteen times as long: they take a twentieth of a core at most, however long they are.
///
/// `@unchecked`: what is no `let` is set once, by `start`, or used on the queue alone.
final class DerivedKeeper: @unchecked Sendable {
  /// How far a project has been gone through.
  private struct Scan: Equatable {
    /// The change that it follows.
    var change: Int
    /// The row of the run that was last.
    var run = Int64.min
  }

  private struct State {
    /// Nil: nobody has looked yet.
    var hasDefinitions: Bool?
    /// Projects whose definitions changed.
    var projects: OrderedDictionary<Int64, Scan> = [:]
    /// Changes of definitions that were heard of.
    var changes = 0
    var urgent: OrderedSet<Int64> = []
    var growing: OrderedSet<Int64> = []
    /// When the queue will look again, in nanoseconds of uptime.
    var wakesAt: UInt64?
    var isStopped = false
  }

  /// Runs that share a transaction.
  private static let batch = 32
  private static let second: UInt64 = 1_000_000_000

  private let state = Mutex(State())
  private let queue = DispatchQueue(label: "martlet.derive", qos: .utility)
  private let isAutomatic: Bool
  private let heard = Mutex<(@Sendable ([PublicID]) -> Void)?>(nil)
  private weak var store: Store?
  /// Runs that get points are not looked at before then.
  private var restUntil: UInt64 = 0

  init(isAutomatic: Bool) { self.isAutomatic = isAutomatic }

  /// Whoever wants to hear of runs whose aggregates were written.
  func onChange(_ body: @escaping @Sendable ([PublicID]) -> Void) { heard.withLock { $0 = body } }

  func start(_ store: Store) {
    self.store = store
    guard isAutomatic else { return }
    wake(at: 0)
  }

  /// Returns when nothing is being done any more; nothing is begun after it.
  func stop() {
    state.withLock { $0.isStopped = true }
    queue.sync {}
  }

  /// Hears, on the writer's queue, what was committed.
  func note(_ news: [HotRuns.News]) {
    guard !news.isEmpty else { return }
    let due: UInt64? = state.withLock { state in
      var (isUrgent, isGrowing) = (false, false)
      for piece in news {
        switch piece {
        case .derived(let project):
          state.hasDefinitions = true
          state.changes += 1
          state.projects[project] = Scan(change: state.changes)
          isUrgent = true
        case .ended(let run, true), .rewritten(let run), .reconfigured(let run):
          guard state.hasDefinitions != false else { continue }
          state.growing.remove(run)
          isUrgent = state.urgent.append(run).inserted || isUrgent
        case .appended(let run, _, _, _):
          guard state.hasDefinitions != false, !state.urgent.contains(run) else { continue }
          isGrowing = state.growing.append(run).inserted || isGrowing
        case .ended(_, false), .purge: break
        }
      }
      return isUrgent ? 0 : isGrowing ? Sealer.now + Self.second : nil
    }
    if let due, isAutomatic { wake(at: due) }
  }

  private func wake(at time: UInt64) {
    let now = Sealer.now
    let isSooner = state.withLock { state in
      guard !state.isStopped, state.wakesAt.map({ time < $0 }) ?? true else { return false }
      state.wakesAt = max(time, now)
      return true
    }
    guard isSooner else { return }
    queue.asyncAfter(deadline: DispatchTime(uptimeNanoseconds: max(time, now))) { [weak self] in
      self?.work()
    }
  }

  // MARK: - On the queue

  private func work() {
    state.withLock { $0.wakesAt = nil }
    guard let store else { return }
    do {
      try load(store)
      while try seeToUrgent(store) {}
      if Sealer.now >= restUntil {
        let began = Sealer.now
        while let runs = takeGrowing() {
          try compute(runs, store)
          if Sealer.now - began > Self.second / 10 { break }
        }
        restUntil = Sealer.now + max(19 * (Sealer.now - began), Self.second)
      }
      let isMore = state.withLock { !$0.growing.isEmpty }
      if isMore { wake(at: restUntil) }
    } catch {
      // A full disk, most likely. What was being done is told by the next look at the whole project.
      wake(at: Sealer.now + 10 * Self.second)
    }
  }

  /// Does all that waits, without pauses, on the queue.
  func settle(_ store: Store) throws {
    try queue.sync {
      try load(store)
      while try seeToUrgent(store) {}
      while let runs = takeGrowing() { try compute(runs, store) }
    }
  }

  private func load(_ store: Store) throws {
    guard state.withLock({ $0.hasDefinitions == nil }) else { return }
    let projects = try store.readNow {
      try Int64.fetchAll($0.db, sql: "SELECT DISTINCT project_id FROM derived_metric")
    }
    state.withLock { state in
      guard state.hasDefinitions == nil else { return }
      state.hasDefinitions = !projects.isEmpty
      for project in projects { state.projects[project] = Scan(change: 0) }
      if projects.isEmpty { (state.urgent, state.growing) = ([], []) }
    }
  }

  /// Runs that were settled, then the next runs of a project whose definitions changed. False: there was nothing to do.
  private func seeToUrgent(_ store: Store) throws -> Bool {
    let runs = state.withLock { state in
      guard !state.isStopped else { return [Int64]() }
      let runs = Array(state.urgent.prefix(Self.batch))
      state.urgent.removeFirst(runs.count)
      return runs
    }
    guard runs.isEmpty else {
      try compute(runs, store)
      return true
    }
    let next = state.withLock { state in state.isStopped ? nil : state.projects.elements.first }
    guard let (project, scan) = next else { return false }
    let found = try store.readNow {
      try $0.outdatedRuns(inProject: project, after: scan.run, limit: Self.batch)
    }
    try compute(found, store, isNoted: false)
    state.withLock { state in
      // Definitions that changed meanwhile begin from the first run again.
      guard state.projects[project] == scan else { return }
      state.projects[project] = found.last.map { Scan(change: scan.change, run: $0) }
    }
    return true
  }

  private func takeGrowing() -> [Int64]? {
    state.withLock { state in
      guard !state.isStopped, !state.growing.isEmpty else { return nil }
      let runs = Array(state.growing.prefix(Self.batch))
      state.growing.removeFirst(runs.count)
      return runs
    }
  }

  /// - Parameter isNoted: what cannot be written now is put back among what waits.
  private func compute(_ runs: [Int64], _ store: Store, isNoted: Bool = true) throws {
    do {
      var plans: [DerivedPlan] = []
      for run in runs {
        do {
          if let plan = try store.readNow({ try $0.derivedPlan(of: run) }) { plans.append(plan) }
        } catch let problem as Problem where problem.code == .internal {
          // Its points are damaged: whoever reads them is told, and 'martlet doctor' finds them.
          continue
        }
      }
      guard !plans.isEmpty else { return }
      try store.writeNow { writer in for plan in plans { try writer.write(plan) } }
      heard.withLock(\.self)?(plans.map(\.id))
    } catch {
      if isNoted { state.withLock { $0.urgent.append(contentsOf: runs) } }
      throw error
    }
  }
}

extension StoreReader {
  /// Runs of a project of which something is derived that is not up to date, by row.
  fileprivate func outdatedRuns(inProject project: Int64, after run: Int64, limit: Int) throws -> [Int64] {
    try Int64.fetchAll(
      db,
      sql: """
        SELECT run.id FROM run WHERE project_id = ?1 AND run.id > ?2 AND purge IS NULL
          AND EXISTS (
            SELECT 1 FROM derived_metric WHERE derived_metric.project_id = ?1 AND NOT EXISTS (
              SELECT 1 FROM derived_summary
              WHERE derived_id = derived_metric.id AND run_id = run.id AND derived_summary.rows = run.rows
                AND derived_summary.rewrites = run.rewrites))
        ORDER BY run.id LIMIT ?3
        """, arguments: [project, run, limit])
  }
}

extension Store {
  /// Calls `body` with runs whose derived metrics' aggregates were written, in the background.
  package func onDerived(_ body: @escaping @Sendable ([PublicID]) -> Void) { keeper.onChange(body) }

  /// Computes all that is derived and not up to date, and returns when it is written.
  package func settleDerived() async throws {
    try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
      DispatchQueue.global().async { [self] in
        done.resume(with: Result { try keeper.settle(self) })
      }
    }
  }

  /// Computes what is derived of one run and not up to date, beside the writer.
  package func deriveNow(_ id: PublicID) async throws {
    let plan = try await pool.read { db in try StoreReader(db: db).soundDerivedPlan(of: id) }
    if let plan { try await write { try $0.write(plan) } }
  }
}
