// How a program is told which devices are its own.

import MartletScheduling

enum DeviceEnvironment {
  /// Variables that the submitter's environment may hold, and that would be wrong in an attempt.
  static let foreign = ["MARTLET_DEVICES", "HIP_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL"]

  /// Variables for an attempt. Where the server has devices, one that holds none sees none.
  ///
  /// - Parameters:
  ///   - held: numbers of those that the attempt holds.
  ///   - all: those of the pool.
  static func variables(holding held: [Int], of all: [Device]) -> [String: String] {
    guard !all.isEmpty else { return [:] }
    var variables = ["MARTLET_DEVICES": held.map { String($0) }.joined(separator: ",")]
    func list(_ kinds: [Device.Kind]) -> String? {
      guard all.contains(where: { kinds.contains($0.kind) }) else { return nil }
      return held.compactMap { index in all.first { $0.index == index && kinds.contains($0.kind) } }
        .map { String($0.driverIndex) }.joined(separator: ",")
    }
    variables["CUDA_VISIBLE_DEVICES"] = list([.cuda, .declared])
    // Without it CUDA numbers devices by their speed, and drivers by their place.
    if all.contains(where: { $0.kind == .cuda }) { variables["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID" }
    variables["ROCR_VISIBLE_DEVICES"] = list([.rocm])
    return variables
  }
}
