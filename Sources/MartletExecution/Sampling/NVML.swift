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
  private typealias Power = @convention(c) (Device, UnsafeMutablePointer<UInt32>) -> Int32

  let name = "NVML"
  private let library: UnsafeMutableRawPointer
  /// With their numbers: one that has fallen off its bus leaves a gap.
  private var devices: [(index: Int, device: Device)] = []
  private let utilization: Utilization?
  private let memory: Memory?
  private let temperature: Temperature?
  private let power: Power?

  /// Nil: there is no such library, or no GPU that it knows.
  init?(library name: String = "libnvidia-ml.so.1") {
    guard let library = dlopen(name, RTLD_NOW | RTLD_LOCAL) else { return nil }
    self.library = library
    func find<T>(_ name: String, as _: T.Type) -> T? {
      dlsym(library, name).map { unsafeBitCast($0, to: T.self) }
    }
    utilization = find("nvmlDeviceGetUtilizationRates", as: Utilization.self)
    memory = find("nvmlDeviceGetMemoryInfo", as: Memory.self)
    temperature = find("nvmlDeviceGetTemperature", as: Temperature.self)
    power = find("nvmlDeviceGetPowerUsage", as: Power.self)
    var count: UInt32 = 0
    guard let begin = find("nvmlInit_v2", as: Call.self), begin() == 0,
      let counting = find("nvmlDeviceGetCount_v2", as: Count.self), counting(&count) == 0,
      let handle = find("nvmlDeviceGetHandleByIndex_v2", as: Handle.self)
    else {
      dlclose(library)
      return nil
    }
    for index in 0..<count {
      var device: Device?
      if handle(index, &device) == 0, let device { devices.append((Int(index), device)) }
    }
    guard !devices.isEmpty else {
      dlclose(library)
      return nil
    }
  }

  func read() -> [GPUReading] {
    devices.map { index, device in
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
}
