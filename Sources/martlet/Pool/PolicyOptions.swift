// How a pool chooses, and what all may have together: options of `up`, and of `pool policy` while a server runs.

import ArgumentParser
import Foundation
import MartletModel
import MartletScheduling
import OrderedCollections

struct PolicyOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp("Runs without devices at a time; none: no limit, as at first.", valueName: "n"))
  var cpuSlots: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Memory that all runs together may ask for; none: no limit, as at first.", valueName: "size"))
  var memoryLimit: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Device memory that all runs together may ask for; none: no limit, as at first.", valueName: "size"))
  var gpuMemoryLimit: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "A run may pass one that came at most n before it; 0: nobody passes, as at first.", valueName: "n"))
  var backfill: Int?

  @Flag(
    name: .long, inversion: .prefixedNo, exclusivity: .chooseLast,
    help: "Start those who need the same together with the first of them; at first not.")
  var groupEqualNeeds: Bool?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "In a set of devices the least free memory is this part of the most; 0: any set. At first 0.8.",
      valueName: "part"))
  var balance: Double?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "What free memory and idleness count when devices are chosen; at first 0.6,0.4.", valueName: "m,i"))
  var gpuWeights: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "A device that is busier, and not by our runs, is left alone; at first 50%.", valueName: "part"))
  var foreignUtilization: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "A device that has less free, and not by our runs, is left alone; at first 8000MiB.", valueName: "size"
    ))
  var foreignFreeMemory: String?

  func validate() throws { _ = try settings() }

  /// The settings that were named, as requests carry them.
  ///
  /// - Throws: `ValidationError`.
  func settings() throws -> OrderedDictionary<PoolSetting, JSONValue> {
    var settings: OrderedDictionary<PoolSetting, JSONValue> = [:]
    var policy = PoolPolicy()
    func set(_ setting: PoolSetting, _ flag: String, _ value: JSONValue?) throws {
      guard let value else { return }
      do {
        try policy.set(setting, to: value)
      } catch {
        throw ValidationError("\(flag) \(error.message).")
      }
      settings[setting] = policy[setting]
    }
    if let cpuSlots {
      guard cpuSlots == "none" || Int64(cpuSlots) != nil else {
        throw ValidationError("--cpu-slots must be a whole number or none, not '\(cpuSlots)'.")
      }
      try set(.cpuSlots, "--cpu-slots", JSONValue(Int64(cpuSlots)))
    }
    func limit(_ text: String?) -> JSONValue? { text.map { $0 == "none" ? .null : .string($0) } }
    try set(.memory, "--memory-limit", limit(memoryLimit))
    try set(.deviceMemory, "--gpu-memory-limit", limit(gpuMemoryLimit))
    try set(.backfill, "--backfill", backfill.map { .int(Int64($0)) })
    try set(.groupsEqualNeeds, "--group-equal-needs", groupEqualNeeds.map(JSONValue.bool))
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
    return settings
  }

  /// `50%` or `0.5`.
  private static func part(_ text: String) -> Double? {
    let part = text.hasSuffix("%") ? Double(text.dropLast()).map { $0 / 100 } : Double(text)
    return part.flatMap { (0...1).contains($0) ? $0 : nil }
  }

  /// The same options for a server that is started in the background.
  var arguments: [String] {
    var words: [String] = []
    func add(_ flag: String, _ value: String?) { if let value { words += [flag, value] } }
    add("--cpu-slots", cpuSlots)
    add("--memory-limit", memoryLimit)
    add("--gpu-memory-limit", gpuMemoryLimit)
    add("--backfill", backfill.map { String($0) })
    if let groupEqualNeeds {
      words.append(groupEqualNeeds ? "--group-equal-needs" : "--no-group-equal-needs")
    }
    add("--balance", balance.map { String($0) })
    add("--gpu-weights", gpuWeights)
    add("--foreign-utilization", foreignUtilization)
    add("--foreign-free-memory", foreignFreeMemory)
    return words
  }
}
