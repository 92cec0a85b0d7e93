// Addresses that open one file for a few minutes without a token: what a browser must load by its address.

import Glibc
import MartletModel
import MartletTracking

/// What a signed address says: which object of which run, until when, and how it is to be handed out.
struct SignedAddress: Sendable, Hashable {
  /// Seconds that an address may be good for.
  static let lifetimes = 1.0...86_400.0
  static let usualLifetime = 300.0
  /// Bytes of a file's name.
  static let longestName = 255

  var hash: ContentHash
  var run: PublicID
  var expiresAt: Timestamp
  /// For whoever saves it; nil: the hash.
  var name: String?
  /// A media type; nil: unknown.
  var type: String?

  /// `hash`, `expiresAt` (big endian), `run`, then `type` and `name`, each behind a byte of length.
  fileprivate var bytes: [UInt8] {
    var bytes = hash.bytes
    for shift in stride(from: 56, through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: expiresAt.microseconds >> Int64(shift)))
    }
    bytes += run.rawValue.utf8
    for text in [type ?? "", name ?? ""] {
      bytes.append(UInt8(truncatingIfNeeded: text.utf8.count))
      bytes += text.utf8
    }
    return bytes
  }
}

extension SignedAddress {
  /// Reads what `bytes` makes; nil for anything else.
  fileprivate init?(bytes: [UInt8]) {
    var rest = bytes[...]
    func take(_ count: Int) -> [UInt8]? {
      guard rest.count >= count else { return nil }
      defer { rest = rest.dropFirst(count) }
      return Array(rest.prefix(count))
    }
    func text() -> String? {
      take(1).flatMap { take(Int($0[0])) }.flatMap { String(validating: $0, as: UTF8.self) }
    }
    guard let hash = take(32).flatMap(ContentHash.init(bytes:)), let time = take(8), let id = take(8),
      let run = PublicID(rawValue: String(decoding: id, as: UTF8.self)), let type = text(),
      let name = text(), rest.isEmpty
    else { return nil }
    self.init(
      hash: hash, run: run, expiresAt: Timestamp(microseconds: time.reduce(0) { $0 << 8 | Int64($1) }),
      name: name.isEmpty ? nil : name, type: type.isEmpty ? nil : type)
  }
}

/// Makes and checks signed addresses; the key lies in the data directory, so they outlive a restart.
struct AddressSigner: Sendable {
  private let key: [UInt8]

  init(key: [UInt8]) { self.key = key }

  /// Takes the key out of the file at `path`. One that is missing, or that others could have read or written, is made
  /// anew: addresses signed with it before are then good no longer.
  static func open(path: String) throws -> AddressSigner {
    let file = PrivateFile(path)
    try file.removeUnfinished()
    if let kept = try file.secret() { return AddressSigner(key: Array(kept.utf8)) }
    let secret = Secret.random()
    try file.write(secret.text + "\n")
    return AddressSigner(key: Array(secret.text.utf8))
  }

  /// The last part of the address: content and signature in base64url.
  func sign(_ address: SignedAddress) -> String {
    let bytes = address.bytes
    return base64URL(bytes) + "." + base64URL(hmacSHA256(key: key, bytes))
  }

  /// What a signed text says.
  ///
  /// - Throws: `Problem.notFound`, of one form for all that is wrong: unknown, changed, or over.
  func check(_ text: String, now: Timestamp) throws(Problem) -> SignedAddress {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, let content = bytes(base64URL: parts[0]), let mac = bytes(base64URL: parts[1]),
      constantTimeEqual(mac, hmacSHA256(key: key, content)), let address = SignedAddress(bytes: content),
      now < address.expiresAt
    else {
      throw Problem(
        .notFound, "This address opens nothing: it was never valid, or its time is over.",
        hint: "Load the page again: it asks for a fresh one.")
    }
    return address
  }
}

/// HMAC (RFC 2104) with SHA-256: 32 bytes.
func hmacSHA256(key: [UInt8], _ message: [UInt8]) -> [UInt8] {
  let key = key.count > 64 ? SHA256.hash(key) : key
  let block = key + [UInt8](repeating: 0, count: 64 - key.count)
  return SHA256.hash(block.map { $0 ^ 0x5C } + SHA256.hash(block.map { $0 ^ 0x36 } + message))
}

private let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

/// Base64url without padding (RFC 4648 §5).
func base64URL(_ bytes: [UInt8]) -> String {
  var out: [UInt8] = []
  for start in stride(from: 0, to: bytes.count, by: 3) {
    let group = bytes[start..<min(start + 3, bytes.count)]
    let word = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
    for place in 0...group.count { out.append(alphabet[Int(word >> UInt32(18 - 6 * place)) & 63]) }
  }
  return String(decoding: out, as: UTF8.self)
}

/// Nil for what `base64URL` does not write.
func bytes(base64URL text: Substring) -> [UInt8]? {
  var out: [UInt8] = []
  var (word, bits) = (UInt32(0), 0)
  for digit in text.utf8 {
    guard let value = alphabet.firstIndex(of: digit) else { return nil }
    word = word << 6 | UInt32(value)
    bits += 6
    if bits >= 8 {
      bits -= 8
      out.append(UInt8(truncatingIfNeeded: word >> UInt32(bits)))
    }
  }
  // Bits that are left over are zero, so that a text has one meaning and a meaning one text.
  guard bits < 6, word & (1 << UInt32(bits) - 1) == 0 else { return nil }
  return out
}
