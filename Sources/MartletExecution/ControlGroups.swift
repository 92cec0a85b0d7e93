// Control groups of this machine: whether the kernel itself can keep a run within bounds.

import Foundation
import Glibc

/// What cgroups(7) are there for the processes of this account, as this process sees them.
package struct ControlGroups: Sendable, Hashable {
  package enum Version: Sendable, Hashable {
    case none
    /// A hierarchy for each controller.
    case one
    /// One hierarchy for all controllers. With `one` for memory beside it, that one counts.
    case two
  }

  /// The version that bounds memory; where none does, the one that is there.
  package var version: Version
  /// Whether memory can be bounded at all.
  package var hasMemory: Bool
  /// Whether this account may make groups of its own below this process's.
  package var isWritable: Bool
  /// Where this process's group is; nil: there is none.
  package var directory: String?
  /// Bytes that this process's group may use, those above it included; nil: as many as there are.
  package var memoryLimit: Int64?

  /// - Parameter root: the directory that stands for `/`: tests have their own.
  package static func probe(root: String = "") -> ControlGroups {
    let groups = lines(ProcText.read("\(root)/proc/self/cgroup"), separator: ":", parts: 3)
    let mounts = (ProcText.read("\(root)/proc/self/mountinfo") ?? "").split(separator: "\n").compactMap(
      Mount.init)
    // Of version 1 the hierarchy that has the memory controller.
    if let group = groups.first(where: { $0[1].split(separator: ",").contains("memory") }),
      let mount = mounts.last(where: { $0.kind == "cgroup" && $0.options.contains("memory") })
    {
      let directory = mount.directory(of: group[2], root: root)
      return ControlGroups(
        version: .one, hasMemory: true, isWritable: access(root + directory, W_OK | X_OK) == 0,
        directory: directory,
        memoryLimit: limit("memory.limit_in_bytes", from: directory, to: mount.point, root))
    }
    guard let group = groups.first(where: { $0[0] == "0" }),
      let mount = mounts.last(where: { $0.kind == "cgroup2" })
    else { return ControlGroups(version: groups.isEmpty ? .none : .one, hasMemory: false, isWritable: false) }
    let directory = mount.directory(of: group[2], root: root)
    let controllers = ProcText.read("\(root)\(directory)/cgroup.controllers") ?? ""
    return ControlGroups(
      version: .two, hasMemory: controllers.split(whereSeparator: \.isWhitespace).contains("memory"),
      isWritable: access(root + directory, W_OK | X_OK) == 0
        && access("\(root)\(directory)/cgroup.subtree_control", W_OK) == 0,
      directory: directory, memoryLimit: limit("memory.max", from: directory, to: mount.point, root))
  }

  /// A hierarchy of groups, and where this process is in it.
  struct Hierarchy: Sendable, Hashable {
    var version: GroupTree.Version
    var controllers: Set<String>
    var directory: String
  }

  /// All that this process is in, but for those of version 1 that have no controller.
  static func hierarchies(root: String = "") -> [Hierarchy] {
    let groups = lines(ProcText.read("\(root)/proc/self/cgroup"), separator: ":", parts: 3)
    let mounts = (ProcText.read("\(root)/proc/self/mountinfo") ?? "").split(separator: "\n").compactMap(
      Mount.init)
    return groups.compactMap { group in
      let names = Set(group[1].split(separator: ",").map(String.init)).filter { !$0.hasPrefix("name=") }
      if group[0] == "0" {
        guard let mount = mounts.last(where: { $0.kind == "cgroup2" }) else { return nil }
        let directory = mount.directory(of: group[2], root: root)
        let controllers = ProcText.read("\(root)\(directory)/cgroup.controllers") ?? ""
        return Hierarchy(
          version: .two, controllers: Set(controllers.split(whereSeparator: \.isWhitespace).map(String.init)),
          directory: directory)
      }
      let mount = mounts.last { $0.kind == "cgroup" && names.isSubset(of: $0.options.map(String.init)) }
      guard !names.isEmpty, let mount else { return nil }
      return Hierarchy(
        version: .one, controllers: names, directory: mount.directory(of: group[2], root: root))
    }
  }

  /// The smallest of the limits on the way up.
  private static func limit(_ name: String, from directory: String, to top: String, _ root: String) -> Int64?
  {
    places(from: directory, to: top).compactMap { bytes("\($0)/\(name)", root) }.min()
  }

  /// A group's directory and those above it, up to where the hierarchy is mounted.
  private static func places(from directory: String, to top: String) -> [String] {
    var places: [String] = []
    var place = directory
    while place.hasPrefix(top), !place.isEmpty {
      places.append(place)
      guard place != top, let slash = place.lastIndex(of: "/") else { break }
      place = String(place[..<slash])
    }
    return places
  }

  /// What a file says; nil: it is not there, or says that there is no bound.
  private static func bytes(_ path: String, _ root: String) -> Int64? {
    let text = ProcText.read("\(root)\(path)")?.trimmingCharacters(in: .whitespacesAndNewlines)
    // Version 1 writes nearly 2^63 for "as many as there are", version 2 "max".
    return text.flatMap { Int64($0) }.flatMap { $0 >= 0 && $0 < 1 << 60 ? $0 : nil }
  }

  /// What bounds the memory of this process.
  package struct MemoryBound: Sendable, Hashable {
    /// Bytes.
    package var limit: Int64
    /// Bytes that are left of it; pages of files that can be dropped count as free.
    package var room: Int64

    package init(limit: Int64, room: Int64) { (self.limit, self.room) = (limit, room) }
  }

  /// The one of this process's groups, those above its own included, that leaves it the least; nil: nothing bounds it.
  package static func memoryBound(root: String = "") -> MemoryBound? {
    let groups = probe(root: root)
    guard let directory = groups.directory else { return nil }
    let (limit, usage, cached) =
      groups.version == .two
      ? ("memory.max", "memory.current", "inactive_file")
      : ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
    // Above the hierarchy there are no such files.
    return places(from: directory, to: "").compactMap { place -> MemoryBound? in
      guard let limit = bytes("\(place)/\(limit)", root), let used = bytes("\(place)/\(usage)", root) else {
        return nil
      }
      let lines = (ProcText.read("\(root)\(place)/memory.stat") ?? "").split(separator: "\n")
      let line = lines.first { $0.hasPrefix("\(cached) ") }
      let dropped = line?.split(separator: " ").last.flatMap { Int64($0) } ?? 0
      return MemoryBound(limit: limit, room: max(0, limit - max(0, used - dropped)))
    }.min { $0.room < $1.room }
  }

  private static func lines(_ text: String?, separator: Character, parts: Int) -> [[String]] {
    (text ?? "").split(separator: "\n").map { line in
      line.split(separator: separator, maxSplits: parts - 1, omittingEmptySubsequences: false).map(
        String.init)
    }.filter { $0.count == parts }
  }

  /// A line of proc_pid_mountinfo(5).
  private struct Mount {
    /// The directory of the file system that is mounted.
    var origin: String
    var point: String
    var kind: String
    var options: [Substring]

    init?(_ line: Substring) {
      let halves = line.split(separator: " - ", maxSplits: 1)
      guard halves.count == 2 else { return nil }
      let (front, back) = (halves[0].split(separator: " "), halves[1].split(separator: " "))
      guard front.count > 4, back.count > 2 else { return nil }
      (origin, point, kind) = (String(front[3]), String(front[4]), String(back[0]))
      options = back[2].split(separator: ",")
    }

    /// Where a group is. In a container only its own part of the hierarchy may be mounted.
    func directory(of group: String, root: String) -> String {
      var path = group
      if origin != "/", path.hasPrefix(origin) { path = String(path.dropFirst(origin.count)) }
      let place = path == "/" || path.isEmpty ? point : point + (path.hasPrefix("/") ? path : "/" + path)
      return access(root + place, F_OK) == 0 ? place : point
    }
  }
}
