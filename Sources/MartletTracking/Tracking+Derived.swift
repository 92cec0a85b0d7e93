// Derived metrics: named expressions of a project.

package import MartletModel
import MartletSeries
import MartletStore
import OrderedCollections

extension Tracking {
  /// Bytes of a description.
  private static let longestDescription = 4_096

  /// A project's derived metrics, by name.
  ///
  /// - Throws: `Problem.notFound`.
  package func derivedMetrics(inProject project: String, access: Access) async throws -> [DerivedMetric] {
    let name = try await self.project(project, access: access).name
    return try await store.read { try $0.derivedMetrics(inProject: name) }
  }

  /// Defines a derived metric, in place of the one of that name; the project is made where it is missing.
  ///
  /// - Returns: it, whether it is new, and sentences on names in it that nobody has logged.
  /// - Throws: `Problem`: `unprocessable` with `details.from` and `details.to` where its expression is wrong, or where it
  ///   would be made of itself; `conflict` where its name is a logged metric's; `forbidden`.
  package func defineDerived(
    _ new: NewDerivedMetric, inProject project: String, access: Access
  ) async throws -> (metric: DerivedMetric, isNew: Bool, notes: [String]) {
    var new = new
    new.name = new.name.inNormalForm
    try Self.check(new)
    let project = try await projectToChange(project, access: access)
    let (definition, now) = (new, clock.now)
    let outdated = try await store.read { try $0.derivedOutdated(by: definition, inProject: project) }
    let (metrics, isNew, notes) = try await withoutSummaries(of: outdated, inProject: project) { writer in
      let (isNew, notes) = try writer.defineDerived(
        definition, inProject: project, by: access.principal, now: now)
      return (try writer.derivedMetrics(inProject: project), isNew, notes)
    }
    guard let metric = metrics.first(where: { $0.name == definition.name }) else {
      throw Problem(.internal, "The derived metric '\(definition.name)' was not kept.")
    }
    return (metric, isNew, notes)
  }

  /// Takes a derived metric away.
  ///
  /// - Throws: `Problem`: `notFound`; `conflict` where others are made of it; `forbidden`.
  package func removeDerived(_ name: String, inProject project: String, access: Access) async throws {
    let project = try await self.project(project, access: access).name
    guard access.run == nil else { throw Self.forbidden }
    let now = clock.now
    let row = try await store.read { try $0.removableDerived(name, inProject: project) }
    try await withoutSummaries(of: [row], inProject: project) {
      try $0.removeDerived(name, inProject: project, by: access.principal, now: now)
    }
  }

  /// Changes definitions, after most of the aggregates that go with that were dropped in small transactions: those of
  /// a million runs would hold up all other writing.
  private func withoutSummaries<T: Sendable>(
    of rows: [Int64], inProject project: String, _ change: @escaping @Sendable (StoreWriter) throws -> T
  ) async throws -> T {
    while try await store.write({ try $0.dropSomeDerivedSummaries(of: rows) }) {}
    do {
      return try await store.write(change)
    } catch {
      // Somebody else was faster, or the disk is full: what was dropped is computed again. Where not even that can be
      // told, the next start looks for what is missing; why the change failed is what is thrown.
      try? await store.write { try $0.tellDerived(inProject: project) }
      throw error
    }
  }

  /// Changes what is said of a project.
  ///
  /// - Throws: `Problem`: `notFound`, `unprocessable`, `forbidden`.
  package func describeProject(
    _ project: String, _ description: String, access: Access
  ) async throws -> Project {
    let name = try await self.project(project, access: access).name
    guard access.run == nil else { throw Self.forbidden }
    try Self.checkDescription(description)
    let now = clock.now
    try await store.write {
      try $0.describeProject(name, description, by: access.principal, now: now)
    }
    return try await self.project(name, access: access)
  }

  /// The name of a project that may be new.
  private func projectToChange(_ nameOrID: String, access: Access) async throws -> String {
    guard access.run == nil else { throw Self.forbidden }
    if let known = try await store.read({ try $0.project(nameOrID) }) {
      return try await project(known.name, access: access).name
    }
    guard access.project == nil || access.project == nameOrID.inNormalForm else {
      throw Problem(.forbidden, "This token may only change project '\(access.project ?? "")'.")
    }
    try Self.checkName(nameOrID, of: "project")
    return nameOrID
  }

  private static let forbidden = Problem(
    .forbidden, "The token of an attempt may only write to its own run.")

  private static func check(_ new: NewDerivedMetric) throws {
    if let fault = MetricName.fault(of: new.name) { throw Problem(.unprocessable, "'name' \(fault).") }
    if new.name == "step" || new.name == "time" || new.name.hasPrefix("config.") {
      throw Problem(
        .unprocessable,
        "A derived metric cannot be called '\(new.name)': in expressions that means something else.",
        hint: "Choose another name.")
    }
    do {
      let expression = try MetricExpression(parsing: new.expression)
      if expression.metrics.contains(new.name) {
        throw Problem(
          .unprocessable, "The derived metric '\(new.name)' would be made of itself.",
          hint: "Choose another name, or take it out of the expression.")
      }
    } catch let error as ExpressionError {
      throw error.problem
    }
    try checkDescription(new.description)
  }

  private static func checkDescription(_ text: String) throws(Problem) {
    guard text.utf8.count <= longestDescription else {
      throw Problem(
        .unprocessable, "A description has at most \(longestDescription) bytes, not \(text.utf8.count).")
    }
  }
}
