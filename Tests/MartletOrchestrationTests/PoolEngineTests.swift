// Devices of an engine: what is ordered of them is kept, other people's work is respected, and one that is gone for a
// moment ends nobody.

import Foundation
import MartletExecution
import MartletModel
import MartletScheduling
import MartletStore
import MartletTestSupport
import MartletTracking
import OrderedCollections
import Testing

@testable import MartletOrchestration

@Suite("pool of an engine", .serialized)
struct PoolEngineTests {
  private func order(
    _ shop: Workshop, _ body: @escaping @Sendable (Conductor, Principal) async throws -> Void
  )
    async throws
  {
    let (conductor, me) = (try shop.engine.conductor, try shop.engine.localPrincipal)
    try await conductor.queue.run { try await body(conductor, me) }
  }

  private func pool(_ shop: Workshop) async throws -> DevicePool {
    try await shop.engine.conductor.core.scheduler.pool
  }

  private func said(_ shop: Workshop, _ run: Run) async throws -> String {
    let ended = try await shop.runEnded(run.id)
    #expect(ended.state == .finished, "\(String(describing: ended.exit))")
    return try shop.text("said-\(run.name)")
  }

  private static let say = [
    "/bin/sh", "-c",
    "echo \"$CUDA_VISIBLE_DEVICES $MARTLET_DEVICES ${CUDA_DEVICE_ORDER-none}\" > said-$MARTLET_RUN_NAME",
  ]

  @Test func `orders outlive the server`() async throws {
    try await Workshop.with(devices: 2) { shop in
      try await order(shop) { conductor, me in
        try await conductor.cordon(device: 0, reason: "It is hot.", by: me)
        try await conductor.drain(device: 1, reason: "Repair.", by: me)
        try await conductor.uncordon(device: 1, by: me)
        var policy = PoolPolicy()
        (policy.cpuSlots, policy.backfill) = (1, 4)
        try await conductor.setPolicy(policy, by: me)
      }
      await #expect(throws: Problem.self) {
        try await order(shop) { conductor, me in try await conductor.uncordon(device: 2, by: me) }
      }
      await shop.close()
      try await shop.open(devices: 2)
      try await shop.engine.start()
      #expect(
        try await pool(shop).devices.map(\.standing) == [.cordoned(reason: "It is hot."), .open])
      #expect(try await pool(shop).policy.cpuSlots == 1)
      #expect(try await pool(shop).policy.backfill == 4)
      let run = try await shop.execute(Self.say, more: ["gpus": 1])
      #expect(try await said(shop, run) == "1 1 none\n")
      let kept = try await shop.engine.store.read { try $0.poolSettings() }
      #expect(kept.map(\.name) == ["backfill", "cpu_slots"])

