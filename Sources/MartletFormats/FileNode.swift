// A sweep file as a tree in which every value and key knows its place.

import MartletModel
import OrderedCollections

/// One value of a file.
struct FileNode: Sendable {
  struct Member: Sendable {
    var key: String
    var mark: FileMark
    var value: FileNode
  }

  enum Content: Sendable {
    /// `text` is how it was written.
    case scalar(JSONValue, text: String)
    case list([FileNode])
    case object([Member])
  }

  var mark: FileMark
  var content: Content

  /// The value without its places.
  var value: JSONValue {
    switch content {
    case .scalar(let value, _): value
    case .list(let items): .array(items.map(\.value))
    case .object(let members):
      .object(JSONObject(members.map { ($0.key, $0.value.value) }, uniquingKeysWith: { $1 }))
    }
  }

  var members: [Member]? {
    guard case .object(let members) = content else { return nil }
    return members
  }

  var items: [FileNode]? {
    guard case .list(let items) = content else { return nil }
    return items
  }

  subscript(key: String) -> Member? { members?.first { $0.key == key } }
}

/// A place in a file, both from 1.
struct FileMark: Hashable, Sendable {
  var line = 1
  var column = 1
}
