// The checkpoint of the best run: found by a shell pattern, copied with a hash of all that was copied.

import Foundation
import Glibc
import MartletFormats
import MartletModel
import OrderedCollections

/// A file of a run's directory, or a folder in it with all that it holds.
struct Checkpoint: Sendable {
  var path: String
  /// Of a folder: its folders and regular files, each before what it holds. Nil: it is a file.
  var content: [(name: String, isFolder: Bool)]?

  /// The newest file or folder of a run's directory whose name, or whose path in it, matches a shell pattern; what lies
  /// in the directory itself goes before what lies in its folders.
  ///
  /// A folder is as new as the newest of its files; one without any is none. Nor is `checkpoints`, which every run is
  /// given: what lies in it may be. Symbolic links are neither found nor followed.
  static func newest(matching pattern: String, in directory: String) -> Checkpoint? {
    var best: (depth: Int, modified: Date, checkpoint: Checkpoint)?
    for (name, type, modified) in entries(of: directory) {
      let isMatch =
        fnmatch(pattern, URL(fileURLWithPath: name).lastPathComponent, 0) == 0
        || fnmatch(pattern, name, FNM_PATHNAME) == 0
      guard isMatch, name != "checkpoints" else { continue }
      var found = (name.split(separator: "/").count, modified, Checkpoint(path: "\(directory)/\(name)"))
      if type == .typeDirectory {
        let inside = entries(of: found.2.path)
        guard let newest = inside.filter({ $0.type == .typeRegular }).map(\.modified).max() else { continue }
        found.1 = newest
        found.2.content = inside.map { ($0.name, $0.type == .typeDirectory) }
      }
      if let best, (best.depth, found.1) <= (found.0, best.modified) { continue }
      best = found
    }
    return best?.checkpoint
  }

  /// Names of what somebody has not finished writing, by custom.
  private static let unfinished = [".tmp", ".temp", ".part", ".partial", ".incomplete", "~"]

  /// The path of the newest file or folder right in a directory that an attempt may go on from; of two that are as new as
  /// each other, the one with the higher number or later name.
  ///
  /// One that is empty is none, nor one that is hidden or bears a name of something that is still being written. Symbolic
  /// links are neither found nor followed.
  static func newestToResume(matching pattern: String, in directory: String) -> String? {
    var best: (modified: Date, name: String)?
    for name in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [] {
      guard !name.hasPrefix("."), !unfinished.contains(where: name.hasSuffix), fnmatch(pattern, name, 0) == 0,
        let attributes = try? FileManager.default.attributesOfItem(atPath: "\(directory)/\(name)")
      else { continue }
      let modified: Date?
      switch attributes[.type] as? FileAttributeType {
      case .typeRegular?:
        let size = (attributes[.size] as? NSNumber)?.int64Value ?? 0
        modified = size > 0 ? attributes[.modificationDate] as? Date : nil
      case .typeDirectory?:
        modified = entries(of: "\(directory)/\(name)").filter { $0.type == .typeRegular }.map(\.modified)
          .max()
      default: modified = nil
      }
      guard let modified else { continue }
      let isNewer =
        best.map { best in
          modified != best.modified
            ? modified > best.modified : name.compare(best.name, options: .numeric) == .orderedDescending
        } ?? true
      if isNewer { best = (modified, name) }
    }
    return best.map { "\(directory)/\($0.name)" }
  }

  /// Copies it.
  func copy(into folder: String) throws -> BestModel.Digest {
    let files = FileManager.default
    let copy = "\(folder)/\(URL(fileURLWithPath: path).lastPathComponent)"
    guard let content else {
      try files.copyItem(atPath: path, toPath: copy)
      return .file(try Self.digest(of: copy))
    }
    try files.createDirectory(atPath: copy, withIntermediateDirectories: false)
    var digests: OrderedDictionary<String, String> = [:]
    for (name, isFolder) in content {
      if isFolder {
        try files.createDirectory(atPath: "\(copy)/\(name)", withIntermediateDirectories: false)
      } else {
        try files.copyItem(atPath: "\(path)/\(name)", toPath: "\(copy)/\(name)")
        digests[name] = try Self.digest(of: "\(copy)/\(name)")
      }
    }
    digests.sort { $0.key < $1.key }
    return .folder(digests)
  }

  /// The folders and regular files below a directory, each folder before what it holds.
  private static func entries(
    of directory: String
  ) -> [(name: String, type: FileAttributeType, modified: Date)] {
    var entries: [(name: String, type: FileAttributeType, modified: Date)] = []
    guard let walk = FileManager.default.enumerator(atPath: directory) else { return [] }
    for case let name as String in walk {
      guard let attributes = walk.fileAttributes, let type = attributes[.type] as? FileAttributeType,
        type == .typeRegular || type == .typeDirectory
      else { continue }
      entries.append((name, type, attributes[.modificationDate] as? Date ?? .distantPast))
    }
    return entries
  }

  private static func digest(of path: String) throws -> String {
    let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    defer { try? file.close() }
    var digest = SHA256()
    while let data = try file.read(upToCount: 1 << 20), !data.isEmpty { digest.update(data) }
    return hexadecimal(digest.finish())
  }
}
