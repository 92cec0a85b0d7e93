// From the token of a request to what it may do.

import MartletModel
import MartletStore
import Synchronization

/// Finds the access of tokens, and remembers it for a few seconds so that a busy client costs no query a request.
final class Authenticator: Sendable {
  /// How long an answer is believed; a token that ran out, or that another process revoked, is good no longer.
  static let lifetime = 5.0
  private static let capacity = 1024

  private struct Known: Sendable {
    var access: Access
    var until: Timestamp
  }

  private struct State: Sendable {
    var known: [[UInt8]: Known] = [:]
    /// Counts revocations: an answer that was asked for before one must not be remembered after it.
    var revocations = 0
  }

  private let store: Store
  private let clock: any WallClock
  private let state = Mutex(State())

  init(store: Store, clock: any WallClock) {
    self.store = store
    self.clock = clock
  }

  /// Nil when the token is unknown, expired or revoked.
  ///
  /// The table is searched by the token's hash: the time this takes tells nothing about the token itself.
  func access(of token: Secret) async throws -> Access? {
    let (hash, now) = (token.hash, clock.now)
    let (known, revocations) = state.withLock { state in (state.known[hash], state.revocations) }
    // The clock may have been set back since: an answer from the future is not believed either.
    if let known, now < known.until, known.until < now + 2 * Self.lifetime { return known.access }
    guard let access = try await store.access(tokenHash: hash, now: now) else {
      state.withLock { state in state.known[hash] = nil }
      return nil
    }
    state.withLock { state in
      guard state.revocations == revocations else { return }
      if state.known.count >= Self.capacity { state.known = state.known.filter { now < $0.value.until } }
      if state.known.count < Self.capacity {
        state.known[hash] = Known(access: access, until: now + Self.lifetime)
      }
    }
    return access
  }

  /// Forgets what was remembered of a token.
  func forget(_ token: PublicID) {
    state.withLock { state in
      state.revocations += 1
      state.known = state.known.filter { $0.value.access.token != token }
    }
  }
}

/// The token of an `Authorization: Bearer …` header (RFC 6750 §2.1); nil for any other.
func bearerToken(_ header: String?) -> Secret? {
  guard let header else { return nil }
  let parts = header.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
  guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
  let token = parts[1].drop { $0 == " " }
  return token.isEmpty ? nil : Secret(text: String(token))
}
