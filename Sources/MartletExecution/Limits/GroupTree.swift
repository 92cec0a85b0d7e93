// Where a server may make control groups for its attempts, and what those can do.

import Foundation
import Glibc

/// A directory of ours in one hierarchy of control groups; each attempt gets a group in it.
struct GroupTree: Sendable, Hashable {
  enum Version: Sendable { case one, two }

  var version: Version
  var directory: String
  /// `memory`, `cpu`; and `kill` where a group can end all that is in it.
  var abilities: Set<String>

  /// Finds out what can be done in every hierarchy that there is and that this account may write to. Our directories
  /// are there only while an attempt is in them, so that a server that is killed leaves none.
  ///
  /// A group of version 2 hands controllers on only if no process is in it itself (the rule of "no internal processes",
  /// cgroup-v2.rst). Where this process is alone in its group, as a service or a scope of its own is, it moves to a leaf
  /// beside its attempts.
  ///
  /// - Parameters:
  ///   - name: of our directories: no other server's.
  ///   - root: the directory that stands for `/`: tests have their own.
  static func make(name: String, root: String = "") -> [GroupTree] {
    ControlGroups.hierarchies(root: root).compactMap { hierarchy in
      let directory = "\(root)\(hierarchy.directory)/\(name)"
      guard mkdir(directory, 0o755) == 0 || errno == EEXIST else { return nil }
      // It stays where attempts of a server before us are in it.
      defer { rmdir(directory) }
      switch hierarchy.version {
      case .one:
        let abilities = ["memory": "memory.limit_in_bytes", "cpu": "cpu.cfs_quota_us"].filter {
          hierarchy.controllers.contains($0.key) && exists("\(directory)/\($0.value)")
        }
        if abilities.isEmpty { break }
        return GroupTree(version: .one, directory: directory, abilities: Set(abilities.keys))
      case .two:
        for controller in ["memory", "cpu"] where hierarchy.controllers.contains(controller) {
          handOn(controller, in: "\(root)\(hierarchy.directory)", name: name)
        }
        var abilities = words("\(directory)/cgroup.subtree_control").intersection(["memory", "cpu"])
        if exists("\(directory)/cgroup.kill") { abilities.insert("kill") }
        if abilities.isEmpty { break }
        return GroupTree(version: .two, directory: directory, abilities: abilities)
      }
      return nil
    }
  }

  /// Makes a controller available in the groups of `place/name`.
  private static func handOn(_ controller: String, in place: String, name: String) {
    if !words("\(place)/cgroup.subtree_control").contains(controller) {
      if !write("+\(controller)", to: "\(place)/cgroup.subtree_control") {
        guard errno == EBUSY, words("\(place)/cgroup.procs") == [String(getpid())] else { return }
        let leaf = "\(place)/\(name)-server"
        guard mkdir(leaf, 0o755) == 0 || errno == EEXIST,
          write(String(getpid()), to: "\(leaf)/cgroup.procs"),
          write("+\(controller)", to: "\(place)/cgroup.subtree_control")
        else { return }
      }
    }
    handOn(controller, from: "\(place)/\(name)")
  }

  private static func handOn(_ controller: String, from directory: String) {
    let file = "\(directory)/cgroup.subtree_control"
    if !words(file).contains(controller) { _ = write("+\(controller)", to: file) }
  }

  /// A new group; nil: it cannot be made, or would be somebody else's.
  func add(_ name: String) -> String? {
    let path = "\(directory)/\(name)"
    for _ in 0..<5 {
      if mkdir(path, 0o755) == 0 { return path }
      switch errno {
      case ENOENT:
        // Our directory went with the attempt that was the last in it, as may happen again before the next try.
        guard mkdir(directory, 0o755) == 0 || errno == EEXIST else { return nil }
        guard version == .two else { continue }
        for controller in abilities where controller != "kill" { Self.handOn(controller, from: directory) }
      case EEXIST:
        // One that a server before us left, with counts that are not ours.
        guard rmdir(path) == 0 else { return nil }
      default: return nil
      }
    }
    return nil
  }

  /// Removes a group, and our directory with the last of them.
  func remove(_ name: String) {
    rmdir("\(directory)/\(name)")
    rmdir(directory)
  }

  /// Sets a group's limit of memory, swap included.
  func limitMemory(of group: String, to bytes: Int64) -> Bool {
    switch version {
    case .one:
      guard Self.write(String(bytes), to: "\(group)/memory.limit_in_bytes") else { return false }
      let all = "\(group)/memory.memsw.limit_in_bytes"
      return !Self.exists(all) || Self.write(String(bytes), to: all)
    case .two:
      guard Self.write(String(bytes), to: "\(group)/memory.max") else { return false }
      // The kernel ends the whole of it, not one process that the others then wait for; before Linux 4.19 it cannot.
      _ = Self.write("1", to: "\(group)/memory.oom.group")
      let swap = "\(group)/memory.swap.max"
      return !Self.exists(swap) || Self.write("0", to: swap)
    }
  }

  /// Sets how many processors' time a group may use.
  func limitCPUs(of group: String, to count: Int) -> Bool {
    switch version {
    case .one:
      Self.write("100000", to: "\(group)/cpu.cfs_period_us")
        && Self.write(String(count * 100_000), to: "\(group)/cpu.cfs_quota_us")
    case .two: Self.write("\(count * 100_000) 100000", to: "\(group)/cpu.max")
    }
  }

  /// Names of the groups in it.
  var groups: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).filter { name in
      var status = stat()
      return stat("\(directory)/\(name)", &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
  }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  private static func words(_ path: String) -> Set<String> {
    Set((ProcText.read(path) ?? "").split(whereSeparator: \.isWhitespace).map(String.init))
  }

  /// What is not there, this kernel does not have: in a hierarchy of groups nobody can make a file. `errno` says why it
  /// failed.
  static func write(_ text: String, to path: String) -> Bool {
    let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
    guard file >= 0 else { return false }
    let written = Glibc.write(file, text, text.utf8.count)
    let error = errno
    close(file)
    errno = error
    return written == text.utf8.count
  }
}
