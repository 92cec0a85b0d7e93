// Which processes belong to an attempt whose supervisor is gone.

import Foundation
import Glibc

/// The processes of an attempt whose supervisor is gone. Orphans went to init then, so parents alone do not lead to
/// all of them.
struct ProcessTree: Sendable {
  /// A process of this machine.
  struct Entry: Sendable, Hashable {
    var pid: Int32
    var stat: ProcessStat
    /// It was started with the attempt's own environment, or is in one of its groups.
    var isMarked: Bool
  }

  let command: ProcessIdentity
  /// The attempt's spool directory, which is in the environment of all that it starts and of nobody else.
  let spool: String
  /// Groups that it was started in; whoever is in one of them is of this attempt.
  var groups: [String] = []

  /// What one look at the machine's processes found.
  struct Look: Sendable {
    /// Those that run, the command first if it does.
    var processes: [ProcessIdentity]
    /// Whether nobody was there who ended before he could be looked at. Who did may have left a child that was not
    /// listed yet: that nothing was found says little then.
    var isCertain: Bool
  }

  func look() -> Look {
    let (entries, isCertain) = entries()
    return Look(
      processes: Self.members(of: command, among: entries, besides: getpid()), isCertain: isCertain)
  }

  /// The command, its process group, whoever has its mark, and all that descends from one of these.
  ///
  /// - Parameter own: our own process, which is nobody's attempt, whoever started it.
  static func members(
    of command: ProcessIdentity, among entries: [Entry], besides own: Int32
  ) -> [ProcessIdentity] {
    let others = entries.filter { $0.pid != own && $0.pid != 1 && !$0.stat.hasEnded }
    // Once it is gone its number, and so its group's, may be another's.
    let isThere = others.contains { $0.pid == command.pid && $0.stat.start == command.start }
    var found = Set(
      others.filter { $0.isMarked || isThere && ($0.pid == command.pid || $0.stat.group == command.pid) }
        .map(\.pid))
    var before = -1
    while found.count > before {
      before = found.count
      found.formUnion(others.filter { found.contains($0.stat.parent) }.map(\.pid))
    }
    return others.filter { found.contains($0.pid) }.sorted { first, _ in first.pid == command.pid }
      .map { ProcessIdentity(pid: $0.pid, start: $0.stat.start) }
  }

  private func entries() -> (entries: [Entry], isCertain: Bool) {
    let grouped = Set(GroupMembers.processes(in: groups))
    let mark = Array("MARTLET_SPOOL_DIR=\(spool)".utf8)
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: "/proc") else {
      return ([], false)
    }
    // The newest first: who hands on to a child every few milliseconds is caught before that.
    let listed = names.compactMap { Int32($0) }.sorted(by: >)
    let entries = listed.compactMap { pid -> Entry? in
      guard let stat = ProcessStat.read(pid) else { return nil }
      // Another account's shows nothing.
      let environment = FileManager.default.contents(atPath: "/proc/\(pid)/environ") ?? Data()
      let isMarked =
        grouped.contains(pid) || environment.split(separator: 0).contains { $0.elementsEqual(mark) }
      return Entry(pid: pid, stat: stat, isMarked: isMarked)
    }
    return (entries, entries.count == listed.count && grouped.isSubset(of: listed))
  }
}
