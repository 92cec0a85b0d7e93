// The options of `up` about devices, and about the line of those who wait for them.

import ArgumentParser
import Foundation
import MartletModel
import MartletOrchestration
import MartletScheduling

struct PoolFlags: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "GPUs that runs share out: auto (those that drivers tell of), none, a number, or count x memory / slots like 8x24GB/3, or a list of those.",
      valueName: "list"))
  var devices = "auto"

  @Option(
    name: .long,
    help: ArgumentHelp("Slots of each device: so many runs may share one. (default: 1)", valueName: "n"))
  var slots: Int?

  @Option(
    name: .long, help: ArgumentHelp("Runs without devices at a time. (default: no limit)", valueName: "n"))
  var cpuSlots: Int?

  @Option(
    name: .long,
    help: ArgumentHelp("Memory that all runs together may ask for. (default: no limit)", valueName: "size"))
  var memoryLimit: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Device memory that all runs together may ask for. (default: no limit)", valueName: "size"))
  var gpuMemoryLimit: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "A run may pass one that came at most n before it. (default: 0, nobody passes)", valueName: "n"))
  var backfill: Int?

  @Flag(name: .long, help: "Start those who need the same together with the first of them.")
  var groupEqualNeeds = false

  @Option(
    name: .long,
    help: ArgumentHelp(
      "In a set of devices the least free memory is this part of the most; 0: any set. (default: 0.8)",
      valueName: "part"))
  var balance: Double?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "What free memory and idleness count when devices are chosen. (default: 0.6,0.4)", valueName: "m,i"))
  var gpuWeights: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "A device that is busier, and not by our runs, is left alone. (default: 50%)", valueName: "part"))
  var foreignUtilization: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "A device that has less free, and not by our runs, is left alone. (default: 8000MiB)", valueName: "size"
    ))
  var foreignFreeMemory: String?

  /// - Throws: `ValidationError`.
  func options() throws -> PoolOptions {
    var options = PoolOptions()
    do {
      options.devices = try DeviceChoice(parsing: devices)
    } catch {
      throw ValidationError("--devices: \(error.message)\n\(error.hint ?? "")")
    }
    if let slots {
      guard (1...1_000).contains(slots) else {
        throw ValidationError("--slots must be 1 to 1000, not \(slots).")
      }
      options.slots = slots
    }
    func set(_ setting: PoolSetting, _ flag: String, _ value: JSONValue?) throws {
      guard let value else { return }
      do {
        try options.policy.set(setting, to: value)
      } catch {
        throw ValidationError("\(flag) \(error.message).")
      }
    }
    try set(.cpuSlots, "--cpu-slots", cpuSlots.map { .int(Int64($0)) })
    try set(.memory, "--memory-limit", memoryLimit.map(JSONValue.string))
    try set(.deviceMemory, "--gpu-memory-limit", gpuMemoryLimit.map(JSONValue.string))
    try set(.backfill, "--backfill", backfill.map { .int(Int64($0)) })
    if groupEqualNeeds { options.policy.groupsEqualNeeds = true }
    try set(.balance, "--balance", balance.map(JSONValue.double))
    if let gpuWeights {
      let words = gpuWeights.split(separator: ",", omittingEmptySubsequences: false)
      let weights = words.compactMap { Double($0.trimmingCharacters(in: .whitespaces)) }
      guard words.count == 2, weights.count == 2, weights[0] + weights[1] > 0 else {
        throw ValidationError(
          "--gpu-weights must be two numbers like 0.6,0.4, for free memory and idleness, not '\(gpuWeights)'."
        )
      }
      try set(.memoryWeight, "--gpu-weights", .double(weights[0]))
      try set(.idleWeight, "--gpu-weights", .double(weights[1]))
    }
    if let foreignUtilization {
      guard let part = Self.part(foreignUtilization) else {
        throw ValidationError(
          "--foreign-utilization must be a part like 50% or 0.5, not '\(foreignUtilization)'.")
      }
      try set(.foreignUtilization, "--foreign-utilization", .double(part))
    }
    try set(
      .foreignFreeMemory, "--foreign-free-memory", foreignFreeMemory.map { $0 == "0" ? .int(0) : .string($0) }
    )
    return options
  }

  /// `50%` or `0.5`.
  private static func part(_ text: String) -> Double? {
    let part = text.hasSuffix("%") ? Double(text.dropLast()).map { $0 / 100 } : Double(text)
    return part.flatMap { (0...1).contains($0) ? $0 : nil }
  }

  /// The same options for a server that is started in the background.
  var arguments: [String] {
    var words = ["--devices", devices]
    func add(_ flag: String, _ value: String?) { if let value { words += [flag, value] } }
    add("--slots", slots.map { String($0) })
    add("--cpu-slots", cpuSlots.map { String($0) })
    add("--memory-limit", memoryLimit)
    add("--gpu-memory-limit", gpuMemoryLimit)
    add("--backfill", backfill.map { String($0) })
    if groupEqualNeeds { words.append("--group-equal-needs") }
    add("--balance", balance.map { String($0) })
    add("--gpu-weights", gpuWeights)
    add("--foreign-utilization", foreignUtilization)
    add("--foreign-free-memory", foreignFreeMemory)
    return words
  }
}
