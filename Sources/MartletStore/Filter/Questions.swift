// Questions about many runs take turns, so that readers stay free for what is short.

extension Store {
  /// Asks a question that may take long.
  ///
  /// At first it has a moment, as most need no more; if that is not enough it is asked again when it is its turn among the
  /// long ones. So a list, a sign-in or a point that is read for the writer never waits for them.
  ///
  /// - Parameter body: called twice, maybe; it reads what `StoreReader.limited` limits.
  /// - Throws: `Problem.unprocessable` when it takes too long, `unavailable` when too many wait already; what `body` throws.
  package func ask<T: Sendable>(_ body: @escaping @Sendable (StoreReader) throws -> T) async throws -> T {
    do {
      return try await shortTurns.run { [self] in try await read(isHasty: true, body) }
    } catch is Unanswered {
      return try await longTurns.run { [self] in try await read(body) }
    }
  }
}
