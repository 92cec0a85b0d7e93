// One-time codes: what a sign-in link carries in its fragment.

import MartletModel
import Synchronization

/// Codes that were handed out and not used; kept in memory only, so that a restart ends them all.
final class SignInCodes: Sendable {
  /// Seconds a code is good for.
  static let lifetime = 600.0
  private static let capacity = 100

  private struct Code: Sendable {
    var hash: [UInt8]
    var principal: Principal
    var expiresAt: Timestamp
  }

  private let codes = Mutex<[Code]>([])

  /// A new code for a browser token of `principal`'s. The oldest codes give way when too many are open.
  func issue(for principal: Principal, now: Timestamp) -> (code: Secret, expiresAt: Timestamp) {
    let code = Secret.random()
    let expiresAt = now + Self.lifetime
    codes.withLock { codes in
      codes.removeAll { $0.expiresAt <= now }
      if codes.count >= Self.capacity { codes.removeFirst(codes.count - Self.capacity + 1) }
      codes.append(Code(hash: code.hash, principal: principal, expiresAt: expiresAt))
    }
    return (code, expiresAt)
  }

  /// Uses a code up; nil when it is unknown, used or too old. Every open code is compared, whichever fits.
  func redeem(_ code: Secret, now: Timestamp) -> Principal? {
    let hash = code.hash
    return codes.withLock { codes in
      var found: Int?
      for index in codes.indices where constantTimeEqual(codes[index].hash, hash) { found = index }
      guard let found else { return nil }
      let code = codes.remove(at: found)
      return now < code.expiresAt ? code.principal : nil
    }
  }
}
