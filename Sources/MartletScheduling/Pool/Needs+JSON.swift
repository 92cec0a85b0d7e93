// Needs as they are kept with a run.

package import MartletModel

extension Needs {
  package init(json: JSONValue) {
    self.init(
      devices: json["gpus"]?.int.flatMap(Int.init(exactly:)) ?? 0, deviceMemory: json["gpu_memory"]?.int,
      deviceSlots: json["gpu_slots"]?.int.flatMap(Int.init(exactly:)) ?? 1,
      sameHost: json["same_host"]?.bool ?? true, memory: json["memory"]?.int ?? 0)
  }

  package var json: JSONValue {
    [
      "gpus": .int(Int64(devices)), "gpu_memory": deviceMemory.map(JSONValue.int) ?? .null,
      "gpu_slots": .int(Int64(deviceSlots)), "same_host": .bool(sameHost), "memory": .int(memory),
    ]
  }
}
