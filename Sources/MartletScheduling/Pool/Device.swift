// Devices, and what is known of them at a moment.

/// A GPU, or what counts as one.
package struct Device: Sendable, Hashable {
  package enum Kind: String, Sendable, CaseIterable {
    case cuda, rocm, mps
    /// Said to be there; nobody asked a driver.
    case declared
  }

  /// Its number in the pool: its driver's, but where drivers of two kinds number theirs alike.
  package var index: Int
  package var kind: Kind
  package var name: String
  /// The machine it is in.
  package var host: String
  /// Bytes; nil: not known.
  package var memory: Int64?
  /// How many slots attempts may share, at least 1.
  package var slots: Int
  /// As its own driver numbers it.
  package var driverIndex: Int
  /// As its driver names it for ever; empty: not known.
  package var uuid: String

  package init(
    index: Int, kind: Kind = .declared, name: String = "", host: String = "", memory: Int64? = nil,
    slots: Int = 1, driverIndex: Int? = nil, uuid: String = ""
  ) {
    self.driverIndex = driverIndex ?? index
    self.uuid = uuid
    self.index = index
    self.kind = kind
    self.name = name
    self.host = host
    self.memory = memory
    self.slots = max(slots, 1)
  }
}

/// What a driver says of a device, whoever uses it.
package struct DeviceReading: Sendable, Hashable {
  /// The part of the time that it was busy, 0...1.
  package var utilization: Double?
  /// Bytes.
  package var used: Int64?
  /// °C.
  package var temperature: Double?
  /// Watts.
  package var power: Double?
  /// When it was told; seconds since 1970.
  package var at: Double?

  package init(
    utilization: Double? = nil, used: Int64? = nil, temperature: Double? = nil, power: Double? = nil,
    at: Double? = nil
  ) {
    self.at = at
    self.utilization = utilization
    self.used = used
    self.temperature = temperature
    self.power = power
  }
}

/// Whether a device is given to anybody.
package enum DeviceStanding: Sendable, Hashable {
  case open
  /// Out of service for those who ask; who holds it goes on.
  case cordoned(reason: String)
  /// Out of service, and who holds it is asked to make room.
  case draining(reason: String)

  package var reason: String? {
    switch self {
    case .open: nil
    case .cordoned(let reason), .draining(let reason): reason
    }
  }
}

/// A device with all that a pool knows of it.
package struct PooledDevice: Sendable, Hashable {
  package internal(set) var device: Device
  /// What people ordered; it outlives the server.
  package internal(set) var ordered = DeviceStanding.open
  /// Why it is not there, a sentence; nil: it is, as far as anybody knows. It is seen, not kept.
  package internal(set) var absence: String?
  /// Nil: nobody has looked since its last holder left.
  package internal(set) var reading: DeviceReading?
  package internal(set) var holders: [JobID] = []
  package internal(set) var usedSlots = 0
  /// Bytes that its holders asked for.
  package internal(set) var reserved: Int64 = 0

  init(_ device: Device) { self.device = device }

  /// Whether it is given to anybody now: one that is not there is not, whatever people ordered.
  package var standing: DeviceStanding {
    if case .open = ordered, let absence { return .cordoned(reason: absence) }
    return ordered
  }

  /// Nobody here holds it, and it is busier than `policy` lets other people's devices be, or has less memory free.
  package func isForeign(under policy: PoolPolicy) -> Bool {
    holders.isEmpty && isForeign(under: policy, wanted: nil)
  }

  /// - Parameter wanted: bytes that somebody asks for; nil: no number.
  func isForeign(under policy: PoolPolicy, wanted: Int64?) -> Bool {
    guard let reading else { return false }
    if let busy = reading.utilization, busy > policy.foreignUtilization { return true }
    guard let memory = device.memory, let free else { return false }
    return free < wanted ?? min(policy.foreignFreeMemory, memory / 2)
  }

  /// Bytes that nobody asked for and nobody was seen to use; nil: not known.
  package var free: Int64? {
    device.memory.map { max(0, $0 - max(reserved, reading?.used ?? 0)) }
  }

  /// The part of its memory that is free, 0...1; of its slots where the memory is not known.
  var freeShare: Double {
    if let memory = device.memory, memory > 0, let free { return Double(free) / Double(memory) }
    return 1 - Double(usedSlots) / Double(device.slots)
  }

  /// The part of the time that it is idle, 0...1; of its slots where nobody has looked.
  var idleShare: Double {
    reading?.utilization.map { 1 - min(max($0, 0), 1) } ?? 1 - Double(usedSlots) / Double(device.slots)
  }
}
