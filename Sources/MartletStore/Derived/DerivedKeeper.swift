// Who keeps the aggregates of derived metrics: behind the commits, on a queue of its own.

import Dispatch
import Foundation
import GRDB
package import MartletModel
import OrderedCollections
import Synchronization

/// Computes anew what is derived of runs that changed.
///
/// What is settled, a run that ended or was cut back, and the runs of a project whose definitions changed, is seen to at
/// once. A run that goes on is looked at once a second at most, and after the work on it rests nineteen times as long: it
/// takes a twentieth of a core at most, however long it is, and the others do not wait for that.
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
    /// When each of the growing may be looked at, in nanoseconds of uptime as all times here.
    var rests: [Int64: UInt64] = [:]
    /// After a failure of the whole store nothing is looked at before.
    var restsUntil: UInt64 = 0
    /// When the queue will look again.
    var wakesAt: UInt64?
    /// The number of that wake-up: one that was to come later is passed over.
    var wakeUp = 0
    var isStopped = false

    /// Notes a run that goes on; returns when it may be looked at.
    mutating func grow(_ run: Int64, at time: UInt64) -> UInt64 {
      growing.append(run)
      let time = max(time, rests[run] ?? 0)
      rests[run] = time
      return time
    }
  }

  /// Runs that share a transaction.
  private static let batch = 32
  private static let second: UInt64 = 1_000_000_000
  /// What failed is not tried again before.
  private static let patience = 10 * second

  private let state = Mutex(State())
  private let queue = DispatchQueue(label: "martlet.derive", qos: .utility)
  private let isAutomatic: Bool
  private let heard = Mutex<(@Sendable ([PublicID]) -> Void)?>(nil)
  private weak var store: Store?
  /// Runs that go on are not looked at before then.
  private var growsFrom: UInt64 = 0

  init(isAutomatic: Bool) { self.isAutomatic = isAutomatic }

  /// Whoever wants to hear of runs whose aggregates were written.
  func onChange(_ body: @escaping @Sendable ([PublicID]) -> Void) { heard.withLock { $0 = body } }

  func start(_ store: Store) {
    self.store = store
    guard isAutomatic else { return }
    wake(at: 0)
  }

  var isStopped: Bool { state.withLock { $0.isStopped } }

  /// Returns when nothing is being done any more, which is at once: what is being computed is given up.
  func stop() {
    state.withLock { $0.isStopped = true }
    queue.sync {}
  }

  /// Hears, on the writer's queue, what was committed.
  func note(_ news: [HotRuns.News]) {
    guard !news.isEmpty else { return }
    let now = Sealer.now
    let due: UInt64? = state.withLock { state in
      var due: UInt64?
      for piece in news {
        switch piece {
        case .derived(let project):
          state.hasDefinitions = true
          state.changes += 1
          state.projects[project] = Scan(change: state.changes)
          due = 0
        case .ended(let run, true), .rewritten(let run), .reconfigured(let run, true):
          guard state.hasDefinitions != false else { continue }
          state.growing.remove(run)
          state.rests[run] = nil
          if state.urgent.append(run).inserted { due = 0 }
        case .appended(let run, _, _, _), .reconfigured(let run, false):
          guard state.hasDefinitions != false, !state.urgent.contains(run), !state.growing.contains(run)
          else { continue }
          due = min(due ?? .max, state.grow(run, at: now + Self.second))
        case .ended(_, false), .purge: break
        }
      }
      return due
    }
    if let due { wake(at: due) }
  }

  private func wake(at time: UInt64) {
    guard isAutomatic else { return }
    let now = Sealer.now
    let next: (time: UInt64, number: Int)? = state.withLock { state in
      let time = max(time, now, state.restsUntil)
      guard !state.isStopped, state.wakesAt.map({ time < $0 }) ?? true else { return nil }
      state.wakesAt = time
      state.wakeUp += 1
      return (time, state.wakeUp)
    }
    guard let next else { return }
    queue.asyncAfter(deadline: DispatchTime(uptimeNanoseconds: next.time)) { [weak self] in
      self?.work(next.number)
    }
  }

  // MARK: - On the queue

  /// - Parameter wakeUp: its number.
  private func work(_ wakeUp: Int) {
    let isDue = state.withLock { state in
      guard state.wakeUp == wakeUp else { return false }
      state.wakesAt = nil
      return true
    }
    guard isDue, let store else { return }
    // Whoever woke it may not have known of the failure.
    guard Sealer.now >= state.withLock({ $0.restsUntil }) else { return wake(at: 0) }
    do {
      try load(store)
      repeat { while try seeToUrgent(store) {} } while try seeToGrowing(store)
    } catch is CancellationError {
      return
    } catch {
      // A full disk, most likely.
      report(error)
      state.withLock { $0.restsUntil = Sealer.now + Self.patience }
    }
    if let next = nextTime() { wake(at: next) }
  }

  /// When there is something to do; nil: nothing waits.
  private func nextTime() -> UInt64? {
    state.withLock { state in
      let now = Sealer.now
      let growing = state.growing
      state.rests = state.rests.filter { $0.value > now || growing.contains($0.key) }
      if !state.urgent.isEmpty || !state.projects.isEmpty { return 0 }
      return growing.map { state.rests[$0] ?? 0 }.min().map { max($0, growsFrom) }
    }
  }

  /// Does all that waits, without pauses, on the queue.
  func settle(_ store: Store) throws {
    try queue.sync {
      try load(store)
      while try seeToUrgent(store) {}
      let runs = state.withLock { state in
        defer { state.growing = [] }
        return Array(state.growing)
      }
      for place in stride(from: 0, to: runs.count, by: Self.batch) {
        try compute(runs[place..<min(runs.count, place + Self.batch)], store)
      }
      while try seeToUrgent(store) {}
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
      if projects.isEmpty { (state.urgent, state.growing, state.rests) = ([], [], [:]) }
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
      try compute(runs[...], store)
      return true
    }
    let next = state.withLock { state in state.isStopped ? nil : state.projects.elements.first }
    guard let (project, scan) = next else { return false }
    let found = try store.readNow {
      try $0.outdatedRuns(inProject: project, after: scan.run, limit: Self.batch)
    }
    try compute(found[...], store)
    state.withLock { state in
      // Definitions that changed meanwhile begin from the first run again.
      guard state.projects[project] == scan else { return }
      state.projects[project] = found.last.map { Scan(change: scan.change, run: $0) }
    }
    return true
  }

  private func compute(_ runs: ArraySlice<Int64>, _ store: Store) throws {
    try write(runs.compactMap { try plan(of: $0, store, isGrowing: false) }, store)
  }

  /// Some of the runs that go on, one after the other; what is urgent comes between. False: none may be looked at now.
  private func seeToGrowing(_ store: Store) throws -> Bool {
    let began = Sealer.now
    guard began >= growsFrom else { return false }
    var plans: [DerivedPlan] = []
    var hasLooked = false
    while plans.count < Self.batch, Sealer.now - began < Self.second / 10, let run = takeGrowing() {
      hasLooked = true
      let start = Sealer.now
      if let plan = try plan(of: run, store, isGrowing: true) { plans.append(plan) }
      let end = Sealer.now
      state.withLock { state in
        state.rests[run] = max(state.rests[run] ?? 0, end + max(19 * (end - start), Self.second))
      }
    }
    try write(plans, store)
    // Many short runs together: a quarter of a core. One long run holds up the others for a second at most.
    growsFrom = Sealer.now + min(3 * (Sealer.now - began), Self.second)
    return hasLooked
  }

  /// Nil: none may be looked at now, or something is urgent.
  private func takeGrowing() -> Int64? {
    let now = Sealer.now
    return state.withLock { state in
      guard !state.isStopped, state.urgent.isEmpty, state.projects.isEmpty,
        let run = state.growing.first(where: { state.rests[$0] ?? 0 <= now })
      else { return nil }
      state.growing.remove(run)
      return run
    }
  }

  /// What is to be written of a run; nil: nothing.
  ///
  /// - Throws: `CancellationError` when the store is being closed.
  private func plan(of run: Int64, _ store: Store, isGrowing: Bool) throws -> DerivedPlan? {
    guard !isStopped else { throw CancellationError() }
    do {
      let plan = try store.readNow { reader in
        try reader.derivedPlan(of: run, until: { [self] in isStopped })
      }
      if plan?.isPart == true {
        // The rest of its definitions, when these are written.
        state.withLock { state in
          guard isGrowing else {
            state.urgent.append(run)
            return
          }
          _ = state.grow(run, at: 0)
        }
      }
      return plan
    } catch let error as CancellationError {
      throw error
    } catch let problem as Problem where problem.code == .internal {
      // Its points are damaged: whoever reads them is told, and 'martlet doctor' finds them.
      return nil
    } catch {
      // The others need not wait for it.
      report(error)
      putOff([run])
      return nil
    }
  }

  private func report(_ error: any Error) {
    guard !isStopped else { return }
    FileHandle.standardError.write(Data("martlet: derived metrics: \(error); trying again\n".utf8))
  }

  /// These are tried again, but not soon.
  private func putOff(_ runs: [Int64]) {
    let time = Sealer.now + Self.patience
    state.withLock { state in
      for run in runs { _ = state.grow(run, at: time) }
    }
  }

  private func write(_ plans: [DerivedPlan], _ store: Store) throws {
    guard !plans.isEmpty else { return }
    do {
      try store.writeNow { writer in for plan in plans { try writer.write(plan) } }
    } catch {
      putOff(plans.map(\.run))
      throw error
    }
    heard.withLock(\.self)?(plans.map(\.id))
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
}
