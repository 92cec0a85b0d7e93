// `martlet agent`: runs trials of a sweep here, in the server's place.

import ArgumentParser
import Foundation
import MartletExecution
import MartletModel
import MartletScheduling

struct AgentCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "agent",
    abstract: "Run trials of a sweep with this machine's devices, one on each GPU.",
    discussion: """
      Asks the server for one trial after the other and runs the sweep's command for
      each in the directory where the agent was started, until the sweep ends. Two
      agents never get the same trial; of an agent that is killed, another one goes on
      with what it had. Ctrl-C asks trials to stop and gives them back; again kills them.

      In a sweep with max_parallel: 0 the server runs nothing itself.

      Examples:
        martlet agent digits-grid
        martlet agent p81hq0zz --gpu 0,1 --count 10
        MARTLET_TOKEN=… martlet agent p81hq0zz --url https://martlet.example.org
      """)

  @Argument(help: "The sweep's id, or its name when it is unique.")
  var sweep: String

  @Option(name: .long, help: ArgumentHelp("End after so many trials.", valueName: "n"))
  var count: Int?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The GPUs to use, one trial on each: 0 or 0,2; none: one trial without any. (default: all visible)",
      valueName: "list"))
  var gpu: String?

  @Option(name: .long, help: ArgumentHelp("Where trials start. (default: here)", valueName: "dir"))
  var workdir: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Where runs have their folders. (default: the sweep's own results folder where it can be reached, else here)",
      valueName: "dir"))
  var output: String?

  @Option(
    name: .long, help: ArgumentHelp("What it is called. (default: the machine's name)", valueName: "name"))
  var name: String?

  @OptionGroup var connection: ConnectionOptions

  func validate() throws {
    if let count, count < 1 { throw ValidationError("--count must be at least 1, not \(count).") }
    if let gpu { _ = try Self.numbers(gpu) }
  }

  /// - Throws: `ValidationError`.
  private static func numbers(_ list: String) throws -> [Int] {
    if list == "none" { return [] }
    let numbers = list.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    let known = numbers.compactMap(\.self).filter { $0 >= 0 }
    guard known.count == numbers.count, Set(known).count == known.count else {
      throw ValidationError("--gpu must be numbers with commas between, or none, not '\(list)'.")
    }
    return known
  }

  func run() async throws {
    let client = try connection.client()
    let found = try await client.find(.sweep, sweep)
    if let state = found.sweepState, state.isEnd {
      throw Failure(.failed, "Sweep '\(found.id)' has ended already: it is \(state.rawValue).")
    }
    let shift = AgentShift(count: count)
    let place = try AgentPlace(workdir: workdir, output: output, client: client)
    defer { place.remove() }
    let groups = try await devices(each: devicesOfTrial(found))
    let base = name ?? place.host
    let server = AgentServer(client, shift: shift)
    let workers = groups.map { held in
      let numbers = held.map { String($0.index) }.joined(separator: ",")
      return AgentWorker(
        name: numbers.isEmpty ? base : "\(base) gpu \(numbers)", sweep: found.id, held: held, server: server,
        place: place, shift: shift)
    }
    let title = Terminal.plain(found["name"]?.string ?? "")
    try Terminal.say(
      "Agent '\(Terminal.plain(base))' of sweep '\(title)' (\(found.id)): \(Words.count(Int64(workers.count), "trial")) at a time."
    )
    let listening = shift.listen()
    defer { listening.cancel() }
    await withTaskGroup(of: Void.self) { group in
      for worker in workers { group.addTask { await worker.work() } }
    }
    if let failure = shift.failure { throw failure }
    if shift.isLeaving { throw ExitStatus.interrupted.code }
    if let end = shift.end { try Terminal.say(end) }
  }

  /// How many devices each trial needs, as its sweep's file says; 1 where it says nothing.
  private func devicesOfTrial(_ sweep: JSONValue) -> Int {
    guard let source = sweep["source"]?.string else { return 1 }
    return AgentPlan.devices(source: source, command: sweep["command"])
  }

  /// The devices of each worker: so many for each trial.
  private func devices(each count: Int) async throws -> [[Device]] {
    let environment = CallerEnvironment.current
    let found = try await blocking { () -> DiscoveredDevices? in
      DeviceDiscovery.discover(GPUs(environment: environment), environment: environment, at: 0)
    }
    for warning in found?.warnings ?? [] { Terminal.complain("martlet: \(warning)") }
    let chosen: [Device]
    if let gpu {
      chosen = try Self.numbers(gpu).map { number in
        guard let device = found?.all.first(where: { $0.index == number }) else {
          Terminal.complain(
            "martlet: no driver tells of GPU \(number); trials are told to use it all the same.")
          return Device(index: number)
        }
        return Device(device)
      }
    } else {
      chosen = (found?.chosen ?? []).map { Device($0) }
    }
    if chosen.isEmpty || count == 0 { return [[]] }
    guard chosen.count >= count else {
      throw Failure(
        .usage, "Each trial needs \(count) GPUs, and there are \(chosen.count) for this agent.",
        hint: "Name more with --gpu.")
    }
    return stride(from: 0, through: chosen.count - count, by: count).map {
      Array(chosen[$0..<($0 + count)])
    }
  }
}

extension Device {
  fileprivate init(_ found: FoundDevice) {
    let kind: Kind =
      switch found.kind {
      case .cuda: .cuda
      case .rocm: .rocm
      case .mps: .mps
      }
    self.init(
      index: found.index, kind: kind, name: found.name, memory: found.memory, driverIndex: found.driverIndex,
      uuid: found.uuid)
  }
}
