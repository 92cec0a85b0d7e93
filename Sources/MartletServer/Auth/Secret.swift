// Secrets: how they are made, hashed and compared.

import MartletModel

/// Something only its holder knows: a token or a one-time code. Never printed: `description` hides it.
struct Secret: Sendable, CustomStringConvertible {
  /// Base64url without padding (RFC 4648 §5).
  let text: String

  /// A new one from `bytes` random bytes of the system's generator.
  static func random(bytes: Int = 32) -> Secret {
    var generator = SystemRandomNumberGenerator()
    return Secret(
      text: base64URL((0..<bytes).map { _ in UInt8.random(in: .min ... .max, using: &generator) }))
  }

  init(text: String) { self.text = text }

  /// What is kept of it. A plain SHA-256 is enough, since the secrets are random and long.
  var hash: [UInt8] { SHA256.hash(text.utf8) }

  var description: String { "(a secret)" }
}

/// Whether two byte strings are equal, in a time that does not tell where they differ.
func constantTimeEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
  guard a.count == b.count else { return false }
  var difference: UInt8 = 0
  for i in a.indices { difference |= a[i] ^ b[i] }
  return difference == 0
}

private func base64URL(_ bytes: [UInt8]) -> String {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
  var text: [UInt8] = []
  for start in stride(from: 0, to: bytes.count, by: 3) {
    let group = bytes[start..<min(start + 3, bytes.count)]
    var word: UInt32 = 0
    for byte in group { word = word << 8 | UInt32(byte) }
    word <<= UInt32(8 * (3 - group.count))
    for digit in 0...group.count { text.append(alphabet[Int(word >> UInt32(18 - 6 * digit) & 63)]) }
  }
  return String(decoding: text, as: UTF8.self)
}
