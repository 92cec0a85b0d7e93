// Secrets: how they are made, hashed and compared.

import MartletModel

/// Something only its holder knows: a token or a one-time code. Never printed: `description` hides it.
struct Secret: Sendable, CustomStringConvertible {
  /// Base64url without padding (RFC 4648 §5).
  let text: String

  /// A new one: 256 bits of the system's generator.
  static func random() -> Secret { Secret(text: TokenSecret.random()) }

  init(text: String) { self.text = text }

  /// What is kept of it.
  var hash: [UInt8] { TokenSecret.hash(text) }

  var description: String { "(a secret)" }
}

/// Whether two byte strings are equal, in a time that does not tell where they differ.
func constantTimeEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
  guard a.count == b.count else { return false }
  var difference: UInt8 = 0
  for i in a.indices { difference |= a[i] ^ b[i] }
  return difference == 0
}
