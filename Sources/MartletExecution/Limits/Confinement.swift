// Keeps attempts within their limits, by the best way that this machine and this account have.

import Foundation
import Glibc
package import MartletModel
import Synchronization

/// Makes and removes what keeps one server's attempts within their limits. Every call takes microseconds.
package final class Confinement: Sendable {
  private let trees: [GroupTree]
  private let shares: Mutex<CPUShares>

  /// - Parameters:
  ///   - owner: the data directory: its hash names our directories.
  ///   - root: the directory that stands for `/`: tests have their own.
  package init(owner: String, root: String = "") {
    trees = GroupTree.make(name: "martlet-\(Self.hash(owner))", root: root)
    shares = Mutex(CPUShares(allowed: CPUShares.own))
  }

  private static func hash(_ owner: String) -> String {
    SHA256.hash(Array(owner.utf8)).prefix(5).map { String(format: "%02x", $0) }.joined()
  }

  /// How a limit of memory is kept here.
  package var memoryWay: LimitWay { tree("memory")?.way ?? .polling }

  package var cpusWay: LimitWay { tree("cpu")?.way ?? .affinity }

  /// Whether the kernel ends all processes of an attempt at once, wherever they went.
  package var killsByGroup: Bool { tree("kill") != nil }

  private func tree(_ ability: String) -> GroupTree? {
    // Version 2 first: it ends a group as a whole.
    trees.first { $0.version == .two && $0.abilities.contains(ability) }
      ?? trees.first { $0.abilities.contains(ability) }
  }

  /// The name of an attempt's groups.
  package static func name(_ run: PublicID, _ attempt: Int) -> String { "\(run).\(attempt)" }

  /// Makes what keeps an attempt within its limits. Where a group cannot be made, the next best way is taken.
  package func confine(_ name: String, to limits: AttemptLimits) -> Confined {
    var confined = Confined(limits)
    var made: [GroupTree: String] = [:]
    func group(_ ability: String) -> (tree: GroupTree, path: String)? {
      guard let tree = tree(ability) else { return nil }
      if let path = made[tree] { return (tree, path) }
      guard let path = tree.add(name) else { return nil }
      made[tree] = path
      confined.groups.append(path)
      return (tree, path)
    }
    if let memory = limits.memory {
      let group = group("memory")
      let isKept = group.map { $0.tree.limitMemory(of: $0.path, to: memory) } ?? false
      confined.memoryWay = isKept ? group?.tree.way : .polling
    }
    if let cpus = limits.cpus {
      if let group = group("cpu"), group.tree.limitCPUs(of: group.path, to: cpus) {
        confined.cpusWay = group.tree.way
      } else {
        confined.cpusWay = .affinity
        confined.cpus = shares.withLock { $0.take(cpus, for: name) }
      }
    }
    _ = group("kill")
    return confined
  }

  /// Takes over an attempt that a server before this one confined.
  package func adopt(_ name: String, _ confined: Confined) {
    shares.withLock { $0.keep(confined.cpus, for: name) }
  }

  /// Gives back what an attempt had, once nothing of it is left. Its supervisor removes its groups, unless it was killed.
  package func release(_ name: String) {
    shares.withLock { $0.give(name) }
    for tree in trees { tree.remove(name) }
  }

  /// Removes groups of attempts that ended while there was no server; a group with processes in it stays.
  ///
  /// - Parameter names: of attempts that may yet be in theirs, or be about to enter them.
  package func removeLeftovers(besides names: Set<String>) {
    for tree in trees {
      for name in tree.groups where !names.contains(name) { tree.remove(name) }
    }
  }
}

extension GroupTree {
  var way: LimitWay { version == .two ? .groupOfVersion2 : .groupOfVersion1 }
}

/// Groups of an attempt, as whoever ends it without its supervisor uses them.
enum GroupMembers {
  /// Processes in these groups.
  static func processes(in groups: [String]) -> [Int32] {
    groups.flatMap { group in
      (ProcText.read("\(group)/cgroup.procs") ?? "").split(whereSeparator: \.isWhitespace).compactMap {
        Int32($0)
      }
    }
  }

  /// Ends all that is in them, where the kernel can (version 2, from Linux 5.14 on).
  static func kill(_ groups: [String]) {
    for group in groups { _ = GroupTree.write("1", to: "\(group)/cgroup.kill") }
  }

  static func remove(_ groups: [String]) {
    for group in groups {
      rmdir(group)
      rmdir(URL(fileURLWithPath: group).deletingLastPathComponent().path)  // with the last of them
    }
  }
}
