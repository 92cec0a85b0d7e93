// Which devices there are on this machine, and which of them the environment leaves to this process.

import Foundation
import Glibc

/// Asks drivers, and keeps to what `CUDA_VISIBLE_DEVICES` and `ROCR_VISIBLE_DEVICES` of this process allow.
package enum DeviceDiscovery {
  /// Blocks, for some seconds at most; nil: a driver does not answer.
  ///
  /// - Parameter now: seconds of a steady clock.
  package static func discover(
    _ gpus: GPUs, environment: [String: String], at now: Double
  ) -> DiscoveredDevices? {
    var names = utsname()
    uname(&names)
    func string<T>(_ characters: T) -> String {
      withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
    if let device = appleDevice(
      system: string(names.sysname), machine: string(names.machine),
      memory: Int64(clamping: ProcessInfo.processInfo.physicalMemory))
    {
      return DiscoveredDevices(all: [device], chosen: [device])
    }
    guard let all = gpus.devices(at: now) else { return nil }
    var discovered = limit(all, environment: environment)
    if all.isEmpty, !gpus.finders.isEmpty {
      discovered.warnings.append("\(gpus.finders.joined(separator: " and ")) could not tell of any device.")
    }
    return discovered
  }

  /// The one GPU of a machine of Apple's, which shares the machine's memory; nil: it is another's.
  static func appleDevice(system: String, machine: String, memory: Int64) -> FoundDevice? {
    guard system == "Darwin", machine == "arm64" else { return nil }
    return FoundDevice(kind: .mps, driverIndex: 0, name: "Apple GPU", memory: memory)
  }

  /// What the variables of both makers leave of all devices.
  static func limit(_ all: [FoundDevice], environment: [String: String]) -> DiscoveredDevices {
    var found = DiscoveredDevices(all: all, chosen: [])
    for (kind, name) in [
      (FoundDevice.Kind.cuda, "CUDA_VISIBLE_DEVICES"), (FoundDevice.Kind.rocm, "ROCR_VISIBLE_DEVICES"),
    ] {
      let devices = all.filter { $0.kind == kind }
      guard let list = environment[name], !devices.isEmpty else {
        found.chosen += devices
        continue
      }
      let (chosen, unknown) = visible(devices, list)
      found.chosen += chosen
      if let unknown {
        found.warnings.append(
          "\(name)=\(list) names '\(unknown)', which is no device of this machine: it ends the list there, as for programs."
        )
      }
    }
    found.chosen += all.filter { $0.kind == .mps }
    found.chosen.sort { $0.index < $1.index }
    return found
  }

  /// Numbers and beginnings of UUIDs with commas between; what is unknown ends the list, -1 on purpose.
  private static func visible(
    _ devices: [FoundDevice], _ list: String
  ) -> (chosen: [FoundDevice], unknown: String?) {
    var chosen: [FoundDevice] = []
    for item in list.split(separator: ",", omittingEmptySubsequences: true) {
      let word = item.trimmingCharacters(in: .whitespaces)
      let device: FoundDevice?
      if let number = Int(word) {
        device = devices.first { $0.driverIndex == number }
      } else {
        let matches = devices.filter { !word.isEmpty && $0.uuid.hasPrefix(word) }
        device = matches.count == 1 ? matches[0] : nil
      }
      guard let device else { return (chosen, word == "-1" || word.isEmpty ? nil : word) }
      if !chosen.contains(device) { chosen.append(device) }
    }
    return (chosen, nil)
  }
}
