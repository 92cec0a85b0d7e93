// `martlet pool`: the devices of a server, who has them, and who waits.

import ArgumentParser
import MartletModel

struct PoolGroup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pool",
    abstract: "Show devices, who has them and who waits for what; take devices out of service and back.",
    discussion: """
      Examples:
        martlet pool
        martlet pool watch
        martlet pool cordon 3 --reason 'fan is loud'
        martlet pool policy --backfill 4
      """,
    subcommands: [
      PoolList.self, PoolWatch.self, PoolCordon.self, PoolDrain.self, PoolUncordon.self,
      PoolPolicyCommand.self,
    ],
    defaultSubcommand: PoolList.self)

  static let deviceFields = [
    Field("index", "Device", .number),
    Field("kind", nil),
    Field("name", "Name", dispensability: 4),
    Field("host", nil),
    Field("standing", "State", .state, read: state),
    Field("standing_reason", nil),
    Field("slots", nil, .number),
    Field("used_slots", nil, .number),
    Field("memory", "Memory", .bytes, dispensability: 3),
    Field("reserved_memory", nil, .bytes),
    Field("memory_used", "Used", .bytes, dispensability: 2) { $0["reading"]?["memory_used"] },
    Field("utilization", "Busy", .number, dispensability: 2, read: busy),
    Field("holders", "Held by", read: holders),
    Field("since", "Since", .time, dispensability: 1) { $0["holders"]?.array?.first?["since"] },
    Field("free_at", "Free", .ahead),
  ]

  static let queueFields = [
    Field("position", "#", .number),
    Field("run", "Run"),
    Field("run_name", "Name", read: name),
    Field("project", "Project", dispensability: 5),
    Field("sweep", nil),
    Field("trial", nil, .number),
    Field("attempt", nil, .number),
    Field("state", nil),
    Field("needs", "Needs", dispensability: 1) { $0["needs"].map { .string(needs($0)) } },
    Field("priority", "Priority", .number, dispensability: 4),
    Field("since", "Since", .time, dispensability: 3),
    Field("starts_at", "Starts", .ahead, dispensability: 2),
    Field("reason", "Why"),
  ]

  static let holdingFields = [
    Field("run", "Run"),
    Field("run_name", "Name", read: name),
    Field("project", "Project", dispensability: 4),
    Field("state", "State", .state),
    Field("needs", "Needs", dispensability: 2) { $0["needs"].map { .string(needs($0)) } },
    Field("since", "Since", .time, dispensability: 1),
    Field("expected_end", "Ends", .ahead, dispensability: 3),
  ]

  // MARK: - In words

  /// Of a device that is in service, whether other people use it.
  @Sendable private static func state(_ device: JSONValue) -> JSONValue? {
    let standing = device["standing"]?.string ?? ""
    guard standing == "open" else { return .string(standing) }
    if device["foreign"]?.bool == true { return "others" }
    return device["holders"]?.array?.isEmpty == false ? "held" : "free"
  }

  @Sendable private static func busy(_ device: JSONValue) -> JSONValue? {
    (device["reading"]?["utilization"]?.double).map { .string("\(Int(($0 * 100).rounded())) %") }
  }

  @Sendable private static func holders(_ device: JSONValue) -> JSONValue? {
    let reason = (device["standing_reason"]?.string).map(Terminal.plain)
    let words = (device["holders"]?.array ?? []).map(subject) + [reason].compactMap(\.self)
    return words.isEmpty ? nil : .string(words.joined(separator: ", "))
  }

  @Sendable private static func name(_ entry: JSONValue) -> JSONValue? {
    entry["run_name"]?.string.map(JSONValue.string) ?? "of another project"
  }

  /// "swift-finch-3 (k2f9a0xy)".
  static func subject(_ entry: JSONValue) -> String {
    guard let run = entry["run"]?.string else { return "a run of another project" }
    return Terminal.plain("\(entry["run_name"]?.string ?? "") (\(run))")
  }

  /// "2 devices with 20.0 GB each, 8.0 GB of memory".
  static func needs(_ needs: JSONValue) -> String {
    let devices = needs["gpus"]?.int ?? 0
    var parts = [devices == 0 ? "no device" : Words.count(devices, "device")]
    if devices > 0, let memory = needs["gpu_memory"]?.int {
      parts[0] += " with \(Words.bytes(memory))\(devices > 1 ? " each" : "")"
    }
    if let slots = needs["gpu_slots"]?.int, devices > 0, slots > 1 { parts.append("\(slots) slots of each") }
    if let memory = needs["memory"]?.int, memory > 0 { parts.append("\(Words.bytes(memory)) of memory") }
    return parts.joined(separator: ", ")
  }

  /// "host: 5 of 8 devices free, 3 running, 2 waiting".
  static func summary(_ pool: JSONValue) -> String {
    let totals = pool["totals"]
    let (free, all) = (totals?["free"]?.int ?? 0, totals?["devices"]?.int ?? 0)
    let devices = all == 0 ? "no devices" : "\(free) of \(Words.count(all, "device")) free"
    var parts = [
      devices, "\(totals?["running"]?.int ?? 0) running", "\(totals?["waiting"]?.int ?? 0) waiting",
    ]
    if let slots = totals?["cpu_slots"]?["limit"]?.int {
      parts.append("\(totals?["cpu_slots"]?["used"]?.int ?? 0) of \(slots) CPU slots taken")
    }
    for (key, word) in [("memory", "memory"), ("gpu_memory", "device memory")] {
      if let limit = totals?[key]?["limit"]?.int {
        let reserved = Words.bytes(totals?[key]?["reserved"]?.int ?? 0)
        parts.append("\(reserved) of \(Words.bytes(limit)) \(word) asked for")
      }
    }
    return "\(Terminal.plain(pool["host"]?.string ?? "")): \(parts.joined(separator: ", "))"
  }

  /// The pool as lines of a terminal.
  ///
  /// - Parameters:
  ///   - width: columns; nil: as wide as it gets.
  static func lines(_ pool: JSONValue, width: Int?, isColored: Bool) -> [String] {
    var lines = [summary(pool)]
    func add(_ title: String, _ items: [JSONValue], _ fields: [Field]) {
      guard !items.isEmpty else { return }
      // What nobody knows takes no room.
      let fields = fields.filter { field in items.contains { !field.cell($0).text.isEmpty } }
      lines += ["", Style.strong.paint(title, if: isColored)]
      lines += Listing(items: items, fields: fields, whenEmpty: "").table
        .lines(width: width, isColored: isColored)
    }
    add("Devices", pool["devices"]?.array ?? [], deviceFields)
    let running = pool["running"]?.array ?? []
    add("Running without a device", running.filter { $0["devices"]?.array?.isEmpty ?? true }, holdingFields)
    let queue = pool["queue"]?.array ?? []
    add("Waiting", queue, queueFields)
    let more = (pool["queue_length"]?.int ?? 0) - Int64(queue.count)
    if more > 0, !queue.isEmpty { lines.append("and \(more) more; --limit 0 shows all") }
    return lines
  }
}
