// `martlet pool policy`: how the pool chooses.

import ArgumentParser
import MartletModel
import OrderedCollections

struct PoolPolicyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "policy",
    abstract: "Show how the pool chooses, or change it.",
    discussion: """
      Whoever waits and could never be served under a new limit ends with that reason.

      Examples:
        martlet pool policy
        martlet pool policy --backfill 4
        martlet pool policy --cpu-slots 8 --memory 48GB
        martlet pool policy --memory none
      """)

  @Option(
    name: .long,
    help: ArgumentHelp("A request may pass those that came at most so many before it.", valueName: "n"))
  var backfill: Int?

  @Option(
    name: .long, help: ArgumentHelp("Start those who need the same together: on or off.", valueName: "word"))
  var groupEqualNeeds: String?

  @Option(
    name: .long,
    help: ArgumentHelp("In a set, the least free memory is this part of the most: 0 to 1.", valueName: "part")
  )
  var balance: Double?

  @Option(
    name: .long,
    help: ArgumentHelp("Weights of free memory and idleness in the choice, like 0.6,0.4.", valueName: "a,b"))
  var weights: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Busier than this, a device that nobody here holds is other people's.", valueName: "part")
  )
  var foreignUtilization: Double?

  @Option(
    name: .long,
    help: ArgumentHelp("With less free memory than this, too.", valueName: "size"))
  var foreignFreeMemory: String?

  @Option(
    name: .long, help: ArgumentHelp("Runs without devices at a time; none: no limit.", valueName: "n"))
  var cpuSlots: String?

  @Option(
    name: .long,
    help: ArgumentHelp("What all may ask for of memory together; none: no limit.", valueName: "size"))
  var memory: String?

  @Option(
    name: .long,
    help: ArgumentHelp("What all may ask for of device memory together; none: no limit.", valueName: "size"))
  var gpuMemory: String?

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  func validate() throws { _ = try change() }

  /// The members that are to be others.
  private func change() throws -> JSONObject {
    var change: JSONObject = [:]
    if let backfill { change["backfill"] = .int(Int64(backfill)) }
    if let balance { change["balance"] = .double(balance) }
    if let foreignUtilization { change["foreign_utilization"] = .double(foreignUtilization) }
    if let foreignFreeMemory {
      change["foreign_free_memory"] = .int(try Words.size(foreignFreeMemory, of: "--foreign-free-memory"))
    }
    if let groupEqualNeeds {
      guard ["on", "off"].contains(groupEqualNeeds) else {
        throw ValidationError("--group-equal-needs must be on or off, not '\(groupEqualNeeds)'.")
      }
      change["group_equal_needs"] = .bool(groupEqualNeeds == "on")
    }
    if let weights {
      let parts = weights.split(separator: ",").map { Double($0) }
      guard parts.count == 2, let memory = parts[0], let idle = parts[1] else {
        throw ValidationError("--weights must be two numbers with a comma between them, like 0.6,0.4.")
      }
      (change["memory_weight"], change["idle_weight"]) = (.double(memory), .double(idle))
    }
    if let cpuSlots {
      guard cpuSlots == "none" || Int64(cpuSlots) != nil else {
        throw ValidationError("--cpu-slots must be a whole number or none, not '\(cpuSlots)'.")
      }
      change["cpu_slots"] = .some(JSONValue(Int64(cpuSlots)))
    }
    for (key, option, text) in [("memory", "--memory", memory), ("gpu_memory", "--gpu-memory", gpuMemory)] {
      guard let text else { continue }
      change[key] = .some(.null)
      if text != "none" { change[key] = .int(try Words.size(text, of: option)) }
    }
    return change
  }

  func run() async throws {
    let client = try connection.client()
    let change = try change()
    let policy: JSONValue
    if change.isEmpty {
      policy = try await client.send(.get, "/pool", query: [("limit", "0")])["policy"] ?? .null
    } else {
      policy = try await client.send(.patch, "/pool/policy", body: .object(change))
    }
    try Card(item: policy, fields: Self.fields).print(format.format)
  }

  private static func limit(_ key: String) -> @Sendable (JSONValue) -> JSONValue? {
    { policy in
      guard let value = policy[key], !value.isNull else { return "no limit" }
      return key == "cpu_slots" ? value : value.int.map { .string(Words.bytes($0)) }
    }
  }

  private static let fields = [
    Field("backfill", "Backfill", .number),
    Field("group_equal_needs", "Equal needs together") {
      $0["group_equal_needs"]?.bool == true ? "on" : "off"
    },
    Field("memory_weight", "Weight of free memory", .number),
    Field("idle_weight", "Weight of idleness", .number),
    Field("balance", "Balance", .number),
    Field("foreign_utilization", "Others' when busier than", .number),
    Field("foreign_free_memory", "or with less free than", .bytes),
    Field("cpu_slots", "CPU slots", read: limit("cpu_slots")),
    Field("memory", "Memory", read: limit("memory")),
    Field("gpu_memory", "Device memory", read: limit("gpu_memory")),
  ]
}
