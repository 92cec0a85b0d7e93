// The settings of a pool by name, as flags, requests and the store have them.

package import MartletModel
import OrderedCollections

/// One member of a `PoolPolicy`.
package enum PoolSetting: String, Sendable, CaseIterable {
  case memoryWeight = "memory_weight"
  case idleWeight = "idle_weight"
  case balance
  case foreignUtilization = "foreign_utilization"
  case foreignFreeMemory = "foreign_free_memory"
  case backfill
  case groupsEqualNeeds = "group_equal_needs"
  case cpuSlots = "cpu_slots"
  case memory
  case deviceMemory = "gpu_memory"
}

extension PoolPolicy {
  package subscript(_ setting: PoolSetting) -> JSONValue {
    switch setting {
    case .memoryWeight: .double(memoryWeight)
    case .idleWeight: .double(idleWeight)
    case .balance: .double(balance)
    case .foreignUtilization: .double(foreignUtilization)
    case .foreignFreeMemory: .int(foreignFreeMemory)
    case .backfill: .int(Int64(backfill))
    case .groupsEqualNeeds: .bool(groupsEqualNeeds)
    case .cpuSlots: cpuSlots.map { .int(Int64($0)) } ?? .null
    case .memory: memory.map(JSONValue.int) ?? .null
    case .deviceMemory: deviceMemory.map(JSONValue.int) ?? .null
    }
  }

  package var json: JSONObject {
    var members: JSONObject = [:]
    for setting in PoolSetting.allCases { members[setting.rawValue] = self[setting] }
    return members
  }

  /// Changes one setting; null takes a limit away.
  ///
  /// - Throws: `JSONMemberError` for what the setting cannot be.
  package mutating func set(_ setting: PoolSetting, to value: JSONValue) throws(JSONMemberError) {
    switch setting {
    case .memoryWeight: memoryWeight = try Self.number(value, of: setting, 0...1_000)
    case .idleWeight: idleWeight = try Self.number(value, of: setting, 0...1_000)
    case .balance: balance = try Self.number(value, of: setting, 0...1)
    case .foreignUtilization: foreignUtilization = try Self.number(value, of: setting, 0...1)
    case .foreignFreeMemory: foreignFreeMemory = try Self.bytes(value, of: setting, least: 0)
    case .backfill: backfill = try Self.count(value, of: setting)
    case .groupsEqualNeeds:
      guard let word = value.bool else {
        throw JSONMemberError(key: setting.rawValue, message: "must be true or false")
      }
      groupsEqualNeeds = word
    case .cpuSlots: cpuSlots = try value == .null ? nil : Self.count(value, of: setting)
    case .memory: memory = try value == .null ? nil : Self.bytes(value, of: setting, least: 1)
    case .deviceMemory: deviceMemory = try value == .null ? nil : Self.bytes(value, of: setting, least: 1)
    }
  }

  private static func number(
    _ value: JSONValue, of setting: PoolSetting, _ range: ClosedRange<Double>
  ) throws(JSONMemberError) -> Double {
    guard let number = value.double, range.contains(number) else {
      throw JSONMemberError(
        key: setting.rawValue,
        message:
          "must be a number from \(Int(range.lowerBound)) to \(Int(range.upperBound)), not \(value.text)")
    }
    return number
  }

  private static func count(_ value: JSONValue, of setting: PoolSetting) throws(JSONMemberError) -> Int {
    guard let number = value.int, (0...1_000_000).contains(number) else {
      throw JSONMemberError(
        key: setting.rawValue, message: "must be a whole number, 0 or more, not \(value.text)")
    }
    return Int(number)
  }

  /// A number of bytes, or text like `24GB`.
  private static func bytes(
    _ value: JSONValue, of setting: PoolSetting, least: Int64
  ) throws(JSONMemberError) -> Int64 {
    let number = value.string.flatMap(ByteCount.parse) ?? value.int
    guard let number, number >= least, number <= 1 << 44 else {
      throw JSONMemberError(
        key: setting.rawValue,
        message: "must be a number of bytes or like 24GB, 16TiB at most, not \(value.text)")
    }
    return number
  }
}