      // Whoever starts a server with another setting has the last word; the other one stays.
      await shop.close()
      var options = PoolOptions(devices: .count(2))
      options.policy.cpuSlots = 3
      try await shop.open(pool: options)
      try await shop.engine.start()
      #expect(try await pool(shop).policy.cpuSlots == 3)
      #expect(try await pool(shop).policy.backfill == 4)
      let declared = options.policy
      try await order(shop) { conductor, me in
        try await conductor.uncordon(device: 0, by: me)
        try await conductor.setPolicy(declared, by: me)
      }
      let left = try await shop.engine.store.read { reader in
        (try reader.poolSettings(), try reader.standings(host: hostName()))
      }
      #expect(left.0.isEmpty && left.1.isEmpty)
    }
  }

  /// A stand-in for nvidia-smi: it tells what the files `found` and `readings` say.
  private func drivers(_ shop: Workshop) throws -> [String: String] {
    let path = "\(shop.work)/nvidia-smi"
    try makeProgram(
      at: path,
      script: """
        #!/bin/sh
        case "$1" in
          *name*) cat '\(shop.work)/found' ;;
          *) cat '\(shop.work)/readings' ;;
        esac

        """)
    return ["MARTLET_NVIDIA_SMI": path, "PATH": "/usr/bin:/bin"]
  }

  /// Whole at once: it may be read at any moment.
  private func tell(_ shop: Workshop, _ name: String, _ lines: [String]) throws {
    try shop.write("\(name).new", lines.map { $0 + "\n" }.joined())
    #expect(rename("\(shop.work)/\(name).new", "\(shop.work)/\(name)") == 0)
  }

  private static let found = ["0, Tesla T4, GPU-1, 15360", "1, Tesla T4, GPU-2, 15360"]

  @Test func `other people's processes are respected before the first grant and while somebody waits`()
    async throws
  {
    try await Workshop.with { shop in
      await shop.close()
      let environment = try drivers(shop)
      try tell(shop, "found", Self.found)
      try tell(shop, "readings", ["0, 93, 100, 15360, 71, 65.5", "1, 0, 100, 15360, 40, 20"])
      try await shop.open(pool: PoolOptions(), environment: environment)
      try await shop.engine.start()
      let devices = try await pool(shop).devices.map(\.device)
      #expect(devices.map(\.name) == ["Tesla T4", "Tesla T4"])
      #expect(devices.map(\.uuid) == ["GPU-1", "GPU-2"])
      #expect(devices.allSatisfy { $0.memory == 15_360 << 20 && $0.kind == .cuda })
      let one = try await shop.execute(Self.say, more: ["gpus": 1])
      #expect(try await said(shop, one) == "1 1 PCI_BUS_ID\n")
      let none = try await shop.execute(Self.say)
      #expect(try await said(shop, none) == "  PCI_BUS_ID\n")
      let readings = try await shop.engine.poolReadings()
      #expect(
        readings[0]?.utilization == 0.93 && readings[0]?.temperature == 71 && readings[0]?.power == 65.5)

      let two = try await shop.execute(Self.say, more: ["gpus": 2])
      let reason = try await pool(shop).waits(at: 0).first?.reason ?? ""
      #expect(reason.contains("1 is used by processes that are not ours"), "\(reason)")
      #expect(try await shop.run(two.id).state == .queued)
      try tell(shop, "readings", ["0, 3, 100, 15360, 60, 30", "1, 0, 100, 15360, 40, 20"])
      #expect(try await said(shop, two) == "0,1 0,1 PCI_BUS_ID\n")
    }
  }

  @Test func `a device that is gone for a moment, or at a restart, ends nobody`() async throws {
    try await Workshop.with { shop in
      await shop.close()
      let environment = try drivers(shop)
      let idle = ["0, 0, 100, 15360, 40, 20", "1, 0, 100, 15360, 40, 20"]
      try tell(shop, "found", Self.found)
      try tell(shop, "readings", [idle[0]])
      try await shop.open(pool: PoolOptions(), environment: environment)
      try await shop.engine.start()
      let run = try await shop.execute(Self.say, more: ["gpus": 2])
      #expect(
        try await pool(shop).devices.map(\.absence) == [nil, "Its driver does not tell of it any more."])
      #expect(try await pool(shop).waits(at: 0).first?.reason.contains("1 is out of service") == true)

      await shop.close()
      try tell(shop, "found", [Self.found[0]])
      try await shop.open(pool: PoolOptions(), environment: environment)
      try await shop.engine.start()
      #expect(try await pool(shop).devices.map(\.device.uuid) == ["GPU-1", "GPU-2"])
      #expect(try await pool(shop).devices[1].absence != nil)
      #expect(try await shop.run(run.id).state == .queued)
      try tell(shop, "readings", idle)
      #expect(try await said(shop, run) == "0,1 0,1 PCI_BUS_ID\n")

      // With nobody to wait for it, it is forgotten.
      await shop.close()
      try await shop.open(pool: PoolOptions(), environment: environment)
      #expect(try await pool(shop).devices.map(\.device.uuid) == ["GPU-1"])
    }
  }

  @Test func `what people ask first is answered`() async throws {
    try await Workshop.with { shop in
      await shop.close()
      let environment = try drivers(shop)
      try tell(shop, "found", Self.found)
      let idle = "1, 0, 100, 15360, 40, 20"
      try tell(shop, "readings", ["0, 93, 100, 15360, 71, 65.5", idle])
      try await shop.open(pool: PoolOptions(), environment: environment)
      try await shop.engine.start()
      func findings() async throws -> [String: EngineCheck] {
        let all = try await shop.engine.findings()
        return Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
      }
      var found = try await findings()
      #expect(found["device pool"]?.level == .warning)
      #expect(found["device pool"]?.message.contains("not Martlet's, 93 % busy") == true, "\(found)")
      for name in ["parallel runs", "idle devices", "leaks", "database lock"] {
        #expect(found[name]?.level == .ok, "\(found)")
      }

      // A run that holds a device and does nothing with it.
      let run = try await shop.execute(
        ["/bin/sh", "-c", "while [ ! -e go ]; do sleep 0.05; done"], more: ["gpus": 1])
      #expect(try await eventually { try await shop.run(run.id).state == .running })
      var diagnosis = Diagnosis(core: try await shop.engine.conductor.core, now: SystemClock().now.seconds)
      diagnosis.readings = try await shop.engine.poolReadings()
      #expect(diagnosis.idleDevices.level == .ok)
      diagnosis.now += 600
      #expect(diagnosis.idleDevices.level == .warning)
      #expect(
        diagnosis.idleDevices.message.contains("Device 1 is held by \(run.name)"), "\(diagnosis.idleDevices)")
      // Its own process is no leftover; that of an attempt that there is not is one.
      let path = shop.data
      let own = try await eventually {
        try await blocking { Leftovers.processes(data: path) }.contains { $0.run == run.id.rawValue }
      }
      #expect(own)
      let processes = try await blocking { Leftovers.processes(data: path) }
      #expect(diagnosis.leaks(processes).level == .ok, "\(diagnosis.leaks(processes))")
      var other = try #require(processes.first)
      other.attempt = 2
      #expect(diagnosis.leaks([other]).level == .warning)
      #expect(diagnosis.leaks([other]).hint?.contains("\(other.pid)") == true)
      (diagnosis.load, diagnosis.cores) = (9, 2)
      #expect(diagnosis.parallelism.level == .ok)

      // A sweep that cannot be parallel, and a device that is gone.
      _ = try await shop.submit(
        """
        method: grid
        command: ["true"]
        max_parallel: 2
        resources: {gpus: 2}
        parameters: {x: {values: [1, 2]}}

        """)
      found = try await findings()
      #expect(found["parallel runs"]?.level == .warning)
      #expect(found["parallel runs"]?.message.contains("needs 2 of 2 devices") == true, "\(found)")
      try tell(shop, "readings", [idle])
      #expect(
        try await eventually {
          try await findings()["device pool"]?.message.hasPrefix("Device 0 is given to nobody") == true
        })
      try shop.write("go", "")
      #expect(try await shop.runEnded(run.id).state == .finished)
    }
  }

  @Test func `each kind of device has its own variables`() {
    let cuda = [2, 5].map { Device(index: $0, kind: .cuda) }
    let rocm = Device(index: 6, kind: .rocm, driverIndex: 0)
    #expect(DeviceEnvironment.variables(holding: [], of: []) == [:])
    #expect(
      DeviceEnvironment.variables(holding: [5], of: cuda + [rocm]) == [
        "MARTLET_DEVICES": "5", "CUDA_VISIBLE_DEVICES": "5", "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        "ROCR_VISIBLE_DEVICES": "",
      ])
    #expect(
      DeviceEnvironment.variables(holding: [6], of: [rocm])
        == ["MARTLET_DEVICES": "6", "ROCR_VISIBLE_DEVICES": "0"])
    #expect(
      DeviceEnvironment.variables(holding: [0], of: [Device(index: 0, kind: .mps)]) == [
        "MARTLET_DEVICES": "0"
      ])
    #expect(
      DeviceEnvironment.variables(holding: [1], of: [Device(index: 0), Device(index: 1)])
        == ["MARTLET_DEVICES": "1", "CUDA_VISIBLE_DEVICES": "1"])
  }
}
