// Questions about many runs: which, how many, what names they have.

package import MartletModel
import MartletStore

extension Tracking {
  /// A query as whoever asks may put it.
  ///
  /// - Throws: `Problem.notFound` for a project that it may not see.
  private func scoped(_ query: RunQuery, _ access: Access) async throws -> RunQuery {
    var query = query
    query.only = access.run
    query.now = clock.now
    query.project = try await scope(query.project, access)
    return query
  }

  /// The project to look in; nil: all. Whoever is bound to a run is bound to its project, also in what names there are.
  private func scope(_ project: String?, _ access: Access) async throws -> String? {
    guard access.run != nil || access.project != nil else { return project }
    let only = try await onlyProject(of: access)
    guard let project else { return only }
    return try await self.project(project, access: access).name
  }

  package func runs(_ query: RunQuery, _ page: PageRequest, access: Access) async throws -> Page<Run> {
    let query = try await scoped(query, access)
    return try await store.ask { try $0.runs(query, page) }
  }

  package func countRuns(_ query: RunQuery, access: Access) async throws -> RunCount {
    let query = try await scoped(query, access)
    return try await store.ask { try $0.count(query) }
  }

  package func groups(
    _ query: RunQuery, _ grouping: RunGrouping, _ page: PageRequest, access: Access
  ) async throws -> Page<RunGroup> {
    let query = try await scoped(query, access)
    return try await store.ask { try $0.groups(query, grouping, page) }
  }

  /// The names that runs have. Of a token bound to a run, they are those of its project.
  package func fields(
    project: String?, search: String?, limit: Int, access: Access
  ) async throws -> FieldList {
    let project = try await scope(project, access)
    return try await store.ask { try $0.fields(project: project, search: search, limit: limit) }
  }

  /// Looks at a filter that is being written.
  package func advice(
    on filter: String, project: String?, at offset: Int?, access: Access
  ) async throws -> FilterAdvice {
    let project = try await scope(project, access)
    let now = clock.now
    return try await store.ask {
      try $0.advice(on: filter, project: project, at: offset, only: access.run, now: now)
    }
  }
}
