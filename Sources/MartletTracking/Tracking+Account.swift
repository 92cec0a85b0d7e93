// What is told of a run beside its points: its events, its model, its alerts, its named files.

import Logging
package import MartletModel
import MartletStore
import OrderedCollections
import Synchronization

extension Tracking {
  /// Names of files that a run may have.
  package static let fileLimit = 100_000
  /// Alerts that a run may raise.
  package static let alertLimit = 10_000

  /// What happened to a run, oldest first.
  package func events(
    _ id: PublicID, _ page: PageRequest, access: Access
  ) async throws -> Page<RunEvent> {
    try await store.read { reader in
      try Self.check(try reader.place(of: id), id, access)
      return try reader.events(of: id, page)
    }
  }

  /// The layers of a run's model; nil: nobody told them.
  package func model(_ id: PublicID, access: Access) async throws -> ModelSummary? {
    try await store.read { reader in
      try Self.check(try reader.place(of: id), id, access)
      return try reader.model(of: id)
    }
  }

  // MARK: - Alerts

  /// Raises an alert of a run.
  ///
  /// - Returns: the alert, and whether it is new: of a key that the run has raised before it is the old one.
  /// - Throws: `Problem`: `notFound`, `conflict` when the run has raised too many.
  package func raise(
    _ alert: NewAlert, of id: PublicID, access: Access
  ) async throws -> (alert: Alert, isNew: Bool) {
    let now = clock.now
    let (raised, isNew) = try await store.write { writer in
      try Self.checkWritable(try writer.place(of: id), id, access)
      let (row, isNew) = try writer.raise(
        alert, of: id, limit: Self.alertLimit, by: access.principal, now: now)
      return (try writer.alerts([row]).first, isNew)
    }
    guard let raised else { throw Self.missing(id) }
    if isNew { await tell(alerts: [raised.id]) }
    return (raised, isNew)
  }

  /// A run's alerts, newest first.
  package func alerts(of id: PublicID, _ page: PageRequest, access: Access) async throws -> Page<Alert> {
    try await store.read { reader in
      try Self.check(try reader.place(of: id), id, access)
      return try reader.alerts(of: id, page)
    }
  }

  /// Alerts of all runs, newest first.
  ///
  /// - Parameter id: only those after the one of this id.
  package func alerts(
    project: String?, after id: Int64?, _ page: PageRequest, access: Access
  ) async throws -> Page<Alert> {
    var project = project
    if let only = access.project {
      if let asked = project { project = try await self.project(asked, access: access).name }
      project = project ?? only
    }
    let wanted = project
    return try await store.read { try $0.alerts(project: wanted, run: access.run, after: id, page) }
  }

  // MARK: - Files

  /// A run's files, by path.
  ///
  /// - Parameter prefix: only paths that begin so.
  package func files(
    _ id: PublicID, prefix: String, _ page: PageRequest, access: Access
  ) async throws -> Page<RunFile> {
    try await store.read { reader in
      try Self.check(try reader.place(of: id), id, access)
      return try reader.files(of: id, prefix: prefix.inNormalForm, page)
    }
  }

  /// One of a run's files.
  ///
  /// - Throws: `Problem.notFound`.
  package func file(_ path: String, of id: PublicID, access: Access) async throws -> RunFile {
    let file = try await store.read { reader in
      try Self.check(try reader.place(of: id), id, access)
      return try reader.file(path.inNormalForm, of: id)
    }
    guard let file else {
      throw Problem(
        .notFound, "Run '\(id)' has no file '\(path)'.", hint: "'martlet run files \(id)' shows what it has.")
    }
    return file
  }

  /// Gives a run a file under a name; its bytes were put before.
  ///
  /// - Throws: `Problem`: `notFound`, `unprocessable`, `conflict` for a locked run that has ended.
  package func setFile(
    _ path: String, _ hash: ContentHash, mediaType: String?, of id: PublicID, access: Access
  ) async throws -> RunFile {
    let path = path.inNormalForm
    let now = clock.now
    let (file, mayBeUnused) = try await store.write { writer in
      let place = try Self.checkWritable(try writer.place(of: id), id, access)
      if place.state.isEnd { try Self.refuseLocked(place, id, "given files") }
      let mayBeUnused = try writer.setFile(
        path, hash.bytes, mediaType: mediaType, of: id, limit: Self.fileLimit, by: access.principal, now: now)
      return (try writer.file(path, of: id), mayBeUnused)
    }
    if mayBeUnused { needsCleaning.store(true, ordering: .relaxed) }
    guard let file else { throw Self.missing(id) }
    return file
  }

  /// Takes a file's name away, and its bytes where nothing else of the run refers to them.
  ///
  /// - Returns: the file as it was.
  /// - Throws: `Problem`: `notFound`, `conflict` for a locked run, or a file of the run's sweep.
  package func deleteFile(_ path: String, of id: PublicID, access: Access) async throws -> RunFile {
    let path = path.inNormalForm
    let now = clock.now
    let (file, mayBeUnused) = try await store.write { writer in
      let place = try Self.checkWritable(try writer.place(of: id), id, access)
      try Self.refuseLocked(place, id, "changed")
      let file = try writer.file(path, of: id)
      return (file, try writer.deleteFile(path, of: id, by: access.principal, now: now))
    }
    if mayBeUnused { needsCleaning.store(true, ordering: .relaxed) }
    guard let file else { throw Self.missing(id) }
    return file
  }
}
