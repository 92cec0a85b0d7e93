// `martlet pool policy`: how the pool chooses.

import ArgumentParser
import MartletModel
import MartletScheduling
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
        martlet pool policy --cpu-slots 8 --memory-limit 48GB
        martlet pool policy --memory-limit none
      """)

  @OptionGroup(title: "How it chooses") var policy: PolicyOptions
  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  func run() async throws {
    let client = try connection.client()
    var change: JSONObject = [:]
    for (setting, value) in try policy.settings() { change[setting.rawValue] = value }
    let answer: JSONValue
    if change.isEmpty {
      answer = try await client.send(.get, "/pool", query: [("limit", "0")])["policy"] ?? .null
    } else {
      answer = try await client.send(.patch, "/pool/policy", body: .object(change))
    }
    try Card(item: answer, fields: Self.fields).print(format.format)
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
