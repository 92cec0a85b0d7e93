// A file of a run under a name of its own.

/// A name that a run has for some bytes.
public struct RunFile: Sendable, Hashable {
  /// The files that show the code and the packages a run was started with.
  public static let snapshotNames = ["requirements.txt", "diff.patch", "untracked.txt", "conda.yaml"]
  /// Bytes of a path.
  public static let longestPath = 1_024

  /// A label with slashes, never a place on the disk.
  public var path: String
  /// SHA-256 of the content, in hexadecimal.
  public var hash: String
  /// Bytes.
  public var size: Int64
  /// `type/subtype`; nil: nobody said.
  public var mediaType: String?
  public var createdAt: Timestamp

  public init(path: String, hash: String, size: Int64, mediaType: String?, createdAt: Timestamp) {
    self.path = path
    self.hash = hash
    self.size = size
    self.mediaType = mediaType
    self.createdAt = createdAt
  }

  public var json: JSONValue {
    [
      "path": .string(path), "sha256": .string(hash), "size": .int(size), "media_type": JSONValue(mediaType),
      "created_at": JSONValue(createdAt),
    ]
  }

  /// What forbids this path; nil: nothing. Paths are relative and stay inside of any directory they are joined to.
  public static func fault(ofPath path: String) -> String? {
    // By bytes: to Swift a '/' with an accent on it is another character, to a file system it is a '/'.
    let bytes = Array(path.inNormalForm.utf8)
    if bytes.isEmpty || bytes.count > longestPath {
      return "has \(bytes.count) bytes; 1 to \(longestPath) are allowed"
    }
    if path.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }) {
      return "holds a control character"
    }
    if bytes.contains(UInt8(ascii: "\\")) { return "holds a backslash; folders are parted by '/'" }
    let dot = UInt8(ascii: ".")
    for part in bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
      if part.isEmpty { return "begins or ends with '/', or has two of them in a row" }
      if part.elementsEqual([dot]) || part.elementsEqual([dot, dot]) {
        return "has the part '\(String(decoding: part, as: UTF8.self))'"
      }
      if part.count > 255 { return "has a part of \(part.count) bytes; 255 are allowed" }
    }
    return nil
  }
}
