// Short public ids: what people copy, unique within their kind.

/// Eight characters of `a–z0–9` that name one run, sweep, project or token for ever; names are labels and may repeat.
public struct PublicID: Hashable, Sendable, CustomStringConvertible, RawRepresentable {
  public static let length = 8
  private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789")

  public let rawValue: String

  /// Nil unless `rawValue` is eight characters of `a–z0–9`.
  public init?(rawValue: String) {
    let isValid =
      rawValue.utf8.count == Self.length
      && rawValue.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) }
    guard isValid else { return nil }
    self.rawValue = rawValue
  }

  private init(unchecked: String) { rawValue = unchecked }

  /// A new id drawn from `generator`: 36^8 of them, so the store checks that it is new.
  public static func random(using generator: inout some RandomNumberGenerator) -> PublicID {
    PublicID(
      unchecked: String(
        (0..<length).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] }))
  }

  public static func random() -> PublicID {
    var generator = SystemRandomNumberGenerator()
    return random(using: &generator)
  }

  public var description: String { rawValue }
}
