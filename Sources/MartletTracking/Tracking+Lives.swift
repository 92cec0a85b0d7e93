// Runs that go on, go back, or branch off.

package import MartletModel
import MartletStore
import OrderedCollections

extension Tracking {
  /// Makes a run, or finds the one that goes on.
  ///
  /// - Returns: the run, and whether it is new.
  /// - Throws: `Problem`: `forbidden`, `unprocessable`, `notFound` when the run that must be resumed is not there, `conflict`
  ///   when there is one that must not be.
  package func createRun(_ new: NewRun, access: Access) async throws -> (run: Run, isNew: Bool) {
    guard access.run == nil else {
      throw Problem(.forbidden, "The token of an attempt may only write to its own run.")
    }
    guard access.project == nil || access.project == new.project else {
      throw Problem(.forbidden, "This token may only write to project '\(access.project ?? "")'.")
    }
    try Self.checkName(new.project, of: "project")
    if let name = new.name { try Self.checkName(name, of: "run") }
    if let alias = new.alias { try Self.checkName(alias, of: "run") }
    let name = new.name ?? RunNames.fresh()
    let now = clock.now
    let (run, isNew) = try await store.write { writer -> (Run, Bool) in
      if let parent = new.details.parent ?? nil {
        try Self.check(try writer.place(of: parent), parent, access)
      }
      let known = try new.alias.flatMap { try writer.run(alias: $0, inProject: new.project) }
      if let known, let resume = new.resume, let place = try writer.place(of: known), !place.isDeleted {
        return (try Self.resume(known, place, new, resume, writer, by: access.principal, now: now), false)
      }
      if let alias = new.alias, new.resume == .must {
        throw Problem(
          .notFound, "Project '\(new.project)' has no run with the id '\(alias)' to resume.",
          hint: "resume=\"allow\" begins a new one where there is none.")
      }
      let run = try writer.createExternalRun(
        project: new.project, name: name, new.details, by: access.principal, now: now)
      if let alias = new.alias { try writer.setAlias(alias, ofRun: run.id) }
      return (run, true)
    }
    await tell(runs: OrderedSet([run.id] + [run.parent].compactMap(\.self)))
    return (run, isNew)
  }

  private static func resume(
    _ known: PublicID, _ place: Place, _ new: NewRun, _ resume: NewRun.Resume, _ writer: StoreWriter,
    by principal: Principal, now: Timestamp
  ) throws -> Run {
    guard resume != .never else {
      throw Problem(
        .conflict, "Project '\(new.project)' has a run with the id '\(new.alias ?? "")' already: \(known).",
        hint: "Resume it with resume=\"allow\", or choose another id.",
        details: ["run": .string(known.rawValue)])
    }
    guard !place.isExecuted else {
      throw Problem(
        .conflict, "Run '\(known)' is executed here: its state follows its process.",
        hint: "Begin a new run with another id.")
    }
    if place.state.isEnd { try refuseLocked(place, known, "resumed") }
    if place.state != .running {
      try writer.setRunState(known, .running, exit: nil, by: principal, now: now)
      try writer.withdrawStop(known)
    }
    try writer.seen(known, by: principal, now: now)
    // What it is called, somebody may have changed meanwhile.
    var details = new.details
    details.name = nil
    if place.isLocked { details = details.ofItsProcess }
    try writer.editRun(known, details, by: principal, now: now)
    guard let run = try writer.run(known) else { throw missing(known) }
    return run
  }

  /// Takes back all rows above a step: with the scope `write`, or of the run that a token is bound to, as when an
  /// attempt goes on from a checkpoint.
  ///
  /// - Throws: `Problem`: `notFound`, `forbidden`.
  package func rewindRun(_ id: PublicID, _ rewind: RunRewind, access: Access) async throws -> Run {
    let now = clock.now
    try await store.write { writer in
      let place = try Self.check(try writer.place(of: id), id, access)
      // Its own process may go on from a checkpoint as long as it lives.
      if access.run != id || place.state.isEnd { try Self.refuseLocked(place, id, "rewound") }
      guard access.scopes.contains(.write) || access.run == id && access.scopes.contains(.ingest) else {
        throw Problem(.forbidden, "Rewinding a run needs the scope 'write', or the token of its own attempt.")
      }
      try writer.rewind(id, to: rewind.step, by: access.principal, now: now)
    }
    // What was stored before is told before.
    await ingest.flush()
    feed.publish([.rewound(run: id)])
    await tell(runs: [id])
    return try await run(id, access: access)
  }

  /// A new run with the history of another up to a step.
  ///
  /// - Throws: `Problem`: `notFound`, `forbidden`, `unprocessable`.
  package func forkRun(_ id: PublicID, _ fork: RunFork, access: Access) async throws -> Run {
    try await place(id, access)
    guard access.run == nil else {
      throw Problem(.forbidden, "The token of an attempt may only write to its own run.")
    }
    if let name = fork.name { try Self.checkName(name, of: "run") }
    let name = fork.name ?? RunNames.fresh()
    let now = clock.now
    let new = try await store.write { writer in
      try writer.fork(id, step: fork.step, name: name, by: access.principal, now: now)
    }
    await tell(runs: [new])
    return try await run(new, access: access)
  }
}
