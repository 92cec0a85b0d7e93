// What people, other people's processes and the disk do.

import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections

extension Simulation {
  /// One thing that somebody does, and when the next one will be.
  mutating func people() throws {
    agenda.put(.people, at: now + seconds(0...(isCalm ? 20 : 4)))
    guard scheduler != nil else { return }
    if isCalm { return try calm() }
    if chance(1, of: 60) { diskIsFull = true } else if chance(1, of: 5) { diskIsFull = false }
    if chance(1, of: 90) { return try crash() }
    if chance(1, of: 6) { return try askForTrial() }
    switch Int.random(in: 0..<24, using: &numbers) {
    case 0..<7: try submitSweep()
    case 7..<9: try submitRun()
    case 9..<12: try readDevices()
    case 12..<15: try changeStanding()
    case 15..<18: try changeSweep()
    case 18..<23: try changeJob()
    default:
      if scheduler?.pool.waits(at: now).contains(where: \.reason.isEmpty) == true {
        audit.expect(false, "somebody waits without a reason")
      }
      if scheduler?.heldBack(at: now).contains(where: \.reason.isEmpty) == true {
        audit.expect(false, "somebody is held back without a reason")
      }
    }
  }

  /// Everything that somebody has to do so that all comes to its end.
  private mutating func calm() throws {
    diskIsFull = false
    try decide(.pool(.absent([:])))
    for device in scheduler?.pool.devices ?? [] where device.standing != .open {
      try decide(.pool(.uncordon(device: device.device.index)))
    }
    let idle = Dictionary(
      uniqueKeysWithValues: devices.map { ($0.index, DeviceReading(utilization: 0, used: 0)) })
    try decide(.pool(.readings(idle)))
    for (id, sweep) in scheduler?.sweeps ?? [:] where sweep.machine.state == .paused {
      try decide(.sweep(id, .resume))
    }
    for (id, sweep) in scheduler?.sweeps ?? [:] where sweep.machine.maxParallel == 0 {
      try decide(.sweep(id, .setMaxParallel(2)))
    }
  }

  private mutating func submitSweep() throws {
    guard let open = scheduler?.sweeps.count, open < 4 else { return }
    let setup = try SweepSetup.random(devices: devices, using: &numbers)
    let id = name()
    let machine = SweepMachine(
      search: try setup.search(), stopping: setup.stopping(), objectives: setup.objectives,
      targets: setup.target.map { [$0] } ?? [], limits: SweepLimits(trials: setup.budget),
      penalties: setup.penalties,
      maxParallel: setup.maxParallel, breaker: setup.breaker, prepares: setup.prepares,
      progress: setup.progress, laws: laws)
    let sweep = Scheduler.Sweep(machine: machine, plan: setup.plan, preparation: setup.preparation)
    try decide(.addSweep(id, sweep)) {
      $0.sweeps[id] = Ledger.SweepRecord(setup: setup)
    }
  }

  /// An agent asks, be it that it has a trial already, or that the sweep has ended.
  private mutating func askForTrial() throws {
    guard let id = ledger.sweeps.keys.randomElement(using: &numbers) else { return }
    let number = Int.random(in: 0..<6, using: &numbers)
    try decide(.lend(id, to: Agent(id: "agent\(number)", name: "agent \(number)", devices: number % 2)))
  }

  private mutating func submitRun() throws {
    let plan = try TrialPlan.random(devices: devices, using: &numbers)
    try decide(.submit(name(), plan))
  }

  private mutating func readDevices() throws {
    var readings: [Int: DeviceReading] = [:]
    for device in devices where chance(1, of: 2) {
      readings[device.index] = DeviceReading(
        utilization: chance(1, of: 3) ? 0.9 : 0,
        used: device.memory.map { chance(1, of: 3) ? $0 / 4 * 3 : 0 })
    }
    try decide(.pool(.readings(readings)))
    try decide(
      .headroom(
        Headroom(
          cpu: seconds(0...1), load: chance(1, of: 8) ? 3 : seconds(0...1),
          freeMemory: Int64(seconds(0...64)) << 30, memory: 64 << 30)))
  }

  private mutating func changeStanding() throws {
    guard let device = devices.randomElement(using: &numbers)?.index else { return }
    switch Int.random(in: 0..<8, using: &numbers) {
    case 0..<2: try decide(.pool(.cordon(device: device, reason: "repair")))
    case 2..<4: try decide(.pool(.drain(device: device, reason: "repair")))
    case 4..<6: try decide(.pool(.uncordon(device: device)))
    case 6: try decide(.pool(.absent(chance(1, of: 2) ? [device: "It is gone."] : [:])))
    default: try decide(.pool(.policy(randomPolicy(using: &numbers))))
    }
  }

  private mutating func changeSweep() throws {
    guard let id = scheduler?.sweeps.keys.randomElement(using: &numbers) else { return }
    switch Int.random(in: 0..<12, using: &numbers) {
    case 10:
      try decide(.changePlan(id, PlanChange(priority: Int.random(in: -1...1, using: &numbers))))
    case 11:
      let timeout: Double? = chance(1, of: 3) ? nil : seconds(10...500)
      try decide(.changePlan(id, PlanChange(timeout: .some(timeout))))
    case 0: try decide(.sweep(id, .stop(now: chance(1, of: 2), reason: "Stopped by the simulation.")))
    case 1..<4: try decide(.sweep(id, .pause(reason: "Paused by the simulation.")))
    case 4..<7: try decide(.sweep(id, .resume))
    case 7: try decide(.sweep(id, .setAutomatic))
    default: try decide(.sweep(id, .setMaxParallel(Int.random(in: 0...6, using: &numbers))))
    }
  }

  private mutating func changeJob() throws {
    guard let job = scheduler?.jobs.keys.randomElement(using: &numbers) else { return }
    switch Int.random(in: 0..<12, using: &numbers) {
    case 0: try decide(.stop(job))
    case 1..<4: try decide(.makeRoom(job, keepsPlace: chance(1, of: 2)))
    case 4..<6: try decide(.setPriority(job, Int.random(in: -1...1, using: &numbers)))
    case 6..<9: try decide(.moveToFront(job))
    default: try decide(.moveToBack(job))
    }
  }
}
