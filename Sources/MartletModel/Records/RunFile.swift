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
    if path.isEmpty || path.utf8.count > longestPath {
      return "has \(path.utf8.count) bytes; 1 to \(longestPath) are allowed"
    }
    if path.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }) {
      return "holds a control character"
    }
    if path.contains("\\") { return "holds a backslash; folders are parted by '/'" }
    for part in path.split(separator: "/", omittingEmptySubsequences: false) {
      if part.isEmpty { return "begins or ends with '/', or has two of them in a row" }
      if part == "." || part == ".." { return "has the part '\(part)'" }
      if part.utf8.count > 255 { return "has a part of \(part.utf8.count) bytes; 255 are allowed" }
    }
    return nil
  }
}
