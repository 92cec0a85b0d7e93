// AMD's GPUs, by what their driver shows below /sys.

import Foundation

/// The files of amdgpu (https://docs.kernel.org/gpu/amdgpu/thermal.html): percent, bytes, thousandths of a degree,
/// millionths of a watt.
final class AMDDriver: GPUSource {
  let name = "amdgpu"
  let kind = FoundDevice.Kind.rocm
  /// Directories of devices, as the cards are numbered.
  private let devices: [String]

  /// Nil: no card of this driver is there.
  init?(sys: String) {
    let folder = "\(sys)/class/drm"
    let cards = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
      .compactMap { name in name.hasPrefix("card") ? Int(name.dropFirst(4)) : nil }.sorted()
    devices = cards.map { "\(folder)/card\($0)/device" }
      .filter { FileManager.default.fileExists(atPath: "\($0)/gpu_busy_percent") }
    if devices.isEmpty { return nil }
  }

  func find() -> [FoundDevice] {
    devices.enumerated().map { index, device in
      func text(_ name: String) -> String {
        ProcText.read("\(device)/\(name)")?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
      }
      let (product, id) = (text("product_name"), text("unique_id"))
      return FoundDevice(
        kind: .rocm, driverIndex: index, name: product.isEmpty ? "AMD GPU" : product,
        uuid: id.isEmpty ? "" : "GPU-\(id)", memory: Int64(text("mem_info_vram_total")))
    }
  }

  func read(at now: Double) -> [GPUReading] {
    devices.enumerated().map { index, device in
      func number(_ path: String) -> Double? {
        ProcText.read("\(device)/\(path)").flatMap { text in
          Double(text.prefix { !$0.isWhitespace }).flatMap { $0.isFinite ? $0 : nil }
        }
      }
      let sensors = (try? FileManager.default.contentsOfDirectory(atPath: "\(device)/hwmon"))?.min()
      func sensed(_ names: [String]) -> Double? {
        guard let sensors else { return nil }
        return names.lazy.compactMap { number("hwmon/\(sensors)/\($0)") }.first
      }
      return GPUReading(
        index: index, utilization: number("gpu_busy_percent"), usedBytes: number("mem_info_vram_used"),
        allBytes: number("mem_info_vram_total"), temperature: sensed(["temp1_input"]).map { $0 / 1_000 },
        power: sensed(["power1_average", "power1_input"]).map { $0 / 1_000_000 })
    }
  }
}
