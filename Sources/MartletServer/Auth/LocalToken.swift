// The token of the account that the server runs under: a file only that account can read.

import Glibc
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
  try await blocking { try writePrivately(secret.text + "\n", to: path) }
}

enum LocalTokenFile {
  static let tokenName = "local"

  /// The secret in the file; nil when there is no file, or one that others could have read or written.
  static func read(_ path: String) throws -> Secret? { try readPrivately(path).map(Secret.init(text:)) }
}

/// The secret that `writePrivately` wrote, without its line's end; nil when there is no file, one that others could have
/// read or written, or one that is too short to hold a secret.
func readPrivately(_ path: String) throws -> String? {
  let file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
  guard file >= 0 else {
    // A symbolic link (ELOOP) is not ours either: it is replaced, and what it points to stays untouched.
    if errno == ENOENT || errno == ELOOP { return nil }
    throw fileProblem("The secret in \(path) cannot be read")
  }
  defer { close(file) }
  var status = stat()
  guard fstat(file, &status) == 0 else { throw fileProblem("The secret in \(path) cannot be read") }
  guard status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid(), status.st_mode & 0o077 == 0,
    status.st_nlink == 1
  else { return nil }
  var bytes = [UInt8](repeating: 0, count: 4096)
  let count = Glibc.read(file, &bytes, bytes.count)
  guard count >= 0 else { throw fileProblem("The secret in \(path) cannot be read") }
  let text = String(decoding: bytes[..<count], as: UTF8.self).filter { !$0.isWhitespace }
  return text.utf8.count >= 40 ? text : nil
}

/// Writes a file that only this account can read, whole or not at all: a new file (O_EXCL, no links followed), synced,
/// then renamed over `path`.
func writePrivately(_ text: String, to path: String) throws {
  let temporary = "\(path).\(getpid()).new"
  // What a server of the same process id left when it was killed in between.
  if unlink(temporary) != 0, errno != ENOENT { throw fileProblem("\(temporary) cannot be replaced") }
  let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
  guard file >= 0 else { throw fileProblem("\(temporary) cannot be written") }
  let bytes = Array(text.utf8)
  let isWritten = write(file, bytes, bytes.count) == bytes.count && fsync(file) == 0
  let code = errno
  close(file)
  guard isWritten, rename(temporary, path) == 0 else {
    let problem = fileProblem("\(path) cannot be written", code: isWritten ? errno : code)
    unlink(temporary)
    throw problem
  }
}

func fileProblem(_ what: String, code: Int32 = errno) -> Problem {
  Problem(
    .unavailable, "\(what): \(String(cString: strerror(code))).",
    hint: "The account that runs the server must own the data directory and be able to write there.")
}
