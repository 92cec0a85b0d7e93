// The token of the account that the server runs under: a file only that account can read.

import MartletModel
import MartletOrchestration
import MartletStore
import MartletTracking

/// Makes sure that the token file holds a valid token; called once, before the server listens.
///
/// A file that vanished, was widened to other accounts, or holds a token that is no longer good is replaced, and the
/// tokens that stood there before are revoked.
func ensureLocalToken(_ engine: Engine, clock: any WallClock) async throws {
  let (path, now) = (engine.localTokenPath, clock.now)
  try await blocking { try PrivateFile(path).removeUnfinished() }
  let kept = try await blocking { try LocalTokenFile.read(path) }
  if let kept, let access = try await engine.store.access(tokenHash: kept.hash, now: now),
    access.principal.kind == .local
  {
    return
  }
  let secret = Secret.random()
  let token = try await engine.store.createToken(
    name: LocalTokenFile.tokenName, kind: .local, hash: secret.hash, scopes: [.admin], project: nil, run: nil,
    expiresAt: nil, by: nil, now: now)
  // Before the new one is written: the old one may be known to others, and must not outlive a failure here.
  try await engine.store.revokeTokens(kind: .local, except: token.id, by: engine.localPrincipal, now: now)
  try await blocking { try PrivateFile(path).write(secret.text + "\n") }
}

enum LocalTokenFile {
  static let tokenName = "local"

  /// The secret in the file; nil when there is no file, or one that others could have read or written.
  static func read(_ path: String) throws -> Secret? {
    try PrivateFile(path).secret().map(Secret.init(text:))
  }
}
