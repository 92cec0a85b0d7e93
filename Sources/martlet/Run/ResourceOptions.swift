// What a command needs: options of `martlet run -- CMD` and of `martlet probe`.

import ArgumentParser
import MartletModel
import OrderedCollections

struct ResourceOptions: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("Devices (GPUs) that it needs.", valueName: "n"))
  var gpus: Int?

  @Option(name: .long, help: ArgumentHelp("Memory that each must have free: 20GB.", valueName: "size"))
  var gpuMemory: String?

  @Option(name: .long, help: ArgumentHelp("Slots of each, where devices are shared.", valueName: "n"))
  var gpuSlots: Int?

  @Flag(name: .long, help: "Its devices may be in several machines.")
  var anyHost = false

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Memory of the machine that it asks for, and the most that it gets: 8GB.", valueName: "size")
  )
  var memory: String?

  @Option(name: .long, help: ArgumentHelp("Processors that it may keep busy.", valueName: "n"))
  var cpus: Int?

  @Option(name: .long, help: ArgumentHelp("Most output, both streams together: 100MB.", valueName: "size"))
  var outputLimit: String?

  @Option(name: .long, help: ArgumentHelp("Most open files of each process, from 16 on.", valueName: "n"))
  var openFiles: Int?

  @Option(
    // It may be below zero.
    name: .long, parsing: .unconditional,
    help: ArgumentHelp("Its place in the line: higher goes first. (default: 0)", valueName: "n"))
  var priority: Int?

  func validate() throws { _ = try members() }

  /// The members of POST /executions that these options stand for.
  func members() throws -> JSONObject {
    var resources: JSONObject = [:]
    for (key, option, count, least) in [
      ("gpus", "--gpus", gpus, 0), ("gpu_slots", "--gpu-slots", gpuSlots, 1),
      ("cpus", "--cpus", cpus, 1), ("open_files", "--open-files", openFiles, 16),
    ] {
      guard let count else { continue }
      guard count >= least else { throw ValidationError("\(option) must be \(least) or more, not \(count).") }
      resources[key] = .int(Int64(count))
    }
    for (key, option, text) in [
      ("gpu_memory", "--gpu-memory", gpuMemory), ("memory", "--memory", memory),
      ("output", "--output-limit", outputLimit),
    ] {
      if let text { resources[key] = .int(try Words.size(text, of: option)) }
    }
    if gpus ?? 0 == 0, let option = gpuMemory != nil ? "--gpu-memory" : gpuSlots != nil ? "--gpu-slots" : nil
    {
      throw ValidationError("\(option) is of devices: say how many with --gpus.")
    }
    if anyHost { resources["same_host"] = false }
    var members: JSONObject = resources.isEmpty ? [:] : ["resources": .object(resources)]
    if let priority { members["priority"] = .int(Int64(priority)) }
    return members
  }
}
