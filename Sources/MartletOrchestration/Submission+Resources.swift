// What a command needs and what follows when it goes wrong, as POST /executions has it.

import MartletModel
import MartletScheduling
import OrderedCollections

extension NewExecution {
  private static let countLimit: Int64 = 1_000_000

  /// `resources`, or `gpus` beside it.
  static func needs(_ reader: JSONReader) throws(JSONMemberError) -> Needs {
    let gpus = try count(reader, "gpus", atLeast: 0)
    guard let members = try reader.object("resources") else { return Needs(devices: gpus ?? 0) }
    let resources = try JSONReader(.object(members), path: "resources")
    try resources.allowOnly([
      "gpus", "gpu_memory", "gpu_slots", "same_host", "memory", "cpus", "output", "open_files",
    ])
    let devices = try count(resources, "gpus", atLeast: 0)
    if let gpus, let devices, gpus != devices {
      throw JSONMemberError(key: "gpus", message: "is \(gpus), but resources.gpus is \(devices)")
    }
    return Needs(
      devices: devices ?? gpus ?? 0, deviceMemory: try bytes(resources, "gpu_memory"),
      deviceSlots: try count(resources, "gpu_slots", atLeast: 1) ?? 1,
      sameHost: try resources.bool("same_host") ?? true, memory: try bytes(resources, "memory") ?? 0)
  }

  /// The memory that it asks for is also the most that it gets.
  static func limits(_ reader: JSONReader) throws(JSONMemberError) -> AttemptLimits {
    guard let members = try reader.object("resources") else { return AttemptLimits() }
    let resources = try JSONReader(.object(members), path: "resources")
    return AttemptLimits(
      memory: try bytes(resources, "memory"), cpus: try count(resources, "cpus", atLeast: 1),
      output: try bytes(resources, "output"), openFiles: try count(resources, "open_files", atLeast: 16))
  }

  /// A number for whatever goes wrong, or an object by cause; `retry_pause` is in seconds.
  static func retries(_ reader: JSONReader) throws(JSONMemberError) -> RetryPolicy {
    var policy = RetryPolicy()
    if let pause = try reader.double("retry_pause") {
      guard pause >= 0, pause < 1e9 else {
        throw JSONMemberError(key: "retry_pause", message: "must be a number of seconds, not negative")
      }
      policy.pause = pause
    }
    guard let value = reader.value("retries") else { return policy }
    if case .object = value {
      let causes = try JSONReader(value, path: "retries")
      try causes.allowOnly(Fault.allCases.map(\.rawValue))
      for fault in Fault.allCases { policy.limits[fault] = try count(causes, fault.rawValue, atLeast: 0) }
    } else if let all = try count(reader, "retries", atLeast: 0) {
      for fault in Fault.allCases { policy.limits[fault] = all }
    }
    return policy
  }

  static func priority(_ reader: JSONReader) throws(JSONMemberError) -> Int? {
    guard let number = try reader.int("priority") else { return nil }
    guard (-countLimit...countLimit).contains(number) else {
      throw JSONMemberError(key: "priority", message: "must be -1,000,000 to 1,000,000")
    }
    return Int(number)
  }

  static func count(
    _ reader: JSONReader, _ key: String, atLeast least: Int64
  ) throws(JSONMemberError) -> Int? {
    guard let number = try reader.int(key) else { return nil }
    guard (least...countLimit).contains(number) else {
      throw JSONMemberError(key: reader.keyPath(key), message: "must be \(least) to 1,000,000")
    }
    return Int(number)
  }

  static func bytes(_ reader: JSONReader, _ key: String) throws(JSONMemberError) -> Int64? {
    guard let number = try reader.int(key) else { return nil }
    guard number > 0, number < 1 << 50 else {
      throw JSONMemberError(key: reader.keyPath(key), message: "must be a number of bytes, above 0")
    }
    return number
  }
}
