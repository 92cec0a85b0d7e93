// The file of system metrics: a store of its own beside the runs, opened when it is first needed.

import Foundation
import MartletModel
import MartletStore
import Synchronization

/// Samples are kept apart from what runs log: they are in no history, no summary and no count, and writing them holds
/// up nobody who logs.
final class SystemSamples: Sendable {
  static let fileName = "system.db"

  private struct State {
    var store: Store?
    var isClosed = false
  }

  private let path: String
  private let opening = OrderedQueue()
  private let state = Mutex(State())
  /// Samples of runs that are gone may have to be removed.
  let needsRound = Atomic(true)

  init(path: String) { self.path = path }

  /// The store, where there is one already.
  func store() async throws -> Store? { try await open(makesIt: false) }

  /// The store, which is made where it is missing.
  func storeToWrite() async throws -> Store {
    guard let store = try await open(makesIt: true) else {
      throw Problem(.unavailable, "The server is ending.", hint: "Try again when it is up.")
    }
    return store
  }

  private func open(makesIt: Bool) async throws -> Store? {
    if let store = state.withLock(\.store) { return store }
    return try await opening.run { [self] in
      let (known, isClosed) = state.withLock { ($0.store, $0.isClosed) }
      if known != nil || isClosed { return known }
      let path = path
      let store: Store? = try await blocking {
        guard makesIt || FileManager.default.fileExists(atPath: path) else { return nil }
        return try Store(path: path)
      }
      state.withLock { $0.store = store }
      return store
    }
  }

  /// Nothing is opened after it.
  func close() async throws {
    try await opening.run { [self] in
      let store = state.withLock { state in
        defer { state.store = nil }
        state.isClosed = true
        return state.store
      }
      try await blocking { try store?.close() }
    }
  }
}
