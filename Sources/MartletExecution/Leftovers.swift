// Processes that should not be there any more, and those that have a file open: found in /proc.

import Foundation
import Glibc

/// A process of an attempt, by what its environment says.
package struct AttemptProcess: Sendable, Hashable {
  package var pid: Int32
  /// Clock ticks since boot: with `pid` its identity.
  package var start: UInt64
  /// As the kernel calls it.
  package var name: String
  package var run: String
  package var attempt: Int
}

package enum Leftovers {
  /// Martlet's own programs carry an attempt's environment where a run starts them, and belong to nobody's attempt.
  private static let own = ["martlet", "martlet-supervi"]

  /// All processes of this account that were started by attempts of a data directory. Blocks for some milliseconds.
  package static func processes(data: String, proc: String = "/proc") -> [AttemptProcess] {
    pids(proc).compactMap { pid in
      guard let text = ProcText.read("\(proc)/\(pid)/environ"), text.contains("MARTLET_RUN_ID=") else {
        return nil
      }
      var variables: [Substring: Substring] = [:]
      for entry in text.split(separator: "\0") where entry.hasPrefix("MARTLET_") {
        guard let equals = entry.firstIndex(of: "=") else { continue }
        variables[entry[..<equals]] = entry[entry.index(after: equals)...]
      }
      guard variables["MARTLET_DATA"].map(String.init) == data, let run = variables["MARTLET_RUN_ID"],
        let attempt = variables["MARTLET_ATTEMPT"].flatMap({ Int($0) }),
        let stat = ProcText.read("\(proc)/\(pid)/stat").flatMap(ProcessStat.init), !stat.hasEnded
      else { return nil }
      let name = name(of: pid, proc)
      guard !own.contains(name) else { return nil }
      return AttemptProcess(pid: pid, start: stat.start, name: name, run: String(run), attempt: attempt)
    }
  }

  /// Other processes than this one that have a file open, as far as this account may see.
  package static func openers(of path: String, proc: String = "/proc") -> [(pid: Int32, name: String)] {
    let files = FileManager.default
    let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    return pids(proc).filter { $0 != getpid() }.compactMap { pid in
      let descriptors = (try? files.contentsOfDirectory(atPath: "\(proc)/\(pid)/fd")) ?? []
      let isOpen = descriptors.contains {
        (try? files.destinationOfSymbolicLink(atPath: "\(proc)/\(pid)/fd/\($0)")) == real
      }
      return isOpen ? (pid, name(of: pid, proc)) : nil
    }
  }

  private static func pids(_ proc: String) -> [Int32] {
    ((try? FileManager.default.contentsOfDirectory(atPath: proc)) ?? []).compactMap { Int32($0) }.sorted()
  }

  private static func name(of pid: Int32, _ proc: String) -> String {
    ProcText.read("\(proc)/\(pid)/comm")?.trimmingCharacters(in: .newlines) ?? "?"
  }
}
