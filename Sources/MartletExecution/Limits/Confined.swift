// How the limits of one attempt are kept: what was made for it, kept beside its records.

import Foundation
package import MartletModel
import OrderedCollections

/// By whom a limit is kept.
package enum LimitWay: String, Sendable, Hashable, CaseIterable {
  /// The kernel, in a group of version 2 (cgroups(7)).
  case groupOfVersion2 = "cgroup v2"
  /// The kernel, in a group of version 1.
  case groupOfVersion1 = "cgroup v1"
  /// The supervisor, which looks at its processes.
  case polling
  /// The kernel, by binding processes to as many processors (sched_setaffinity(2)).
  case affinity
}

/// The limits of one attempt, and what keeps them.
package struct Confined: Sendable, Hashable {
  package var limits: AttemptLimits
  /// Nil: there is no such limit.
  package var memoryWay: LimitWay?
  package var cpusWay: LimitWay?
  /// Processors that it is bound to; empty: to none.
  package var cpus: [Int]
  /// Directories of the groups that its processes are in.
  package var groups: [String]

  package init(
    _ limits: AttemptLimits = AttemptLimits(), memoryWay: LimitWay? = nil, cpusWay: LimitWay? = nil,
    cpus: [Int] = [], groups: [String] = []
  ) {
    self.limits = limits
    self.memoryWay = memoryWay
    self.cpusWay = cpusWay
    self.cpus = cpus
    self.groups = groups
  }

  init(json: JSONValue) {
    func way(_ key: String) -> LimitWay? { json[key]?.string.flatMap(LimitWay.init(rawValue:)) }
    self.init(
      AttemptLimits(json: json), memoryWay: way("memory_by"), cpusWay: way("cpus_by"),
      cpus: (json["cpu_list"]?.array ?? []).compactMap { $0.int.flatMap(Int.init(exactly:)) },
      groups: (json["groups"]?.array ?? []).compactMap(\.string))
  }

  /// As every face shows it; null: it has no limits.
  package var json: JSONValue {
    guard limits != AttemptLimits() else { return .null }
    var members = limits.json.object ?? [:]
    members["memory_by"] = JSONValue(memoryWay?.rawValue)
    members["cpus_by"] = JSONValue(cpusWay?.rawValue)
    members["cpu_list"] = .array(cpus.map { .int(Int64($0)) })
    return .object(members)
  }

  /// `limits.json`.
  private var record: JSONValue {
    var members = json.object ?? [:]
    members["groups"] = JSONValue(groups)
    return .object(members)
  }

  /// What a supervisor is told (docs/supervisor.md).
  var options: [String] {
    var options = groups.flatMap { ["-G", $0] }
    if memoryWay == .polling, let memory = limits.memory { options += ["-M", String(memory)] }
    if cpusWay == .affinity, !cpus.isEmpty {
      options += ["-c", cpus.map { String($0) }.joined(separator: ",")]
    }
    if let output = limits.output { options += ["-o", String(output)] }
    if let files = limits.openFiles { options += ["-n", String(files)] }
    return options
  }

  /// Variables that tell the usual libraries how many threads to start.
  package static let threadVariables = [
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS",
  ]

  /// Leaves word of it in an attempt's directory, where there is something to tell: the next server, and whoever sees to an
  /// attempt without a supervisor, find its groups by that.
  package func write(in directory: AttemptDirectory) throws {
    guard self != Confined() else { return }
    try Files.write(record.bytes(), to: "\(directory.path)/limits.json")
  }
}

extension AttemptDirectory {
  /// `limits.json`; of an attempt from before there were any: no limits.
  package var confined: Confined {
    guard let text = ProcText.read("\(path)/limits.json"), let json = try? JSONValue.parse(text) else {
      return Confined()
    }
    return Confined(json: json)
  }
}
