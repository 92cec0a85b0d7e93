// The options of `up` about devices, and about the line of those who wait for them.

import ArgumentParser
import MartletModel
import MartletOrchestration
import MartletScheduling
import OrderedCollections

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

  @OptionGroup var policy: PolicyOptions

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
    for (setting, value) in try policy.settings() { try options.policy.set(setting, to: value) }
    return options
  }

  /// The same options for a server that is started in the background.
  var arguments: [String] {
    ["--devices", devices] + (slots.map { ["--slots", String($0)] } ?? []) + policy.arguments
  }
}
