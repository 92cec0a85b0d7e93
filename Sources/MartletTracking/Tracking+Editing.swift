// Runs edited: by whom, and which of it a lock forbids.

package import MartletModel
import MartletStore
import OrderedCollections

extension Tracking {
  /// Changes a run.
  ///
  /// - Throws: `Problem`: `notFound`, `forbidden`, `unprocessable`, `conflict` for what a lock forbids, for the state of a run that is
  ///   being executed, and for a run that cannot be moved.
  package func patchRun(_ id: PublicID, _ patch: RunPatch, access: Access) async throws -> Run {
    if let name = patch.name { try Self.checkName(name, of: "run") }
    if let project = patch.project { try Self.checkName(project, of: "project") }
    let now = clock.now
    let (run, moved, relatives) = try await store.write {
      writer -> (Run?, [(run: PublicID, from: String)], [PublicID]) in
      let place = try Self.checkWritable(try writer.place(of: id), id, access)
      try Self.check(access, may: patch)
      if place.isLocked, patch.isLocked != false { try Self.refuseEdits(of: id, place, patch) }
      if let parent = patch.parent ?? nil { try Self.check(try writer.place(of: parent), parent, access) }
      if let state = patch.state, state != place.state {
        try Self.checkMove(of: id, place, to: state)
        try Self.correct(id, from: place.state, to: state, writer, by: access.principal, now: now)
      }
      let isNestingChanged = patch.parent != nil || patch.project != nil
      var relatives = isNestingChanged ? try writer.relatives(of: id) : []
      let moved = try patch.project.map {
        try writer.moveRun(id, to: $0, by: access.principal, now: now)
      }
      try writer.editRun(id, patch, by: access.principal, now: now)
      if isNestingChanged { relatives += try writer.relatives(of: id) }
      return (try writer.run(id), moved ?? [], relatives)
    }
    guard let changed = run else { throw Self.missing(id) }
    await feed.tell(
      runs: OrderedSet([id] + moved.map(\.run) + relatives), moved: moved, from: store, logger: logger)
    return changed
  }

  /// Changes a run as its process asked for in what it left behind; of a locked run, only what a lock leaves to it.
  ///
  /// - Parameter fallback: who is said to have done it where nothing is known of the process.
  /// - Throws: `Problem`: `notFound`, `unprocessable`.
  package func patchRun(_ id: PublicID, toldLate patch: RunPatch, by fallback: Principal) async throws {
    let now = clock.now
    try await store.write { writer in
      guard let place = try writer.place(of: id) else { throw Self.missing(id) }
      var patch = place.isLocked ? patch.ofItsProcess : patch
      // What it is called, in which state it is and where it stands is not for its process to say.
      (patch.name, patch.state, patch.project, patch.parent) = (nil, nil, nil, nil)
      (patch.isArchived, patch.isLocked) = (nil, nil)
      guard patch != RunPatch() else { return }
      let author = try writer.principal(ofAttemptsOf: id) ?? fallback
      try writer.editRun(id, patch, by: author, now: now)
    }
    await tell(runs: [id])
  }

  /// What a run's process may not say of it.
  private static func check(_ access: Access, may patch: RunPatch) throws(Problem) {
    if patch.state != nil || patch.name != nil, !access.scopes.contains(.write) {
      throw Problem(.forbidden, "Changing a run's name or state needs the scope 'write'.")
    }
    if patch.isArchived != nil || patch.isLocked != nil || patch.project != nil,
      !access.scopes.contains(.write)
    {
      throw Problem(.forbidden, "Archiving, locking and moving a run needs the scope 'write'.")
    }
    if patch.project != nil, access.project != nil || access.run != nil {
      throw Problem(
        .forbidden, "A token that is bound to a project or a run moves none.",
        hint: "Use a token that is bound to nothing.")
    }
  }

  // MARK: - States by hand

  /// A state set by hand: any end, of a run from outside also `running`.
  private static func checkMove(of id: PublicID, _ place: Place, to state: RunState) throws {
    guard !place.isExecuted || place.state.isEnd else {
      throw Problem(
        .conflict, "Run '\(id)' is executed here: its state follows its process.",
        hint: "Use 'martlet run stop \(id)' to end it.")
    }
    guard state.isEnd || state == .running && !place.isExecuted else {
      let ends = RunState.allCases.filter(\.isEnd).map(\.rawValue).joined(separator: ", ")
      let words = place.isExecuted ? "was executed here" : "runs elsewhere"
      throw Problem(
        .unprocessable, "Run '\(id)', which \(words), cannot be set to '\(state.rawValue)' by hand.",
        hint: place.isExecuted ? "Choose one of \(ends)." : "Choose running or one of \(ends).")
    }
  }

  /// A run that had ended ended when it did; one that was lost ended with its last sign of life.
  private static func correct(
    _ id: PublicID, from old: RunState, to new: RunState, _ writer: StoreWriter, by principal: Principal,
    now: Timestamp
  ) throws {
    let end: Timestamp? =
      if old.isEnd {
        try writer.end(of: id)
      } else if old == .lost || new == .crashed {
        try writer.lastSign(of: id)
      } else {
        now
      }
    let exit = ExitRecord(
      code: nil, signal: nil,
      reason: "Set from '\(old.rawValue)' to '\(new.rawValue)' by \(principal.name) at \(now.inWords).")
    try writer.setRunState(
      id, new, exit: new.isEnd ? exit : nil, endedAt: end, isByHand: true, by: principal, now: now)
    if new == .running { try writer.withdrawStop(id) }
  }

  // MARK: - Locks

  /// - Parameter what: what cannot be done to it: "deleted".
  static func refuseLocked(_ place: Place, _ id: PublicID, _ what: String) throws(Problem) {
    guard place.isLocked else { return }
    throw Problem(
      .conflict, "Run '\(id)' is locked and cannot be \(what).",
      hint: "'martlet run lock \(id) --undo' lifts that.")
  }

  /// As long as a locked run lives, its process still tells of itself; people change nothing.
  private static func refuseEdits(of id: PublicID, _ place: Place, _ patch: RunPatch) throws(Problem) {
    var rest = patch
    rest.isLocked = nil
    guard rest != RunPatch() else { return }
    if !place.state.isEnd, rest == rest.ofItsProcess { return }
    try refuseLocked(place, id, "changed")
  }
}
