// The secret half of a token: made here, shown once, kept only as a hash.

public enum TokenSecret {
  /// 43 characters of `[A-Za-z0-9_-]`, the first no hyphen: some 256 random bits in base64url (RFC 4648 §5).
  public static func random() -> String {
    var generator = SystemRandomNumberGenerator()
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    // Eight at a time: each is a call of the kernel.
    let words = (0..<5).map { _ in generator.next() }
    let bytes = words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }.prefix(
      33)
    var out: [UInt8] = []
    for at in stride(from: 0, to: 33, by: 3) {
      let word = UInt32(bytes[at]) << 16 | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2])
      for shift in [18, 12, 6, 0] as [UInt32] { out.append(alphabet[Int(word >> shift & 63)]) }
    }
    // A secret that begins with a hyphen would be taken for an option where it is an option's value.
    if out[0] == UInt8(ascii: "-") { return random() }
    return String(decoding: out.prefix(43), as: UTF8.self)
  }

  /// What is stored of it. Plain SHA-256: 256 random bits need no stretching.
  public static func hash(_ secret: String) -> [UInt8] { SHA256.hash(secret.utf8) }
}
