// NVIDIA's management library, where its driver has put it: opened when the program runs, not linked.

import Glibc

/// The calls of NVML (https://docs.nvidia.com/deploy/nvml-api) that say what a GPU is doing.
final class NVML: GPUSource {
  private typealias Call = @convention(c) () -> Int32
  private typealias Count = @convention(c) (UnsafeMutablePointer<UInt32>) -> Int32
  private typealias Device = OpaquePointer
  private typealias Handle = @convention(c) (UInt32, UnsafeMutablePointer<Device?>) -> Int32
  /// Two words: how long the GPU was busy, and its memory; percent.
  private typealias Utilization = @convention(c) (Device, UnsafeMutablePointer<UInt32>) -> Int32
  /// Three words: all, free and used bytes.
  private typealias Memory = @convention(c) (Device, UnsafeMutablePointer<UInt64>) -> Int32
  private typealias Temperature = @convention(c) (Device, UInt32, UnsafeMutablePointer<UInt32>) -> Int32
  private typealias Text = @convention(c) (Device, UnsafeMutablePointer<CChar>, UInt32) -> Int32
  private typealias Power = @convention(c) (Device, UnsafeMutablePointer<UInt32>) -> Int32

  /// Seconds without an answer of any GPU after which all begins anew, and again each time as many later.
  private static let patience = 60.0

  let name = "NVML"
  let kind = FoundDevice.Kind.cuda
  private let library: UnsafeMutableRawPointer
  private let begin: Call
  private let end: Call?
  private let counting: Count
  private let handle: Handle
  private let utilization: Utilization?
  private let memory: Memory?
  private let temperature: Temperature?
  private let power: Power?
  private let naming: Text?
  private let identity: Text?
  /// With their numbers: one that has fallen off its bus leaves a gap.
  private var devices: [(index: Int, device: Device)] = []
  private var isBegun = false
  /// Since when no GPU has answered.
  private var silentSince: Double?

  /// Nil: there is no such library, or no GPU that it knows.
  init?(library name: String = "libnvidia-ml.so.1") {
    guard let library = dlopen(name, RTLD_NOW | RTLD_LOCAL) else { return nil }
    func find<T>(_ name: String, as _: T.Type) -> T? {
      dlsym(library, name).map { unsafeBitCast($0, to: T.self) }
    }
    guard let begin = find("nvmlInit_v2", as: Call.self),
      let counting = find("nvmlDeviceGetCount_v2", as: Count.self),
      let handle = find("nvmlDeviceGetHandleByIndex_v2", as: Handle.self)
    else {
      dlclose(library)
      return nil
    }
    (self.library, self.begin, self.counting, self.handle) = (library, begin, counting, handle)
    end = find("nvmlShutdown", as: Call.self)
    utilization = find("nvmlDeviceGetUtilizationRates", as: Utilization.self)
    memory = find("nvmlDeviceGetMemoryInfo", as: Memory.self)
    temperature = find("nvmlDeviceGetTemperature", as: Temperature.self)
    power = find("nvmlDeviceGetPowerUsage", as: Power.self)
    naming = find("nvmlDeviceGetName", as: Text.self)
    identity = find("nvmlDeviceGetUUID", as: Text.self)
    start()
    guard devices.isEmpty else { return }
    stop()
    dlclose(library)
    return nil
  }

  deinit {
    stop()
    dlclose(library)
  }

  private func start() {
    isBegun = begin() == 0
    var count: UInt32 = 0
    guard isBegun, counting(&count) == 0 else { return }
    for index in 0..<count {
      var device: Device?
      if handle(index, &device) == 0, let device { devices.append((Int(index), device)) }
    }
  }

  /// Gives back what the library holds: it must not be closed with the driver's files open.
  private func stop() {
    devices = []
    if isBegun { _ = end?() }
    isBegun = false
  }

  /// A driver that was reset or loaded anew knows nothing of the devices from before: after a while all begins again.
  func read(at now: Double) -> [GPUReading] {
    let readings = devices.map(reading)
    guard readings.allSatisfy(\.values.isEmpty) else {
      silentSince = nil
      return readings
    }
    let since = silentSince ?? now
    silentSince = since
    guard now - since >= Self.patience else { return [] }
    silentSince = now
    stop()
    start()
    return devices.map(reading)
  }

  func find() -> [FoundDevice] {
    devices.map { index, device in
      func text(_ call: Text?) -> String {
        // Longer than NVML_DEVICE_NAME_V2_BUFFER_SIZE and NVML_DEVICE_UUID_V2_BUFFER_SIZE, 96 each.
        var buffer = [CChar](repeating: 0, count: 128)
        guard let call, call(device, &buffer, UInt32(buffer.count)) == 0 else { return "" }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      }
      var bytes: [UInt64] = [0, 0, 0]
      let isTold = memory?(device, &bytes) == 0
      return FoundDevice(
        kind: .cuda, driverIndex: index, name: text(naming), uuid: text(identity),
        memory: isTold ? Int64(exactly: bytes[0]) : nil)
    }
  }

  private func reading(of index: Int, _ device: Device) -> GPUReading {
    var reading = GPUReading(index: index)
    var rates: [UInt32] = [0, 0]
    if utilization?(device, &rates) == 0 { reading.utilization = Double(rates[0]) }
    var bytes: [UInt64] = [0, 0, 0]
    if memory?(device, &bytes) == 0 {
      (reading.allBytes, reading.usedBytes) = (Double(bytes[0]), Double(bytes[2]))
    }
    var number: UInt32 = 0
    // 0: the GPU itself, the only sensor that all have.
    if temperature?(device, 0, &number) == 0 { reading.temperature = Double(number) }
    // In milliwatts.
    if power?(device, &number) == 0 { reading.power = Double(number) / 1_000 }
    return reading
  }
}
