// Devices as drivers tell of them, and as the environment limits them.

import Foundation
import MartletTestSupport
import Testing

@testable import MartletExecution

@Suite struct DeviceDiscoveryTests {
  private static let answer = """
    0, NVIDIA H100 80GB HBM3, GPU-5a4b0001-aaaa, 81559
    1, NVIDIA H100 80GB HBM3, GPU-5a4b0002-bbbb, [N/A]
    3, Tesla T4, GPU-77, 15360
    No devices were found
    x, y, z, 1

    """

  @Test func whatNvidiaSMITellsOfDevices() {
    let devices = NvidiaSMI.devices(Self.answer)
    #expect(
      devices == [
        FoundDevice(
          kind: .cuda, driverIndex: 0, name: "NVIDIA H100 80GB HBM3", uuid: "GPU-5a4b0001-aaaa",
          memory: 81_559 << 20),
        FoundDevice(kind: .cuda, driverIndex: 1, name: "NVIDIA H100 80GB HBM3", uuid: "GPU-5a4b0002-bbbb"),
        FoundDevice(kind: .cuda, driverIndex: 3, name: "Tesla T4", uuid: "GPU-77", memory: 15_360 << 20),
      ])
  }

  @Test func visibleDevicesLimitWhatIsShared() {
    let all = NvidiaSMI.devices(Self.answer)
    func chosen(_ list: String?) -> ([Int], warnings: Int) {
      let environment = list.map { ["CUDA_VISIBLE_DEVICES": $0] } ?? [:]
      let found = DeviceDiscovery.limit(all, environment: environment)
      #expect(found.all == all)
      return (found.chosen.map(\.index), found.warnings.count)
    }
    #expect(chosen(nil) == ([0, 1, 3], 0))
    #expect(chosen("") == ([], 0))
    #expect(chosen("-1") == ([], 0))
    #expect(chosen("3, 0") == ([0, 3], 0))
    #expect(chosen("GPU-77,GPU-5a4b0002") == ([1, 3], 0))
    // Two begin so: nobody can tell which is meant.
    #expect(chosen("GPU-5a4b") == ([], 1))
    // What is unknown ends the list, as for programs.
    #expect(chosen("0,2,1") == ([0], 1))
    #expect(chosen("1,-1,0") == ([1], 0))
    // Where there is no such device, the variable is nobody's.
    #expect(
      DeviceDiscovery.limit([], environment: ["CUDA_VISIBLE_DEVICES": "7"])
        == DiscoveredDevices(all: [], chosen: []))
  }

  @Test func anAppleMachineHasOneDevice() {
    #expect(
      DeviceDiscovery.appleDevice(system: "Darwin", machine: "arm64", memory: 16)
        == FoundDevice(kind: .mps, driverIndex: 0, name: "Apple GPU", memory: 16))
    #expect(DeviceDiscovery.appleDevice(system: "Linux", machine: "arm64", memory: 16) == nil)
    #expect(DeviceDiscovery.appleDevice(system: "Darwin", machine: "x86_64", memory: 16) == nil)
  }

  @Test func devicesOfTwoMakersHaveNumbersOfTheirOwn() async throws {
    try await withScratch { folder in
      let smi = "\(folder)/nvidia-smi"
      try makeProgram(
        at: smi,
        script: """
          #!/bin/sh
          case "$1" in
            *name*) printf '0, Tesla T4, GPU-1, 15360\\n1, Tesla T4, GPU-2, 15360\\n' ;;
            *) printf '0, 10, 100, 15360, 40, 20\\n1, 20, 200, 15360, 41, 21\\n' ;;
          esac

          """)
      let device = "\(folder)/sys/class/drm/card0/device"
      try FileManager.default.createDirectory(atPath: device, withIntermediateDirectories: true)
      for (name, text) in [
        ("gpu_busy_percent", "30\n"), ("mem_info_vram_used", "1000\n"), ("mem_info_vram_total", "4000\n"),
        ("product_name", "Instinct MI300X\n"), ("unique_id", "abc\n"),
      ] { try write(text, to: "\(device)/\(name)") }
      let gpus = GPUs(environment: ["MARTLET_NVIDIA_SMI": smi], sys: "\(folder)/sys")
      let found = try #require(
        DeviceDiscovery.discover(gpus, environment: ["CUDA_VISIBLE_DEVICES": "1"], at: 0))
      let card = FoundDevice(
        kind: .rocm, index: 2, driverIndex: 0, name: "Instinct MI300X", uuid: "GPU-abc", memory: 4_000)
      #expect(found.all.map(\.index) == [0, 1, 2])
      #expect(found.chosen.map(\.index) == [1, 2])
      #expect(found.all.last == card)
      #expect(gpus.readings(at: 1)?.map(\.index) == [0, 1, 2])
      #expect(gpus.readings(at: 1)?.last?.utilization == 30)

      // A driver that fails is said; where there is none, there is nothing to say.
      try makeProgram(at: smi, script: "#!/bin/sh\nexit 9\n")
      let failing = GPUs(environment: ["MARTLET_NVIDIA_SMI": smi], sys: folder)
      #expect(
        DeviceDiscovery.discover(failing, environment: [:], at: 0)
          == DiscoveredDevices(all: [], chosen: [], warnings: ["nvidia-smi could not tell of any device."]))
    }
  }
}
