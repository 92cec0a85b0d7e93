// What graphics processors are doing, whoever says so.

/// One GPU at one moment; what its driver does not tell is nil.
package struct GPUReading: Sendable, Hashable {
  /// As nvidia-smi numbers them; those of another driver come after.
  package var index: Int
  /// Percent.
  package var utilization: Double?
  /// Bytes.
  package var usedBytes: Double?
  package var allBytes: Double?
  /// °C.
  package var temperature: Double?
  /// Watts.
  package var power: Double?

  package init(
    index: Int, utilization: Double? = nil, usedBytes: Double? = nil, allBytes: Double? = nil,
    temperature: Double? = nil, power: Double? = nil
  ) {
    self.index = index
    self.utilization = utilization
    self.usedBytes = usedBytes
    self.allBytes = allBytes
    self.temperature = temperature
    self.power = power
  }

  /// Whether its driver told anything of it: of one that has fallen off its bus it does not.
  package var isTold: Bool { !values.isEmpty }

  var values: [SampledValue] {
    var share: Double?
    if let usedBytes, let allBytes, allBytes > 0 { share = 100 * usedBytes / allBytes }
    let all: [(String, Double?)] = [
      ("utilization", utilization), ("memory", usedBytes), ("memory_percent", share),
      ("temperature", temperature), ("power", power),
    ]
    return all.compactMap { name, value in value.map { SampledValue("gpu.\(index)/\(name)", $0) } }
  }
}

/// Who is asked about GPUs.
protocol GPUSource: AnyObject {
  /// For people: `NVML`, `nvidia-smi`, `amdgpu`.
  var name: String { get }
  var kind: FoundDevice.Kind { get }
  /// All GPUs; empty when they cannot be asked now. Blocks, where a driver hangs for ever.
  ///
  /// - Parameter now: seconds of a steady clock.
  func read(at now: Double) -> [GPUReading]
  /// What its GPUs are, by its own numbers; empty when they cannot be asked. Blocks as `read` does.
  func find() -> [FoundDevice]
}

enum GPUSources {
  /// Whoever can be asked on this machine: NVIDIA's library, else its program; and AMD's driver.
  ///
  /// - Parameter environment: `MARTLET_NVIDIA_SMI` names a program to ask instead of NVIDIA's library.
  static func all(environment: [String: String], sys: String = "/sys") -> [any GPUSource] {
    var sources: [any GPUSource] = []
    if let program = environment["MARTLET_NVIDIA_SMI"], !program.isEmpty {
      sources.append(NvidiaSMI(program: program, environment: environment))
    } else if let library = NVML() {
      sources.append(library)
    } else if let program = ChildProcess.locate("nvidia-smi", environment: environment) {
      sources.append(NvidiaSMI(program: program, environment: environment))
    }
    if let amd = AMDDriver(sys: sys) { sources.append(amd) }
    return sources
  }
}
